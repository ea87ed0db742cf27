//! The ids that a node mints outside of entities: users, groups, applications, logins.

use std::sync::Arc;

use rookery_actors::entity::{Clock, SharedMinter};
use rookery_protocol::command::Answer;
use rookery_protocol::error::ErrorCode;

use crate::clock::SystemClock;

/// Mints ids with the node's minter, which its entities share, below the ceiling that its ownership keeps ahead.
pub struct Ids {
    minter: SharedMinter,
    clock: Arc<SystemClock>,
}

impl Ids {
    /// Ids of an incarnation.
    pub fn new(minter: SharedMinter, clock: Arc<SystemClock>) -> Self {
        Self { minter, clock }
    }

    /// The next id.
    ///
    /// # Errors
    /// `Unavailable`: the ceiling could not be raised for a while.
    pub fn mint(&self) -> Answer<u64> {
        if self.minter.has_room() {
            Ok(self.minter.mint(self.clock.now()))
        } else {
            Err(ErrorCode::Unavailable.into())
        }
    }
}
