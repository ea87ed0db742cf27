//! A node with nothing but links, as a process: told what to do, and listened to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::harness::soon;
use crate::memory;

/// The process; it ends with this.
#[derive(Debug)]
pub struct LinkPeer {
    child: Child,
    commands: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    /// Events that came before the reply to a command.
    early: VecDeque<String>,
    /// `name.number`, as events say it.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The counters of a node at some time.
#[derive(Debug, Clone)]
pub struct Counts(Vec<(String, u64)>);

impl Counts {
    /// One of them; 0 when it is not there.
    pub fn of(&self, name: &str) -> u64 {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map_or(0, |(_, count)| *count)
    }
}

/// The words of a line after those of an event; none when it is another.
fn after(line: &str, event: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let wanted: Vec<&str> = event.split_whitespace().collect();
    let rest = words.strip_prefix(&wanted[..])?;
    Some(rest.iter().map(|&word| word.to_owned()).collect())
}

impl LinkPeer {
    /// Starts `binary` as an incarnation of a node, with the certificates of a folder.
    pub async fn start(binary: &str, name: &str, number: u64, folder: &Path, listen: &str) -> Self {
        let mut child = Command::new(binary)
            .args([name, &number.to_string()])
            .arg(folder)
            .arg(listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the process");
        let commands = child.stdin.take().expect("piped");
        let events = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut peer = Self {
            child,
            commands,
            events,
            early: VecDeque::new(),
            name: format!("{name}.{number}"),
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        peer.listening().await;
        peer
    }

    async fn listening(&mut self) {
        let address = self.reply("listening").await;
        self.address = address[0].parse().expect("an address");
    }

    /// Tells it something.
    pub async fn tell(&mut self, command: &str) {
        let line = format!("{command}\n");
        self.commands
            .write_all(line.as_bytes())
            .await
            .expect("a process that lives");
    }

    /// Waits for an event and answers what it says; others before it are passed over.
    pub async fn event(&mut self, event: &str) -> Vec<String> {
        soon(&format!("{event} at {}", self.name), self.next(event)).await
    }

    /// The same for at most so long; none: it did not happen.
    pub async fn event_within(&mut self, event: &str, time: Duration) -> Option<Vec<String>> {
        tokio::time::timeout(time, self.next(event)).await.ok()
    }

    async fn next(&mut self, event: &str) -> Vec<String> {
        loop {
            let line = match self.early.pop_front() {
                Some(line) => line,
                None => self.line(event).await,
            };
            if let Some(rest) = after(&line, event) {
                return rest;
            }
        }
    }

    async fn line(&mut self, before: &str) -> String {
        let line = self.events.next_line().await.expect("an output");
        line.unwrap_or_else(|| panic!("{} ended before {before}", self.name))
    }

    /// Waits for the reply to a command; events before it are kept.
    async fn reply(&mut self, reply: &str) -> Vec<String> {
        let what = format!("{reply} at {}", self.name);
        let found = async {
            loop {
                let line = self.line(reply).await;
                match after(&line, reply) {
                    Some(rest) => return rest,
                    None => self.early.push_back(line),
                }
            }
        };
        soon(&what, found).await
    }

    /// Shows it the other nodes.
    pub async fn learn(&mut self, peers: &[(&str, SocketAddr)]) {
        let peers = peers.iter().map(|(name, at)| format!("{name}={at}"));
        let peers: Vec<String> = peers.collect();
        self.tell(&format!("learn {}", peers.join(" "))).await;
        self.reply("learned").await;
    }

    /// Makes it call another so many times; the median and the 99th percentile in microseconds.
    pub async fn call(&mut self, peer: &str, times: usize) -> (u64, u64) {
        self.tell(&format!("call {peer} {times}")).await;
        let called = self.reply("called").await;
        (called[1].parse().unwrap(), called[2].parse().unwrap())
    }

    /// How many envelopes it received that are neither questions nor answers.
    pub async fn received(&mut self) -> u64 {
        self.tell("received").await;
        let received = self.reply("received").await;
        received[0].parse().unwrap()
    }

    /// Makes it send so many envelopes of so many bytes; how many were queued, refused as full, and refused without a link.
    pub async fn send(&mut self, peer: &str, class: &str, bytes: usize, count: usize) -> [u64; 3] {
        self.tell(&format!("send {peer} {class} {bytes} {count}"))
            .await;
        let sent = self.reply("sent").await;
        [0, 1, 2].map(|n| sent[n].parse().unwrap())
    }

    /// Makes it send so many envelopes as fast as they are taken; microseconds until all arrived.
    pub async fn blast(&mut self, peer: &str, bytes: usize, count: usize) -> u64 {
        self.tell(&format!("blast {peer} {bytes} {count}")).await;
        let blasted = self.reply("blasted").await;
        blasted[1].parse().unwrap()
    }

    /// What it counts.
    pub async fn counts(&mut self) -> Counts {
        self.tell("counters").await;
        let counts = self.reply("counters").await;
        let read = |word: &String| {
            let (name, count) = word.split_once('=').expect("name=count");
            (name.to_owned(), count.parse().expect("a number"))
        };
        Counts(counts.iter().map(read).collect())
    }

    /// Waits until one of its counters is at least so much.
    pub async fn counted(&mut self, name: &str, least: u64) -> Counts {
        let until = async {
            loop {
                let counts = self.counts().await;
                if counts.of(name) >= least {
                    return counts;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::harness::DEADLINE, until)
            .await
            .unwrap_or_else(|_| panic!("{name} does not reach {least}"))
    }

    /// Ends its links in order, and starts them again as another incarnation.
    pub async fn restart_as(&mut self, number: u64) {
        self.tell("stop").await;
        self.reply("stopped").await;
        let at = self.address;
        self.tell(&format!("start {number} {at}")).await;
        self.listening().await;
        let (name, _) = self.name.split_once('.').expect("name.number");
        self.name = format!("{name}.{number}");
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &pid])
            .status();
        assert!(status.expect("kill").success(), "kill -s {name}");
    }

    /// kill -9, and waits for its end.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("its end");
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a process that lives")
    }

    /// Resident memory in kB.
    pub fn resident_kb(&self) -> u64 {
        memory::resident_kb(self.pid())
    }
}
