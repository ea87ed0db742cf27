//! Links between nodes: ractor_cluster over TLS of our own, with deadlines, a byte budget for each peer, and names that the
//! certificates vouch for. See ARCHITECTURE.md, "Links between nodes".
//!
//! `accept` and `dial` make connections, `greet` decides who may speak on them, `line` is what ractor gets, `scan` looks at
//! what it will read; `link` is the queue and the budget of a peer, `switchboard` the actor that all frames go through.

mod accept;
mod counters;
mod dial;
mod events;
mod greet;
mod identity;
pub mod issue;
mod line;
#[allow(clippy::module_inception, reason = "it is one link of the links")]
mod link;
pub mod scan;
mod shared;
mod switchboard;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorRef};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{IncomingEncryptionMode, NodeServer, NodeServerMessage};
use rookery_actors::link::{Class, Inbound, NodeLink, SendError};
use rookery_protocol::cluster::{Envelope, full_name};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::LINK_FLUSH_MS;
use tokio::net::TcpListener;

pub use self::counters::{Counters, PeerCounters, Refusal, Volume};
pub use self::identity::{Identity, IdentityError};

use self::events::Events;
use self::line::Death;
use self::shared::Shared;
use self::switchboard::{Switchboard, Wire};

/// What ractor's own handshake compares; it is no secret. TLS is what keeps others out.
const COOKIE: &str = "rookery";
/// How long actors and tasks may take to end.
const END: Duration = Duration::from_secs(2);

/// What links are started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which incarnation this is.
    pub me: IncarnationId,
    /// Where other nodes connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its certificate, and whom it believes.
    pub identity: Identity,
}

/// Why there are no links.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The address cannot be listened on.
    #[error("cluster.listen: {address} cannot be listened on: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TLS is of no use.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// ractor did not start.
    #[error("the actors of the links did not start: {0}")]
    Actors(String),
}

impl From<ractor::SpawnErr> for LinkError {
    fn from(error: ractor::SpawnErr) -> Self {
        Self::Actors(error.to_string())
    }
}

/// The links of one incarnation. Another one of the same process starts its own when these have ended.
pub struct Links {
    shared: Arc<Shared>,
    switchboard: ActorRef<Wire>,
    address: SocketAddr,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links")
            .field("me", &self.shared.me)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Links {
    /// Listens for other nodes; whom to dial comes with [`Links::learn`].
    ///
    /// # Errors
    /// The address is not to be had, or actors do not start.
    pub async fn start(options: Options, inbound: Arc<dyn Inbound>) -> Result<Self, LinkError> {
        let listen = |source| LinkError::Listen {
            address: options.listen,
            source,
        };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let me = &options.me;
        // ractor insists on a listener of its own: it is closed to everybody.
        let closed = IncomingEncryptionMode::Tls(identity::closed_acceptor()?);
        let server = NodeServer::new(
            0,
            COOKIE.to_owned(),
            format!("{}.{}", me.node, me.number),
            me.node.clone(),
            Some(closed),
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(Ipv4Addr::LOCALHOST.into())
        .with_max_inbound_frame_size(scan::MESSAGE_BYTES as u64);
        let (server, _) = Actor::spawn(None, server, ()).await?;
        let shared = Shared::new(options.me, options.identity, inbound, server.clone());
        let shared = Arc::new(shared);
        let events = NodeServerMessage::SubscribeToEvents {
            id: full_name(&shared.me),
            subscription: Box::new(Events(Arc::clone(&shared))),
        };
        // Before any connection, since its mailbox is in order.
        let subscribed = server.cast(events);
        subscribed.map_err(|error| LinkError::Actors(error.to_string()))?;
        let (switchboard, _) = Actor::spawn(None, Switchboard, Arc::clone(&shared)).await?;
        let accepting = accept::run(Arc::clone(&shared), listener);
        shared.tasks.spawn(accepting);
        tracing::info!(%address, incarnation = %shared.me, "listening for other nodes");
        Ok(Self {
            shared,
            switchboard,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes the nodes of the view, each with the `host:port` it is reached by, in the place of those before. Links to those
    /// that were shown and are not any more, or run as another incarnation, end.
    pub fn learn(&self, peers: Vec<(IncarnationId, String)>) {
        self.shared.learn(peers);
    }

    /// What is counted.
    pub fn counters(&self) -> Counters {
        self.shared.counters()
    }

    /// Ends all links: what is queued has [`LINK_FLUSH_MS`] to be acknowledged. When this returns nothing is told any more.
    pub async fn shutdown(&self) {
        let shared = &self.shared;
        shared.stopping.cancel();
        let links = shared.links();
        let flushed = async {
            for link in links.iter().filter(|link| link.is_up()) {
                link.flushed().await;
            }
        };
        let deadline = Duration::from_millis(LINK_FLUSH_MS);
        let _ = tokio::time::timeout(deadline, flushed).await;
        self.kill();
        shared.tasks.close();
        if tokio::time::timeout(END, shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("the tasks of the links did not end in time");
        }
        let _ = shared.server.stop_and_wait(None, Some(END)).await;
        let _ = self.switchboard.stop_and_wait(None, Some(END)).await;
    }

    fn kill(&self) {
        for link in self.shared.links() {
            link.line.kill(Death::Stopped);
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
        self.kill();
        self.shared.server.stop(None);
        self.switchboard.stop(None);
    }
}

impl NodeLink for Links {
    fn send(&self, to: &IncarnationId, envelope: Envelope, class: Class) -> Result<(), SendError> {
        let link = self.shared.link_to(to).ok_or(SendError::Down)?;
        link.send(&envelope, class)
    }
}
