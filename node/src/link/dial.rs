//! Keeps a link to one incarnation: the smaller name dials, and again after a pause when the link went down. The other end
//! only looks whether somebody still listens, so that a process that is gone is noticed on either side.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{
    LINK_CONNECT_MS, LINK_HANDSHAKE_MS, LINK_RETRY_FIRST_MS, LINK_RETRY_MAX_MS,
};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::counters::Refusal;
use super::greet;
use super::line::Death;
use super::scan::End;
use super::shared::Shared;

/// Keeps the link until `over` is cancelled.
pub(super) async fn keep(
    shared: Arc<Shared>,
    peer: IncarnationId,
    address: String,
    over: CancellationToken,
) {
    tokio::select! {
        () = attempts(&shared, &peer, &address) => {}
        () = over.cancelled() => {}
    }
}

async fn attempts(shared: &Arc<Shared>, peer: &IncarnationId, address: &str) {
    let mut pause = LINK_RETRY_FIRST_MS;
    loop {
        if let Some(link) = shared.link_to_node(&peer.node) {
            if link.peer.number < peer.number {
                link.line.kill(Death::Forgotten);
            }
            link.left().await;
            if link.was_up() {
                pause = LINK_RETRY_FIRST_MS;
            }
        }
        if shared.dials(&peer.node) {
            if dial(shared, peer, address).await {
                continue;
            }
        } else {
            probe(shared, peer, address).await;
        }
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(LINK_RETRY_MAX_MS);
    }
}

/// Three quarters to five quarters of a pause, so that nodes do not dial in step.
fn jittered(pause: u64) -> Duration {
    let ms = rand::rng().random_range(pause * 3 / 4..=pause * 5 / 4);
    Duration::from_millis(ms)
}

/// Dials once; whether there is a link now.
async fn dial(shared: &Arc<Shared>, peer: &IncarnationId, address: &str) -> bool {
    let Some(tcp) = connect(shared, peer, address).await else {
        return false;
    };
    let _ = tcp.set_nodelay(true);
    let deadline = Duration::from_millis(LINK_HANDSHAKE_MS);
    let greeted = timeout(deadline, greet::dial(shared, tcp, peer)).await;
    match greeted.unwrap_or(Err(Refusal::Late)) {
        Ok(greeted) => shared.adopt(greeted, End::Listener).is_some(),
        Err(refusal) => {
            tracing::debug!(%peer, reason = refusal.name(), "a node could not be linked");
            shared.refusals.count(refusal);
            false
        }
    }
}

/// Looks whether somebody listens.
async fn probe(shared: &Arc<Shared>, peer: &IncarnationId, address: &str) {
    drop(connect(shared, peer, address).await);
}

/// Connects, and tells when that is refused.
async fn connect(shared: &Arc<Shared>, peer: &IncarnationId, address: &str) -> Option<TcpStream> {
    let deadline = Duration::from_millis(LINK_CONNECT_MS);
    match timeout(deadline, TcpStream::connect(address)).await {
        Ok(Ok(tcp)) => Some(tcp),
        Ok(Err(error)) => {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                shared.inbound.refused(peer);
            }
            tracing::debug!(%peer, %error, "a node could not be reached");
            None
        }
        Err(_) => None,
    }
}
