//! What goes into a [`Machine`](super::Machine) and what comes out of it.

use rookery_protocol::command::{Answer, Notice, RequestId};
use rookery_protocol::document::{IncarnationId, Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ApiError;
use rookery_protocol::event::Frame;
use rookery_protocol::ids::ChannelId;

use super::core::ReplyTo;
use crate::commit::Outcome;
use crate::store::Unit;

/// Where the acknowledgement of a notice goes; the shell knows the port behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckTo(pub u64);

/// What happens to an entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Stimulus<C> {
    /// Somebody asks.
    Command {
        /// What.
        command: C,
        /// Where the answer goes.
        reply: ReplyTo,
        /// Set by another node, which may send it again.
        request: Option<RequestId>,
    },
    /// Another entity's outbox delivers; perhaps not for the first time.
    Notice {
        /// The sender.
        from: EntityRef,
        /// The number in its outbox.
        seq: u64,
        /// What.
        notice: Notice,
        /// Where to say that it was taken.
        ack: AckTo,
    },
    /// A row that was asked for.
    Fetched {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
        /// The row's bytes.
        row: Result<Option<Vec<u8>>, ApiError>,
    },
    /// The commit lane is done with a unit.
    Settled {
        /// Of [`Action::Submit`].
        ticket: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// A notice of this entity's outbox was taken.
    Delivered {
        /// Its number.
        seq: u64,
    },
}

/// What the shell must do at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Action<R> {
    /// Hand a unit to the commit lane.
    Submit {
        /// Comes back in [`Stimulus::Settled`].
        ticket: u64,
        /// What is written.
        unit: Unit,
    },
    /// Publish a frame.
    Publish(Frame),
    /// Answer a command.
    Reply {
        /// Where it goes.
        to: ReplyTo,
        /// What.
        answer: Answer<R>,
    },
    /// Read a row.
    Fetch {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
    },
    /// Have a room ask its group.
    Nudge {
        /// Where it is.
        node: IncarnationId,
        /// Its voice channel.
        channel: ChannelId,
    },
    /// Tell caches that the account has changed.
    Invalidate {
        /// Its version from now on.
        version: u64,
    },
    /// Deliver a notice of the outbox; repeat until it was taken, then [`Stimulus::Delivered`].
    Deliver {
        /// Its number.
        seq: u64,
        /// For whom.
        to: EntityRef,
        /// What.
        notice: Notice,
    },
    /// Acknowledge a notice.
    Acknowledge(AckTo),
    /// The state is void: stop, and load it again when somebody asks.
    Discard {
        /// Load it at once: its outbox may hold notices that nobody else would deliver.
        is_owed: bool,
    },
}
