//! The active entities of a node by shard, each shard under a lock of its own: whoever starts or ends some holds up nobody of
//! the other shards, and those of a shard that leaves are found without a look at all.

use std::collections::HashMap;

use parking_lot::RwLock;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::SHARDS;

use crate::ownership::shard_of;

/// The entities of one shard.
pub(super) type Shard<T> = RwLock<HashMap<EntityRef, T>>;

/// See the module.
pub(super) struct Registry<T>(Box<[Shard<T>]>);

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }
}

impl<T> Registry<T> {
    /// The shard that an entity belongs to.
    pub(super) fn of(&self, entity: EntityRef) -> &Shard<T> {
        self.shard(shard_of(entity))
    }

    /// A shard; `number` is below [`SHARDS`].
    pub(super) fn shard(&self, number: u16) -> &Shard<T> {
        &self.0[usize::from(number)]
    }
}
