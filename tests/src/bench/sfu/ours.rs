//! Our media workers in a process of their own (`media_peer`).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rookery_protocol::client::voice::Want;
use serde_json::{Value, json};

use super::{SPEAKER, Sfu};
use crate::bench::{Cpu, server_pin};
use crate::memory::resident_kb;
use crate::voice::{Client, Layout};

/// A process of one worker.
pub struct Workers {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: IpAddr,
    estimate: bool,
    number: u64,
}

/// How it runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// With bandwidth estimation and full feedback, or with neither.
    pub estimate: bool,
    /// As the environment and the kernel give them to the server, or never. They save time, and what is resident is more than what
    /// is held, now by more and now by less: around each part in use the kernel makes a whole one of 2 MB, whenever it comes by.
    pub huge_pages: bool,
}

impl Workers {
    /// Starts it.
    pub fn start(binary: &str, address: IpAddr, options: Options) -> Self {
        let Options {
            estimate,
            huge_pages,
        } = options;
        let mut words = server_pin();
        words.push(binary.to_owned());
        words.push(address.to_string());
        if !estimate {
            words.push("--no-estimate".to_owned());
        }
        let mut command = Command::new(&words[0]);
        if !huge_pages {
            command.env("MIMALLOC_ALLOW_THP", "0");
        }
        let mut child = command
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("media_peer starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut workers = Self {
            child,
            input,
            output,
            address,
            estimate,
            number: 0,
        };
        workers.hear();
        workers
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    fn say(&mut self, order: &Value) {
        writeln!(self.input, "{order}").expect("media_peer lives");
    }

    /// Somebody with such sections comes into a room; rooms are numbered from 1.
    pub fn join(&mut self, room: u64, user: u64, layout: Layout) -> Client {
        let layout = Layout {
            transport_cc: self.estimate,
            ..layout
        };
        let (mut client, sdp) = Client::at(self.address, user, layout).expect("a client");
        self.offer(room, &mut client, &sdp);
        client
    }

    /// Somebody moves to another socket, as after a change of network.
    pub fn restart(&mut self, room: u64, client: &mut Client) {
        let sdp = client.restart().expect("an offer");
        self.offer(room, client, &sdp);
    }

    fn offer(&mut self, room: u64, client: &mut Client, sdp: &str) {
        self.number += 1;
        self.say(&json!({
            "op": "offer", "id": self.number, "room": room, "peer": client.user.0, "sdp": sdp,
        }));
        let answer = self.hear();
        let answer = answer["answer"].as_str().expect("an answer");
        client.accept(answer).expect("an answer that fits");
    }

    /// Somebody wants to see cameras.
    pub fn want(&mut self, room: u64, user: u64, whom: &[u64]) {
        let wants: Vec<_> = whom
            .iter()
            .map(|user| json!({"user_id": user.to_string(), "stream": "camera", "height": 720}))
            .collect();
        self.say(&json!({"op": "want", "room": room, "peer": user, "wants": wants}));
    }

    /// Somebody wants to see streams.
    pub fn wants(&mut self, room: u64, user: u64, wants: &[Want]) {
        self.say(&json!({"op": "want", "room": room, "peer": user, "wants": wants}));
    }

    /// Somebody says whether his camera and his screen are on.
    pub fn streams(&mut self, room: u64, user: u64, camera: bool, screen: bool) {
        self.say(&json!({
            "op": "streams", "room": room, "peer": user, "camera": camera, "screen": screen,
        }));
    }

    /// A room ends.
    pub fn close(&mut self, room: u64) {
        self.say(&json!({"op": "close", "room": room}));
    }

    /// What the workers count.
    pub fn counters(&mut self) -> BTreeMap<String, u64> {
        self.say(&json!({"op": "load"}));
        serde_json::from_value(self.hear()["counters"].clone()).expect("counters")
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Somebody leaves.
    pub fn leave(&mut self, room: u64, user: u64) {
        self.say(&json!({"op": "leave", "room": room, "peer": user}));
    }
}

impl Sfu for Workers {
    fn name(&self) -> &'static str {
        if self.estimate {
            "rookery, BWE"
        } else {
            "rookery"
        }
    }

    fn publish(&mut self, room: u64, user: u64) -> Client {
        self.join(room, user, SPEAKER)
    }

    fn watch(&mut self, room: u64, user: u64, whom: u64) -> Client {
        let client = self.join(room, user, Layout::VIEWER);
        self.want(room, user, &[whom]);
        client
    }

    fn load(&mut self) -> String {
        self.say(&json!({"op": "load"}));
        self.hear()["load"].as_str().unwrap_or_default().to_owned()
    }

    fn cpu(&self) -> Cpu {
        Cpu::of(self.child.id())
    }

    fn resident_kb(&self) -> u64 {
        resident_kb(self.child.id())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
