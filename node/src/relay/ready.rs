//! The bodies of READY and of the dispatches that follow it.

use std::collections::BTreeMap;

use rookery_actors::relay::Shard;
use rookery_protocol::client::application::ready_application;
use rookery_protocol::client::encode;
use rookery_protocol::client::group::unavailable_guild;
use rookery_protocol::client::presence::PresenceJson;
use rookery_protocol::client::user::self_user;
use rookery_protocol::command::user::Account;
use rookery_protocol::event::{Dispatch, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, MessageId};
use rookery_protocol::intents::Intents;
use serde_json::{Value, json};

use super::world::Unread;
use crate::contacts::Contacts;
use crate::presence::Present;

/// READY. Besides what bots read it carries the lists that people's clients expect; a bot's are empty.
pub(super) fn ready(
    account: &Account,
    groups: &[GroupId],
    contacts: &Contacts,
    read_state: Value,
    session_id: &str,
    resume_url: &str,
    shard: Option<Shard>,
) -> Box<Dispatch> {
    let guilds: Vec<Value> = groups
        .iter()
        .filter(|&&group| shard.is_none_or(|shard| shard.holds(group)))
        .map(|&group| unavailable_guild(group, true))
        .collect();
    let (index, count) = shard.map_or((0, 1), |shard| (shard.index, shard.count));
    let body = json!({
        "v": 10,
        "user": self_user(account),
        "guilds": guilds,
        "application": ready_application(account),
        "shard": [index, count],
        "session_id": session_id,
        "resume_gateway_url": resume_url,
        "session_type": "normal",
        "user_settings": {},
        "user_settings_proto": null,
        "relationships": contacts.relationships,
        "private_channels": contacts.private_channels,
        "users": contacts.users,
        "presences": contacts.presences,
        "read_state": read_state,
        "guild_join_requests": [],
        "geo_ordered_rtc_regions": [],
        "auth": {},
        "_trace": [],
    });
    dispatch(EventName::Ready, &body, Intents::NONE)
}

/// Presence objects.
pub(super) fn presences(present: &Present, group: Option<GroupId>) -> Vec<Value> {
    let objects = present
        .iter()
        .map(|(user, presence)| json!(PresenceJson::new(*user, group, Some(presence))));
    objects.collect()
}

/// How far the user has read. Channels that he has not read at all have an entry if something in them mentions him; when a
/// channel got its newest pin, its own object says.
pub(super) fn read_state(unread: &Unread, version: u64) -> Value {
    let mut mentions: BTreeMap<ChannelId, u64> = BTreeMap::new();
    for row in &unread.mentions {
        *mentions.entry(row.channel).or_default() += 1;
    }
    let entry = |channel: ChannelId, last: Option<MessageId>, mentions: u64| {
        json!({
            "id": channel,
            "last_message_id": last.map_or("0".to_owned(), |id| id.to_string()),
            "mention_count": mentions,
            "read_state_type": 0,
            "flags": 0,
        })
    };
    let mut entries = Vec::new();
    for row in &unread.read {
        let count = mentions.remove(&row.channel).unwrap_or(0);
        entries.push(entry(row.channel, Some(row.last_read), count));
    }
    entries.extend(
        mentions
            .into_iter()
            .map(|(channel, n)| entry(channel, None, n)),
    );
    json!({ "entries": entries, "partial": false, "version": version })
}

/// GUILD_CREATE.
pub(super) fn guild_create(body: &Value) -> Box<Dispatch> {
    dispatch(EventName::GuildCreate, body, Intents::GUILDS)
}

/// GUILD_DELETE of a group that READY listed and that the user is not in any more.
pub(super) fn guild_delete(group: GroupId) -> Box<Dispatch> {
    let body = unavailable_guild(group, false);
    dispatch(EventName::GuildDelete, &body, Intents::GUILDS)
}

fn dispatch(name: EventName, body: &Value, intents: Intents) -> Box<Dispatch> {
    Box::new(Dispatch {
        name,
        body: encode(body),
        intents,
        content_for: None,
        about: None,
    })
}
