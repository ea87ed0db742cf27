//! Commands that wait for a message to be read from the store, in the order they came.

use std::collections::{BTreeMap, VecDeque};

use rookery_protocol::command::group::GroupCommand;
use rookery_protocol::document::{Key, Part, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::limits;

use super::{Place, Turn};
use crate::entity::{Effect, ReplyTo};

/// At most [`limits::WAITING_PER_GROUP`] commands, a queue for each message that is being read.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queues: BTreeMap<Place, VecDeque<(GroupCommand, ReplyTo)>>,
    len: usize,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Lets a command wait for a message; the first one has it read.
    pub(super) fn push(
        &mut self,
        turn: &mut Turn<'_>,
        place: Place,
        command: GroupCommand,
        reply: ReplyTo,
    ) {
        if self.len >= limits::WAITING_PER_GROUP {
            return turn.reply(reply, Err(ErrorCode::Busy.into()));
        }
        self.len += 1;
        let queue = self.queues.entry(place).or_default();
        if queue.is_empty() {
            turn.out.push(Effect::Fetch {
                table: TableId::Messages,
                key: Key::new(place.0, place.1),
            });
        }
        queue.push_back((command, reply));
    }

    /// What waited for a message.
    pub(super) fn take(&mut self, place: Place) -> VecDeque<(GroupCommand, ReplyTo)> {
        let queue = self.queues.remove(&place).unwrap_or_default();
        self.len -= queue.len();
        queue
    }
}

/// The message that a key is of.
pub(super) fn place(table: TableId, key: &Key) -> Option<Place> {
    match (table, &key.partition, &key.sort) {
        (TableId::Messages, &Part::Num(channel), &Part::Num(message)) => {
            Some((ChannelId(channel), MessageId(message)))
        }
        _ => None,
    }
}
