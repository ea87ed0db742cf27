//! What everything at the edge works with: the entities, the store for reads, accounts, tokens, ids and settings.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rookery_actors::entity::Directory;
use rookery_actors::links::Links;
use rookery_actors::store::SharedStore;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::auth::Authenticator;
use crate::auth::password::Passwords;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::ephemeral::Ephemeral;
use crate::http::limits::Limits;
use crate::ids::Ids;
use crate::index::Index;
use crate::janitor::Janitor;
use crate::media::Media;
use crate::presence::{Registry, Touched};
use crate::voice::Voice;

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
    /// Passwords.
    pub passwords: Passwords,
    /// Whose channel, whose invite, who is where.
    pub index: Index,
    /// Signs and checks the URLs of files.
    pub links: Links,
    /// Files.
    pub media: Media,
    /// Deletes in the background.
    pub janitor: Janitor,
    /// Rate limits.
    pub limits: Limits,
    /// What nodes share and may lose; the parts of it that are asked for most are beside it.
    pub ephemeral: Ephemeral,
    /// Voice channels.
    pub voice: Arc<Voice>,
    /// Who is online.
    pub presence: Arc<dyn Registry>,
    /// What changed that presence and member lists depend on.
    pub touched: Arc<Touched>,
    /// The clock.
    pub clock: Arc<SystemClock>,
    /// Mints ids of users, groups, applications and logins.
    pub ids: Arc<Ids>,
    /// Rung when a ban wants messages deleted.
    pub purges: Notify,
    /// Set once the node takes no more work.
    pub is_draining: AtomicBool,
    /// Cancelled by an operator who wants the node to end in order.
    pub drain: CancellationToken,
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
