//! The node's incarnation and the ids it mints outside of entities: users, groups, applications, logins.
//!
//! Invariant: an id is minted only below a ceiling that is durable, and the next incarnation starts above it; so no id
//! comes twice, whatever the clock does and however the process ends.

use std::sync::Arc;
use std::time::Duration;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{Clock, SharedMinter};
use rookery_actors::store::{self, CommitError, LaneId, SharedStore, StoreError, Unit};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{Key, NodeRow, Nodes};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::snowflake::created_at;
use rookery_protocol::time::Millis;
use tokio::sync::Mutex;

use crate::clock::SystemClock;
use crate::fault;

/// How far the ceiling is reserved ahead, in milliseconds.
const RESERVE_MS: u64 = 10_000;

/// Who writes rows that are no entity's: the node itself.
pub const NODE: EntityRef = EntityRef {
    kind: EntityKind::User,
    id: 0,
};

/// Why a node could not begin its incarnation.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The node's row cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lane cannot be opened or its first commit failed.
    #[error("the commit lane cannot be opened: {0}")]
    Lane(#[from] CommitError),
    /// The first commit was refused.
    #[error("the node's incarnation could not be written: {0}")]
    Refused(rookery_protocol::error::ApiError),
}

/// One run of a node: its number, its commit lane and its ids.
pub struct Incarnation {
    /// Rises with every start.
    pub number: u64,
    /// The lane everything of this run is committed on.
    pub lane: CommitLane,
    /// The node's ids.
    pub ids: Ids,
}

impl Incarnation {
    /// Begins the next incarnation of the node: opens its lane and makes number and ceiling durable with the lane's
    /// first commit.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(
        store: &SharedStore,
        node: &str,
        worker: u16,
        clock: Arc<SystemClock>,
    ) -> Result<Self, BeginError> {
        let row = store::get::<Nodes>(store.as_ref(), &Key::single(node)).await?;
        let (last, floor) = row.map_or((0, Millis(0)), |row| (row.incarnation, row.id_ceiling));
        let number = last + 1;
        let id = LaneId {
            node: node.to_owned(),
            incarnation: number,
            index: 0,
        };
        let lane = CommitLane::open(SharedStore::clone(store), id).await?;
        let ids = Ids {
            node: node.to_owned(),
            incarnation: number,
            lane: lane.clone(),
            clock,
            ceiling: Mutex::new(floor),
            minter: SharedMinter::new(worker, floor),
        };
        let ceiling = ids.reserve_above(floor).await;
        *ids.ceiling.lock().await = ceiling.map_err(BeginError::Refused)?;
        Ok(Self { number, lane, ids })
    }
}

/// Mints ids below a durable ceiling.
pub struct Ids {
    node: String,
    incarnation: u64,
    lane: CommitLane,
    clock: Arc<SystemClock>,
    minter: SharedMinter,
    /// Held while it is being raised.
    ceiling: Mutex<Millis>,
}

impl Ids {
    /// The next id; every 10 s it first waits for the ceiling to be raised.
    ///
    /// # Errors
    /// The ceiling could not be raised: `Busy` or `Unavailable`.
    pub async fn mint(&self) -> Answer<u64> {
        let id = self.minter.mint(self.clock.now());
        let at = created_at(id);
        let mut ceiling = self.ceiling.lock().await;
        if at >= *ceiling {
            *ceiling = self.reserve_above(at).await?;
        }
        Ok(id)
    }

    /// The minter itself, for entities: they do not wait for the ceiling, which [`Ids::keep_ahead`] raises for them.
    pub fn minter(&self) -> SharedMinter {
        self.minter.clone()
    }

    /// Keeps the ceiling ahead of the clock; to be run beside the node. Entities mint without waiting for it, so it must
    /// be ahead before they do, also after the node has idled.
    pub async fn keep_ahead(&self) {
        let mut beat = tokio::time::interval(Duration::from_millis(RESERVE_MS / 4));
        loop {
            beat.tick().await;
            let used = self.minter.high_water().max(self.clock.now());
            let mut ceiling = self.ceiling.lock().await;
            if used.plus(RESERVE_MS / 2) >= *ceiling {
                match self.reserve_above(used).await {
                    Ok(raised) => *ceiling = raised,
                    Err(error) => tracing::warn!(%error, "the ceiling of ids could not be raised"),
                }
            }
        }
    }

    /// Gives back what is reserved, so that the next incarnation need not start ahead of the clock. For the end of this
    /// one, when nothing mints any more; without it only the ids in between are lost.
    pub async fn release(&self) {
        let mut ceiling = self.ceiling.lock().await;
        let used = self.minter.high_water().plus(1);
        if self.write_ceiling(used).await.is_ok() {
            *ceiling = used;
        }
    }

    /// Makes a ceiling well above `at` durable and returns it.
    async fn reserve_above(&self, at: Millis) -> Answer<Millis> {
        let ceiling = at.max(self.clock.now()).plus(RESERVE_MS);
        self.write_ceiling(ceiling).await?;
        Ok(ceiling)
    }

    async fn write_ceiling(&self, ceiling: Millis) -> Answer<()> {
        let row = NodeRow {
            incarnation: self.incarnation,
            id_ceiling: ceiling,
        };
        let unit = Unit {
            entity: NODE,
            absent: Vec::new(),
            writes: vec![store::put::<Nodes>(Key::single(self.node.as_str()), &row)],
        };
        fault::committed(self.lane.submit_and_wait(unit).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_actors::store::memory::MemoryStore;

    async fn begin(store: &SharedStore) -> Incarnation {
        let clock = Arc::new(SystemClock::new());
        Incarnation::begin(store, "n", 1, clock).await.unwrap()
    }

    #[tokio::test]
    async fn ids_rise_over_crashes_and_orderly_ends() {
        let store: SharedStore = Arc::new(MemoryStore::new());
        let mut last = 0;
        for run in 1..=4 {
            let now = begin(&store).await;
            assert_eq!(now.number, run);
            for _ in 0..5_000 {
                let id = now.ids.mint().await.unwrap();
                assert!(id > last);
                last = id;
            }
            if run % 2 == 0 {
                now.ids.release().await;
            }
        }
        // Each of the two crashes left 10 s reserved; an orderly end leaves nothing but what was minted.
        let row = store::get::<Nodes>(store.as_ref(), &Key::single("n")).await;
        assert_eq!(row.unwrap().unwrap().id_ceiling, created_at(last).plus(1));
    }

    #[tokio::test]
    async fn no_id_lies_above_the_durable_ceiling() {
        let store: SharedStore = Arc::new(MemoryStore::new());
        let now = begin(&store).await;
        for _ in 0..100_000 {
            let id = now.ids.mint().await.unwrap();
            if id % 1_009 == 0 {
                let row = store::get::<Nodes>(store.as_ref(), &Key::single("n")).await;
                assert!(created_at(id) < row.unwrap().unwrap().id_ceiling);
            }
        }
    }
}
