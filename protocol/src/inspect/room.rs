//! Voice rooms.

use serde::{Deserialize, Serialize};

use super::Silent;

/// A voice room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Its channel.
    pub channel: String,
    /// The channel's group.
    pub group: String,
    /// The node that it is at.
    pub node: String,
    /// People in it.
    pub people: u64,
    /// Cameras that are on.
    pub cameras: u64,
    /// Screens that are shared.
    pub screens: u64,
    /// Each of them whose media has told something of itself.
    pub peers: Vec<PeerRow>,
}

/// Somebody's media, by its latest statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerRow {
    /// Whose.
    pub user: String,
    /// Milliseconds to him and back, once known.
    pub rtt_ms: Option<f32>,
    /// Bits per second from him.
    pub up_bps: u64,
    /// Bits per second to him.
    pub down_bps: u64,
    /// Share of packets from him that were lost: 0 to 1.
    pub up_loss: f32,
    /// Share of packets to him that were lost.
    pub down_loss: f32,
    /// Bits per second that his way is thought to bear.
    pub estimate_bps: Option<u64>,
    /// Simulcast layers that he is sent, the smallest being 0.
    pub layers: Vec<u8>,
}

/// The rooms of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rooms {
    /// They, those with most people first; at most 1,000 of each node.
    pub rooms: Vec<RoomRow>,
    /// Who did not answer.
    pub silent: Vec<Silent>,
}
