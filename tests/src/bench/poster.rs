//! A keep-alive HTTP connection that posts messages with as little work as possible.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection of one writer to one channel.
#[derive(Debug)]
pub struct Poster {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Poster {
    /// Connects.
    pub async fn connect(address: SocketAddr, token: &str, channel: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let head = format!(
            "POST /api/v10/channels/{channel}/messages HTTP/1.1\r\nhost: {address}\r\nauthorization: {token}\r\n\
             content-type: application/json\r\ncontent-length: "
        );
        Self {
            stream,
            head,
            buffer: Vec::with_capacity(4_096),
        }
    }

    /// Posts a message, which must be accepted.
    pub async fn post(&mut self, content: &str) {
        self.post_body(&format!("{{\"content\":\"{content}\"}}"))
            .await;
    }

    /// Posts a message with a nonce that makes it recognised when it comes again; it must be accepted.
    pub async fn post_once(&mut self, content: &str, nonce: &str) {
        self.post_body(&format!(
            "{{\"content\":\"{content}\",\"nonce\":\"{nonce}\",\"enforce_nonce\":true}}"
        ))
        .await;
    }

    async fn post_body(&mut self, body: &str) {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        self.stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            assert_ne!(
                read.expect("an answer"),
                0,
                "the server closed a connection"
            );
            if let Some(length) = answer_length(&self.buffer)
                && self.buffer.len() >= length
            {
                break;
            }
        }
        let text = String::from_utf8_lossy(&self.buffer);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
}

/// The length of head and body, once the head is complete.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head in ASCII");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().expect("a length"))
    });
    Some(end + length.expect("a content-length"))
}
