//! Who is in which voice channel, and where its room is. Durable, since whoever takes over a group must know: the room and
//! its people may outlive the group's owner, or go with him.

use serde::{Deserialize, Serialize};

use super::{IncarnationId, tables};
use crate::ids::{ChannelId, GroupId, UserId};
use crate::profile::Profile;
use crate::time::Millis;
use crate::voice::{MediaNode, Said};

tables! {
    /// `(group, user)`: who is in which voice channel.
    VoiceStates: VoiceRow,
    /// `(group, channel)`: where the room of a voice channel is, while somebody is in it.
    Rooms: RoomRow,
    /// `(node name, channel)`: the rooms of a node; the index over [`Rooms`].
    RoomsAt: RoomAtRow,
}

/// Somebody in a voice channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceRow {
    /// Who.
    pub user: UserId,
    /// Where.
    pub channel: ChannelId,
    /// With which gateway session.
    pub session: String,
    /// Since when with this session.
    pub since: Millis,
    /// What he says of himself.
    pub said: Said,
    /// He may not speak there.
    pub suppress: bool,
    /// His profile when he came: VOICE_STATE_UPDATE shows it.
    pub profile: Profile,
}

/// Where a room is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// The voice channel.
    pub channel: ChannelId,
    /// Its number, never used twice.
    pub life: u64,
    /// Since when it is there.
    pub since: Millis,
    /// Where.
    pub at: MediaNode,
}

/// A room of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomAtRow {
    /// The group that has it there.
    pub group: GroupId,
    /// Of which run of the node.
    pub node: IncarnationId,
}
