//! Channels, their order, and who may do what in them.

use serde::{Deserialize, Serialize};

use crate::document::{ChannelDocument, ChannelKind};
use crate::ids::{ChannelId, GroupId, MessageId, UserId};
use crate::permissions::Overwrite;

/// A new channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateChannel {
    /// Who asks.
    pub by: UserId,
    /// What it is for.
    pub kind: ChannelKind,
    /// What it is like; a name is there.
    pub patch: ChannelPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What a channel is like. The outer `None` leaves a field as it is, or at its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChannelPatch {
    /// A clean name.
    pub name: Option<String>,
    /// Its place in the list.
    pub position: Option<u32>,
    /// The category it is under; must be one of the group's.
    pub parent: Option<Option<ChannelId>>,
    /// A clean topic.
    pub topic: Option<Option<String>>,
    /// Only for adults.
    pub nsfw: Option<bool>,
    /// Seconds between two messages of a member.
    pub rate_limit_per_user: Option<u32>,
    /// Bits per second of a voice channel.
    pub bitrate: Option<u32>,
    /// People in a voice channel.
    pub user_limit: Option<u32>,
    /// What differs here from what roles allow; nothing of a new channel: what its category has.
    pub overwrites: Option<Vec<Overwrite>>,
}

/// A channel with its last message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelView {
    /// The channel.
    pub channel: ChannelDocument,
    /// The newest message's id, whether or not it was deleted since.
    pub last_message: Option<MessageId>,
    /// Its community; a direct channel is of none.
    pub group: Option<GroupId>,
}

/// Reads a channel; `UnknownChannel` or `MissingAccess`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
}

/// Lists the channels a member sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListChannels {
    /// Who asks.
    pub by: UserId,
}

/// Changes a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
    /// What changes.
    pub patch: ChannelPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Sets an overwrite; the asker can allow and deny only what he may do himself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutOverwrite {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// The overwrite.
    pub overwrite: Overwrite,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes an overwrite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteOverwrite {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Whose: the id of a role or of a member.
    pub target: u64,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes the order of channels, and which category they are under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveChannels {
    /// Who asks.
    pub by: UserId,
    /// What moves where, one after the other.
    pub moves: Vec<ChannelMove>,
}

/// A channel that moves. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelMove {
    /// Which.
    pub channel: ChannelId,
    /// Its place in the list.
    pub position: Option<u32>,
    /// The category it is under.
    pub parent: Option<Option<ChannelId>>,
    /// Take over the category's overwrites.
    pub lock_permissions: bool,
}
