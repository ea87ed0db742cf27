//! zlib-stream: one zlib context per connection, every message ending in a sync flush.

use flate2::{Decompress, FlushDecompress};
use rookery_tests::harness::{Community, Node, Socket, soon};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

struct Inflater {
    zlib: Decompress,
    buffer: Vec<u8>,
}

impl Inflater {
    /// A message, once it is complete.
    fn push(&mut self, bytes: &[u8]) -> Option<Value> {
        self.buffer.extend_from_slice(bytes);
        if !self.buffer.ends_with(&[0, 0, 0xff, 0xff]) {
            return None;
        }
        let mut text = Vec::with_capacity(1 << 20);
        self.zlib
            .decompress_vec(&self.buffer, &mut text, FlushDecompress::Sync)
            .expect("a zlib stream");
        self.buffer.clear();
        Some(serde_json::from_slice(&text).expect("JSON"))
    }
}

#[tokio::test]
async fn a_compressed_session_reads_like_a_plain_one() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let url = format!(
        "{}/?v=10&encoding=json&compress=zlib-stream",
        node.gateway_url()
    );
    let mut socket = Socket::connect(&url, None).await.expect("a handshake");
    let mut inflater = Inflater {
        zlib: Decompress::new(true),
        buffer: Vec::new(),
    };
    let mut next = async |socket: &mut Socket| loop {
        match soon("a frame", socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => {
                if let Some(frame) = inflater.push(&bytes) {
                    break frame;
                }
            }
            other => panic!("no binary frame but {other:?}"),
        }
    };
    assert_eq!(next(&mut socket).await["op"], 10);
    let identify =
        json!({ "op": 2, "d": { "token": community.ben.token, "intents": 513, "properties": {} } });
    socket
        .send(Message::text(identify.to_string()))
        .await
        .unwrap();
    assert_eq!(next(&mut socket).await["t"], "READY");
    assert_eq!(next(&mut socket).await["t"], "GUILD_CREATE");
    for n in 0..50 {
        let content = format!("{n} ").repeat(200);
        let content = content.trim();
        community.ada.http.say(&community.channel, content).await;
        let frame = next(&mut socket).await;
        assert_eq!(
            (&frame["t"], &frame["s"]),
            (&json!("MESSAGE_CREATE"), &json!(n + 3))
        );
        assert_eq!(frame["d"]["content"], content);
    }
    socket
        .send(Message::text("{\"op\":1,\"d\":52}"))
        .await
        .unwrap();
    assert_eq!(next(&mut socket).await["op"], 11);
}
