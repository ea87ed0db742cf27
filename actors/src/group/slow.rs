//! Slow mode: how long a member waits between two messages in a channel that wants him to.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rookery_protocol::command::Answer;
use rookery_protocol::document::{ChannelDocument, MessageRow};
use rookery_protocol::error::ApiError;
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use super::Live;
use super::access::Seat;

type Author = (ChannelId, UserId);

/// The newest message of each author in channels with slow mode; of the [`limits::SLOW_AUTHORS_PER_GROUP`] newest messages.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: HashMap<Author, MessageId>,
    /// Oldest first; holds entries that were replaced since.
    order: VecDeque<(MessageId, Author)>,
}

impl Pace {
    fn insert(&mut self, id: MessageId, author: Author) {
        self.last.insert(author, id);
        self.order.push_back((id, author));
        if self.order.len() > limits::SLOW_AUTHORS_PER_GROUP
            && let Some((id, author)) = self.order.pop_front()
            && self.last.get(&author) == Some(&id)
        {
            self.last.remove(&author);
        }
    }
}

/// Milliseconds between two messages of a member.
pub(super) fn pause_ms(channel: &ChannelDocument) -> u64 {
    u64::from(channel.rate_limit_per_user) * 1_000
}

impl Live {
    /// `SlowMode` for a person who wrote too short a while ago.
    pub(super) fn require_pace(&self, now: Millis, seat: &Seat<'_>, by: &Profile) -> Answer<()> {
        let pause = pause_ms(seat.channel);
        if pause == 0 || by.bot || is_exempt(seat) {
            return Ok(());
        }
        let Some(last) = self.pace.last.get(&(seat.channel.id, by.id)) else {
            return Ok(());
        };
        match pause.saturating_sub(now.since(snowflake::created_at(last.0))) {
            0 => Ok(()),
            wait => Err(ApiError::slow_mode(wait)),
        }
    }

    /// Remembers a message that was sent to a channel with slow mode.
    pub(super) fn remember_pace(&mut self, row: &MessageRow) {
        let channel = self.document.channel(row.channel);
        if !row.kind.is_system() && channel.is_some_and(|channel| pause_ms(channel) > 0) {
            self.pace.insert(row.id, (row.channel, row.author));
        }
    }
}

fn is_exempt(seat: &Seat<'_>) -> bool {
    let exempt =
        Permissions::MANAGE_MESSAGES | Permissions::MANAGE_CHANNELS | Permissions::BYPASS_SLOWMODE;
    seat.permissions.allow_any(exempt)
}

/// Collects rows in any order: the newest ones stay.
#[derive(Debug, Default)]
pub(super) struct Rebuild(BTreeMap<MessageId, Author>);

impl Rebuild {
    /// Takes a row in.
    pub(super) fn take(&mut self, row: &MessageRow) {
        if row.kind.is_system() {
            return;
        }
        self.0.insert(row.id, (row.channel, row.author));
        if self.0.len() > limits::SLOW_AUTHORS_PER_GROUP {
            self.0.pop_first();
        }
    }

    /// The table.
    pub(super) fn finish(self) -> Pace {
        let mut pace = Pace::default();
        for (id, author) in self.0 {
            pace.insert(id, author);
        }
        pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_forgets_the_oldest() {
        let mut pace = Pace::default();
        let limit = limits::SLOW_AUTHORS_PER_GROUP as u64;
        let author = |n: u64| (ChannelId(1), UserId(n));
        pace.insert(MessageId(1), author(1));
        for n in 0..limit {
            pace.insert(MessageId(n + 2), author(n + 2));
        }
        assert!(!pace.last.contains_key(&author(1)) && pace.last.contains_key(&author(2)));
        // An entry that was replaced takes nothing along.
        pace.insert(MessageId(limit + 2), author(3));
        pace.insert(MessageId(limit + 3), author(9_999_999));
        assert_eq!(pace.last[&author(3)], MessageId(limit + 2));
        assert_eq!(pace.order.len(), limits::SLOW_AUTHORS_PER_GROUP);
    }
}
