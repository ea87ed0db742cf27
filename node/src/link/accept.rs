//! Takes connections of other nodes: a bounded number in their handshake, each for a bounded time.

use std::sync::Arc;
use std::time::Duration;

use rookery_protocol::limits::{LINK_HANDSHAKE_MS, LINK_HANDSHAKES};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::counters::Refusal;
use super::greet;
use super::scan::End;
use super::shared::Shared;

/// The pause after an accept failed because the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the links end.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(LINK_HANDSHAKES));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stopping.cancelled() => return,
        };
        let tcp = match accepted {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                tracing::warn!(%error, "a connection of a node could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            shared.refusals.count(Refusal::Busy);
            continue;
        };
        let shared = Arc::clone(&shared);
        let tasks = shared.tasks.clone();
        tasks.spawn(async move {
            greet(&shared, tcp).await;
            drop(place);
        });
    }
}

async fn greet(shared: &Arc<Shared>, tcp: TcpStream) {
    // Frames are written whole; waiting for more would only be late.
    let _ = tcp.set_nodelay(true);
    let deadline = Duration::from_millis(LINK_HANDSHAKE_MS);
    let greeted = tokio::select! {
        greeted = tokio::time::timeout(deadline, greet::accept(shared, tcp)) => greeted,
        () = shared.stopping.cancelled() => return,
    };
    match greeted {
        Ok(Ok(greeted)) => {
            shared.adopt(greeted, End::Dialler);
        }
        Ok(Err(refusal)) => shared.refusals.count(refusal),
        Err(_) => shared.refusals.count(Refusal::Late),
    }
}
