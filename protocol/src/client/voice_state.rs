//! Voice states, and where a room is.
//!
//! Source: <https://discord.com/developers/docs/resources/voice>

use serde::Serialize;

use super::member::MemberJson;
use crate::document::{MemberRow, VoiceRow};
use crate::ids::{ChannelId, GroupId, UserId};
use crate::voice::{Said, VoiceState};

/// Somebody in a voice channel, or not in one any more.
#[derive(Debug, Clone, Serialize)]
pub struct VoiceStateJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
    channel_id: Option<ChannelId>,
    user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberJson<'a>>,
    session_id: &'a str,
    deaf: bool,
    mute: bool,
    #[serde(flatten)]
    said: Said,
    suppress: bool,
    request_to_speak_timestamp: Option<&'static str>,
}

impl<'a> VoiceStateJson<'a> {
    fn new(row: &'a VoiceRow, mute: bool, deaf: bool) -> Self {
        Self {
            guild_id: None,
            channel_id: Some(row.channel),
            user_id: row.user,
            member: None,
            session_id: &row.session,
            deaf,
            mute,
            said: row.said,
            suppress: row.suppress,
            request_to_speak_timestamp: None,
        }
    }

    /// As GUILD_CREATE has it.
    pub fn in_guild(state: &'a VoiceState) -> Self {
        Self::new(&state.row, state.mute, state.deaf)
    }

    /// As VOICE_STATE_UPDATE has it; who has left a group is no member of it.
    pub fn updated(
        group: GroupId,
        row: &'a VoiceRow,
        member: Option<&'a MemberRow>,
        channel: Option<ChannelId>,
    ) -> Self {
        let (mute, deaf) = member.map_or((false, false), |member| (member.mute, member.deaf));
        Self {
            guild_id: Some(group),
            channel_id: channel,
            member: member.map(|member| MemberJson::full(member, &row.profile)),
            ..Self::new(row, mute, deaf)
        }
    }
}

/// The body of VOICE_SERVER_UPDATE. `url` and `session_id` are ours: where to connect, and which of somebody's clients is
/// meant.
#[derive(Debug, Clone, Serialize)]
pub struct VoiceServerUpdate<'a> {
    /// Admits the session to the room.
    pub token: String,
    /// The group.
    pub guild_id: GroupId,
    /// Host and port, as Discord has it.
    pub endpoint: &'a str,
    /// The voice socket; null: `/voice` at the host of the client's gateway.
    pub url: Option<&'a str>,
    /// The gateway session that is in the channel.
    pub session_id: &'a str,
}
