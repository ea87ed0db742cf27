//! Message objects.
//!
//! Source: <https://discord.com/developers/docs/resources/message#message-object>

use serde::Serialize;
use serde_json::{Map, Value};

use super::member::MemberJson;
use super::user::UserJson;
use crate::document::{MemberRow, MessageKind, MessageRow, Nonce};
use crate::ids::{ChannelId, GroupId, MessageId, RoleId};
use crate::profile::Profile;
use crate::snowflake;
use crate::time::{Millis, iso};

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
    mention_roles: [RoleId; 0],
    attachments: [(); 0],
    embeds: [(); 0],
    components: [(); 0],
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
    /// The message as HTTP answers it. `profile` finds the author and the mentioned.
    pub fn new(
        row: &'a MessageRow,
        profile: impl Fn(crate::ids::UserId) -> Option<&'a Profile>,
    ) -> Option<Self> {
        Some(Self {
            id: row.id,
            channel_id: row.channel,
            guild_id: None,
            kind: row.kind.wire(),
            author: profile(row.author)?.into(),
            member: None,
            content: &row.content,
            timestamp: snowflake::created_at(row.id.0),
            edited_timestamp: row.edited_at,
            tts: row.tts,
            mention_everyone: false,
            mentions: row
                .mentions
                .iter()
                .filter_map(|&user| profile(user))
                .map(UserJson::from)
                .collect(),
            mention_roles: [],
            attachments: [],
            embeds: [],
            components: [],
            pinned: false,
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

    /// Leaves out the message it answers: it was not looked up, which is not the same as being gone.
    #[must_use]
    pub fn without_answered(mut self) -> Self {
        self.referenced_message = None;
        self
    }

    /// Adds what only the gateway says: the group and the author's member.
    #[must_use]
    pub fn in_group(mut self, group: GroupId, member: Option<&'a MemberRow>) -> Self {
        self.guild_id = Some(group);
        self.member = member.map(MemberJson::partial);
        if let Some(reference) = &mut self.message_reference {
            reference.guild_id = Some(group);
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
