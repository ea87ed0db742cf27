//! What everything at the edge works with: the entities, the store for reads, accounts, tokens, ids and settings.

use std::ops::Deref;
use std::sync::Arc;

use rookery_actors::entity::Directory;
use rookery_actors::store::SharedStore;

use crate::accounts::Accounts;
use crate::auth::Authenticator;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::ids::Ids;

/// The node as handlers see it; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// Who is asked for everything that changes something.
    pub directory: Directory,
    /// For reads of what an entity has granted.
    pub store: SharedStore,
    /// Accounts and profiles.
    pub accounts: Arc<Accounts>,
    /// Tokens.
    pub auth: Authenticator,
    /// The clock.
    pub clock: Arc<SystemClock>,
    /// Mints ids of users, groups, applications and logins.
    pub ids: Arc<Ids>,
    /// Settings.
    pub config: Arc<Config>,
}

impl App {
    /// An app of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
