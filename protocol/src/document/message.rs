//! Messages of a channel.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::ids::{ChannelId, MessageId, UserId};
use crate::time::Millis;

tables! {
    /// `(channel, message)`: the history.
    Messages: MessageRow,
}

/// What a message is; the numbers are the client wire's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageKind {
    /// Somebody wrote it (0).
    Default,
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
            Self::Join => 7,
            Self::Reply => 19,
        }
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
}

/// A client's mark for a message: echoed as it came, number or string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Nonce {
    /// A JSON number.
    Number(i64),
    /// A JSON string.
    Text(String),
}
