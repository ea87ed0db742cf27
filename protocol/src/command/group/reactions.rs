//! Reactions to messages, and pins.

use serde::{Deserialize, Serialize};

use super::Surroundings;
use crate::ids::{ChannelId, MessageId, UserId};
use crate::profile::Profile;

/// Reacts to a message (ADD_REACTIONS for an emoji that nobody reacted with, READ_MESSAGE_HISTORY).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddReaction {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// One emoji, checked at the edge.
    pub emoji: String,
}

/// Takes a reaction back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveReaction {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Which.
    pub emoji: String,
    /// Whose.
    pub user: UserId,
}

/// Takes all reactions to a message back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClearReactions {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Only those of this emoji.
    pub emoji: Option<String>,
}

/// Pins a message, or takes the pin off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetPinned {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Whether it is to be pinned.
    pub pinned: bool,
    /// What MESSAGE_UPDATE shows besides.
    pub around: Surroundings,
    /// Why, for the audit log.
    pub reason: Option<String>,
}
