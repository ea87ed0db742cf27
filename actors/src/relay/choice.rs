//! Which of the linked nodes keeps copies of this one's sessions.

use std::hash::{DefaultHasher, Hash, Hasher};

use rookery_protocol::document::IncarnationId;

/// This node's buddy.
#[derive(Debug, Default)]
pub struct Choice {
    /// How often somebody was chosen.
    number: u64,
    peer: Option<IncarnationId>,
}

impl Choice {
    /// The link with a peer is up, or not any more; `linked` are all that are. The buddy that there is stays while it is
    /// linked: another one would have to be told everything.
    pub fn linked(&mut self, me: &IncarnationId, peer: &IncarnationId, linked: &[IncarnationId]) {
        let is_lost = self
            .peer
            .as_ref()
            .is_none_or(|buddy| !linked.contains(buddy));
        // What was on its way over the link before may be lost.
        if is_lost || self.peer.as_ref() == Some(peer) {
            self.number += 1;
            self.peer = linked.iter().max_by_key(|peer| weight(me, peer)).cloned();
        }
    }

    /// Which one it is, by a number that changes when it is another one, or may have lost what it was told; none when there
    /// is none.
    pub fn current(&self) -> Option<u64> {
        self.peer.as_ref().map(|_| self.number)
    }

    /// The buddy, if it still is the one of a number.
    pub fn peer(&self, number: u64) -> Option<&IncarnationId> {
        self.peer.as_ref().filter(|_| self.number == number)
    }
}

/// How much a node wants a peer for its buddy: the same on every run, and different for each pair.
fn weight(me: &IncarnationId, peer: &IncarnationId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (me, peer).hash(&mut hasher);
    hasher.finish()
}
