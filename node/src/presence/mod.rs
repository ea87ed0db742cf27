//! Presence: who of whom is online, and what he says of himself. It is what sessions say and nothing else: never in the
//! store, gone with the process, empty after a start.
//!
//! [`Registry`] is where it is kept: in memory, which also holds what is heard of people on other nodes (`elsewhere`; how they
//! hear of each other is in [`crate::ephemeral`]). The relay lanes tell it which session is where, sockets what their clients say, and once a second [`Ticker`] shows what changed: to groups in which
//! not too many are online, and to friends. Somebody who blocks, and whom he blocks, do not see each other's.

pub mod carried;
pub mod elsewhere;
mod listen;
mod memory;
#[cfg(test)]
mod tests;
mod ticker;

use std::sync::Arc;

use rookery_actors::relay::SessionRef;
use rookery_protocol::client::presence::{Platform, Presence, Said};
use rookery_protocol::ids::{GroupId, UserId};

pub use listen::{Listener, Touched};
pub use memory::Memory;
pub use ticker::Ticker;

/// A session of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Its lane.
    pub lane: u16,
    /// Which of the lane's.
    pub session: SessionRef,
}

/// The people whose presence somebody is shown, or is not, wherever they meet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kin {
    /// His friends.
    pub friends: Vec<UserId>,
    /// Whom he blocks.
    pub blocked: Vec<UserId>,
}

/// To whom a presence is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// To a group, but not to some of its people.
    Group(GroupId, Vec<UserId>),
    /// To a friend.
    Friend(UserId),
    /// To one session, in a group it has just entered.
    Session(At, GroupId),
}

/// A presence that is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose.
    pub user: UserId,
    /// To whom.
    pub scope: Scope,
    /// What; none: he is offline.
    pub presence: Option<Arc<Presence>>,
}

/// Some people who are there.
pub type Present = Vec<(UserId, Arc<Presence>)>;

/// Where presence is kept. Nothing here waits: a lane's thread calls it, so what is heard of other nodes is at hand.
pub trait Registry: Send + Sync {
    /// A session began, with what its client said in IDENTIFY.
    fn open(&self, at: At, user: UserId, said: Said, platform: Platform);
    /// A session's client says something else.
    fn set(&self, at: At, user: UserId, said: Said);
    /// What a session's client said, and on what.
    fn said(&self, at: At, user: UserId) -> Option<(Said, Platform)>;
    /// A session is on a group's topic.
    fn enter(&self, at: At, user: UserId, group: GroupId);
    /// A session is not on a group's topic any more, because its user left.
    fn leave(&self, at: At, user: UserId, group: GroupId);
    /// A session is over, resuming included.
    fn close(&self, at: At, user: UserId);
    /// How a user with sessions stands to others.
    fn relate(&self, user: UserId, kin: Kin);
    /// Whether a user's session is on a group's topic.
    fn is_inside(&self, at: At, user: UserId, group: GroupId) -> bool;
    /// Whether a user has sessions on this node.
    fn knows(&self, user: UserId) -> bool;
    /// What is to be shown of what changed since the last time.
    fn take(&self) -> Vec<Shown>;
    /// Up to `limit` people online in a group, as `viewer` sees it. What changes between this picture and the
    /// session's entry is shown to it afterwards.
    fn picture(&self, at: At, viewer: UserId, group: GroupId, limit: usize) -> Present;
    /// Everybody online in a group, as `viewer` sees it, or nobody in particular.
    fn online(&self, viewer: Option<UserId>, group: GroupId) -> Present;
    /// Those of some users who are online in a group, as `viewer` sees it.
    fn among(&self, viewer: UserId, group: GroupId, users: &[UserId]) -> Present;
    /// How many are online in a group.
    fn count(&self, group: GroupId) -> usize;
    /// Changes whenever somebody in the group comes, goes or changes; 0 when nobody is there.
    fn version(&self, group: GroupId) -> u64;
    /// Whether `viewer` is kept from seeing anybody.
    fn is_kept_from(&self, viewer: UserId) -> bool;
    /// The friends of a user who are there.
    fn friends(&self, user: UserId) -> Present;
}
