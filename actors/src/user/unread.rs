//! What a user has not read: how far he is in each channel, and the messages that mention him.

use std::collections::BTreeMap;

use rookery_protocol::client::events::MessageAck;
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Acknowledge, ListMentions};
use rookery_protocol::document::{Key, MentionRow, Mentions, ReadStateRow, ReadStates};
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;

use super::{Live, Turn};
use crate::store::{self, Store, StoreError};

/// Rows read at once.
const PAGE: usize = 1_000;

/// The rows of both tables.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Unread {
    /// At most [`limits::READ_STATES_PER_USER`].
    read: BTreeMap<ChannelId, MessageId>,
    /// At most [`limits::MENTIONS_PER_USER`].
    mentions: BTreeMap<MessageId, MentionRow>,
}

impl Unread {
    /// As it is in the store.
    pub(super) async fn load(user: UserId, store: &dyn Store) -> Result<Self, StoreError> {
        let read = store::scan_all::<ReadStates>(store, user, PAGE).await?;
        let mentions = store::scan_all::<Mentions>(store, user, PAGE).await?;
        Ok(Self {
            read: read
                .into_iter()
                .map(|(_, row)| (row.channel, row.last_read))
                .collect(),
            mentions: mentions
                .into_iter()
                .map(|(_, row)| (row.message, row))
                .collect(),
        })
    }

    /// How many channels have a read state, and how many mentions wait.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.read.len(), self.mentions.len())
    }

    fn has_read(&self, channel: ChannelId, message: MessageId) -> bool {
        let last = self.read.get(&channel);
        last.is_some_and(|&last| message <= last)
    }

    /// The mentions of a channel.
    fn of(&self, channel: ChannelId) -> impl Iterator<Item = MessageId> {
        let mentions = self.mentions.values();
        let here = mentions.filter(move |row| row.channel == channel);
        here.map(|row| row.message)
    }
}

impl Live {
    /// Reading goes forward only: what was read already is acknowledged without a word.
    pub(super) fn acknowledge(&mut self, turn: &mut Turn<'_>, request: Acknowledge) -> Answer<()> {
        let Acknowledge { channel, message } = request;
        if self.unread.has_read(channel, message) {
            return Ok(());
        }
        self.make_room_for(turn, channel);
        let user = self.document.profile.id;
        let row = ReadStateRow {
            channel,
            last_read: message,
        };
        turn.put::<ReadStates>(Key::new(user, channel), &row);
        self.unread.read.insert(channel, message);
        let here = self.unread.of(channel);
        let (read, left): (Vec<_>, Vec<_>) = here.partition(|&mention| mention <= message);
        for mention in read {
            self.forget_mention(turn, mention);
        }
        let body = MessageAck {
            channel_id: channel,
            message_id: message,
            mention_count: left.len(),
            version: turn.gseq + 1,
            manual: false,
        };
        turn.emit(EventName::MessageAck, Intents::NONE, &body);
        Ok(())
    }

    /// A new channel takes the place of the one that was read longest ago.
    fn make_room_for(&mut self, turn: &mut Turn<'_>, channel: ChannelId) {
        let read = &mut self.unread.read;
        if read.len() < limits::READ_STATES_PER_USER || read.contains_key(&channel) {
            return;
        }
        let oldest = read.iter().min_by_key(|(_, message)| **message);
        if let Some((&oldest, _)) = oldest {
            read.remove(&oldest);
            turn.delete::<ReadStates>(Key::new(self.document.profile.id, oldest));
        }
    }

    fn forget_mention(&mut self, turn: &mut Turn<'_>, message: MessageId) {
        self.unread.mentions.remove(&message);
        turn.delete::<Mentions>(Key::new(self.document.profile.id, message));
    }

    pub(super) fn list_mentions(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: ListMentions,
    ) -> Answer<Vec<MentionRow>> {
        Ok(self.unread.mentions.values().cloned().collect())
    }

    /// A message mentions the user. It does not count if he has read it already, or blocks its author.
    pub(super) fn mentioned(&mut self, turn: &mut Turn<'_>, row: MentionRow) {
        let is_void = self.unread.has_read(row.channel, row.message) || self.blocks(row.author);
        if is_void {
            return;
        }
        let message = row.message;
        turn.put::<Mentions>(Key::new(self.document.profile.id, message), &row);
        self.unread.mentions.insert(message, row);
        if self.unread.mentions.len() > limits::MENTIONS_PER_USER
            && let Some((&oldest, _)) = self.unread.mentions.first_key_value()
        {
            self.forget_mention(turn, oldest);
        }
    }
}
