//! The changes of ownership, each one transaction.

use rookery_protocol::document::{CorruptRow, IncarnationId, Key, ShardRow, TableId};

use super::claim::Claim;
use super::incarnation::{self, Begin, End, Reserve};
use super::view::Change;
use crate::store::{Named, Rule, Write};

/// A change. Applied again it finds its own work and says the same; so one whose outcome is unknown is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Begin an incarnation, with a worker id and a place in the view.
    Begin(Begin),
    /// Renew a lease.
    Renew {
        /// Whose.
        me: IncarnationId,
        /// Higher than with any renewal that was tried before.
        counter: u64,
    },
    /// Reserve ids.
    Reserve(Reserve),
    /// From now on the lease of an incarnation is not renewed, if it was not since it was held for dead. Before its lanes are
    /// fenced: else one that wakes up between the two would renew it, and answer from what it knows beside the next owner.
    Condemn {
        /// Which.
        who: IncarnationId,
        /// The counter of its last renewal, as it was seen to stand still.
        counter: u64,
    },
    /// Mark an incarnation as fenced, and evict it from the view. Only after [`crate::store::Store::fence`] of all its
    /// lanes. It needs no author: it says what is already true.
    Fenced {
        /// Which.
        who: IncarnationId,
    },
    /// End an incarnation in order. Only after it fenced its own lanes.
    End(End),
    /// Claim shards.
    Claim(Claim),
    /// Change the view.
    Change(Change),
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The incarnation has begun.
    Begun {
        /// The worker id it mints with.
        worker: u16,
        /// Its ids lie above.
        id_floor: rookery_protocol::time::Millis,
    },
    /// It is done.
    Done,
    /// The shards of a claim as they now are: whose owner I am and which are not released are claimed.
    Claimed(Vec<(u16, ShardRow)>),
    /// Nothing was changed.
    Refused(Refusal),
}

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Whoever wants it is not live.
    Fenced,
    /// What it was decided on has changed: read again.
    Stale,
    /// The node's incarnation before is live: fence it first.
    Lives,
    /// The worker id is held by a live incarnation.
    Taken,
    /// The cluster has as many nodes as it may have.
    Full,
}

/// The writes and the verdict of a decision.
pub(super) type Decision = Result<(Vec<Write>, Verdict), CorruptRow>;

/// A decision that changes nothing.
pub(super) fn refused(why: Refusal) -> Decision {
    Ok((Vec::new(), Verdict::Refused(why)))
}

/// A decision whose work is there already.
pub(super) fn done() -> Decision {
    Ok((Vec::new(), Verdict::Done))
}

impl Rule for Op {
    type Verdict = Verdict;

    fn rows(&self) -> Vec<(TableId, Key)> {
        match self {
            Self::Begin(begin) => begin.rows(),
            Self::Renew { me, .. } => vec![(TableId::Incarnations, me.key())],
            Self::Reserve(reserve) => reserve.rows(),
            Self::Condemn { who, .. } => vec![(TableId::Incarnations, who.key())],
            Self::Fenced { who } => incarnation::fenced_rows(who),
            Self::End(end) => end.rows(),
            Self::Claim(claim) => claim.rows(),
            Self::Change(change) => change.rows(),
        }
    }

    fn decide(&self, rows: &Named<'_>) -> Decision {
        match self {
            Self::Begin(begin) => begin.decide(rows),
            Self::Renew { me, counter } => incarnation::renew(rows, me, *counter),
            Self::Reserve(reserve) => reserve.decide(rows),
            Self::Condemn { who, counter } => incarnation::condemn(rows, who, *counter),
            Self::Fenced { who } => incarnation::fenced(rows, who),
            Self::End(end) => end.decide(rows),
            Self::Claim(claim) => claim.decide(rows),
            Self::Change(change) => change.decide(rows),
        }
    }
}
