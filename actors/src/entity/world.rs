//! What entities need of the node around them.

use std::sync::Arc;

use rookery_protocol::document::IncarnationId;
use rookery_protocol::event::Frame;
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::time::Millis;

use super::kit::Kit;
use super::peers::Peers;
use crate::commit::CommitLane;
use crate::ownership::{Boot, Placement, Tenure};
use crate::store::SharedStore;

/// The clock.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch; never goes back while the process lives.
    fn now(&self) -> Millis;

    /// Nanoseconds since an arbitrary instant, for measuring how long something took.
    fn monotonic_ns(&self) -> u64;

    /// The clock of leases, which also runs while the machine sleeps.
    fn boot(&self) -> Boot;
}

/// Carries frames to the relay lanes of every node that subscribed to their topic. Never blocks: a lane that is
/// behind sees a gap and asks for what it missed.
pub trait Publisher: Send + Sync + 'static {
    /// Hands a frame on. Frames of one topic are handed on in order.
    fn publish(&self, frame: Arc<Frame>);
}

/// Told when an account has changed, before the change is answered.
pub trait AccountCache: Send + Sync + 'static {
    /// Whatever is cached of `user` below `version` is void.
    fn invalidate(&self, user: UserId, version: u64);
}

/// The way to the rooms of all nodes.
pub trait Rooms: Send + Sync + 'static {
    /// Has a room ask its group who may be in it. Never blocks; may be lost, since rooms ask anyway.
    fn nudge(&self, node: &IncarnationId, channel: ChannelId);
}

/// The node around the entities.
#[derive(Clone)]
pub struct World {
    /// Where state is read from.
    pub store: SharedStore,
    /// Where state is written to.
    pub lane: CommitLane,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where frames go.
    pub publisher: Arc<dyn Publisher>,
    /// What must hear of changed accounts.
    pub accounts: Arc<dyn AccountCache>,
    /// What must hear that who may be in a room has changed.
    pub rooms: Arc<dyn Rooms>,
    /// How long answers are true.
    pub tenure: Tenure,
    /// Which entities are here, and where the others are.
    pub placement: Placement,
    /// The nodes that have the others.
    pub peers: Arc<dyn Peers>,
    /// What all cores share.
    pub kit: Kit,
}

impl World {
    /// Whether this node may still answer for its entities: nobody can have taken them over.
    pub(super) fn may_answer(&self) -> bool {
        self.tenure.holds(self.clock.boot())
    }

    /// A name for something that went wrong: for the log, and for whoever is told that it did.
    pub(super) fn incident(&self) -> String {
        self.kit.ids.mint(self.clock.now()).to_string()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("kit", &self.kit)
            .finish_non_exhaustive()
    }
}
