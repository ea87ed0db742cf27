//! Two directories over one store, as on two nodes: asks that cross, and shards that move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use rookery_protocol::command::{Answer, Command, Notice, Reply, RequestId};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::SHARDS;

use super::fixture::Fixture;
use super::toy::address;
use crate::entity::{Astray, Directory, Peers};
use crate::ownership::{Place, Placement, shard_of};
use crate::store::memory::MemoryStore;

/// The way to the other directory.
#[derive(Default)]
struct Bridge {
    other: RwLock<Option<Directory>>,
    requests: AtomicU64,
    /// So many answers get lost on the way back.
    losses: AtomicU64,
}

#[async_trait]
impl Peers for Bridge {
    fn request(&self) -> RequestId {
        RequestId {
            caller: 7,
            number: self.requests.fetch_add(1, Relaxed),
        }
    }

    async fn ask(
        &self,
        _: &IncarnationId,
        to: EntityRef,
        command: Command,
        request: RequestId,
        _: Duration,
    ) -> Result<Answer<Reply>, Astray> {
        let other = self.other.read().clone().ok_or(Astray)?;
        let answer = other.ask_for(to, command, request).await?;
        let is_lost = |losses: u64| losses.checked_sub(1);
        if self.losses.fetch_update(Relaxed, Relaxed, is_lost).is_ok() {
            return Err(Astray);
        }
        Ok(answer)
    }

    async fn deliver(
        &self,
        _: &IncarnationId,
        to: EntityRef,
        from: EntityRef,
        seq: u64,
        notice: Notice,
    ) -> bool {
        let Some(other) = self.other.read().clone() else {
            return false;
        };
        other.take(to, from, seq, notice).await == Ok(true)
    }
}

/// Two nodes; shards are with the first one, and seen so by both.
struct Pair {
    nodes: [Fixture; 2],
    placements: [Placement; 2],
    bridges: [Arc<Bridge>; 2],
}

fn name(node: usize) -> Arc<IncarnationId> {
    Arc::new(IncarnationId {
        node: format!("node{node}"),
        number: 1,
    })
}

impl Pair {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let placements = [0, 1].map(|_| Placement::of_cluster(SHARDS));
        let bridges = [0, 1].map(|_| Arc::new(Bridge::default()));
        let node = |n: usize| {
            let placement = placements[n].clone();
            Fixture::with(store.clone(), n as u64 + 1, placement, bridges[n].clone())
        };
        let nodes = [node(0).await, node(1).await];
        for (n, bridge) in bridges.iter().enumerate() {
            *bridge.other.write() = Some(nodes[1 - n].directory.clone());
        }
        let pair = Self {
            nodes,
            placements,
            bridges,
        };
        for shard in 0..SHARDS {
            pair.give(shard, 0);
        }
        pair
    }

    /// Both know that a node has a shard.
    fn give(&self, shard: u16, to: usize) {
        for (n, placement) in self.placements.iter().enumerate() {
            let place = if n == to {
                Place::Here(1)
            } else {
                Place::At(name(to), 1)
            };
            placement.set([(shard, place)]);
        }
    }
}

#[tokio::test]
async fn an_ask_reaches_the_entity_at_the_node_that_has_it() {
    let pair = Pair::new().await;
    pair.nodes[1].run(1, "add").await.unwrap();
    assert_eq!(pair.nodes[0].count(1).await, Ok(1));
    assert!(!pair.nodes[1].is_active(1));
}

#[tokio::test]
async fn an_ask_whose_answer_is_lost_is_done_once() {
    let pair = Pair::new().await;
    pair.bridges[1].losses.store(3, Relaxed);
    pair.nodes[1].run(1, "add").await.unwrap();
    assert_eq!(pair.nodes[0].count(1).await, Ok(1));
}

#[tokio::test]
async fn a_shard_that_moves_takes_what_is_durable_with_it() {
    let pair = Pair::new().await;
    let [first, second] = &pair.nodes;
    let shard = shard_of(address(1));
    first.run(1, "add").await.unwrap();
    let under_way = first.run(1, "add");
    tokio::pin!(under_way);
    // It is in the mailbox when the shard leaves.
    assert!(futures_poll(under_way.as_mut()).await.is_none());
    pair.placements[0].set([(shard, Place::Leaving(1))]);
    first.directory.evacuate(shard).await;
    assert!(!first.is_active(1));
    pair.give(shard, 1);
    assert_eq!(under_way.await, Ok(()));
    assert_eq!(second.count(1).await, Ok(2));
    assert_eq!(first.count(1).await, Ok(2));
    assert!(second.is_active(1) && !first.is_active(1));
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn what_is_asked_while_nobody_has_the_shard_waits_for_who_gets_it() {
    let pair = Pair::new().await;
    let shard = shard_of(address(1));
    for placement in &pair.placements {
        placement.set([(shard, Place::Nowhere)]);
    }
    let asked = pair.nodes[0].run(1, "add");
    tokio::pin!(asked);
    assert!(futures_poll(asked.as_mut()).await.is_none());
    pair.give(shard, 1);
    assert_eq!(asked.await, Ok(()));
    assert_eq!(pair.nodes[1].count(1).await, Ok(1));
}

#[tokio::test]
async fn nothing_starts_an_entity_where_its_shard_is_not() {
    let pair = Pair::new().await;
    let request = pair.bridges[0].request();
    let command = super::toy::script("add").into();
    let answer = pair.nodes[1]
        .directory
        .ask_for(address(1), command, request);
    assert_eq!(answer.await, Err(Astray));
    assert!(!pair.nodes[1].is_active(1));
}

#[tokio::test]
async fn intents_cross_nodes_and_are_taken_once() {
    let pair = Pair::new().await;
    pair.give(shard_of(address(2)), 1);
    pair.nodes[0].run(1, "send/2").await.unwrap();
    while pair.nodes[1].count(2).await != Ok(1) {
        tokio::task::yield_now().await;
    }
}
