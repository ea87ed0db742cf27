//! Channel objects.
//!
//! Source: <https://discord.com/developers/docs/resources/channel#channel-object>

use serde_json::{Value, json};

use crate::document::{ChannelDocument, ChannelKind};
use crate::ids::{GroupId, MessageId};
use crate::permissions::{Overwrite, OverwriteTarget};
use crate::time::Millis;

/// An overwrite of a channel.
pub fn overwrite(overwrite: &Overwrite) -> Value {
    let (id, kind) = match overwrite.target {
        OverwriteTarget::Role(role) => (role.0, 0),
        OverwriteTarget::Member(user) => (user.0, 1),
    };
    json!({
        "id": id.to_string(),
        "type": kind,
        "allow": overwrite.allow,
        "deny": overwrite.deny,
    })
}

/// A channel of a group; its `guild_id` is left out without one.
pub fn channel(
    channel: &ChannelDocument,
    group: Option<GroupId>,
    last_message: Option<MessageId>,
) -> Value {
    let mut object = json!({
        "id": channel.id,
        "type": channel.kind.wire(),
        "name": channel.name,
        "position": channel.position,
        "permission_overwrites": channel.overwrites.iter().map(overwrite).collect::<Vec<_>>(),
        "parent_id": channel.parent,
        "topic": channel.topic,
        "nsfw": channel.nsfw,
        "last_message_id": last_message,
        "last_pin_timestamp": channel.last_pin_at.map(Millis::iso8601),
        "rate_limit_per_user": channel.rate_limit_per_user,
        "flags": 0,
    });
    if let Some(group) = group {
        object["guild_id"] = json!(group);
    }
    if channel.kind == ChannelKind::Voice {
        object["bitrate"] = channel.bitrate.into();
        object["user_limit"] = channel.user_limit.into();
        object["rtc_region"] = Value::Null;
        object["video_quality_mode"] = 1.into();
    }
    object
}
