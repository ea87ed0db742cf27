//! What a member is told and what it wants done: the words of a step.

use rookery_protocol::document::{IncarnationId, NodeState, ShardRow};
use rookery_protocol::time::Millis;

use super::super::lease::{Boot, Timing};
use super::super::op::{Op, Verdict};
use super::super::read::{Facts, Read};
use crate::store::LaneId;

/// What a member is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The node's configured name.
    pub node: String,
    /// Where the other nodes reach it; empty when there are none.
    pub address: String,
    /// Drawn at random when the process starts; at most `i64::MAX`.
    pub process: u64,
    /// Lanes of an incarnation.
    pub lanes: u16,
    /// Shards: [`rookery_protocol::limits::SHARDS`]. Only the simulation has fewer.
    pub shards: u16,
    /// The store is this node's alone: nobody is there to condemn it, its lease never ends and costs no write.
    pub alone: bool,
    /// [`Timing::default`].
    pub timing: Timing,
}

/// The instant of an input, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// What leases are counted on.
    pub boot: Boot,
    /// What ids are minted from.
    pub wall: Millis,
}

/// Names what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// What happens to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Time passed; several times a second.
    Tick {
        /// The millisecond of the last id that was minted.
        minted: Millis,
    },
    /// Of [`Effect::Decide`]; `Err`: unknown.
    Decided {
        /// Which.
        ticket: Ticket,
        /// How it went.
        verdict: Result<Verdict, ()>,
    },
    /// Of [`Effect::Read`]; `Err`: the store does not answer.
    Facts {
        /// Which.
        ticket: Ticket,
        /// What was read.
        facts: Result<Facts, ()>,
    },
    /// Of [`Effect::Fence`]; `Err`: unknown.
    LaneFenced {
        /// Which.
        ticket: Ticket,
        /// How it went.
        result: Result<(), ()>,
    },
    /// The lanes of [`Effect::Begun`] are open.
    Opened {
        /// Of this incarnation.
        number: u64,
    },
    /// A lane of mine was refused as fenced.
    Fenced {
        /// Of this incarnation.
        number: u64,
    },
    /// The releases of these shards, with their epochs, are durable.
    Released(Vec<(u16, u64)>),
    /// The link with another node is up, or cut.
    Link {
        /// Whose process is at the other end.
        peer: IncarnationId,
        /// Which of both.
        is_up: bool,
    },
    /// A node was refused a connection to another.
    Refused {
        /// Who was, by name; I am one of them.
        by: String,
        /// By whom.
        peer: IncarnationId,
    },
    /// Somebody says that shards or the view have changed: look.
    Hint,
    /// A node that was asked in vain says who owns a shard, or what has become of those that it released or claimed.
    Learned(Vec<(u16, ShardRow)>),
    /// Give everything away and stay (true), or take part again (false).
    Yield(bool),
    /// An operator wants a shard at a node, or (none) where it belongs.
    Pin {
        /// Which.
        shard: u16,
        /// The node, by name.
        node: Option<String>,
    },
    /// Give everything away and end.
    Drain,
    /// Of [`Effect::Quiet`]: nothing writes or mints any more.
    Quiet {
        /// All ids lie below.
        used: Millis,
    },
}

/// What a member wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Apply a change with [`crate::store::transact`].
    Decide {
        /// Comes back.
        ticket: Ticket,
        /// What.
        op: Op,
    },
    /// Read with [`super::read`].
    Read {
        /// Comes back.
        ticket: Ticket,
        /// What.
        what: Read,
    },
    /// [`crate::store::Store::fence`].
    Fence {
        /// Comes back.
        ticket: Ticket,
        /// Which.
        lane: LaneId,
    },
    /// A new incarnation: open its lanes and mint its ids, none before the first [`Effect::Ceiling`].
    Begun {
        /// Who I am from now on.
        id: IncarnationId,
        /// With which worker id.
        worker: u16,
        /// Above where.
        id_floor: Millis,
    },
    /// Answers are true before this instant; it is looked at when the store has answered, right before the reply.
    Lease(Boot),
    /// Ids may be minted below.
    Ceiling(Millis),
    /// These shards, with their epochs, are mine: load their entities when asked, after what was queued for them on the
    /// lane has settled, and deliver what is in their outboxes.
    Serve(Vec<(u16, u64)>),
    /// These shards go elsewhere: stop their entities, let them flush, and hand their releases to the lane.
    Release(Vec<(u16, u64)>),
    /// The incarnation is fenced: stop everything and forget it, answer nobody. What comes back of it is not told me.
    Stop,
    /// Tell the others to look: [`Input::Hint`].
    Hint,
    /// Tell the others what has become of shards: [`Input::Learned`]. Who does not hear it finds out by looking.
    Moved(Vec<(u16, ShardRow)>),
    /// Another incarnation, and all before it of that node, is fenced or has ended: it answers nothing any more, for ever.
    Over(IncarnationId),
    /// Stop and flush what still runs, then [`Input::Quiet`].
    Quiet,
    /// The incarnation has ended in order. The last effect.
    Ended,
    /// Another process runs under this node's name, and began after me: end the process. The last effect.
    Superseded,
}

/// How a node stands, for its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has no incarnation.
    Beginning,
    /// It runs, and is in the view like this.
    In(NodeState),
    /// It is about to end.
    Ending,
    /// It has ended.
    Over,
}
