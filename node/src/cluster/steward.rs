//! Sees to the shards that come and go: what their outboxes hold is delivered, and those that leave are emptied and released.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use rookery_actors::commit::{CommitLane, Outcome};
use rookery_actors::entity::Directory;
use rookery_actors::ownership::{Input, Placement, release};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Cluster;

/// The pause before something that the store or the lane had no answer or room for is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// The tasks; they end with it.
#[derive(Debug)]
pub struct Steward(Vec<JoinHandle<()>>);

impl Drop for Steward {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Steward {
    /// Starts seeing to them. Must be called within a tokio runtime.
    pub fn start(cluster: &Arc<Cluster>, directory: Directory, lane: CommitLane) -> Self {
        let placement = cluster.placement.clone();
        let deliveries = deliver(directory.clone(), placement.clone());
        let releases = let_go(Arc::clone(cluster), directory, lane, placement);
        Self(vec![tokio::spawn(deliveries), tokio::spawn(releases)])
    }
}

/// Wakes the entities of shards that came, whose last owner left something in their outboxes.
async fn deliver(directory: Directory, placement: Placement) {
    let mut changes = placement.changes();
    let mut known = BTreeSet::new();
    loop {
        let here: BTreeSet<_> = placement.here().into_iter().collect();
        if !here.is_subset(&known) {
            match directory.recover().await {
                Ok(senders) if senders > 0 => {
                    tracing::info!(senders, "delivering what the last owners left undelivered");
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "outboxes could not be read");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
        }
        known = here;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Empties and releases the shards that leave, each on its own: none waits for the entities of another.
async fn let_go(
    cluster: Arc<Cluster>,
    directory: Directory,
    lane: CommitLane,
    placement: Placement,
) {
    let mut changes = placement.changes();
    let mut known = BTreeSet::new();
    let mut exits = FuturesUnordered::new();
    loop {
        let leaving: BTreeSet<_> = placement.leaving().into_iter().collect();
        known.retain(|shard| leaving.contains(shard));
        for &(shard, epoch) in &leaving {
            if known.insert((shard, epoch)) {
                exits.push(empty(&cluster, &directory, &lane, shard, epoch));
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                return;
            },
            Some(exit) = exits.next() => {
                let mut released = vec![exit];
                while let Some(Some(exit)) = exits.next().now_or_never() {
                    released.push(exit);
                }
                let released: Option<Vec<_>> = released.into_iter().collect();
                // If one is not committed, the incarnation is over.
                let Some(released) = released else { return };
                let told = cluster.ownership.send(Input::Released(released)).await;
                if told.is_err() {
                    return;
                }
            }
        }
    }
}

/// Empties a shard and releases it, behind everything that was written for it; none if that could not be.
async fn empty(
    cluster: &Cluster,
    directory: &Directory,
    lane: &CommitLane,
    shard: u16,
    epoch: u64,
) -> Option<(u16, u64)> {
    directory.evacuate(shard).await;
    let outcome = submit(cluster, lane, shard, epoch).await.await;
    matches!(outcome, Ok(Outcome::Committed)).then_some((shard, epoch))
}

/// Hands a release to the lane, waiting for room.
async fn submit(
    cluster: &Cluster,
    lane: &CommitLane,
    shard: u16,
    epoch: u64,
) -> oneshot::Receiver<Outcome> {
    loop {
        let (tell, told) = oneshot::channel();
        let done = Box::new(move |outcome| {
            // Who waits for it ends with the incarnation only.
            let _ = tell.send(outcome);
        });
        if lane
            .submit(release(&cluster.me, 0, shard, epoch), done)
            .is_ok()
        {
            return told;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
