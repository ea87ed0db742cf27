//! The messages a group last touched, as they are in the store once everything under way has landed: a cache of rows
//! that is never behind them, since every change of a message goes through it.

use std::collections::{HashMap, VecDeque};

use rookery_protocol::document::MessageRow;
use rookery_protocol::limits;

use super::Place;

/// The newest [`limits::RECENT_MESSAGES_PER_GROUP`] messages that were sent or looked at.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// `None`: there is no such message (any more).
    rows: HashMap<Place, Option<MessageRow>>,
    /// The keys of `rows`, oldest first.
    order: VecDeque<Place>,
}

impl Recent {
    /// What is known of a message: outer `None` is nothing, inner `None` that it is not there.
    pub(super) fn get(&self, place: Place) -> Option<Option<&MessageRow>> {
        self.rows.get(&place).map(Option::as_ref)
    }

    /// Takes in a message as it was sent or changed.
    pub(super) fn put(&mut self, row: MessageRow) {
        self.set((row.channel, row.id), Some(row));
    }

    /// Keeps in mind that a message is gone.
    pub(super) fn delete(&mut self, place: Place) {
        self.set(place, None);
    }

    /// Takes in what the store says, unless more is known already.
    pub(super) fn fetched(&mut self, place: Place, row: Option<MessageRow>) {
        if !self.rows.contains_key(&place) {
            self.set(place, row);
        }
    }

    fn set(&mut self, place: Place, row: Option<MessageRow>) {
        if self.rows.insert(place, row).is_some() {
            return;
        }
        self.order.push_back(place);
        if self.order.len() > limits::RECENT_MESSAGES_PER_GROUP
            && let Some(oldest) = self.order.pop_front()
        {
            self.rows.remove(&oldest);
        }
    }

    /// Everything known, for tests.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Option<&MessageRow>)> {
        self.rows.iter().map(|(&place, row)| (place, row.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::ids::{ChannelId, MessageId};

    #[test]
    fn it_is_bounded_and_forgets_the_oldest() {
        let mut recent = Recent::default();
        let place = |n| (ChannelId(1), MessageId(n));
        let limit = limits::RECENT_MESSAGES_PER_GROUP as u64;
        for n in 0..=limit {
            recent.delete(place(n + 1));
            recent.delete(place(n + 1));
        }
        assert_eq!(recent.get(place(1)), None);
        assert_eq!(recent.get(place(2)), Some(None));
        assert_eq!(recent.rows.len(), limits::RECENT_MESSAGES_PER_GROUP);
        assert_eq!(recent.order.len(), limits::RECENT_MESSAGES_PER_GROUP);
    }
}
