//! Channel objects.
//!
//! Source: <https://discord.com/developers/docs/resources/channel#channel-object>

use serde_json::{Value, json};

use crate::document::{ChannelDocument, ChannelKind};
use crate::ids::{GroupId, MessageId};

/// A channel.
pub fn channel(
    channel: &ChannelDocument,
    group: GroupId,
    last_message: Option<MessageId>,
) -> Value {
    let mut object = json!({
        "id": channel.id,
        "type": channel.kind.wire(),
        "guild_id": group,
        "name": channel.name,
        "position": channel.position,
        "permission_overwrites": [],
        "parent_id": channel.parent,
        "topic": channel.topic,
        "nsfw": channel.nsfw,
        "last_message_id": last_message,
        "last_pin_timestamp": null,
        "rate_limit_per_user": channel.rate_limit_per_user,
        "flags": 0,
    });
    if channel.kind == ChannelKind::Voice {
        object["bitrate"] = channel.bitrate.into();
        object["user_limit"] = channel.user_limit.into();
        object["rtc_region"] = Value::Null;
        object["video_quality_mode"] = 1.into();
    }
    object
}
