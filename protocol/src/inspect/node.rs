//! Nodes.

use serde::{Deserialize, Serialize};

use super::Silent;
use super::actor::KindRow;

/// A node that answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// Its run.
    pub incarnation: u64,
    /// The version of the binary.
    pub version: String,
    /// `alone`, `joining`, `up`, `draining`, `evicted` or `ending`.
    pub state: String,
    /// Where clients reach it.
    pub address: String,
    /// Milliseconds since it was started.
    pub uptime_ms: u64,
    /// Its clock, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Active accounts.
    pub users: u64,
    /// Active groups.
    pub groups: u64,
    /// Voice rooms.
    pub rooms: u64,
    /// People in them.
    pub speakers: u64,
    /// Sessions of the gateway.
    pub sessions: u64,
    /// Shards that it owns.
    pub shards: u64,
    /// Messages that wait for actors, in all.
    pub depth: u64,
    /// Messages that actors handled.
    pub handled: u64,
    /// Nanoseconds that actors spent handling.
    pub busy_ns: u64,
    /// Events written to sessions.
    pub deliveries: u64,
    /// Bytes of memory that it uses.
    pub memory_bytes: u64,
    /// Milliseconds of processor time that it used.
    pub cpu_ms: u64,
    /// Files and sockets that it has open.
    pub open_files: u64,
    /// Its commits.
    pub commit: CommitRow,
    /// Its links with other nodes.
    pub links: Vec<LinkRow>,
    /// What its actors handled, by kind of message: the ten that took the longest in all.
    pub kinds: Vec<KindRow>,
    /// Warnings of the last minute.
    pub warnings: u64,
}

/// The commit lane of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommitRow {
    /// Commits that were acknowledged.
    pub commits: u64,
    /// Units of entities in them.
    pub units: u64,
    /// Units that wait or are under way.
    pub outstanding: u64,
    /// Commits whose outcome had to be asked for.
    pub unknown: u64,
    /// Nanoseconds of the latest commit.
    pub last_ns: u64,
    /// Nanoseconds of the slowest one.
    pub slowest_ns: u64,
}

/// A link with another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRow {
    /// The other node.
    pub peer: String,
    /// Whether there is one at the moment.
    pub is_up: bool,
    /// How many there have been.
    pub links: u64,
    /// Bytes that are queued for it, or not acknowledged by it.
    pub queued_bytes: u64,
    /// Envelopes that it was sent.
    pub sent: u64,
    /// Envelopes that came from it.
    pub received: u64,
    /// Envelopes that gave way, or were refused, because the budget was used up.
    pub dropped: u64,
}

/// The nodes of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Nodes {
    /// Those that answered, by name.
    pub nodes: Vec<NodeRow>,
    /// Who did not answer.
    pub silent: Vec<Silent>,
}
