//! Guild and role objects.
//!
//! Sources: <https://discord.com/developers/docs/resources/guild#guild-object>,
//! <https://discord.com/developers/docs/topics/permissions#role-object>

use serde_json::{Map, Value, json};

use super::channel::channel;
use super::member::MemberJson;
use super::voice_state::VoiceStateJson;
use crate::command::group::{GroupView, Subscribed};
use crate::document::{GroupDocument, RoleDocument};
use crate::ids::{GroupId, UserId};
use crate::limits;
use crate::profile::Profile;

/// A role.
pub fn role(role: &RoleDocument) -> Value {
    let mut object = json!({
        "id": role.id,
        "name": role.name,
        "color": role.color,
        "colors": { "primary_color": role.color, "secondary_color": null, "tertiary_color": null },
        "hoist": role.hoist,
        "icon": null,
        "unicode_emoji": null,
        "position": role.position,
        "permissions": role.permissions,
        "managed": role.bot.is_some(),
        "mentionable": role.mentionable,
        "flags": 0,
    });
    if let Some(bot) = role.bot {
        object["tags"] = json!({ "bot_id": bot });
    }
    object
}

/// A group's settings and roles, as HTTP and GUILD_UPDATE show them.
pub fn guild(group: &GroupDocument) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "icon": group.icon,
        "icon_hash": null,
        "splash": null,
        "discovery_splash": null,
        "banner": null,
        "description": group.description,
        "vanity_url_code": null,
        "owner_id": group.owner,
        "afk_channel_id": null,
        "afk_timeout": 300,
        "widget_enabled": false,
        "widget_channel_id": null,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": group.roles.iter().map(role).collect::<Vec<_>>(),
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": null,
        "system_channel_id": group.system_channel,
        "system_channel_flags": 0,
        "rules_channel_id": null,
        "public_updates_channel_id": null,
        "safety_alerts_channel_id": null,
        "max_presences": null,
        "max_members": limits::MEMBERS_PER_GROUP,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": false,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "nsfw": false,
    })
}

/// The body of GUILD_CREATE. `profile` finds the members' users; a member whose profile is not found is left out.
pub fn guild_create<'a>(
    picture: &'a Subscribed,
    profile: impl Fn(UserId) -> Option<&'a Profile>,
) -> Value {
    let GroupView {
        group,
        member_count,
        ..
    } = &picture.view;
    let last = |id| {
        picture
            .last_messages
            .iter()
            .find(|(channel, _)| *channel == id)
            .map(|(_, message)| *message)
    };
    let channels: Vec<Value> = group
        .channels
        .iter()
        .map(|c| channel(c, Some(group.id), last(c.id)))
        .collect();
    let members: Vec<MemberJson<'_>> = picture
        .members
        .iter()
        .filter_map(|row| profile(row.user).map(|user| MemberJson::full(row, user)))
        .collect();
    let voices: Vec<_> = picture.voice.iter().map(VoiceStateJson::in_guild).collect();
    let live = json!({
        "joined_at": picture.me.joined_at.iso8601(),
        "large": *member_count > limits::LARGE_GROUP_MEMBERS as u64,
        "unavailable": false,
        "member_count": member_count,
        "voice_states": voices,
        "members": members,
        "channels": channels,
        "threads": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    });
    merge(guild(group), live)
}

/// A group in `GET /users/@me/guilds`.
pub fn partial_guild(view: &GroupView, me: UserId) -> Value {
    json!({
        "id": view.group.id,
        "name": view.group.name,
        "icon": view.group.icon,
        "banner": null,
        "owner": view.group.owner == me,
        "permissions": view.permissions,
        "features": [],
    })
}

/// A group that a client knows but that is not there (yet, or any more).
pub fn unavailable_guild(id: GroupId, unavailable: bool) -> Value {
    if unavailable {
        json!({ "id": id, "unavailable": true })
    } else {
        json!({ "id": id })
    }
}

/// The fields of both objects.
pub fn merge(base: Value, more: Value) -> Value {
    let fields = |value| match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let mut all = fields(base);
    all.extend(fields(more));
    Value::Object(all)
}
