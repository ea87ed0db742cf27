//! Accepts connections and serves HTTP on them: with a cap, a deadline for handshakes and heads, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rookery_protocol::limits::{HEAD_SECONDS, TLS_HANDSHAKE_SECONDS};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::client::Peer;
use crate::net::Io;
use crate::tls::Certificates;

/// The pause after an accept failed because the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves a router on a listening socket.
pub struct Listener {
    /// The routes.
    pub router: Router,
    /// The certificate, when the node speaks TLS.
    pub certificates: Option<Arc<Certificates>>,
    /// Places for connections.
    pub places: Arc<Semaphore>,
    /// Cancelled when no more connections are accepted and open ones end after their request.
    pub stopping: CancellationToken,
    /// The connections.
    pub connections: TaskTracker,
}

impl Listener {
    /// Accepts until `stopping` is cancelled.
    pub async fn run(self, socket: TcpListener) {
        let this = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = this.stopping.cancelled() => return,
            };
            let (tcp, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Above the cap a client sees its connection closed, and tries another time.
            if let Ok(place) = Arc::clone(&this.places).try_acquire_owned() {
                let connection = Arc::clone(&this).serve(tcp, address, place);
                this.connections.spawn(connection);
            }
        }
    }

    /// Serves one connection to its end, or to its upgrade.
    async fn serve(
        self: Arc<Self>,
        tcp: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        let Some(io) = self.handshake(tcp, place).await else {
            return;
        };
        let peer = Peer {
            address,
            is_tls: io.wire().is_tls(),
        };
        let routes = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            routes.call(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(HEAD_SECONDS))
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }

    /// The connection, after the TLS handshake if there is one.
    async fn handshake(&self, tcp: TcpStream, place: OwnedSemaphorePermit) -> Option<Io> {
        let Some(certificates) = &self.certificates else {
            return Some(Io::plain(tcp, place));
        };
        let deadline = Duration::from_secs(TLS_HANDSHAKE_SECONDS);
        let handshake = certificates.acceptor().accept(tcp);
        match tokio::time::timeout(deadline, handshake).await {
            Ok(Ok(stream)) => Some(Io::tls(stream, place)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }
}
