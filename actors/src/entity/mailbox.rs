//! What an entity's mailbox holds, and how something is put into it.

use std::sync::Arc;

use ractor::ActorRef;
use rookery_protocol::command::{Answer, Command, Notice, Reply, RequestId};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ApiError;
use tokio::sync::oneshot;

use super::counters::{Counters, Timed, Waiting};
use super::inspect::Figures;
use super::origin::Origin;
use crate::commit::Outcome;

/// What an entity is reached by.
pub(super) type Mailbox = ActorRef<Timed<Message>>;

/// What an entity's mailbox holds.
pub(super) enum Message {
    /// Somebody asks.
    Command {
        command: Command,
        request: Option<RequestId>,
        /// The client's request that it belongs to.
        origin: Option<Origin>,
        port: oneshot::Sender<Answer<Reply>>,
    },
    /// Another entity's outbox delivers.
    Notice {
        from: EntityRef,
        seq: u64,
        notice: Notice,
        port: oneshot::Sender<()>,
    },
    /// A row that was asked for.
    Fetched {
        table: TableId,
        key: Key,
        row: Result<Option<Vec<u8>>, ApiError>,
    },
    /// The commit lane is done with a unit.
    Settled { ticket: u64, outcome: Outcome },
    /// A notice of the outbox was taken.
    Delivered { seq: u64 },
    /// Stop if nothing is under way, and say whether so. Not counted: it does not make the entity busy.
    Passivate(Option<oneshot::Sender<bool>>),
    /// Stop as soon as what is under way is durable and answered; nothing new comes. Not counted either.
    Leave,
    /// Crash, for an operator. Not counted either.
    Restart,
    /// Say figures of the state. Not counted either.
    Describe(oneshot::Sender<Figures>),
}

impl Message {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Command { command, .. } => command.name(),
            Self::Notice { .. } => "Notice",
            Self::Fetched { .. } => "Fetched",
            Self::Settled { .. } => "Settled",
            Self::Delivered { .. } => "Delivered",
            Self::Passivate(_) => "Passivate",
            Self::Leave => "Leave",
            Self::Restart => "Restart",
            Self::Describe(_) => "Describe",
        }
    }
}

/// What tasks of a life send back what they did by.
#[derive(Clone)]
pub(super) struct Letterbox {
    pub(super) mailbox: Mailbox,
    pub(super) counters: Arc<Counters>,
    pub(super) waiting: Arc<Waiting>,
}

impl Letterbox {
    pub(super) fn post(&self, message: Message) {
        post(&self.mailbox, &self.counters, &self.waiting, message);
    }
}

/// Counts a message and puts it into a mailbox; a stopped actor's messages are of no use to anybody.
pub(super) fn post(mailbox: &Mailbox, counters: &Counters, waiting: &Waiting, message: Message) {
    let _ = mailbox.cast(counters.enqueue(waiting, message));
}
