//! Puts a node together for one incarnation: entities, keys, caches, and the [`App`] over them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{
    AccountCache, Clock, Directory, Kit, NoPeers, Peers, Publisher, Rooms, World,
};
use rookery_actors::links::Links;
use rookery_actors::ownership::Placement;
use rookery_actors::store::{SharedStore, StoreError};
use rookery_protocol::error::ApiError;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Accounts};
use crate::app::{App, Parts};
use crate::auth::Authenticator;
use crate::auth::keys::{KeyError, Keys};
use crate::auth::password::Passwords;
use crate::clock::SystemClock;
use crate::cluster::{Cluster, Fanout, Steward};
use crate::config::Config;
use crate::ephemeral::{Copies, Ephemeral, RedisOptions, UnusableUrl};
use crate::http::limits::Limits;
use crate::ids::Ids;
use crate::index::Index;
use crate::janitor::Janitor;
use crate::media::{self, Media};
use crate::ownership::Run;
use crate::presence::{Listener, Touched};
use crate::relay::{Elsewhere, Hub, Nowhere};
use crate::store::mongo::MongoFiles;
use crate::voice::media::MediaError;
use crate::voice::{Voice, Warden};

/// Why a node could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There are no signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The Redis of the settings can never be reached.
    #[error("[ephemeral]: {0}")]
    Ephemeral(#[from] UnusableUrl),
    /// Voice channels cannot be served.
    #[error("[voice]: {0}")]
    Voice(#[from] MediaError),
    /// Passwords cannot be hashed.
    #[error("passwords cannot be hashed: {0}")]
    Passwords(ApiError),
    /// The supervisor of entities did not start.
    #[error("the entities cannot be started: {0}")]
    Directory(String),
    /// What the last run left cannot be read.
    #[error("what the last run left cannot be read: {0}")]
    Recovery(#[from] StoreError),
}

/// A node without its sockets.
pub struct Node {
    /// What handlers work with.
    pub app: App,
    lane: CommitLane,
    placement: Placement,
    /// The relay lanes of this node, for frames of other nodes.
    lanes: Arc<dyn Publisher>,
    cluster: Option<Arc<Cluster>>,
}

impl Node {
    /// Starts what an incarnation runs: keys, entities, and what the last one left undelivered. `files` are those that it shares
    /// with other nodes.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn start(
        config: Arc<Config>,
        store: SharedStore,
        files: Option<MongoFiles>,
        clock: Arc<SystemClock>,
        run: Run,
        publisher: Arc<dyn Publisher>,
    ) -> Result<Self, NodeError> {
        let Run {
            id,
            lane,
            minter,
            tenure,
            placement,
            cluster,
            ..
        } = run;
        let clocked = Arc::clone(&clock) as Arc<dyn Clock>;
        let kept = Arc::new(Copies::new(accounts::CAPACITY, Arc::clone(&clocked)));
        let ephemeral = match &config.ephemeral.url {
            None => Ephemeral::alone(&config.node, id.number, Arc::clone(&clocked)),
            Some(url) => {
                let options = RedisOptions {
                    prefix: config.ephemeral.prefix.clone(),
                    ca: config.ephemeral.ca.clone(),
                    ..RedisOptions::new(url.clone(), &config.node, id.number)
                };
                let kept = Arc::clone(&kept);
                Ephemeral::on_redis(options, Arc::clone(&clocked), kept)?
            }
        };
        let accounts = Arc::new(Accounts::new(
            Arc::clone(&store),
            kept,
            Arc::clone(&ephemeral.profiles),
        ));
        let keys = Keys::open(Arc::clone(&store), lane.clone(), clock.now()).await?;
        let file_key = keys.ring().files();
        let links = Links::new(&config.origin(), file_key);
        let touched = Arc::new(Touched::default());
        let lanes: Arc<dyn Publisher> = Arc::new(Listener {
            publisher,
            touched: Arc::clone(&touched),
        });
        let (publisher, peers): (Arc<dyn Publisher>, Arc<dyn Peers>) = match &cluster {
            None => (Arc::clone(&lanes), Arc::new(NoPeers)),
            Some(cluster) => {
                let fanout = Fanout {
                    here: Arc::clone(&lanes),
                    cluster: Arc::clone(cluster),
                };
                (Arc::new(fanout), Arc::clone(cluster) as Arc<dyn Peers>)
            }
        };
        let is_alone = placement.is_whole();
        let voice = Voice::new(
            &config,
            id.clone(),
            Arc::clone(&clocked),
            links.clone(),
            cluster.clone(),
        )?;
        let world = World {
            store: Arc::clone(&store),
            lane: lane.clone(),
            clock: clocked,
            publisher,
            accounts: Arc::clone(&accounts) as Arc<dyn AccountCache>,
            rooms: Arc::clone(&voice) as Arc<dyn Rooms>,
            tenure,
            placement: placement.clone(),
            peers,
            kit: Kit {
                ids: minter.clone(),
                links: links.clone(),
            },
        };
        let directory = Directory::start(world)
            .await
            .map_err(|error| NodeError::Directory(error.to_string()))?;
        voice
            .open(directory.clone())
            .await
            .map_err(|error| NodeError::Directory(error.to_string()))?;
        let passwords = Passwords::new().await.map_err(NodeError::Passwords)?;
        // In a cluster the steward looks as shards come.
        if is_alone {
            let senders = directory.recover().await?;
            if senders > 0 {
                tracing::info!(senders, "delivering what the last run left undelivered");
            }
        }
        let folder = config.data.join(media::FOLDER);
        let media = Media::open(folder, files, config.max_upload_bytes).await;
        let app = App::new(Parts {
            directory,
            auth: Authenticator::new(keys, Arc::clone(&accounts), Arc::clone(&clock)),
            accounts,
            passwords,
            index: Index::new(Arc::clone(&store)),
            store,
            links,
            media,
            janitor: Janitor::default(),
            limits: Limits::new(
                config.limits.clone(),
                Arc::clone(&ephemeral.buckets),
                file_key,
            ),
            voice,
            presence: Arc::clone(&ephemeral.presence),
            ephemeral,
            touched,
            ids: Arc::new(Ids::new(minter, Arc::clone(&clock))),
            clock,
            purges: Notify::new(),
            is_draining: AtomicBool::new(false),
            drain: CancellationToken::new(),
            config,
        });
        Ok(Self {
            app,
            lane,
            placement,
            lanes,
            cluster,
        })
    }

    /// From now on other nodes reach the entities and the relay lanes of this one, if there are others.
    pub fn join(&self, hub: &Arc<Hub>) -> Option<Steward> {
        let cluster = self.cluster.as_ref()?;
        let directory = self.app.directory.clone();
        let store = Arc::clone(&self.app.store);
        cluster.open(
            directory.clone(),
            Arc::clone(hub),
            Arc::clone(&self.lanes),
            store,
            &self.app.voice,
        );
        Some(Steward::start(cluster, directory, self.lane.clone()))
    }

    /// Looks after the rooms of nodes that are gone, until it is dropped.
    pub fn warden(&self) -> Warden {
        let voice = Arc::clone(&self.app.voice);
        Warden::start(voice, Arc::clone(&self.app.store), self.placement.clone())
    }

    /// The sessions of other nodes.
    pub fn elsewhere(&self) -> Arc<dyn Elsewhere> {
        match &self.cluster {
            Some(cluster) => Arc::clone(cluster) as Arc<dyn Elsewhere>,
            None => Arc::new(Nowhere),
        }
    }

    /// A node that has its store for itself, under its first incarnation.
    #[cfg(test)]
    pub(crate) async fn alone(
        config: Config,
        store: SharedStore,
        publisher: Arc<dyn Publisher>,
    ) -> Self {
        use crate::ownership::{Ownership, Sharing};
        // Many at once.
        let mut config = config;
        config.voice.ports = vec![0];
        config.voice.listen = vec![[127, 0, 0, 1].into()];
        let clock = Arc::new(SystemClock::new());
        let ownership = Ownership::start(
            Arc::clone(&store),
            Sharing::Alone,
            &config.node,
            Arc::clone(&clock),
        );
        let run = ownership.run().await.unwrap();
        let node = Self::start(Arc::new(config), store, None, clock, run, publisher).await;
        node.unwrap()
    }

    /// The lane everything of this run is committed on, and its counters.
    pub fn lane(&self) -> &CommitLane {
        &self.lane
    }

    /// Ends the entities once what they do is durable and answered.
    pub async fn shutdown(&self) {
        self.app.voice.shutdown().await;
        self.app.directory.shutdown().await;
        self.app.ephemeral.shutdown().await;
        self.lane.drain().await;
    }
}
