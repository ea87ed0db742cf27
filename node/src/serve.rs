//! `rookery serve`: a node from its start to its last breath.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rookery_actors::entity::{Clock, Publisher};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::AdminApi;
use crate::clock::SystemClock;
use crate::config::{Admin, Config};
use crate::gateway::Gateway;
use crate::http;
use crate::inspect::{self, Inspector};
use crate::janitor;
use crate::link::{Identity, IdentityError};
use crate::listener::Listener;
use crate::node::{Node, NodeError};
use crate::open_files;
use crate::ownership::{Neighbours, Ownership, OwnershipError, Run, Sharing};
use crate::purge;
use crate::relay::{Hub, NodeName};
use crate::store::{OpenError, Opened};
use crate::tls::{Certificates, TlsError};

/// What the drain may take in all, in front of the 10 s it is promised in.
const DRAIN: Duration = Duration::from_secs(9);
/// What of it sessions may take to be told to reconnect.
const DRAIN_SESSIONS: Duration = Duration::from_secs(3);
/// What of it requests under way may take.
const DRAIN_REQUESTS: Duration = Duration::from_secs(3);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// The same of operators' tools.
const ADMIN_BACKLOG: u32 = 16;
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
    /// It may not write.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// It cannot show who it is to other nodes.
    #[error(transparent)]
    Identity(#[from] IdentityError),
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

/// Serves until it is told to end by SIGTERM or SIGINT, and then ends in order. A second signal ends the process.
///
/// # Errors
/// It could not start, or may not go on.
pub async fn serve(mut config: Config) -> Result<(), ServeError> {
    // Before the start, so that a signal during it ends in order too.
    let mut signals = Signals::new()?;
    open_files::raise(config.connections);
    let certificates = Certificates::load(&config.tls)?.map(Arc::new);
    // Bound now, so that a taken address is told at once; nobody gets through before the node is ready.
    let socket = bind(config.listen)?;
    let address = socket.local_addr();
    config.listen = address.map_err(|reason| ServeError::Listen {
        address: config.listen,
        reason,
    })?;
    let mut socket = Some(socket);
    let mut admin = listen_for_operators(&config)?;
    let config = Arc::new(config);
    let store = Opened::open_whole(&config).await?;
    let clock = Arc::new(SystemClock::new());
    let sharing = sharing(&config, store.is_own())?;
    let is_linked = matches!(sharing, Sharing::Linked(_));
    let ownership = Ownership::start(store.shared(), sharing, &config.node, Arc::clone(&clock));
    loop {
        let run = tokio::select! {
            run = ownership.run() => run?,
            _ = signals.end.received() => break,
        };
        let socket = match socket.take() {
            Some(socket) => socket,
            None => bind(config.listen)?,
        };
        let admin_socket = match admin.take() {
            Some(admin) => Some(admin),
            None => listen_for_operators(&config)?,
        };
        let life = Life {
            config: Arc::clone(&config),
            store: store.clone(),
            clock: Arc::clone(&clock),
            certificates: certificates.clone(),
        };
        let heirs = is_linked.then_some(&ownership);
        let sockets = Sockets {
            clients: socket,
            operators: admin_socket,
        };
        if life.serve(run, heirs, sockets, &mut signals).await? {
            break;
        }
        tracing::warn!("the node begins again as a new incarnation");
    }
    ownership.end().await;
    // Blocks until the last commit is on the disk.
    store.close().await;
    tracing::info!("ended");
    Ok(())
}

/// With whom the node shares its store.
fn sharing(config: &Config, is_own: bool) -> Result<Sharing, ServeError> {
    let cluster = &config.cluster;
    let (Some(listen), Some(address)) = (cluster.listen, cluster.reached_by()) else {
        return Ok(if is_own {
            Sharing::Alone
        } else {
            Sharing::Unlinked
        });
    };
    let identity = Identity::load(&config.node, cluster)?;
    Ok(Sharing::Linked(Neighbours {
        listen,
        address,
        identity,
    }))
}

/// Where an incarnation is reached.
struct Sockets {
    clients: TcpSocket,
    operators: Option<TcpListener>,
}

/// What is the same for every incarnation of a process.
struct Life {
    config: Arc<Config>,
    store: Opened,
    clock: Arc<SystemClock>,
    certificates: Option<Arc<Certificates>>,
}

impl Life {
    /// Serves under one incarnation, until a signal (true) or until the incarnation is fenced (false). What gives the
    /// shards to other nodes at the end is `heirs`, if there are any.
    async fn serve(
        self,
        run: Run,
        heirs: Option<&Ownership>,
        sockets: Sockets,
        signals: &mut Signals,
    ) -> Result<bool, ServeError> {
        let Self {
            config,
            store,
            clock,
            certificates,
        } = self;
        let Sockets {
            clients: socket,
            operators: mut admin_socket,
        } = sockets;
        let address = config.listen;
        let lanes = std::thread::available_parallelism().map_or(1, usize::from);
        let (hub, inboxes) = Hub::new(lanes);
        let publisher = Arc::clone(&hub) as Arc<dyn Publisher>;
        let name = NodeName {
            node: config.node.clone(),
            incarnation: run.id.number,
        };
        let node = Node::start(
            Arc::clone(&config),
            store.shared(),
            store.files(),
            clock,
            run.clone(),
            publisher,
        )
        .await?;
        let steward = node.join(&hub);
        let warden = node.warden();
        let inspector = Inspector::start(inspect::Parts {
            app: node.app.clone(),
            id: run.id.clone(),
            hub: Arc::clone(&hub),
            lane: node.lane().clone(),
            placement: run.placement.clone(),
            cluster: run.cluster.clone(),
        });
        let gateway = Gateway::start(
            hub,
            inboxes,
            node.elsewhere(),
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
        let socket = socket
            .listen(BACKLOG)
            .map_err(|reason| ServeError::Listen { address, reason })?;
        let accepting = tokio::spawn(listener.run(socket));
        let beside = [
            tokio::spawn(janitor::run(node.app.clone())),
            tokio::spawn(purge::run(node.app.clone())),
        ];
        let api = AdminApi::new(inspector, store.snapshots(), stopping.clone());
        // The node serves without it, too.
        let admin = api.serve_here().inspect_err(
            |error| tracing::warn!(%error, "no admin socket: commands cannot ask this node"),
        );
        if let Some(socket) = admin_socket.take() {
            // What only this machine reaches needs no TLS.
            let is_local = socket.local_addr().is_ok_and(|a| a.ip().is_loopback());
            let certificates = certificates.clone().filter(|_| !is_local);
            api.serve_elsewhere(socket, certificates);
        }
        announce(address, certificates.is_some());
        let is_told = tokio::select! {
            signal = signals.end.received() => {
                tracing::info!(signal, "draining");
                true
            }
            () = node.app.drain.cancelled() => {
                tracing::info!("an operator asks to drain");
                true
            }
            () = run.lost() => false,
            never = upkeep(&node.app, certificates, &mut signals.hangup) => match never {},
        };
        if is_told {
            node.app.voice.give_away().await;
        }
        if let (true, Some(heirs)) = (is_told, heirs) {
            tokio::select! {
                () = heirs.drain() => {}
                _ = signals.end.received() => std::process::exit(1),
            }
        }
        let drain = async {
            node.app.is_draining.store(true, Relaxed);
            stopping.cancel();
            drop(admin);
            gateway.shutdown(DRAIN_SESSIONS).await;
            connections.close();
            if tokio::time::timeout(DRAIN_REQUESTS, connections.wait())
                .await
                .is_err()
            {
                tracing::warn!(left = connections.len(), "requests still under way");
            }
            beside.iter().for_each(JoinHandle::abort);
            drop((steward, warden));
            node.shutdown().await;
        };
        tokio::select! {
            drained = tokio::time::timeout(DRAIN, drain) => {
                if drained.is_err() {
                    tracing::warn!("the drain took too long; ending all the same");
                }
            }
            _ = signals.end.received() => std::process::exit(1),
        }
        accepting.abort();
        Ok(is_told)
    }
}

/// The signals a node listens to.
struct Signals {
    end: EndSignals,
    hangup: Signal,
}

/// The signals that end a process.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            end: EndSignals {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl EndSignals {
    /// Waits for one of them; its name.
    async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// A socket at the address; a restarted node gets its address back at once.
fn bind(address: SocketAddr) -> Result<TcpSocket, ServeError> {
    let bound = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|reason| ServeError::Listen { address, reason })
}

/// The listener of the admin API, if there is to be one. Another process may have the default address: that is no reason to
/// end, as the socket in the data folder is there, too.
fn listen_for_operators(config: &Config) -> Result<Option<TcpListener>, ServeError> {
    let Some(address) = config.admin.listen else {
        return Ok(None);
    };
    let listening = bind(address).and_then(|socket| {
        let listening = socket.listen(ADMIN_BACKLOG);
        listening.map_err(|reason| ServeError::Listen { address, reason })
    });
    match listening {
        Ok(listener) => {
            let address = listener.local_addr().unwrap_or(address);
            tracing::info!(%address, "the admin API listens");
            Ok(Some(listener))
        }
        Err(error) if address == Admin::default().listen.unwrap_or(address) => {
            tracing::warn!(%error, "the admin API is only on the socket in the data folder: name another [admin] listen");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Looks after certificates and keys, for ever.
async fn upkeep(
    app: &crate::app::App,
    certificates: Option<Arc<Certificates>>,
    hangup: &mut Signal,
) -> Infallible {
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
