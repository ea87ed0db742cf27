//! The ids of a node: one minter that all its entities and its edge share, so that no two of them mint the same id.
//!
//! It is the one thing that cores share. It has no clock and no randomness: the same calls give the same ids.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_protocol::snowflake::Minter;
use rookery_protocol::time::Millis;

/// A handle to a node's minter; cheap to clone.
#[derive(Debug, Clone)]
pub struct SharedMinter(Arc<Mutex<Minter>>);

impl SharedMinter {
    /// A minter for `worker` whose ids all lie after the millisecond `floor`.
    pub fn new(worker: u16, floor: Millis) -> Self {
        Self(Arc::new(Mutex::new(Minter::new(worker, floor))))
    }

    /// Ids lie below `ceiling`; see [`Minter::limit`].
    pub fn limit(&self, ceiling: Millis) {
        self.0.lock().limit(ceiling);
    }

    /// Whether a step may mint; see [`Minter::has_room`].
    pub fn has_room(&self) -> bool {
        self.0.lock().has_room()
    }

    /// The next ids lie above `last`; see [`Minter::see`].
    pub fn see(&self, last: u64) {
        self.0.lock().see(last);
    }

    /// The next id.
    pub fn mint(&self, now: Millis) -> u64 {
        self.0.lock().mint(now)
    }

    /// The next id, also above `last` (which another node may have minted).
    pub fn mint_above(&self, now: Millis, last: u64) -> u64 {
        self.0.lock().mint_above(now, last)
    }

    /// The millisecond of the last id.
    pub fn high_water(&self) -> Millis {
        self.0.lock().high_water()
    }
}
