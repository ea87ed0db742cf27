//! Bodies of dispatches that are no object of their own.
//!
//! Source: <https://discord.com/developers/docs/events/gateway-events#receive-events>

use serde::Serialize;
use serde_json::{Value, json};

use super::group::{merge, role};
use super::member::MemberJson;
use super::message::EmojiJson;
use super::presence::PresenceJson;
use super::user::UserJson;
use crate::document::{InviteRow, MemberRow, RoleDocument};
use crate::ids::{ChannelId, GroupId, MessageId, RoleId, UserId};
use crate::profile::Profile;
use crate::time::{Millis, iso};

/// The body of MESSAGE_DELETE.
#[derive(Debug, Serialize)]
pub struct MessageDelete {
    /// Which message.
    pub id: MessageId,
    /// Where it was.
    pub channel_id: ChannelId,
    /// In which group; none in a direct channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<GroupId>,
}

/// The body of MESSAGE_DELETE_BULK.
#[derive(Debug, Serialize)]
pub struct MessageDeleteBulk {
    /// Which messages.
    pub ids: Vec<MessageId>,
    /// Where they were.
    pub channel_id: ChannelId,
    /// In which group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<GroupId>,
}

/// The body of CHANNEL_PINS_UPDATE.
#[derive(Debug, Serialize)]
pub struct ChannelPinsUpdate {
    /// Where.
    pub channel_id: ChannelId,
    /// In which group; none in a direct channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<GroupId>,
    /// When the newest pin was made.
    #[serde(serialize_with = "iso::option::serialize")]
    pub last_pin_timestamp: Option<Millis>,
}

/// The body of the events about reactions. Those that one has and another has not are left out when they are not given.
#[derive(Debug, Serialize)]
pub struct ReactionChange<'a> {
    /// Where.
    pub channel_id: ChannelId,
    /// To which message.
    pub message_id: MessageId,
    /// In which group; none in a direct channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<GroupId>,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<EmojiJson<'a>>,
    /// Who reacted, or does not any more.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<OneReaction<'a>>,
    /// Of MESSAGE_REACTION_REMOVE_EMOJI.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub every: Option<EveryReaction>,
}

/// What an event about all reactions of one emoji has besides.
#[derive(Debug, Default, Serialize)]
pub struct EveryReaction {
    burst: bool,
    #[serde(rename = "type")]
    kind: u8,
}

/// What an event about one person's reaction has besides.
#[derive(Debug, Serialize)]
pub struct OneReaction<'a> {
    user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_author_id: Option<UserId>,
    burst: bool,
    #[serde(rename = "type")]
    kind: u8,
}

impl<'a> OneReaction<'a> {
    /// Somebody reacted to a message of `author`.
    pub fn added(
        user: UserId,
        author: UserId,
        member: Option<(&'a MemberRow, &'a Profile)>,
    ) -> Self {
        Self {
            member: member.map(|(row, profile)| MemberJson::full(row, profile)),
            message_author_id: Some(author),
            ..Self::removed(user)
        }
    }

    /// Somebody's reaction was taken back.
    pub fn removed(user: UserId) -> Self {
        Self {
            user_id: user,
            member: None,
            message_author_id: None,
            burst: false,
            kind: 0,
        }
    }
}

/// The body of MESSAGE_ACK.
#[derive(Debug, Serialize)]
pub struct MessageAck {
    /// Where.
    pub channel_id: ChannelId,
    /// The last message read.
    pub message_id: MessageId,
    /// The mentions that are left.
    pub mention_count: usize,
    /// Rises with every change of what was read.
    pub version: u64,
    /// Whether it marks as unread what was read: never.
    pub manual: bool,
}

/// The body of TYPING_START.
#[derive(Debug, Serialize)]
pub struct TypingStart<'a> {
    channel_id: ChannelId,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
    user_id: UserId,
    /// Seconds since the Unix epoch.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberJson<'a>>,
}

impl<'a> TypingStart<'a> {
    /// Somebody began to type at `at`.
    pub fn new(
        group: Option<GroupId>,
        channel: ChannelId,
        member: &'a MemberRow,
        profile: &'a Profile,
        at: Millis,
    ) -> Self {
        Self {
            channel_id: channel,
            guild_id: group,
            user_id: profile.id,
            timestamp: at.0 / 1_000,
            member: group.map(|_| MemberJson::full(member, profile)),
        }
    }
}

/// The body of VOICE_REFUSED, which is ours: Discord leaves a client that may not join a channel without an answer.
#[derive(Debug, Serialize)]
pub struct VoiceRefused<'a> {
    /// The group.
    pub guild_id: GroupId,
    /// Where the session wanted to be.
    pub channel_id: Option<ChannelId>,
    /// As in an error of the API.
    pub code: u32,
    /// As in an error of the API.
    pub message: &'a str,
}

/// The body of GUILD_MEMBER_REMOVE.
pub fn member_remove(group: GroupId, profile: &Profile) -> Value {
    json!({ "guild_id": group, "user": UserJson::from(profile) })
}

/// The body of GUILD_BAN_ADD and GUILD_BAN_REMOVE.
pub fn ban(group: GroupId, profile: &Profile) -> Value {
    member_remove(group, profile)
}

/// The body of GUILD_ROLE_CREATE.
pub fn role_create(group: GroupId, new: &RoleDocument) -> Value {
    json!({ "guild_id": group, "role": role(new) })
}

/// The body of GUILD_ROLE_DELETE.
pub fn role_delete(group: GroupId, id: RoleId) -> Value {
    json!({ "guild_id": group, "role_id": id })
}

/// The body of INVITE_CREATE.
pub fn invite_create(group: GroupId, row: &InviteRow, inviter: &Profile) -> Value {
    let body = json!({
        "type": 0,
        "inviter": UserJson::from(inviter),
        "created_at": row.created_at.iso8601(),
        "expires_at": row.expires_at().map(Millis::iso8601),
        "max_age": row.max_age,
        "max_uses": row.max_uses,
        "temporary": false,
        "uses": row.uses,
    });
    merge(invite_delete(group, row), body)
}

/// The body of INVITE_DELETE.
pub fn invite_delete(group: GroupId, row: &InviteRow) -> Value {
    json!({ "guild_id": group, "channel_id": row.channel, "code": row.code })
}

/// The body of GUILD_MEMBERS_CHUNK.
///
/// Source: <https://discord.com/developers/docs/events/gateway-events#guild-members-chunk>
#[derive(Debug, Serialize)]
pub struct MembersChunk<'a> {
    /// Of which group.
    pub guild_id: GroupId,
    /// Some of those who were asked for.
    pub members: Vec<MemberJson<'a>>,
    /// The how-manieth chunk, from 0.
    pub chunk_index: usize,
    /// Of how many.
    pub chunk_count: usize,
    /// Those who were asked for by id and are no members.
    #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
    pub not_found: &'a [UserId],
    /// Who of them is there, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presences: Option<Vec<PresenceJson<'a>>>,
    /// The client's mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
}

/// The body of RATE_LIMITED: a request for members that is not answered.
///
/// Source: <https://discord.com/developers/docs/events/gateway-events#rate-limited>
pub fn rate_limited(opcode: u8, retry_after_ms: u64, group: GroupId, nonce: Option<&str>) -> Value {
    let mut meta = json!({ "guild_id": group });
    if let Some(nonce) = nonce {
        meta["nonce"] = nonce.into();
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds for people")]
    let retry_after = retry_after_ms as f64 / 1_000.0;
    json!({ "opcode": opcode, "retry_after": retry_after, "meta": meta })
}
