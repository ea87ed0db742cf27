//! Sessions of the gateway.

use serde::{Deserialize, Serialize};

use super::Silent;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// What its node calls it: lane, place, and the how-manieth of that place. Not its id: that would let one take it over.
    pub session: String,
    /// Where it is.
    pub node: String,
    /// Its relay lane there.
    pub lane: u16,
    /// Whether a socket is attached; otherwise it waits to be resumed.
    pub is_connected: bool,
    /// The number of the last event that it was sent.
    pub seq: u64,
    /// Groups and accounts whose events it gets.
    pub topics: u64,
    /// Its shard and how many there are; bots only.
    pub shard: Option<[u32; 2]>,
    /// Its intents.
    pub intents: u64,
    /// Bytes that wait for its socket.
    pub queued_bytes: u64,
}

/// The sessions of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// They.
    pub sessions: Vec<SessionRow>,
    /// Who did not answer.
    pub silent: Vec<Silent>,
}
