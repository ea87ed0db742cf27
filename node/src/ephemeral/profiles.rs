//! Profiles as the nodes of a cluster pass them to each other, so that not each of them asks the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rookery_actors::entity::Clock;
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use super::copies::{Copies, Ticket, Voided};

/// Profiles a node keeps: some 200 bytes each.
pub(super) const CAPACITY: usize = 65_536;

/// A profile as it was at some version of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The account's version.
    pub version: u64,
    /// The profile.
    pub profile: Profile,
}

/// What is known of some users.
#[derive(Debug, Default)]
pub struct Looked {
    /// The profiles that are known.
    pub known: Vec<Arc<Known>>,
    /// To be shown with an offer of those that are not, once the store was asked.
    pub reading: Reading,
}

/// A reading of the store that began after nothing was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    pub(super) ticket: Ticket,
    /// The connection to Redis on which nothing was known; 0: none was asked.
    pub(super) generation: u64,
}

/// Profiles that are known without asking the store. What is known is never older than an invalidation that was heard.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// What is known of `users`.
    async fn look(&self, users: &[UserId]) -> Looked;

    /// Offers what the store said. It is not kept where a newer version is known of, or was heard of since the reading
    /// began.
    fn offer(&self, reading: Reading, known: Arc<Known>);

    /// What anybody knows of `user` below `version` is void. Other nodes hear of it soon.
    fn invalidate(&self, user: UserId, version: u64);

    /// For how long copies of accounts and profiles are believed without asking again; `None`: for ever, since every
    /// change is made here.
    fn max_age(&self) -> Option<Duration>;
}

/// The profiles of a node that shares none.
pub struct Kept(Copies<Known>);

impl Kept {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Copies::new(CAPACITY, clock))
    }
}

#[async_trait]
impl Profiles for Kept {
    async fn look(&self, users: &[UserId]) -> Looked {
        let ticket = self.0.ticket();
        let known = users.iter().filter_map(|&user| self.0.get(user, None));
        Looked {
            known: known.collect(),
            reading: Reading {
                ticket,
                generation: 0,
            },
        }
    }

    fn offer(&self, reading: Reading, known: Arc<Known>) {
        let (user, version) = (known.profile.id, known.version);
        self.0.keep(reading.ticket, user, version, known);
    }

    fn invalidate(&self, user: UserId, version: u64) {
        self.0.void(user, version);
    }

    fn max_age(&self) -> Option<Duration> {
        None
    }
}
