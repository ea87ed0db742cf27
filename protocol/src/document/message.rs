//! Messages of a channel.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::client::embed::Embed;
use crate::ids::{AttachmentId, ChannelId, MessageId, RoleId, UserId};
use crate::time::Millis;

tables! {
    /// `(channel, message)`: the history.
    Messages: MessageRow,
    /// `(channel, message)`: the index over pinned messages.
    Pins: PinRow,
    /// `(message, emoji/user)`: who reacted with what.
    Reactions: ReactionRow,
    /// `(channel, attachment)`: the message that a stored file belongs to; a file without a row is garbage.
    Attachments: AttachmentOwner,
}

/// What a message is; the numbers are the client wire's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageKind {
    /// Somebody wrote it (0).
    Default,
    /// Somebody was added to a group-direct channel (1).
    RecipientAdd,
    /// Somebody left a group-direct channel, or was removed (2).
    RecipientRemove,
    /// A group-direct channel has another name (4).
    NameChange,
    /// A group-direct channel has another icon (5).
    IconChange,
    /// Somebody pinned a message (6).
    PinAdd,
    /// Somebody joined the group (7).
    Join,
    /// Somebody answered another message (19).
    Reply,
}

impl MessageKind {
    /// The number on the client wire.
    pub fn wire(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::RecipientAdd => 1,
            Self::RecipientRemove => 2,
            Self::NameChange => 4,
            Self::IconChange => 5,
            Self::PinAdd => 6,
            Self::Join => 7,
            Self::Reply => 19,
        }
    }

    /// Whether nobody wrote it: it cannot be changed, and reacting to it is all that is left.
    pub fn is_system(self) -> bool {
        !matches!(self, Self::Default | Self::Reply)
    }
}

/// One message. Profiles of its author and of those it mentions are the users', not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its id; tells when it was sent.
    pub id: MessageId,
    /// Where.
    pub channel: ChannelId,
    /// By whom.
    pub author: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// What it says.
    pub content: String,
    /// To be read aloud.
    pub tts: bool,
    /// When it was last changed.
    pub edited_at: Option<Millis>,
    /// The sender's mark for it; rebuilt into the table of nonces at load.
    pub nonce: Option<Nonce>,
    /// Users it mentions.
    pub mentions: Vec<UserId>,
    /// The message of the same channel that it answers.
    pub reply_to: Option<MessageId>,
    /// Discord's message flags (SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS).
    pub flags: u32,
    /// Whether it mentions everybody who sees the channel.
    #[serde(default)]
    pub mention_everyone: bool,
    /// Roles it mentions.
    #[serde(default)]
    pub mention_roles: Vec<RoleId>,
    /// What a bot lays out.
    #[serde(default)]
    pub embeds: Vec<Embed>,
    /// Files sent along.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// How many reacted with what, in the order of the first of each; who did is in rows of their own.
    #[serde(default)]
    pub reactions: Vec<ReactionCount>,
    /// Whether it is pinned.
    #[serde(default)]
    pub pinned: bool,
}

/// A file sent with a message. Its bytes are kept by the node under channel and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// A clean file name without a path.
    pub filename: String,
    /// What it shows, for those who do not see it.
    pub description: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What its bytes are, as the node found out; not what the client said.
    pub content_type: String,
    /// Pixels of an image.
    pub width: Option<u32>,
    /// Pixels of an image.
    pub height: Option<u32>,
}

/// How many reacted with an emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionCount {
    /// The emoji itself.
    pub emoji: String,
    /// How many.
    pub count: u64,
}

/// One reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionRow {
    /// The emoji itself.
    pub emoji: String,
    /// Whose.
    pub user: UserId,
}

impl ReactionRow {
    /// Its place among the reactions to a message: those of one emoji together, by rising user.
    pub fn place(&self) -> String {
        format!("{}/{:020}", self.emoji, self.user.0)
    }
}

/// An entry of the index over pinned messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRow {
    /// Which message.
    pub message: MessageId,
    /// Since when.
    pub at: Millis,
}

/// The message that a stored file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentOwner {
    /// The message.
    pub message: MessageId,
}

/// A client's mark for a message: echoed as it came, number or string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Nonce {
    /// A JSON number.
    Number(i64),
    /// A JSON string.
    Text(String),
}
