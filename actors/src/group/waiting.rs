//! Commands that wait for rows to be read from the store, in the order they came.

use std::collections::{BTreeMap, VecDeque};

use rookery_protocol::command::group::GroupCommand;
use rookery_protocol::document::{Key, MessageRow, Messages, Part, Reactions, TableId, decode};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::limits;

use super::{Live, Place, Turn};
use crate::entity::{Effect, ReplyTo};

/// A row that a command cannot be answered without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// A message.
    Message(Place),
    /// A reaction to a message, by its place among them.
    Reaction(MessageId, String),
}

impl Wanted {
    /// The row at a key.
    pub(super) fn of(table: TableId, key: Key) -> Option<Self> {
        match (table, key.partition, key.sort) {
            (TableId::Messages, Part::Num(channel), Part::Num(message)) => {
                Some(Self::Message((ChannelId(channel), MessageId(message))))
            }
            (TableId::Reactions, Part::Num(message), Part::Text(place)) => {
                Some(Self::Reaction(MessageId(message), place))
            }
            _ => None,
        }
    }

    fn fetch<R>(&self) -> Effect<R> {
        let (table, key) = match self {
            Self::Message((channel, message)) => (TableId::Messages, Key::new(*channel, *message)),
            Self::Reaction(message, place) => {
                (TableId::Reactions, Key::new(*message, place.as_str()))
            }
        };
        Effect::Fetch { table, key }
    }
}

/// What the store says of a row.
pub(super) enum Found {
    /// Of a message.
    Message(Place, Option<Box<MessageRow>>),
    /// Of a reaction: whether it is there.
    Reaction(MessageId, String, bool),
}

impl Found {
    /// Reads a row's bytes.
    pub(super) fn read(wanted: Wanted, bytes: Option<&[u8]>) -> Result<Self, ApiError> {
        // The shell has looked at the bytes, so this is a fault of ours.
        let corrupt = |_| ApiError::from(ErrorCode::Internal);
        match wanted {
            Wanted::Message(place) => {
                let row = bytes.map(decode::<Messages>).transpose().map_err(corrupt)?;
                Ok(Self::Message(place, row.map(Box::new)))
            }
            Wanted::Reaction(message, place) => {
                let row = bytes.map(decode::<Reactions>);
                let is_there = row.transpose().map_err(corrupt)?.is_some();
                Ok(Self::Reaction(message, place, is_there))
            }
        }
    }
}

impl Live {
    /// Takes in what the store says of a row.
    pub(super) fn found(&mut self, found: Found) {
        match found {
            Found::Message(place, row) => self.recent.fetched(place, row.map(|row| *row)),
            Found::Reaction(message, place, is_there) => {
                self.reacted
                    .fetched((message, place), is_there.then_some(()));
            }
        }
    }

    fn hold(&mut self, wanted: &Wanted) {
        match wanted {
            Wanted::Message(place) => self.recent.hold(*place),
            Wanted::Reaction(message, place) => self.reacted.hold((*message, place.clone())),
        }
    }

    fn release(&mut self, wanted: &Wanted) {
        match wanted {
            Wanted::Message(place) => self.recent.release(place),
            Wanted::Reaction(message, place) => self.reacted.release(&(*message, place.clone())),
        }
    }
}

/// A command that waits.
#[derive(Debug)]
struct Waiter {
    command: GroupCommand,
    reply: ReplyTo,
    /// All it waits for, also what has come already.
    wanted: Vec<Wanted>,
    /// How many of them are still to come.
    missing: usize,
}

/// Commands that wait for at most [`limits::WAITING_PER_GROUP`] rows together, and which of them wait for each row.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waiters: BTreeMap<u64, Waiter>,
    queues: BTreeMap<Wanted, VecDeque<u64>>,
    next: u64,
    len: usize,
}

impl Waiting {
    /// How many commands wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Lets a command wait for rows, each once; what nobody waits for yet is read.
    pub(super) fn push(
        &mut self,
        turn: &mut Turn<'_>,
        live: &mut Live,
        wanted: Vec<Wanted>,
        command: GroupCommand,
        reply: ReplyTo,
    ) {
        if self.len + wanted.len() > limits::WAITING_PER_GROUP {
            return turn.reply(reply, Err(ErrorCode::Busy.into()));
        }
        self.len += wanted.len();
        self.next += 1;
        for row in &wanted {
            live.hold(row);
            let queue = self.queues.entry(row.clone()).or_default();
            if queue.is_empty() {
                turn.out.push(row.fetch());
            }
            queue.push_back(self.next);
        }
        let waiter = Waiter {
            missing: wanted.len(),
            command,
            reply,
            wanted,
        };
        self.waiters.insert(self.next, waiter);
    }

    /// A row has come, or cannot be read: in their order, who waits for nothing any more.
    pub(super) fn arrived(&mut self, row: &Wanted, can_be_read: bool) -> Vec<u64> {
        let mut ready = Vec::new();
        for ticket in self.queues.remove(row).unwrap_or_default() {
            if let Some(waiter) = self.waiters.get_mut(&ticket) {
                waiter.missing -= 1;
                if waiter.missing == 0 || !can_be_read {
                    ready.push(ticket);
                }
            }
        }
        ready
    }

    /// Lets a command go.
    pub(super) fn take(
        &mut self,
        ticket: u64,
        live: Option<&mut Live>,
    ) -> Option<(GroupCommand, ReplyTo)> {
        let waiter = self.waiters.remove(&ticket)?;
        self.len -= waiter.wanted.len();
        if let Some(live) = live {
            for row in &waiter.wanted {
                live.release(row);
            }
        }
        Some((waiter.command, waiter.reply))
    }
}
