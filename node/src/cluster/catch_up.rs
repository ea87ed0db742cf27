//! Keeps what peers know of this node's wishes true, and finds what this node missed of their entities.
//!
//! A topic's events may be missed while its link is cut, or when its owner died between a commit and its publication. So
//! whenever a topic is, or may be, with another owner than before, the event log is asked how far it has come; lanes heal
//! the rest. By then that owner knows that this node listens: what comes later is sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rookery_actors::link::Class;
use rookery_actors::ownership::{Place, shard_of};
use rookery_actors::store::{Order, Scan};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::{IncarnationId, Part, TableId};
use rookery_protocol::entity::EntityRef;
use tokio::sync::Notify;

use super::interests::Peer;
use super::{Cluster, Local};
use crate::relay::Watcher;

/// Topics of one envelope.
const CHUNK: usize = 1_024;
/// How often what found no room is tried again.
const BEAT: Duration = Duration::from_millis(200);
/// Event logs that are asked at the same time.
const READS: usize = 16;

/// Shards whose topics are to be looked at.
#[derive(Debug, Default)]
pub(super) struct Moved {
    shards: parking_lot::Mutex<BTreeSet<u16>>,
    rung: Notify,
}

impl Moved {
    pub(super) fn add(&self, shards: impl IntoIterator<Item = u16>) {
        self.shards.lock().extend(shards);
        self.rung.notify_one();
    }

    fn take(&self) -> BTreeSet<u16> {
        std::mem::take(&mut self.shards.lock())
    }
}

impl Watcher for Cluster {
    fn watched(&self, topic: EntityRef, is_watched: bool) {
        let send = |peer: &IncarnationId, envelope| self.send(peer, envelope, Class::Must);
        self.interests.tell(topic, is_watched, send);
    }
}

/// Starts the task; it ends with the cluster.
pub(super) fn start(cluster: &Arc<Cluster>) {
    let weak = Arc::downgrade(cluster);
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            {
                let Some(cluster) = weak.upgrade() else {
                    return;
                };
                let Some(local) = cluster.local.get() else {
                    return;
                };
                cluster.catch_up(local).await;
            }
            let Some(cluster) = weak.upgrade() else {
                return;
            };
            tokio::select! {
                _ = beat.tick() => {}
                () = cluster.moved.rung.notified() => {}
                () = cluster.interests.to_tell.notified() => {}
            }
        }
    });
}

impl Cluster {
    async fn catch_up(&self, local: &Local) {
        self.buddy.tick();
        let moved = self.moved.take();
        if !moved.is_empty() {
            // With a peer that does not know yet what is wanted here, telling it comes first, and looking after that.
            let is_ready = |topic: &EntityRef| {
                moved.contains(&shard_of(*topic))
                    && match self.placement.of(*topic) {
                        Place::Here(_) => true,
                        Place::At(owner, _) => {
                            let peer = self.interests.peer(&owner);
                            peer.is_some_and(|peer| peer.told().is_all())
                        }
                        Place::Leaving(_) | Place::Nowhere => false,
                    }
            };
            let topics = local.hub.topics().into_iter().filter(is_ready);
            self.look(local, topics.collect()).await;
        }
        for peer in self.interests.linked() {
            let begins = peer.told().begin();
            if begins && !self.tell_all(local, &peer).await {
                peer.told().anew();
            }
            for (topic, gseq) in peer.take_behind() {
                if !self.send(&peer.id, Envelope::Behind { topic, gseq }, Class::Must) {
                    peer.fell_behind(topic, gseq);
                }
            }
        }
    }

    /// Tells a peer everything that is wanted here, and looks for what was missed of its entities; whether it found room.
    async fn tell_all(&self, local: &Local, peer: &Peer) -> bool {
        let topics = local.hub.topics();
        let mut chunks = topics.chunks(CHUNK);
        let first = chunks.next().unwrap_or_default().to_vec();
        let first = Envelope::InterestAll { topics: first };
        if !self.send(&peer.id, first, Class::Must) {
            return false;
        }
        for chunk in chunks {
            let topics = chunk.iter().map(|topic| (*topic, true)).collect();
            if !self.send(&peer.id, Envelope::Interest { topics }, Class::Must) {
                return false;
            }
        }
        loop {
            let topics = peer.told().go_on();
            if topics.is_empty() {
                break;
            }
            if !self.send(&peer.id, Envelope::Interest { topics }, Class::Must) {
                return false;
            }
        }
        if !self.flush(&peer.id).await {
            return false;
        }
        let is_there = |topic: &EntityRef| match self.placement.of(*topic) {
            Place::At(owner, _) => *owner == peer.id,
            _ => false,
        };
        let topics = local.hub.topics().into_iter().filter(is_there).collect();
        self.look(local, topics).await;
        true
    }

    /// Looks how far topics have come, and tells the lanes.
    async fn look(&self, local: &Local, topics: Vec<EntityRef>) {
        let reads = futures_util::stream::iter(topics);
        reads
            .for_each_concurrent(READS, |topic| async move {
                let newest = Scan {
                    table: TableId::Events,
                    partition: topic.into(),
                    above: None,
                    below: None,
                    order: Order::Descending,
                    limit: 1,
                };
                match local.store.scan(&newest).await {
                    Ok(rows) => {
                        if let Some((key, _)) = rows.first()
                            && let Part::Num(gseq) = key.sort
                        {
                            local.hub.behind(topic, gseq);
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%topic, %error, "the event log could not be asked");
                        self.moved.add([shard_of(topic)]);
                    }
                }
            })
            .await;
    }
}
