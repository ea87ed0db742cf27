//! Direct channels and relationships. Discord documents the channels; relationships follow the community's documentation
//! of what its own app reads.
//!
//! Sources: <https://discord.com/developers/docs/resources/channel#channel-object>,
//! <https://docs.discord.food/resources/relationships>

use serde_json::{Value, json};

use super::user::UserJson;
use crate::document::{DirectGroup, Relation};
use crate::ids::{ChannelId, MessageId, UserId};
use crate::profile::Profile;
use crate::time::Millis;

/// A direct channel as one of its people sees it: `recipients` are the others.
pub fn direct_channel<'a>(
    id: ChannelId,
    group: Option<&DirectGroup>,
    recipients: impl IntoIterator<Item = &'a Profile>,
    last_message: Option<MessageId>,
    last_pin: Option<Millis>,
) -> Value {
    let recipients = recipients.into_iter().map(UserJson::from);
    let mut object = json!({
        "id": id,
        "type": if group.is_some() { 3 } else { 1 },
        "last_message_id": last_message,
        "last_pin_timestamp": last_pin.map(Millis::iso8601),
        "recipients": recipients.collect::<Vec<_>>(),
        "flags": 0,
    });
    if let Some(group) = group {
        object["name"] = json!(group.name);
        object["icon"] = json!(group.icon);
        object["owner_id"] = json!(group.owner);
    }
    object
}

/// The body of CHANNEL_RECIPIENT_ADD and CHANNEL_RECIPIENT_REMOVE.
pub fn recipient(channel: ChannelId, user: &Profile) -> Value {
    json!({ "channel_id": channel, "user": UserJson::from(user) })
}

/// How somebody stands to a user.
pub fn relationship(relation: Relation, since: Millis, user: &Profile) -> Value {
    json!({
        "id": user.id,
        "type": relation.wire(),
        "nickname": null,
        "is_spam_request": false,
        "since": since.iso8601(),
        "user": UserJson::from(user),
    })
}

/// The body of RELATIONSHIP_REMOVE: what is over.
pub fn relationship_remove(relation: Relation, user: UserId) -> Value {
    json!({ "id": user, "type": relation.wire(), "nickname": null })
}
