//! Figures of durable messages: how many are acknowledged, and how long each takes.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::Poster;
use crate::harness::Socket;

/// A connection that sends a message and waits until it is acknowledged.
pub trait Writer: 'static {
    /// Sends the `n`-th message of this connection, which must be accepted.
    fn send(&mut self, n: u64) -> impl Future<Output = ()>;
}

/// What every message says.
const CONTENT: &str = "A message of a hundred characters is what people write to each other when they have something to say ...";

impl Writer for Poster {
    async fn send(&mut self, n: u64) {
        self.post_once(CONTENT, &n.to_string()).await;
    }
}

/// A connection to the peer on socket.io.
#[derive(Debug)]
pub struct Speaker(Socket);

impl Speaker {
    /// Connects; who `listens` is sent every message.
    pub async fn connect(address: SocketAddr, listens: bool) -> Self {
        let query = if listens { "&listens=1" } else { "" };
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket{query}");
        let mut socket = Socket::connect(&url, None).await.expect("a connection");
        // Engine.IO's open is answered by joining the namespace.
        let _ = socket.next().await;
        socket.send(Message::text("40")).await.expect("a namespace");
        let _ = socket.next().await;
        Self(socket)
    }

    /// Reads until the connection ends.
    pub async fn listen(mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

impl Writer for Speaker {
    async fn send(&mut self, n: u64) {
        let say = format!("42{n}[\"say\",{{\"author\":\"12345\",\"content\":\"{CONTENT}\"}}]");
        self.0.send(Message::text(say)).await.expect("it is sent");
        let acknowledgement = format!("43{n}[");
        loop {
            let frame = self.0.next().await.expect("an answer").expect("a frame");
            if let Message::Text(text) = frame
                && text.starts_with(&acknowledgement)
            {
                return;
            }
        }
    }
}

/// Every connection sends one message after the other for a while; answers how long each took, sorted. Lives in a
/// `LocalSet`.
pub async fn saturate<W: Writer>(
    writers: &mut Vec<W>,
    first: u64,
    time: Duration,
) -> Vec<Duration> {
    let end = Instant::now() + time;
    run(writers, move |mut writer| async move {
        let (mut n, mut taken) = (first, Vec::new());
        while Instant::now() < end {
            let started = Instant::now();
            writer.send(n).await;
            taken.push(started.elapsed());
            n += 1;
        }
        (writer, taken)
    })
    .await
}

/// So many messages a second over all connections for a while, whatever their answers take: a message that has to wait
/// for its connection has been waiting since it was due. Answers how long each took, sorted.
pub async fn at_rate<W: Writer>(
    writers: &mut Vec<W>,
    first: u64,
    rate: u32,
    time: Duration,
) -> Vec<Duration> {
    let connections = u32::try_from(writers.len()).expect("a few connections");
    let (start, step) = (Instant::now(), Duration::from_secs(1) * connections / rate);
    let mut offset = Duration::ZERO;
    run(writers, move |mut writer| {
        let begin = start + offset;
        offset += step / connections;
        async move {
            let (mut n, mut taken) = (0, Vec::new());
            loop {
                let due = begin + step * n;
                if due >= start + time {
                    return (writer, taken);
                }
                tokio::time::sleep_until(due.into()).await;
                writer.send(first + u64::from(n)).await;
                taken.push(due.elapsed());
                n += 1;
            }
        }
    })
    .await
}

/// Runs all connections at once and puts them back.
async fn run<W, F>(writers: &mut Vec<W>, mut drive: impl FnMut(W) -> F) -> Vec<Duration>
where
    W: Writer,
    F: Future<Output = (W, Vec<Duration>)> + 'static,
{
    let mut running = JoinSet::new();
    for writer in writers.drain(..) {
        running.spawn_local(drive(writer));
    }
    let mut all = Vec::new();
    while let Some(done) = running.join_next().await {
        let (writer, taken) = done.expect("a writer");
        writers.push(writer);
        all.extend(taken);
    }
    all.sort_unstable();
    all
}

/// The value at a share of a sorted list, in milliseconds.
pub fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank of a list"
    )]
    let rank = (sorted.len().saturating_sub(1) as f64 * share) as usize;
    sorted.get(rank).map_or(0.0, |at| at.as_secs_f64() * 1e3)
}
