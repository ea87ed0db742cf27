//! `rookery serve`: a node from its start to its last breath.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rookery_actors::entity::{Clock, Publisher};
use rookery_actors::store::SharedStore;
use tokio::net::TcpSocket;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::http;
use crate::janitor;
use crate::listener::Listener;
use crate::node::{Node, NodeError};
use crate::open_files;
use crate::purge;
use crate::relay::{Hub, NodeName};
use crate::store::redb::{OpenError, RedbStore};
use crate::tls::{Certificates, TlsError};

/// What the drain may take in all, in front of the 10 s it is promised in.
const DRAIN: Duration = Duration::from_secs(9);
/// What of it sessions may take to be told to reconnect.
const DRAIN_SESSIONS: Duration = Duration::from_secs(3);
/// What of it requests under way may take.
const DRAIN_REQUESTS: Duration = Duration::from_secs(3);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// How often certificate files are looked at.
const LOOK_AT_CERTIFICATES: Duration = Duration::from_secs(3);
/// How often signing keys are looked at.
const LOOK_AT_KEYS: Duration = Duration::from_secs(3_600);

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// It cannot be put together.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The certificate cannot be used.
    #[error("[tls]: {0}")]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What is wrong.
        reason: std::io::Error,
    },
    /// Threads or signal handlers cannot be set up.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// Opens the store of the data folder; blocks on the disk.
///
/// # Errors
/// What [`RedbStore::open`] says.
pub async fn open_store(config: &Config) -> Result<RedbStore, ServeError> {
    let folder = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || RedbStore::open(&folder)).await;
    Ok(opened.map_err(std::io::Error::other)??)
}

/// Serves until it is told to end by SIGTERM or SIGINT, and then ends in order. A second signal ends the process.
///
/// # Errors
/// It could not start.
pub async fn serve(mut config: Config) -> Result<(), ServeError> {
    // Before the start, so that a signal during it ends in order too.
    let mut signals = Signals::new()?;
    open_files::raise(config.connections);
    let certificates = Certificates::load(&config.tls)?.map(Arc::new);
    let address = config.listen;
    let listen_failed = |reason| ServeError::Listen { address, reason };
    // Bound now, so that a taken address is told at once; nobody gets through before the node is ready.
    let socket = bind(address).map_err(listen_failed)?;
    let address = socket.local_addr().map_err(listen_failed)?;
    config.listen = address;
    let config = Arc::new(config);
    let store = open_store(&config).await?;
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    let (hub, inboxes) = Hub::new(lanes);
    let shared: SharedStore = Arc::new(store.clone());
    let publisher = Arc::clone(&hub) as Arc<dyn Publisher>;
    let node = Node::start(Arc::clone(&config), shared, publisher).await?;
    let name = NodeName {
        node: config.node.clone(),
        incarnation: node.incarnation,
    };
    let gateway = Gateway::start(
        hub,
        inboxes,
        Arc::new(node.app.clone()),
        Arc::clone(&node.app.clock) as Arc<dyn Clock>,
        name,
        config.public_url.clone(),
    )?;
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    let listener = Listener {
        router: http::router(&node.app, &gateway),
        certificates: certificates.clone(),
        places: Arc::new(Semaphore::new(config.connections)),
        stopping: stopping.clone(),
        connections: connections.clone(),
    };
    let socket = socket.listen(BACKLOG).map_err(listen_failed)?;
    let accepting = tokio::spawn(listener.run(socket));
    let upkeep = tokio::spawn(upkeep(
        node.app.clone(),
        certificates.clone(),
        signals.hangup,
    ));
    let ids = Arc::clone(&node.app.ids);
    let ceiling = tokio::spawn(async move { ids.keep_ahead().await });
    let janitor = tokio::spawn(janitor::run(node.app.clone()));
    let purging = tokio::spawn(purge::run(node.app.clone()));
    announce(address, certificates.is_some());
    let signal = tokio::select! {
        _ = signals.terminate.recv() => "SIGTERM",
        _ = signals.interrupt.recv() => "SIGINT",
    };
    tracing::info!(signal, "draining");
    let drain = async {
        node.app.is_draining.store(true, Relaxed);
        stopping.cancel();
        gateway.shutdown(DRAIN_SESSIONS).await;
        connections.close();
        if tokio::time::timeout(DRAIN_REQUESTS, connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(left = connections.len(), "requests still under way");
        }
        ceiling.abort();
        upkeep.abort();
        janitor.abort();
        purging.abort();
        node.shutdown().await;
    };
    tokio::select! {
        drained = tokio::time::timeout(DRAIN, drain) => {
            if drained.is_err() {
                tracing::warn!("the drain took too long; ending all the same");
            }
        }
        _ = signals.terminate.recv() => std::process::exit(1),
        _ = signals.interrupt.recv() => std::process::exit(1),
    }
    accepting.abort();
    // Blocks until the last commit is on the disk.
    let _ = tokio::task::spawn_blocking(move || store.close()).await;
    tracing::info!("ended");
    Ok(())
}

/// The signals a node listens to.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// A socket at the address; a restarted node gets its address back at once.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Looks after certificates and keys.
async fn upkeep(app: crate::app::App, certificates: Option<Arc<Certificates>>, mut hangup: Signal) {
    let mut certificate_beat = tokio::time::interval(LOOK_AT_CERTIFICATES);
    let mut key_beat = tokio::time::interval(LOOK_AT_KEYS);
    loop {
        let is_forced = tokio::select! {
            _ = certificate_beat.tick() => false,
            _ = hangup.recv() => true,
            _ = key_beat.tick() => {
                if let Err(error) = app.auth.rotate_keys().await {
                    tracing::warn!(%error, "signing keys not looked after");
                }
                continue;
            }
        };
        if let Some(certificates) = certificates.clone() {
            let reload = move || certificates.reload(is_forced);
            let _ = tokio::task::spawn_blocking(reload).await;
        }
    }
}

/// Says on stdout, in one line, that the node serves and where.
fn announce(address: SocketAddr, is_tls: bool) {
    let scheme = if is_tls { "https" } else { "http" };
    let mut stdout = std::io::stdout().lock();
    // Nobody reads it: no reason to end.
    let _ = writeln!(stdout, "rookery is ready: {scheme}://{address}");
    let _ = stdout.flush();
}
