//! Message objects.
//!
//! Source: <https://discord.com/developers/docs/resources/message#message-object>

use serde::Serialize;
use serde_json::{Map, Value};

use super::member::MemberJson;
use super::user::UserJson;
use crate::client::embed::Embed;
use crate::document::{Attachment, MemberRow, MessageKind, MessageRow, Nonce, ReactionCount};
use crate::ids::{AttachmentId, ChannelId, GroupId, MessageId, RoleId, UserId};
use crate::profile::Profile;
use crate::snowflake;
use crate::time::{Millis, iso};

/// The flag of a message whose embeds are not shown.
pub const SUPPRESS_EMBEDS: u32 = 1 << 2;

/// A message.
#[derive(Debug, Serialize)]
pub struct MessageJson<'a> {
    id: MessageId,
    channel_id: ChannelId,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
    #[serde(rename = "type")]
    kind: u8,
    author: UserJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberJson<'a>>,
    content: &'a str,
    #[serde(serialize_with = "iso::serialize")]
    timestamp: Millis,
    #[serde(serialize_with = "iso::option::serialize")]
    edited_timestamp: Option<Millis>,
    tts: bool,
    mention_everyone: bool,
    mentions: Vec<UserJson<'a>>,
    mention_roles: &'a [RoleId],
    attachments: Vec<AttachmentJson<'a>>,
    embeds: &'a [Embed],
    components: [(); 0],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionJson<'a>>,
    pinned: bool,
    flags: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<NonceJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_reference: Option<ReferenceJson>,
    /// Outer `None`: not a reply. Inner `None`: the message it answers is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    referenced_message: Option<Option<Box<MessageJson<'a>>>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum NonceJson<'a> {
    Number(i64),
    Text(&'a str),
}

/// A file of a message.
#[derive(Debug, Serialize)]
struct AttachmentJson<'a> {
    id: AttachmentId,
    filename: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    content_type: &'a str,
    size: u64,
    url: String,
    proxy_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    flags: u32,
}

/// How many reacted with an emoji, and whether the reader did.
#[derive(Debug, Serialize)]
struct ReactionJson<'a> {
    count: u64,
    count_details: ReactionDetailsJson,
    me: bool,
    me_burst: bool,
    emoji: EmojiJson<'a>,
    burst_colors: [(); 0],
}

#[derive(Debug, Serialize)]
struct ReactionDetailsJson {
    burst: u64,
    normal: u64,
}

/// A unicode emoji.
#[derive(Debug, Serialize)]
pub struct EmojiJson<'a> {
    id: Option<RoleId>,
    name: &'a str,
}

impl<'a> From<&'a str> for EmojiJson<'a> {
    fn from(emoji: &'a str) -> Self {
        Self {
            id: None,
            name: emoji,
        }
    }
}

/// What a message shows that its row does not hold.
pub trait Beside<'a> {
    /// The profile of its author, or of somebody it mentions.
    fn profile(&self, user: UserId) -> Option<&'a Profile>;

    /// The URL of one of its files.
    fn file_url(&self, channel: ChannelId, file: &Attachment) -> String;

    /// Whether the reader reacted with an emoji; events have no one reader.
    fn reacted(&self, _message: MessageId, _emoji: &str) -> bool {
        false
    }
}

#[derive(Debug, Serialize)]
struct ReferenceJson {
    #[serde(rename = "type")]
    kind: u8,
    message_id: MessageId,
    channel_id: ChannelId,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
}

impl<'a> MessageJson<'a> {
    /// The message as HTTP answers it; none when its author's profile is not there.
    pub fn new(row: &'a MessageRow, beside: &impl Beside<'a>) -> Option<Self> {
        let file = |file: &'a Attachment| {
            let url = beside.file_url(row.channel, file);
            AttachmentJson {
                id: file.id,
                filename: &file.filename,
                description: file.description.as_deref(),
                content_type: &file.content_type,
                size: file.size,
                proxy_url: url.clone(),
                url,
                width: file.width,
                height: file.height,
                flags: 0,
            }
        };
        let reaction = |reaction: &'a ReactionCount| ReactionJson {
            count: reaction.count,
            count_details: ReactionDetailsJson {
                burst: 0,
                normal: reaction.count,
            },
            me: beside.reacted(row.id, &reaction.emoji),
            me_burst: false,
            emoji: reaction.emoji.as_str().into(),
            burst_colors: [],
        };
        Some(Self {
            id: row.id,
            channel_id: row.channel,
            guild_id: None,
            kind: row.kind.wire(),
            author: beside.profile(row.author)?.into(),
            member: None,
            content: &row.content,
            timestamp: snowflake::created_at(row.id.0),
            edited_timestamp: row.edited_at,
            tts: row.tts,
            mention_everyone: row.mention_everyone,
            mentions: row
                .mentions
                .iter()
                .filter_map(|&user| beside.profile(user))
                .map(UserJson::from)
                .collect(),
            mention_roles: &row.mention_roles,
            attachments: row.attachments.iter().map(file).collect(),
            embeds: if row.flags & SUPPRESS_EMBEDS == 0 {
                &row.embeds
            } else {
                &[]
            },
            components: [],
            reactions: row.reactions.iter().map(reaction).collect(),
            pinned: row.pinned,
            flags: row.flags,
            nonce: row.nonce.as_ref().map(|nonce| match nonce {
                Nonce::Number(n) => NonceJson::Number(*n),
                Nonce::Text(text) => NonceJson::Text(text),
            }),
            message_reference: row.reply_to.map(|message_id| ReferenceJson {
                kind: 0,
                message_id,
                channel_id: row.channel,
                guild_id: None,
            }),
            referenced_message: (row.kind == MessageKind::Reply).then_some(None),
        })
    }

    /// Adds the message it answers.
    #[must_use]
    pub fn answering(mut self, referenced: Option<Self>) -> Self {
        if self.referenced_message.is_some() {
            self.referenced_message = Some(referenced.map(Box::new));
        }
        self
    }

    /// Leaves out what people wrote, for a bot that may not see it. The message it answers is added afterwards.
    #[must_use]
    pub fn without_content(mut self) -> Self {
        self.content = "";
        self.embeds = &[];
        self.attachments = Vec::new();
        self
    }

    /// Leaves out the message it answers: it was not looked up, which is not the same as being gone.
    #[must_use]
    pub fn without_answered(mut self) -> Self {
        self.referenced_message = None;
        self
    }

    /// Adds what only the gateway says: the group and the author's member.
    #[must_use]
    pub fn in_group(mut self, group: Option<GroupId>, member: Option<&'a MemberRow>) -> Self {
        self.guild_id = group;
        // The members of a direct channel are no members to clients.
        self.member = member.filter(|_| group.is_some()).map(MemberJson::partial);
        if let Some(reference) = &mut self.message_reference {
            reference.guild_id = group;
        }
        self
    }
}

/// The body of a message event for a bot without MESSAGE_CONTENT: what people wrote is left out.
///
/// Source: <https://discord.com/developers/docs/events/gateway#message-content-intent>
pub fn redact(body: &[u8]) -> Option<Vec<u8>> {
    fn strip(message: &mut Map<String, Value>) {
        if let Some(content) = message.get_mut("content") {
            *content = Value::String(String::new());
        }
        for list in ["embeds", "attachments", "components"] {
            if let Some(list) = message.get_mut(list) {
                *list = Value::Array(Vec::new());
            }
        }
        if let Some(Value::Object(referenced)) = message.get_mut("referenced_message") {
            strip(referenced);
        }
    }
    let mut message: Map<String, Value> = serde_json::from_slice(body).ok()?;
    strip(&mut message);
    serde_json::to_vec(&message).ok()
}
