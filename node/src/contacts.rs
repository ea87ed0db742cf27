//! A person's relationships and direct channels as clients list them, read from the index: no pair is woken for it.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use rookery_protocol::client::direct::{direct_channel, relationship};
use rookery_protocol::client::user::UserJson;
use rookery_protocol::command::Answer;
use rookery_protocol::document::Relation;
use rookery_protocol::ids::{ChannelId, UserId};
use serde_json::{Value, json};

use crate::app::App;

/// Channels whose newest message is looked up at a time.
const CONCURRENT_READS: usize = 16;

/// The lists, which READY has in these fields.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    /// Friends, requests, and whom he blocks.
    pub relationships: Vec<Value>,
    /// The direct channels that are open.
    pub private_channels: Vec<Value>,
    /// Everybody in the two.
    pub users: Vec<Value>,
    /// Those of his friends who are there.
    pub presences: Vec<Value>,
}

impl Contacts {
    /// Those of a person; at most [`rookery_protocol::limits::DIRECT_ROWS_PER_USER`] of each.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn of(app: &App, user: UserId) -> Answer<Self> {
        let rows = app.index.directs_of(user).await?;
        let people = rows.iter().flat_map(|row| row.recipients.iter().copied());
        let profiles = app.accounts.profiles(people).await?;
        let related = rows.iter().filter(|row| row.relation != Relation::None);
        let relationships = related.filter_map(|row| {
            let other = profiles.get(row.recipients.first()?)?;
            Some(relationship(row.relation, row.since, other))
        });
        let relationships = relationships.collect();
        let open: Vec<_> = rows.iter().filter(|row| row.open).collect();
        let ids: Vec<ChannelId> = open.iter().map(|row| row.channel).collect();
        let last_messages: Vec<_> = stream::iter(ids)
            .map(|channel| app.index.last_message_of(channel))
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await?;
        let channels = open.iter().zip(last_messages);
        let private_channels = channels.map(|(row, last)| {
            let recipients = row.recipients.iter().filter_map(|user| profiles.get(user));
            direct_channel(row.channel, row.group.as_ref(), recipients, last, None)
        });
        let private_channels = private_channels.collect();
        let mut users: Vec<_> = profiles.values().collect();
        users.sort_unstable_by_key(|profile| profile.id);
        Ok(Self {
            relationships,
            private_channels,
            users: users
                .into_iter()
                .map(|who| json!(UserJson::from(who)))
                .collect(),
            presences: Vec::new(),
        })
    }
}
