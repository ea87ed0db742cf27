//! The admin API: what operators see of the cluster, and what they have it do. HTTP over two doors: `admin.sock` in the data
//! folder, for whoever may read that folder; and `[admin] listen`, for whoever has a token. Behind both is the same router.

pub mod api;
pub(crate) mod audit;
pub mod client;
mod console;
mod routes;
mod tokens;

use std::convert::Infallible;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::stream;
use rookery_actors::entity::Clock;
use rookery_actors::store::Snapshots;
use rookery_protocol::client::encode;
use rookery_protocol::inspect::Act;
use rookery_protocol::limits;
use serde::Deserialize;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::backup::produce::{Files, PIECES, Source};
use crate::inspect::Inspector;
use crate::listener::Listener;
use crate::random;
use crate::store::create_data_folder;
use crate::store::{check, driver};
use crate::tls::Certificates;

pub(crate) use self::tokens::LOCAL;
use self::tokens::Operator;

/// The socket in the data folder.
pub const SOCKET: &str = "admin.sock";
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 16;
/// What is said to whoever comes second.
const OCCUPIED: &str =
    "another backup or check of this node is under way: try again when it has ended";

/// What is asked of `POST /backup`.
#[derive(Debug, Deserialize)]
struct BackupQuery {
    files: bool,
}

/// What is asked of `POST /store/check`.
#[derive(Debug, Deserialize)]
struct CheckQuery {
    quick: bool,
}

struct Parts {
    app: App,
    inspector: Arc<Inspector>,
    snapshots: Arc<dyn Snapshots>,
    /// One backup or look at the store at a time: each keeps old pages of the store alive.
    places: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// The admin API of a serving node.
#[derive(Clone)]
pub struct AdminApi(Arc<Parts>);

impl AdminApi {
    /// The API of a node, which ends with `stopping`.
    pub fn new(
        inspector: Arc<Inspector>,
        snapshots: Arc<dyn Snapshots>,
        stopping: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts {
            app: inspector.app().clone(),
            inspector,
            snapshots,
            places: Arc::new(Semaphore::new(1)),
            stopping,
        }))
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/backup", post(backup))
            .route("/store/check", post(check_store))
            .route("/node/drain", post(drain))
            .route("/voice", post(voice))
            .merge(routes::table())
            .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such route"))
            .with_state(Arc::clone(&self.0))
    }

    /// Serves on the socket in the data folder.
    ///
    /// # Errors
    /// The socket cannot be made; another process that uses the folder is one reason.
    pub fn serve_here(&self) -> io::Result<AdminSocket> {
        // With a database elsewhere nothing else may have made it yet.
        let data = &self.0.app.config.data;
        create_data_folder(data)?;
        let path = data.join(SOCKET);
        let listener = bind(&path)?;
        let router = self.routes().layer(Extension(Operator::local()));
        let stopping = self.0.stopping.clone();
        tokio::spawn(async move {
            let serving = axum::serve(listener, router);
            let served = serving.with_graceful_shutdown(async move { stopping.cancelled().await });
            if let Err(error) = served.await {
                tracing::warn!(%error, "the admin socket ended");
            }
        });
        Ok(AdminSocket { path })
    }

    /// Serves those who have a token.
    pub fn serve_elsewhere(&self, socket: TcpListener, certificates: Option<Arc<Certificates>>) {
        let guarded = middleware::from_fn_with_state(Arc::clone(&self.0), routes::guard);
        let listener = Listener {
            router: self.routes().layer(guarded),
            certificates,
            places: Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS)),
            stopping: self.0.stopping.clone(),
            connections: TaskTracker::new(),
        };
        tokio::spawn(listener.run(socket));
    }
}

/// The socket of a serving node; gone from the folder when this is dropped.
pub struct AdminSocket {
    path: PathBuf,
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // A name that stays behind is written over by the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A socket that only the owner can use: it takes no connection before its mode is set. Made under another name, so that what
/// a killed process left is replaced at once.
fn bind(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    if UnixStream::connect(path).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let fresh = path.with_extension(random::code(4));
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(&fresh)?)?;
    let ready = || {
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        std::fs::rename(&fresh, path)
    };
    if let Err(error) = ready() {
        let _ = std::fs::remove_file(&fresh);
        return Err(error);
    }
    UnixListener::from_std(std::os::unix::net::UnixListener::from(
        std::os::fd::OwnedFd::from(socket),
    ))
}

/// `POST /backup?files=`: the backup, as it is made.
async fn backup(
    State(parts): State<Arc<Parts>>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<BackupQuery>,
) -> Response {
    let act = Act::Backup { files: query.files };
    let noted = match routes::admit(&parts, &operator, &act).await {
        Ok(noted) => noted,
        Err(refusal) => return refusal,
    };
    let app = &parts.app;
    let Ok(place) = Arc::clone(&parts.places).try_acquire_owned() else {
        audit::close(app, noted, &format!("refused: {OCCUPIED}")).await;
        return busy();
    };
    let shared = app.media.shared().cloned();
    let files = query.files.then(|| Files::of(&app.config.data, shared));
    let now = app.clock.now();
    let begun = Source::begin(parts.snapshots.as_ref(), driver(&app.config), now, files).await;
    let source = match begun {
        Ok(source) => source,
        Err(error) => {
            let why = error.to_string();
            audit::close(app, noted, &format!("refused: {why}")).await;
            return refuse(StatusCode::SERVICE_UNAVAILABLE, &why);
        }
    };
    let (out, pieces) = mpsc::channel(PIECES);
    let patience = Duration::from_millis(limits::ARCHIVE_STALL_MS);
    tokio::spawn(async move {
        tracing::info!("a backup begins");
        let sent = tokio::select! {
            sent = source.send(out, Some(patience)) => sent,
            // The stream is cut, which its reader sees; the act has no outcome, as always when its node ends.
            () = parts.stopping.cancelled() => return,
        };
        tracing::info!("a backup ended");
        // Whoever has all of it may ask for the next one.
        drop(place);
        let outcome = match sent {
            Ok(()) => "all of it was taken".to_owned(),
            Err(stop) => format!("it was cut: {stop}"),
        };
        audit::close(&parts.app, noted, &outcome).await;
    });
    streamed(pieces, |piece| piece)
}

/// `POST /store/check?quick=`: lines of JSON, the report last.
async fn check_store(State(parts): State<Arc<Parts>>, Query(query): Query<CheckQuery>) -> Response {
    let Ok(place) = Arc::clone(&parts.places).try_acquire_owned() else {
        return busy();
    };
    let (out, lines) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let _place = place;
        let looking = check::serving(
            &parts.app.config,
            &parts.app.store,
            parts.snapshots.as_ref(),
            query.quick,
            &out,
        );
        tokio::select! {
            () = looking => {}
            () = parts.stopping.cancelled() => {}
        }
    });
    streamed(lines, |line| {
        let mut line = encode(&line).to_vec();
        line.push(b'\n');
        line.into()
    })
}

/// `POST /node/drain`: has the node end in order; the answer ends with the process.
async fn drain(
    State(parts): State<Arc<Parts>>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let act = Act::Drain {
        node: parts.inspector.node().to_owned(),
        stay: false,
    };
    let noted = match routes::admit(&parts, &operator, &act).await {
        Ok(noted) => noted,
        Err(refusal) => return refusal,
    };
    audit::close(&parts.app, noted, "it gives everything away and ends").await;
    parts.app.drain.cancel();
    Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()).into_response()
}

/// `POST /voice`: the addresses that clients are told for their media, as JSON.
async fn voice(State(parts): State<Arc<Parts>>) -> Response {
    let addresses = parts.app.voice.media().addresses();
    Body::from(encode(&addresses)).into_response()
}

/// What comes, as the body of an answer.
fn streamed<T: Send + 'static>(items: mpsc::Receiver<T>, bytes: fn(T) -> Bytes) -> Response {
    let pieces = stream::unfold(items, move |mut items| async move {
        let item = items.recv().await?;
        Some((Ok::<_, Infallible>(bytes(item)), items))
    });
    Body::from_stream(pieces).into_response()
}

fn busy() -> Response {
    refuse(StatusCode::CONFLICT, OCCUPIED)
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, why.to_owned()).into_response()
}
