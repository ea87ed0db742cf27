//! Which peer wants which entity's events, and what the peers have been told that this node wants.
//!
//! Every node tells every other one all topics that its lanes watch, whoever has them: so an entity's new owner knows its
//! listeners before it has loaded it, and nothing has to be told anew when a shard moves.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard, RwLock};
use rookery_actors::relay::Told;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::CLUSTER_NODES;
use tokio::sync::Notify;

/// Topics are spread over so many locks.
const SHARDS: usize = 32;

/// A peer that is linked.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: IncarnationId,
    told: Mutex<Told>,
    /// How far topics had come whose frames found no room on the way to it.
    behind: Mutex<HashMap<EntityRef, u64>>,
}

impl Peer {
    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock()
    }

    /// A topic has come as far as `gseq`, and the peer has not been sent it.
    pub(super) fn fell_behind(&self, topic: EntityRef, gseq: u64) {
        let mut behind = self.behind.lock();
        let known = behind.entry(topic).or_default();
        *known = gseq.max(*known);
    }

    pub(super) fn take_behind(&self) -> HashMap<EntityRef, u64> {
        std::mem::take(&mut self.behind.lock())
    }
}

/// Who wants what. A peer is a bit while it is linked.
#[derive(Debug)]
pub(super) struct Interests {
    peers: RwLock<Vec<Option<Arc<Peer>>>>,
    topics: Vec<RwLock<HashMap<EntityRef, u64>>>,
    hasher: RandomState,
    /// Rung when a peer is to be told something.
    pub(super) to_tell: Notify,
}

impl Default for Interests {
    fn default() -> Self {
        Self {
            peers: RwLock::default(),
            topics: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            to_tell: Notify::new(),
        }
    }
}

impl Interests {
    /// A link is up.
    pub(super) fn came(&self, id: &IncarnationId) {
        self.went(id);
        let peer = Arc::new(Peer {
            id: id.clone(),
            told: Mutex::default(),
            behind: Mutex::default(),
        });
        let mut peers = self.peers.write();
        match peers.iter().position(Option::is_none) {
            Some(free) => peers[free] = Some(peer),
            None if peers.len() < CLUSTER_NODES => peers.push(Some(peer)),
            // The view has no more nodes than that.
            None => tracing::error!(%id, "more peers than a cluster has"),
        }
        drop(peers);
        self.to_tell.notify_one();
    }

    /// A link is cut: what the peer wanted is forgotten, it says it again.
    pub(super) fn went(&self, id: &IncarnationId) {
        let mut peers = self.peers.write();
        let Some(bit) = bit_of(&peers, id) else {
            return;
        };
        if let Some(place) = peers.get_mut(bit) {
            *place = None;
        }
        // Before another peer gets the bit.
        self.clear(bit);
    }

    fn clear(&self, bit: usize) {
        for topics in &self.topics {
            topics.write().retain(|_, mask| {
                *mask &= !(1 << bit);
                *mask != 0
            });
        }
    }

    /// A peer says what it wants from now on, and what not any more; with `only` nothing else.
    pub(super) fn wants(
        &self,
        id: &IncarnationId,
        topics: impl IntoIterator<Item = (EntityRef, bool)>,
        only: bool,
    ) {
        let peers = self.peers.read();
        let Some(bit) = bit_of(&peers, id) else {
            return;
        };
        if only {
            self.clear(bit);
        }
        for (topic, is_wanted) in topics {
            let mut masks = self.shard(topic).write();
            if is_wanted {
                *masks.entry(topic).or_default() |= 1 << bit;
            } else if let Some(mask) = masks.get_mut(&topic) {
                *mask &= !(1 << bit);
                if *mask == 0 {
                    masks.remove(&topic);
                }
            }
        }
    }

    fn shard(&self, topic: EntityRef) -> &RwLock<HashMap<EntityRef, u64>> {
        let shard = self.hasher.hash_one(topic) % SHARDS as u64;
        &self.topics[usize::try_from(shard).unwrap_or_default()]
    }

    /// The peers that want a topic's events.
    pub(super) fn wanting(&self, topic: EntityRef) -> Vec<Arc<Peer>> {
        let mask = self.shard(topic).read().get(&topic).copied();
        let Some(mask) = mask else {
            return Vec::new();
        };
        let peers = self.peers.read();
        let wanting = (0..).zip(peers.iter());
        let wanting = wanting.filter(|(bit, _)| mask & (1u64 << bit) != 0);
        wanting.filter_map(|(_, peer)| peer.clone()).collect()
    }

    /// All that are linked.
    pub(super) fn linked(&self) -> Vec<Arc<Peer>> {
        self.peers.read().iter().flatten().cloned().collect()
    }

    /// One that is linked.
    pub(super) fn peer(&self, id: &IncarnationId) -> Option<Arc<Peer>> {
        let peers = self.peers.read();
        peers.iter().flatten().find(|peer| peer.id == *id).cloned()
    }

    /// Tells every peer that knows the rest that a topic is wanted or not; `send` says whether it found room.
    pub(super) fn tell(
        &self,
        topic: EntityRef,
        is_wanted: bool,
        send: impl Fn(&IncarnationId, Envelope) -> bool,
    ) {
        for peer in self.peers.read().iter().flatten() {
            let mut told = peer.told.lock();
            if told.changed(topic, is_wanted) {
                let topics = vec![(topic, is_wanted)];
                if !send(&peer.id, Envelope::Interest { topics }) {
                    told.anew();
                    self.to_tell.notify_one();
                }
            }
        }
    }
}

fn bit_of(peers: &[Option<Arc<Peer>>], id: &IncarnationId) -> Option<usize> {
    let is_it = |peer: &Option<Arc<Peer>>| peer.as_ref().is_some_and(|peer| peer.id == *id);
    peers.iter().position(is_it)
}
