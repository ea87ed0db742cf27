//! Bad input on the gateway: each fault has its close code, and nobody else notices.

use rookery_tests::harness::{Community, Gateway, Node, Person, Socket};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Sends one message before IDENTIFY and answers the close code.
async fn code_before_identify(node: &Node, message: Message) -> Option<u16> {
    let mut gateway = Gateway::connect(node).await;
    gateway.send_raw(message).await;
    gateway.closed().await
}

/// Sends one message in a session and answers the close code.
async fn code_in_session(node: &Node, person: &Person, message: Message) -> Option<u16> {
    let mut gateway = person.connect(node).await;
    gateway.send_raw(message).await;
    gateway.closed().await
}

fn frame(op: u64, data: Value) -> Message {
    Message::text(json!({ "op": op, "d": data }).to_string())
}

#[tokio::test]
async fn every_fault_has_its_close_code_and_a_bystander_notices_nothing() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut bystander = ben.connect(&node).await;

    let nested = format!(
        "{{\"op\":1,\"d\":{}1{}}}",
        "[".repeat(2_000),
        "]".repeat(2_000)
    );
    let undecodable = [
        ("no JSON", Message::text("hello")),
        ("an empty text", Message::text("")),
        ("a list", Message::text("[]")),
        ("no opcode", Message::text("{\"d\":1}")),
        ("a text for an opcode", Message::text("{\"op\":\"1\"}")),
        ("a negative opcode", Message::text("{\"op\":-1}")),
        ("half a frame", Message::text("{\"op\":1,")),
        ("NUL", Message::text("{\"op\":1}\0")),
        ("deep nesting", Message::text(nested)),
        ("no term format", Message::binary(vec![131, 100, 0, 1])),
        ("4,097 bytes", Message::text(" ".repeat(4_097))),
    ];
    for (what, message) in undecodable {
        assert_eq!(
            code_before_identify(&node, message.clone()).await,
            Some(4002),
            "{what}"
        );
        assert_eq!(
            code_in_session(&node, ada, message).await,
            Some(4002),
            "{what}"
        );
    }
    for op in [5, 9, 10, 11, 12, 255, 1 << 40] {
        assert_eq!(
            code_before_identify(&node, frame(op, Value::Null)).await,
            Some(4001),
            "{op}"
        );
        assert_eq!(
            code_in_session(&node, ada, frame(op, Value::Null)).await,
            Some(4001),
            "{op}"
        );
    }
    for op in [3, 4, 8] {
        assert_eq!(
            code_before_identify(&node, frame(op, json!({}))).await,
            Some(4003),
            "{op}"
        );
    }
    let identify = |fields: Value| frame(2, fields);
    let good = json!({ "token": ada.token, "intents": 1, "properties": {} });
    assert_eq!(
        code_in_session(&node, ada, identify(good)).await,
        Some(4005)
    );
    let resume = json!({ "token": ada.token, "session_id": "x", "seq": 1 });
    assert_eq!(
        code_in_session(&node, ada, frame(6, resume)).await,
        Some(4005)
    );
    let malformed = [
        json!(null),
        json!({}),
        json!({ "token": 1 }),
        json!({ "token": ada.token, "intents": -1 }),
        json!({ "token": ada.token, "intents": "all" }),
        json!({ "token": ada.token, "intents": 1, "shard": [0] }),
        json!([ada.token]),
    ];
    for fields in malformed {
        assert_eq!(
            code_before_identify(&node, identify(fields.clone())).await,
            Some(4002),
            "{fields}"
        );
    }
    for fields in [
        json!(null),
        json!({ "token": ada.token }),
        json!({ "token": ada.token, "session_id": 1, "seq": 0 }),
    ] {
        assert_eq!(
            code_before_identify(&node, frame(6, fields.clone())).await,
            Some(4002),
            "{fields}"
        );
    }
    for token in ["", "x", "Bot x", "Bearer x", &"x".repeat(2_000)] {
        let fields = json!({ "token": token, "intents": 1 });
        assert_eq!(
            code_before_identify(&node, identify(fields)).await,
            Some(4004),
            "{token}"
        );
    }
    for intents in [1_u64 << 30, 1 << 40, u64::MAX] {
        let fields = json!({ "token": ada.token, "intents": intents });
        assert_eq!(
            code_before_identify(&node, identify(fields)).await,
            Some(4013),
            "{intents}"
        );
    }
    for shard in [[0, 0], [1, 1], [5, 2]] {
        let fields = json!({ "token": ada.token, "intents": 1, "shard": shard });
        assert_eq!(
            code_before_identify(&node, identify(fields)).await,
            Some(4010),
            "{shard:?}"
        );
    }

    ada.http.say(&community.channel, "all well").await;
    let noticed = bystander.until_message("all well").await;
    assert_eq!(noticed, [], "the bystander noticed something");
    bystander.heartbeat().await;
}

#[tokio::test]
async fn an_unknown_version_or_encoding_is_refused() {
    let node = Node::start().await;
    for query in ["v=1", "v=11", "v=x"] {
        let url = format!("{}/?{query}&encoding=json", node.gateway_url());
        let mut socket = Socket::connect(&url, None).await.expect("a handshake");
        let code = loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                _ => break None,
            }
        };
        assert_eq!(code, Some(4012), "{query}");
    }
    // Libraries leave the query out, or say 9.
    for path in ["", "/", "/gateway", "/?v=9", "/?encoding=json&v=10"] {
        let url = format!("{}{path}", node.gateway_url());
        Gateway::connect_to(&url, None).await.heartbeat().await;
    }
}

#[tokio::test]
async fn too_many_frames_close_with_4008_and_the_session_can_be_resumed() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let mut gateway = ada.connect(&node).await;
    for _ in 0..200 {
        gateway.send(1, json!(1)).await;
    }
    assert_eq!(gateway.closed().await, Some(4008));
    gateway.cut().resume().await;
}

#[tokio::test]
async fn bytes_that_are_no_websocket_harm_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut bystander = community.ben.connect(&node).await;
    let upgrade = "GET /?v=10 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let garbage: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"\x81\x05hello",                                            // not masked
        b"\x81\x85\x00\x00\x00\x00\xff\xfe\xfd\xfc\xfb",             // masked, not UTF-8
        b"\x83\x80\x00\x00\x00\x00",                                 // reserved opcode
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", // 2^64 bytes announced
    ];
    for (n, bytes) in garbage.into_iter().enumerate() {
        let mut tcp = TcpStream::connect(node.address()).await.unwrap();
        if n >= 2 {
            tcp.write_all(upgrade.as_bytes()).await.unwrap();
            let mut head = vec![0; 12];
            tcp.read_exact(&mut head).await.unwrap();
            assert_eq!(head, b"HTTP/1.1 101");
        }
        let _ = tcp.write_all(bytes).await;
        // The server ends the connection; what it says before is its own affair.
        let end = async {
            let mut rest = Vec::new();
            let _ = tcp.read_to_end(&mut rest).await;
        };
        rookery_tests::harness::soon("the end of a garbage connection", end).await;
    }
    community.ada.http.say(&community.channel, "all well").await;
    assert_eq!(bystander.until_message("all well").await, []);
}
