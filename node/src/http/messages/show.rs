//! Messages as JSON, with what their rows do not hold.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rookery_actors::entity::Clock;
use rookery_actors::links::Links;
use rookery_actors::store;
use rookery_protocol::client::encode;
use rookery_protocol::client::message::{Beside, MessageJson};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::Surroundings;
use rookery_protocol::document::{Attachment, Key, MessageRow, ReactionRow, Reactions};
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

use super::super::directs::is_direct;
use super::page::find;
use crate::app::App;
use crate::fault;

/// Reads at a time when a page shows many reactions.
const CONCURRENT_READS: usize = 16;

/// One message as somebody reads it.
pub(in crate::http) async fn show(app: &App, reader: UserId, row: &MessageRow) -> Answer<Bytes> {
    let joined = Joined::of(app, reader, std::slice::from_ref(row)).await?;
    Ok(encode(&joined.message(row)))
}

/// Messages as somebody reads them.
pub(in crate::http) async fn show_all(
    app: &App,
    reader: UserId,
    rows: &[MessageRow],
) -> Answer<Bytes> {
    let joined = Joined::of(app, reader, rows).await?;
    let list: Vec<_> = rows.iter().filter_map(|row| joined.message(row)).collect();
    Ok(encode(&list))
}

/// What the event of a change of a message shows besides.
pub(in crate::http) async fn around(
    app: &App,
    channel: ChannelId,
    message: MessageId,
) -> Answer<Surroundings> {
    let Some(row) = find(app, channel, message).await? else {
        return Ok(Surroundings::default());
    };
    let answered = match row.reply_to {
        Some(id) => find(app, channel, id).await?,
        None => None,
    };
    let users = people([&row].into_iter().chain(&answered));
    let profiles = app.accounts.profiles(users).await?;
    Ok(Surroundings {
        people: profiles.into_values().collect(),
        answered,
    })
}

/// Whose profiles messages show.
fn people<'a>(rows: impl Iterator<Item = &'a MessageRow>) -> impl Iterator<Item = UserId> {
    rows.flat_map(|row| std::iter::once(row.author).chain(row.mentions.iter().copied()))
}

/// What messages refer to: the messages they answer, everybody's profiles, and what the reader reacted with.
pub(in crate::http) struct Joined {
    answered: HashMap<MessageId, MessageRow>,
    profiles: HashMap<UserId, Profile>,
    reacted: HashSet<(MessageId, String)>,
    /// Set when the reader is a bot without MESSAGE_CONTENT: of what others wrote in groups it sees what mentions it.
    blind: Option<UserId>,
    links: Links,
    now: Millis,
}

impl Joined {
    /// Reads all of it.
    pub(in crate::http) async fn of(
        app: &App,
        reader: UserId,
        rows: &[MessageRow],
    ) -> Answer<Self> {
        let mut answered = HashMap::new();
        for row in rows {
            let Some(id) = row.reply_to else { continue };
            if answered.contains_key(&id) {
                continue;
            }
            let of_page = rows.iter().find(|row| row.id == id).cloned();
            let found = match of_page {
                Some(found) => Some(found),
                None => find(app, row.channel, id).await?,
            };
            if let Some(found) = found {
                answered.insert(id, found);
            }
        }
        let profiles = app
            .accounts
            .profiles(people(rows.iter().chain(answered.values())));
        let profiles = profiles.await?;
        let reacted = reacted(app, reader, rows.iter().chain(answered.values())).await?;
        let blind = match rows.first() {
            Some(row) if sees_no_content(app, reader, row.channel).await? => Some(reader),
            _ => None,
        };
        Ok(Self {
            answered,
            profiles,
            reacted,
            blind,
            links: app.links.clone(),
            now: app.clock.now(),
        })
    }

    /// `None` never: every author has a profile.
    pub(in crate::http) fn message<'a>(&'a self, row: &'a MessageRow) -> Option<MessageJson<'a>> {
        let answered = row.reply_to.and_then(|id| self.answered.get(&id));
        let answered = answered.and_then(|row| self.alone(row));
        Some(self.alone(row)?.answering(answered))
    }

    fn alone<'a>(&'a self, row: &'a MessageRow) -> Option<MessageJson<'a>> {
        let message = MessageJson::new(row, &self)?;
        let hidden = |reader| row.author != reader && !row.mentions.contains(&reader);
        Some(if self.blind.is_some_and(hidden) {
            message.without_content()
        } else {
            message
        })
    }
}

/// Whether somebody is a bot that was not granted MESSAGE_CONTENT, and the channel is a group's.
///
/// Source: <https://discord.com/developers/docs/events/gateway#message-content-intent>
async fn sees_no_content(app: &App, reader: UserId, channel: ChannelId) -> Answer<bool> {
    let account = app.accounts.get(reader).await?;
    let granted = account.application.as_ref().map(|bot| bot.privileged);
    if granted.is_none_or(|granted| granted.contains(Intents::MESSAGE_CONTENT)) {
        return Ok(false);
    }
    Ok(!is_direct(app.index.group_of(channel).await?, channel))
}

/// Which of the reactions to messages are the reader's.
async fn reacted(
    app: &App,
    reader: UserId,
    rows: impl Iterator<Item = &MessageRow>,
) -> Answer<HashSet<(MessageId, String)>> {
    let counts = rows.flat_map(|row| row.reactions.iter().map(|count| (row.id, &count.emoji)));
    let counts: HashSet<(MessageId, String)> =
        counts.map(|(id, emoji)| (id, emoji.clone())).collect();
    let reads = stream::iter(counts).map(|(message, emoji)| async move {
        let user = reader;
        let reaction = ReactionRow { emoji, user };
        let key = Key::new(message, reaction.place().as_str());
        let row = store::get::<Reactions>(app.store.as_ref(), &key).await;
        let is_there = row.map_err(fault::read_failed)?.is_some();
        Answer::Ok(is_there.then_some((message, reaction.emoji)))
    });
    let reads = reads.buffer_unordered(CONCURRENT_READS);
    reads
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}

impl<'a> Beside<'a> for &'a Joined {
    fn profile(&self, user: UserId) -> Option<&'a Profile> {
        self.profiles.get(&user)
    }

    fn file_url(&self, channel: ChannelId, file: &Attachment) -> String {
        self.links.attachment(channel, file, self.now)
    }

    fn reacted(&self, message: MessageId, emoji: &str) -> bool {
        !self.reacted.is_empty() && self.reacted.contains(&(message, emoji.to_owned()))
    }
}
