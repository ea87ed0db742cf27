//! The peer: a room on socket.io, in a Node process on the first core.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use super::{Cpu, Readers, Room, Wire, server_pin};

/// A peer's process.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    /// Starts `server.js` of a folder in `tests/peers`; its packages are installed by `tests/run` (or `npm ci`).
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(name);
        assert!(
            folder.join("node_modules").is_dir(),
            "run `npm ci` in {}",
            folder.display()
        );
        let mut words = server_pin();
        words.extend(["node", "server.js"].map(str::to_owned));
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port: u16 = line.trim().parse().expect("a port");
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time that it has used.
    pub fn cpu(&self) -> Cpu {
        Cpu::of(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running socket.io server with connected members.
#[derive(Debug)]
pub struct SocketIo {
    peer: Peer,
    readers: Readers,
}

struct EngineWire;

impl Wire for EngineWire {
    fn path(&self) -> String {
        "/socket.io/?EIO=4&transport=websocket".to_owned()
    }

    /// Engine.IO's open is answered by joining the namespace.
    fn opening(&self, _: usize, frames: u64) -> Option<String> {
        (frames == 1).then(|| "40".to_owned())
    }

    /// Open, and the namespace's answer; the server puts the member into the room before it.
    fn frames_until_ready(&self) -> u64 {
        2
    }
}

impl SocketIo {
    /// Starts it.
    pub fn start() -> Self {
        Self {
            peer: Peer::start("socketio", &[]),
            readers: Readers::default(),
        }
    }
}

impl Room for SocketIo {
    fn name(&self) -> &'static str {
        "socket.io"
    }

    async fn grow(&mut self, members: usize) {
        self.readers
            .grow(self.peer.address(), Rc::new(EngineWire), members)
            .await;
    }

    async fn send(&mut self, in_flight: u64, stop: Instant) -> u64 {
        let (base, members) = (self.readers.frames(), self.readers.len() as u64);
        let message = format!(
            "42[\"say\",{{\"id\":\"1234567890123456789\",\"author\":\"12345\",\"content\":\"{}\"}}]",
            "x".repeat(100)
        );
        let (mut sent, mut delivered) = (0, 0);
        while Instant::now() < stop {
            while sent < delivered + in_flight {
                self.readers.say(0, &message).await;
                sent += 1;
            }
            delivered += 1;
            self.readers.reach(base + delivered * members).await;
        }
        self.readers.reach(base + sent * members).await;
        sent
    }

    fn cpu(&self) -> Cpu {
        self.peer.cpu()
    }
}
