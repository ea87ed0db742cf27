//! Puts a node together: store, incarnation, commit lane, entities, and the [`App`] over them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{AccountCache, Clock, Directory, Kit, Publisher, World};
use rookery_actors::links::Links;
use rookery_actors::store::{SharedStore, StoreError};
use rookery_protocol::error::ApiError;
use tokio::sync::Notify;

use crate::accounts::Accounts;
use crate::app::{App, Parts};
use crate::auth::Authenticator;
use crate::auth::keys::{KeyError, Keys};
use crate::auth::password::Passwords;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::http::limits::Limits;
use crate::ids::{BeginError, Incarnation};
use crate::index::Index;
use crate::janitor::Janitor;
use crate::media::Media;
use crate::presence::{Listener, Memory, Touched};

/// The worker id of the only node.
const WORKER: u16 = 1;

/// Why a node could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// No incarnation could be begun.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// There are no signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Passwords cannot be hashed.
    #[error("passwords cannot be hashed: {0}")]
    Passwords(ApiError),
    /// The supervisor of entities did not start.
    #[error("the entities cannot be started: {0}")]
    Directory(String),
    /// Undelivered intents could not be read.
    #[error("undelivered intents cannot be read: {0}")]
    Recovery(#[from] StoreError),
}

/// A node without its sockets.
pub struct Node {
    /// What handlers work with.
    pub app: App,
    /// Which run of the node this is.
    pub incarnation: u64,
    lane: CommitLane,
}

impl Node {
    /// Begins a new incarnation on `store`: keys, entities, and what the last one left undelivered.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn start(
        config: Arc<Config>,
        store: SharedStore,
        publisher: Arc<dyn Publisher>,
    ) -> Result<Self, NodeError> {
        let clock = Arc::new(SystemClock::new());
        let Incarnation { number, lane, ids } =
            Incarnation::begin(&store, &config.node, WORKER, Arc::clone(&clock)).await?;
        let accounts = Arc::new(Accounts::new(Arc::clone(&store)));
        let keys = Keys::open(Arc::clone(&store), lane.clone(), clock.now()).await?;
        let links = Links::new(&config.origin(), keys.ring().files());
        let touched = Arc::new(Touched::default());
        let world = World {
            store: Arc::clone(&store),
            lane: lane.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            publisher: Arc::new(Listener {
                publisher,
                touched: Arc::clone(&touched),
            }),
            accounts: Arc::clone(&accounts) as Arc<dyn AccountCache>,
            kit: Kit {
                ids: ids.minter(),
                links: links.clone(),
            },
        };
        let directory = Directory::start(world)
            .await
            .map_err(|error| NodeError::Directory(error.to_string()))?;
        let passwords = Passwords::new().await.map_err(NodeError::Passwords)?;
        let senders = directory.recover().await?;
        if senders > 0 {
            tracing::info!(senders, "delivering what the last run left undelivered");
        }
        let app = App::new(Parts {
            directory,
            auth: Authenticator::new(keys, Arc::clone(&accounts), Arc::clone(&clock)),
            accounts,
            passwords,
            index: Index::new(Arc::clone(&store)),
            store,
            links,
            media: Media::open(config.data.join("media"), config.max_upload_bytes).await,
            janitor: Janitor::default(),
            limits: Limits::new(config.limits.clone()),
            presence: Arc::new(Memory::default()),
            touched,
            clock,
            ids: Arc::new(ids),
            purges: Notify::new(),
            is_draining: AtomicBool::new(false),
            config,
        });
        Ok(Self {
            app,
            incarnation: number,
            lane,
        })
    }

    /// The lane everything of this run is committed on, and its counters.
    pub fn lane(&self) -> &CommitLane {
        &self.lane
    }

    /// Ends the entities once what they do is durable and answered.
    pub async fn shutdown(&self) {
        self.app.directory.shutdown().await;
        self.app.ids.release().await;
        self.lane.drain().await;
    }
}
