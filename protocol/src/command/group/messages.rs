//! Messages: sent, changed, deleted, read, and that somebody types one.

use serde::{Deserialize, Serialize};

use crate::client::embed::Embed;
use crate::document::{Attachment, MessageRow, Nonce};
use crate::event::Dispatch;
use crate::ids::{AttachmentId, ChannelId, MessageId, RoleId, UserId};
use crate::profile::Profile;

/// Sends a message. The profiles were looked up at the edge, so that the event can be encoded at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostMessage {
    /// Who writes.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// What, within its limits.
    pub content: String,
    /// To be read aloud.
    pub tts: bool,
    /// The client's mark.
    pub nonce: Option<Nonce>,
    /// Answer a nonce seen before with the first message.
    pub enforce_nonce: bool,
    /// Whom it may mention.
    pub mentions: Mentioned,
    /// The message it answers.
    pub reply_to: Option<Referenced>,
    /// Discord's message flags.
    pub flags: u32,
    /// What a bot lays out; without EMBED_LINKS it is left out.
    pub embeds: Vec<Embed>,
    /// Files that are stored already (ATTACH_FILES).
    pub attachments: Vec<Attachment>,
}

/// Whom a message mentions, as far as its sender wants it; the group looks at who is there and what may be mentioned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mentioned {
    /// Users named in the content, or answered; only members are mentioned.
    pub users: Vec<Profile>,
    /// Roles named in the content.
    pub roles: Vec<RoleId>,
    /// Everybody, or everybody who is online.
    pub everyone: bool,
}

/// A message that another refers to, with its author.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Referenced {
    /// The message.
    pub message: MessageRow,
    /// Who wrote it.
    pub author: Profile,
}

/// What the edge found of a message that is there already, so that the event of its change can be encoded at once. It may be
/// behind what the group knows, or empty: then less is shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// The profiles of its author, of those it mentions, and of both of the message it answers.
    pub people: Vec<Profile>,
    /// The message it answers.
    pub answered: Option<MessageRow>,
}

/// The answer to [`PostMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// The message, or with `enforce_nonce` the first of that nonce.
    pub message: MessageRow,
    /// Whether it is an earlier one.
    pub repeated: bool,
}

/// Changes one's own message; with MANAGE_MESSAGES the flags of another's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditMessage {
    /// Who asks, with the profile that MESSAGE_UPDATE shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// What it says from now on; none leaves it as it is.
    pub content: Option<String>,
    /// Whom the content may mention.
    pub mentions: Mentioned,
    /// What MESSAGE_UPDATE shows besides.
    pub around: Surroundings,
    /// Discord's message flags; none leaves them as they are.
    pub flags: Option<u32>,
    /// Other embeds; none leaves them as they are.
    pub embeds: Option<Vec<Embed>>,
    /// The files that stay; none leaves them all.
    pub keep: Option<Vec<AttachmentId>>,
    /// Files that come on top, stored already.
    pub attachments: Vec<Attachment>,
}

/// Deletes a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteMessage {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Deletes several messages of a channel; those that are not there are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BulkDelete {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which, within the limits.
    pub messages: Vec<MessageId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// Set by the node when it deletes what somebody banned wrote: the ban was the leave for it, and any age goes.
    pub purge: bool,
}

/// Asks leave to read a channel's history (VIEW_CHANNEL, READ_MESSAGE_HISTORY). What was committed before the answer
/// is in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadHistory {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
}

/// Shows that a member is typing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartTyping {
    /// Who, with the profile that TYPING_START shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
}

/// The answer to [`StartTyping`]: in a direct channel whom the edge shows it to, since nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Typing {
    /// Users to be shown it; nobody in a community, whose sessions were shown it already.
    pub show_to: Vec<UserId>,
    /// What they are shown.
    pub dispatch: Option<Dispatch>,
}
