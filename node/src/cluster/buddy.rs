//! The node that keeps a copy of this one's sessions, and the copies that are kept here of others'.

use std::time::Instant;

use parking_lot::Mutex;
use rookery_actors::link::Class;
use rookery_actors::relay::{Choice, Keeper};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::session::{Checkpoint, Claim, SessionKey, Taken};
use rookery_protocol::time::Millis;

use super::Cluster;
use crate::relay::{Buddies, Elsewhere};

/// This node's buddy, and what it is one for.
#[derive(Debug)]
pub(super) struct Buddy {
    choice: Mutex<Choice>,
    keeper: Mutex<Keeper>,
    began: Instant,
}

impl Buddy {
    #[allow(clippy::disallowed_methods, reason = "the edge of the node")]
    pub(super) fn new() -> Self {
        Self {
            choice: Mutex::default(),
            keeper: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// A link is up, or not any more; these are all that are.
    pub(super) fn linked(
        &self,
        me: &IncarnationId,
        peer: &IncarnationId,
        is_up: bool,
        linked: &[IncarnationId],
    ) {
        self.tick();
        self.keeper.lock().linked(peer, is_up);
        self.choice.lock().linked(me, peer, linked);
    }

    /// A node has gone on with a session from a copy.
    pub(super) fn forget(&self, by: &IncarnationId, key: &SessionKey) {
        self.keeper.lock().forget(by, key);
    }

    /// A node is fenced, or has ended.
    pub(super) fn over(&self, node: &IncarnationId) {
        self.keeper.lock().over(node);
    }

    pub(super) fn keep(&self, from: &IncarnationId, lane: u16, checkpoint: Checkpoint) {
        self.keeper.lock().take(from, lane, checkpoint);
    }

    pub(super) fn hand_over(&self, claim: &Claim) -> Taken {
        self.keeper.lock().hand_over(claim)
    }

    /// Forgets what nobody can resume any more.
    pub(super) fn tick(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.keeper.lock().tick(Millis(now));
    }
}

impl Buddies for Cluster {
    fn current(&self) -> Option<u64> {
        self.buddy.choice.lock().current()
    }

    fn may_tell(&self) -> bool {
        self.may_answer()
    }

    fn tell(&self, buddy: u64, lane: u16, checkpoint: Checkpoint) -> bool {
        let peer = self.buddy.choice.lock().peer(buddy).cloned();
        peer.is_some_and(|peer| {
            let envelope = Envelope::Checkpoint { lane, checkpoint };
            self.send(&peer, envelope, Class::Must)
        })
    }
}
