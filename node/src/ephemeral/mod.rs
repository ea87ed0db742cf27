//! What nodes share and may lose: rate limits, profiles, who is online, and hints about nodes. [`Ephemeral`] is all of it,
//! in a node's memory or shared over Redis. Nothing in it is the only place of anything that must last.

mod copies;
mod counters;
mod hints;
mod profiles;
mod redis;

use std::sync::Arc;

use rookery_actors::entity::Clock;

pub use copies::{Copies, Ticket, Voided};
pub use counters::EphemeralCounters;
pub use hints::{Hint, Hints, NodeState, Noted};
pub use profiles::{Kept, Known, Looked, Profiles, Reading};
pub use redis::{RedisOptions, UnusableUrl};

use crate::limit::{Buckets, Limiter};
use crate::presence::{Memory, Registry};

/// All that nodes share and may lose.
pub struct Ephemeral {
    /// Rate limits.
    pub buckets: Arc<dyn Buckets>,
    /// Profiles.
    pub profiles: Arc<dyn Profiles>,
    /// Who is online.
    pub presence: Arc<dyn Registry>,
    /// Hints about nodes.
    pub hints: Arc<dyn Hints>,
    shared: Option<redis::Shared>,
}

impl Ephemeral {
    /// That of a node which shares nothing.
    pub fn alone(node: &str, incarnation: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            buckets: Arc::new(Limiter::new()),
            profiles: Arc::new(Kept::new(Arc::clone(&clock))),
            presence: Arc::new(Memory::default()),
            hints: Arc::new(Noted::new(node, incarnation, clock)),
            shared: None,
        }
    }

    /// Shared over Redis, which need not be there yet. `accounts` is told of changes that other nodes make. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// The URL or the authority's file cannot be used.
    pub fn on_redis(
        options: RedisOptions,
        clock: Arc<dyn Clock>,
        accounts: Arc<dyn Voided>,
    ) -> Result<Self, UnusableUrl> {
        redis::start(options, clock, accounts)
    }

    /// Whether Redis is within reach; never for a node that shares nothing.
    pub fn is_shared(&self) -> bool {
        self.shared
            .as_ref()
            .is_some_and(redis::Shared::is_within_reach)
    }

    /// How sharing goes.
    pub fn counters(&self) -> EphemeralCounters {
        self.shared
            .as_ref()
            .map(redis::Shared::counters)
            .unwrap_or_default()
    }

    /// Says that this node has gone, and ends what runs in the background.
    pub async fn shutdown(&self) {
        if let Some(shared) = &self.shared {
            shared.shutdown().await;
        }
    }
}
