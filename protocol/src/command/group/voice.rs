//! Voice channels: who is in them, and where their rooms are.

use serde::{Deserialize, Serialize};

use crate::document::IncarnationId;
use crate::ids::{ChannelId, UserId};
use crate::profile::Profile;
use crate::voice::{MediaNode, Present, RoomId, Said};

/// Puts a session of a member into a voice channel (CONNECT), or changes what it says there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinVoice {
    /// Who, with the profile that VOICE_STATE_UPDATE shows.
    pub by: Profile,
    /// His gateway session.
    pub session: String,
    /// Where.
    pub channel: ChannelId,
    /// What he says of himself.
    pub said: Said,
    /// Where the room goes if there is none yet.
    pub at: MediaNode,
}

/// Takes a session out of its voice channel; nothing happens if another one is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaveVoice {
    /// Whose.
    pub by: UserId,
    /// Which.
    pub session: String,
}

/// Says who is in a room, and asks who may be. Its node sends it about every [`limits::ROOM_BEAT_MS`].
///
/// [`limits::ROOM_BEAT_MS`]: crate::limits::ROOM_BEAT_MS
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatRoom {
    /// Which room.
    pub room: RoomId,
    /// Where it is.
    pub node: IncarnationId,
    /// For how long it has run, in milliseconds: people have some time to come back to one that failed and runs again.
    pub runs_ms: u64,
    /// Whose voice sockets or media are there.
    pub present: Vec<Present>,
    /// Who went since the last time.
    pub gone: Vec<Present>,
}

/// Moves rooms away from a node that is gone or stops, or one because an operator wants it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoseRooms {
    /// From where: this run of the node, and those before it.
    pub node: IncarnationId,
    /// Where to.
    pub at: MediaNode,
    /// Only the room of this channel.
    pub only: Option<ChannelId>,
}
