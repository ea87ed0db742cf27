//! A node that has only its links: one process each, since ractor's registries are of the process. It is told what to do on
//! standard input, a line a command, and says what happens on standard output, a line an event.
//!
//! `link_peer NAME NUMBER FOLDER LISTEN`; certificates are `ca.pem`, `NAME.pem` and `NAME-key.pem` of the folder.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a panic in test code is the report"
)]

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use rookery_actors::link::{Class, Inbound, NodeLink, SendError};
use rookery_node::config::Cluster;
use rookery_node::link::{Identity, Links, Options};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::command::user::{GetAccount, UserCommand, UserReply};
use rookery_protocol::command::{Command, Reply, RequestId};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::ids::UserId;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::oneshot;

/// How long a call may take.
const CALL: Duration = Duration::from_secs(5);

/// Hears the links, answers calls and tells the rest.
#[derive(Default)]
struct Hears {
    links: RwLock<Option<Arc<Links>>>,
    calls: Mutex<HashMap<u64, oneshot::Sender<()>>>,
    next: AtomicU64,
    received: AtomicU64,
}

impl Inbound for Hears {
    fn received(&self, from: &IncarnationId, envelope: Envelope) {
        match envelope {
            Envelope::Ask { call, .. } => {
                let answer = Ok(Reply::User(UserReply::Detach(())));
                let answer = Envelope::Answer { call, answer };
                let links = self.links.read().unwrap();
                if let Some(links) = links.as_ref() {
                    let _ = links.send(from, answer, Class::Must);
                }
            }
            Envelope::Answer { call, .. } => {
                if let Some(waits) = self.calls.lock().unwrap().remove(&call) {
                    let _ = waits.send(());
                }
            }
            _ => {
                self.received.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn linked(&self, peer: &IncarnationId, is_up: bool) {
        let word = if is_up { "linked" } else { "unlinked" };
        say(&format!("{word} {}.{}", peer.node, peer.number));
    }

    fn refused(&self, peer: &IncarnationId) {
        say(&format!("refused {}.{}", peer.node, peer.number));
    }
}

impl Hears {
    fn links(&self) -> Arc<Links> {
        let links = self.links.read().unwrap();
        Arc::clone(links.as_ref().expect("links that are started"))
    }

    /// One question and its answer; none when there was none.
    async fn call(&self, peer: &IncarnationId) -> Option<Duration> {
        let start = Instant::now();
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        self.calls.lock().unwrap().insert(call, tell);
        let ask = Envelope::Ask {
            call,
            request: RequestId {
                caller: 1,
                number: call,
            },
            to: EntityRef::from(UserId(7)),
            command: Command::User(UserCommand::GetAccount(GetAccount)),
            deadline_ms: 5_000,
            origin: None,
        };
        self.links().send(peer, ask, Class::Must).ok()?;
        tokio::time::timeout(CALL, told).await.ok()?.ok()?;
        Some(start.elapsed())
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("an open output");
}

fn incarnation(text: &str) -> IncarnationId {
    let (node, number) = text.split_once('.').expect("name.number");
    IncarnationId {
        node: node.to_owned(),
        number: number.parse().expect("a number"),
    }
}

/// Something of about so many bytes.
fn sized(bytes: usize) -> Envelope {
    Envelope::Refused {
        by: "x".repeat(bytes),
        peer: incarnation("x.1"),
    }
}

struct Node {
    name: String,
    folder: PathBuf,
    hears: Arc<Hears>,
}

impl Node {
    async fn start(&self, number: u64, listen: SocketAddr) {
        let file = |name: &str| Some(self.folder.join(name));
        let cluster = Cluster {
            ca: file("ca.pem"),
            cert: file(&format!("{}.pem", self.name)),
            key: file(&format!("{}-key.pem", self.name)),
            ..Cluster::default()
        };
        let options = Options {
            me: IncarnationId {
                node: self.name.clone(),
                number,
            },
            listen,
            identity: Identity::load(&self.name, &cluster).expect("a certificate"),
        };
        let inbound = Arc::clone(&self.hears) as Arc<dyn Inbound>;
        let links = Links::start(options, inbound).await.expect("links");
        let address = links.address();
        *self.hears.links.write().unwrap() = Some(Arc::new(links));
        say(&format!("listening {address}"));
    }

    async fn stop(&self) {
        let links = self.hears.links.write().unwrap().take();
        links.expect("links that are started").shutdown().await;
        say("stopped");
    }

    async fn run(&self, words: &[&str]) {
        match words {
            ["learn", peers @ ..] => {
                let peer = |text: &&str| {
                    let (peer, address) = text.split_once('=').expect("peer=address");
                    (incarnation(peer), address.to_owned())
                };
                self.hears.links().learn(peers.iter().map(peer).collect());
                say("learned");
            }
            ["call", peer, count] => self.calls(&incarnation(peer), count.parse().unwrap()).await,
            ["send", peer, class, bytes, count] => {
                let class = match *class {
                    "may" => Class::May,
                    _ => Class::Must,
                };
                let (bytes, count) = (bytes.parse().unwrap(), count.parse().unwrap());
                self.send(&incarnation(peer), class, bytes, count);
            }
            ["blast", peer, bytes, count] => {
                let (bytes, count) = (bytes.parse().unwrap(), count.parse().unwrap());
                self.blast(&incarnation(peer), bytes, count).await;
            }
            ["received"] => {
                let received = self.hears.received.load(Ordering::Relaxed);
                say(&format!("received {received}"));
            }
            ["counters"] => self.counters(),
            ["stop"] => self.stop().await,
            ["start", number, listen] => {
                let (number, listen) = (number.parse().unwrap(), listen.parse().unwrap());
                self.start(number, listen).await;
            }
            other => panic!("no command: {other:?}"),
        }
    }

    async fn calls(&self, peer: &IncarnationId, count: usize) {
        let mut times = Vec::new();
        for _ in 0..count {
            match self.hears.call(peer).await {
                Some(time) => times.push(time.as_micros()),
                None => return say("failed"),
            }
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        say(&format!("called {} {} {}", times.len(), at(50), at(99)));
    }

    fn send(&self, peer: &IncarnationId, class: Class, bytes: usize, count: usize) {
        let links = self.hears.links();
        let (mut sent, mut full, mut down) = (0, 0, 0);
        for _ in 0..count {
            match links.send(peer, sized(bytes), class) {
                Ok(()) => sent += 1,
                Err(SendError::Full) => full += 1,
                Err(SendError::Down | SendError::TooLarge) => down += 1,
            }
        }
        say(&format!("sent {sent} {full} {down}"));
    }

    /// Sends as fast as it is taken, and waits until all of it arrived.
    async fn blast(&self, peer: &IncarnationId, bytes: usize, count: usize) {
        let links = self.hears.links();
        let start = Instant::now();
        for call in 0..count as u64 {
            let envelope = || match bytes {
                0 => Envelope::Noticed { call },
                bytes => sized(bytes),
            };
            while let Err(error) = links.send(peer, envelope(), Class::Must) {
                match error {
                    SendError::Full => tokio::time::sleep(Duration::from_micros(200)).await,
                    SendError::Down | SendError::TooLarge => return say("failed"),
                }
            }
            if call % 1_024 == 0 {
                tokio::task::yield_now().await;
            }
        }
        match self.hears.call(peer).await {
            Some(_) => say(&format!("blasted {count} {}", start.elapsed().as_micros())),
            None => say("failed"),
        }
    }

    fn counters(&self) {
        let counters = self.hears.links().counters();
        let mut words = vec!["counters".to_owned()];
        for peer in &counters.peers {
            let (node, up) = (&peer.peer.node, u8::from(peer.is_up));
            words.push(format!("{node}.up={up}"));
            words.push(format!("{node}.links={}", peer.links));
            words.push(format!("{node}.queued={}", peer.queued_bytes));
            words.push(format!("{node}.sent={}", peer.sent.envelopes));
            words.push(format!("{node}.received={}", peer.received.envelopes));
            words.push(format!("{node}.dropped={}", peer.dropped));
            words.push(format!("{node}.refused={}", peer.refused));
        }
        for (reason, count) in &counters.refusals {
            words.push(format!("{}={count}", reason.name()));
        }
        say(&words.join(" "));
    }
}

#[tokio::main]
async fn main() {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn,ractor_cluster=error".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, number, folder, listen] = <[String; 4]>::try_from(words).expect("four words");
    let node = Node {
        name,
        folder: folder.into(),
        hears: Arc::default(),
    };
    node.start(number.parse().unwrap(), listen.parse().unwrap())
        .await;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        node.run(&line.split_whitespace().collect::<Vec<_>>()).await;
    }
}
