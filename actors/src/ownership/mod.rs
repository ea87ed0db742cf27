//! The rules of ownership: who may write what, in a cluster of nodes that share a store.
//!
//! * A node's run is an *incarnation*. All it writes goes through its *lanes*; a lane that is fenced never commits again.
//!   An incarnation is marked as fenced only after all its lanes are ([`Op::Fenced`]), and stays so for ever.
//! * Entities belong to [`shard_of`] shards. A *claim* takes a shard that nobody ever owned, that its owner released, or
//!   whose owner is not live ([`Claim`]). A *release* is the last commit of the owner's lane for it ([`release`]).
//! * The *lease* ([`Lease`]) bounds how long an incarnation may answer without having heard from the store. Others
//!   condemn it later than it ends ([`Watch`]).
//! * The *view* says who is in the cluster; the preferred owner of a shard follows from it ([`preferred`]).
//!
//! Everything is rows of [`rookery_protocol::document`], changed by [`Op`]s: pure decisions, applied by
//! [`crate::store::transact`]. [`Member`] is the state machine of one node that drives them.

mod claim;
mod incarnation;
mod lease;
mod member;
mod op;
mod placement;
mod read;
mod shard;
mod tenure;
#[cfg(test)]
mod tests;
mod view;

pub use self::claim::{Claim, release};
pub use self::incarnation::{Begin, End, Reserve, lane};
pub use self::lease::{Beats, Boot, Lease, Timing, Watch};
pub use self::member::{Effect, Input, Member, Now, Settings, Standing, Ticket};
pub use self::op::{Op, Refusal, Verdict};
pub use self::placement::{Place, Placement};
pub use self::read::{Facts, Read, read};
pub use self::shard::{preferred, shard_of};
pub use self::tenure::Tenure;
pub use self::view::Change;

use rookery_protocol::document::{IncarnationRow, Phase};
use rookery_protocol::entity::{EntityKind, EntityRef};

/// Whose the rows are that no entity owns.
pub const NODE: EntityRef = EntityRef {
    kind: EntityKind::User,
    id: 0,
};

/// Whether an incarnation may decide anything: a row that is missing counts as fenced.
fn is_live(row: Option<&IncarnationRow>) -> bool {
    row.is_some_and(|row| row.phase == Phase::Live)
}

/// Whether its lanes may be open still.
fn may_write(row: Option<&IncarnationRow>) -> bool {
    row.is_some_and(|row| matches!(row.phase, Phase::Live | Phase::Evicted))
}
