//! Voice rooms between entities and nodes: who is in which channel, and where the room is.

use serde::{Deserialize, Serialize};

use crate::client::voice::MediaRights;
use crate::document::{IncarnationId, VoiceRow};
use crate::ids::{ChannelId, GroupId, UserId};

/// What somebody in a voice channel says of himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are Discord's, and independent"
)]
pub struct Said {
    /// He does not want to be heard.
    #[serde(default)]
    pub self_mute: bool,
    /// He does not want to hear.
    #[serde(default)]
    pub self_deaf: bool,
    /// His camera is on.
    #[serde(default)]
    pub self_video: bool,
    /// He shares his screen.
    #[serde(default)]
    pub self_stream: bool,
}

/// A node that takes rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaNode {
    /// Which run of which node.
    pub node: IncarnationId,
    /// Host and port under which clients reach it.
    pub endpoint: String,
    /// Its voice socket, `ws://` or `wss://`; none: `/voice` where the client reached the node, which has no public name.
    pub url: Option<String>,
}

/// A gateway session in a voice channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Present {
    /// Whose.
    pub user: UserId,
    /// Which of his.
    pub session: String,
}

/// Who may be in a room, and what he may do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMember {
    /// Who.
    pub who: Present,
    /// What.
    pub rights: MediaRights,
}

/// What a group answers to its room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomOrders {
    /// The room is elsewhere, or over.
    Close,
    /// Exactly these may be in it.
    Go(Vec<RoomMember>),
}

/// Somebody in a voice channel as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceState {
    /// Where, and what he says of himself.
    pub row: VoiceRow,
    /// A moderator has muted him.
    pub mute: bool,
    /// A moderator has deafened him.
    pub deaf: bool,
}

/// A room, as its node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId {
    /// The group of the channel.
    pub group: GroupId,
    /// The voice channel.
    pub channel: ChannelId,
    /// Never used twice: the next room of the channel has another one, and its tokens are others.
    pub life: u64,
}
