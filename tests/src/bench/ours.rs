//! Rookery under measurement: the real binary in release, people in one group, redb underneath.

use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_protocol::limits;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Cpu, Poster, Readers, Room, Wire, server_pin};
use crate::harness::{Node, NodeOptions, PASSWORD, Person};

/// Builds the release binary and starts it on the first core, without rate limits.
pub async fn release_node() -> Node {
    release_node_with(NodeOptions::default()).await
}

/// Builds the release binary, which nodes are started from then.
pub fn build_release() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    if std::env::var_os("ROOKERY_BIN").is_none() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--release", "--quiet", "--bin", "rookery"])
            .current_dir(root)
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "the release binary does not build"
        );
    }
}

/// The same with other options.
pub async fn release_node_with(options: NodeOptions) -> Node {
    build_release();
    Node::start_with(NodeOptions {
        wrapper: server_pin(),
        ..options
    })
    .await
}

/// A group whose members are online.
#[derive(Debug)]
pub struct Ours {
    /// The server.
    pub node: Rc<Node>,
    /// The members; the first is the owner.
    pub people: Vec<Person>,
    /// The channel.
    pub channel: String,
    /// Their connections.
    pub readers: Readers,
    /// Where they connect, if not to the server that is written to.
    pub readers_at: Option<SocketAddr>,
}

/// All but presences, whose updates nobody counts.
const INTENTS: u64 = 0x0331_ffff & !(1 << 8);

struct GatewayWire(Vec<String>);

impl Wire for GatewayWire {
    fn path(&self) -> String {
        "/?v=10&encoding=json".to_owned()
    }

    fn opening(&self, member: usize, frames: u64) -> Option<String> {
        let fields = json!({ "token": self.0[member], "intents": INTENTS, "properties": {} });
        (frames == 1).then(|| json!({ "op": 2, "d": fields }).to_string())
    }

    /// HELLO, READY, GUILD_CREATE.
    fn frames_until_ready(&self) -> u64 {
        3
    }
}

impl Ours {
    /// Starts a server with a group of `members`, none of them connected.
    pub async fn start(members: usize) -> Self {
        Self::with_node(release_node().await, members).await
    }

    /// Makes a group of `members` on a server.
    pub async fn with_node(node: Node, members: usize) -> Self {
        Self::with_group(node, members, |_| true).await
    }

    /// The same, in a group whose id is `wanted`.
    pub async fn with_group(node: Node, members: usize, wanted: impl Fn(u64) -> bool) -> Self {
        let node = Rc::new(node);
        let owner = Person::register(&node, "owner").await;
        let channel = loop {
            let (group, channel) = owner.create_group("Everybody").await;
            if wanted(group.parse().expect("an id")) {
                break channel;
            }
            owner.http.delete(&format!("/guilds/{group}")).await;
        };
        let code = owner.invite(&channel).await;
        let turns = Arc::new(Semaphore::new(8));
        let mut joining = JoinSet::new();
        for n in 1..members {
            let turn = Arc::clone(&turns).acquire_owned().await.expect("open");
            let (node, code) = (Rc::clone(&node), code.clone());
            let http = owner.http.clone();
            joining.spawn_local(async move {
                let name = format!("member{n}");
                let form = json!({ "username": name, "password": PASSWORD });
                let tokens = http.post("/auth/register", form).await.expect(201);
                let mut person = Person::from_tokens(&node, &name, &tokens);
                person.http = http.with_token(&person.token);
                person.accept(&code).await;
                drop(turn);
                person
            });
        }
        let mut people = vec![owner];
        people.extend(joining.join_all().await);
        Self {
            node,
            people,
            channel,
            readers: Readers::default(),
            readers_at: None,
        }
    }

    /// Connects more members, so many at a time, until there are `members`.
    pub async fn grow_at_once(&mut self, members: usize, at_once: usize) {
        let tokens = self.people.iter().map(|person| person.token.clone());
        let wire = Rc::new(GatewayWire(tokens.collect()));
        let address = self.readers_at.unwrap_or_else(|| self.node.address());
        self.readers
            .grow_at_once(address, wire, members, at_once)
            .await;
        // Nobody is closed for silence while others are still being connected.
        self.readers.say_to_all("{\"op\":1,\"d\":1}").await;
    }

    /// Starts the server again on the same data: what registering left in its memory is gone.
    pub async fn restart(&mut self) {
        self.readers = Readers::default();
        let node = Rc::get_mut(&mut self.node).expect("nobody else uses the server");
        node.terminate().await;
        node.restart().await;
    }

    /// Lets everybody be idle for a while, with the heartbeats that keep a session. Fails if one was closed all the same.
    pub async fn idle(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let beat = Instant::now() + Duration::from_millis(limits::HEARTBEAT_MS);
            tokio::time::sleep_until(beat.min(end).into()).await;
            self.readers.say_to_all("{\"op\":1,\"d\":1}").await;
        }
    }
}

impl Room for Ours {
    fn name(&self) -> &'static str {
        "rookery"
    }

    async fn grow(&mut self, members: usize) {
        self.grow_at_once(members, 32).await;
    }

    async fn send(&mut self, in_flight: u64, stop: Instant) -> u64 {
        self.readers.say_to_all("{\"op\":1,\"d\":1}").await;
        let (base, members) = (self.readers.frames(), self.readers.len() as u64);
        let turns = Arc::new(Semaphore::new(in_flight as usize));
        let mut sending = JoinSet::new();
        for _ in 0..in_flight {
            // New ones each time: the server closes what was idle for a while.
            let token = &self.people[0].token;
            let mut poster = Poster::connect(self.node.address(), token, &self.channel).await;
            let turns = Arc::clone(&turns);
            sending.spawn_local(async move {
                let content = "x".repeat(100);
                let mut sent = 0_u64;
                while let Ok(turn) = turns.acquire().await
                    && Instant::now() < stop
                {
                    turn.forget();
                    poster.post(&content).await;
                    sent += 1;
                }
                sent
            });
        }
        // A turn comes back when a message is with everybody.
        let mut delivered = 0;
        let mut sent = 0;
        loop {
            tokio::select! {
                biased;
                done = sending.join_next() => match done {
                    Some(done) => {
                        sent += done.expect("a poster");
                        turns.add_permits(1);
                    }
                    None => break,
                },
                () = self.readers.reach(base + (delivered + 1) * members) => {
                    delivered += 1;
                    turns.add_permits(1);
                }
            }
        }
        self.readers.reach(base + sent * members).await;
        sent
    }

    fn cpu(&self) -> Cpu {
        Cpu::of(self.node.pid())
    }
}
