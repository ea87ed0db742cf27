//! Where shards are, as everything on a node sees it: set by what drives the rules, looked at with every message.

use std::sync::Arc;

use parking_lot::RwLock;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use tokio::sync::watch;

use super::shard::shard_of;

/// Where a shard is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// Nobody is known to have it.
    #[default]
    Nowhere,
    /// Here, under an epoch.
    Here(u64),
    /// It was here under an epoch and is on its way out: nothing is begun for it any more.
    Leaving(u64),
    /// With another node, under an epoch.
    At(Arc<IncarnationId>, u64),
}

/// A node's picture of where every shard is; cheap to clone. What is asked of the wrong node is answered so, and asked
/// again: the picture may be old, never wrong about what is here.
#[derive(Debug, Clone)]
pub struct Placement(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// None of a node that has everything.
    shards: Option<RwLock<Vec<Place>>>,
    changes: watch::Sender<u64>,
}

impl Placement {
    /// Of a node that shares its store with nobody.
    pub fn whole() -> Self {
        Self::with(None)
    }

    /// Of a node that has nothing yet.
    pub fn of_cluster(shards: u16) -> Self {
        Self::with(Some(vec![Place::Nowhere; usize::from(shards)]))
    }

    fn with(shards: Option<Vec<Place>>) -> Self {
        Self(Arc::new(Inner {
            shards: shards.map(RwLock::new),
            changes: watch::Sender::new(0),
        }))
    }

    /// Whether every entity is here, for ever.
    pub fn is_whole(&self) -> bool {
        self.0.shards.is_none()
    }

    /// Where an entity is.
    pub fn of(&self, entity: EntityRef) -> Place {
        let Some(shards) = &self.0.shards else {
            return Place::Here(0);
        };
        let shards = shards.read();
        let place = shards.get(usize::from(shard_of(entity)));
        place.cloned().unwrap_or_default()
    }

    /// Whether an entity is here, and stays.
    pub fn is_here(&self, entity: EntityRef) -> bool {
        let Some(shards) = &self.0.shards else {
            return true;
        };
        let shards = shards.read();
        let place = shards.get(usize::from(shard_of(entity)));
        matches!(place, Some(Place::Here(_)))
    }

    /// Sets where shards are; whoever waits for a change is told when one is. Returns those that changed.
    pub fn set(&self, places: impl IntoIterator<Item = (u16, Place)>) -> Vec<(u16, Place)> {
        let Some(shards) = &self.0.shards else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        {
            let mut shards = shards.write();
            for (shard, place) in places {
                if let Some(old) = shards.get_mut(usize::from(shard))
                    && *old != place
                {
                    old.clone_from(&place);
                    changed.push((shard, place));
                }
            }
        }
        if !changed.is_empty() {
            self.0.changes.send_modify(|changes| *changes += 1);
        }
        changed
    }

    /// The shards that are here and stay, with their epochs.
    pub fn here(&self) -> Vec<(u16, u64)> {
        self.with_epochs(|place| match place {
            Place::Here(epoch) => Some(*epoch),
            _ => None,
        })
    }

    /// The shards that are on their way out, with their epochs.
    pub fn leaving(&self) -> Vec<(u16, u64)> {
        self.with_epochs(|place| match place {
            Place::Leaving(epoch) => Some(*epoch),
            _ => None,
        })
    }

    fn with_epochs(&self, epoch: impl Fn(&Place) -> Option<u64>) -> Vec<(u16, u64)> {
        let Some(shards) = &self.0.shards else {
            return Vec::new();
        };
        let shards = shards.read();
        let shards = (0..).zip(shards.iter());
        shards
            .filter_map(|(shard, place)| Some((shard, epoch(place)?)))
            .collect()
    }

    /// Counts changes, for who waits for one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}
