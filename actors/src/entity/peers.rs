//! The other nodes, as far as entities are concerned.

use std::time::Duration;

use async_trait::async_trait;
use rookery_protocol::command::{Answer, Command, Notice, Reply, RequestId};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;

/// A question did not reach the entity, or its answer did not come back: ask again with the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Astray;

/// Reaches the entities of other nodes. Who is told that an entity is not there any more corrects the node's
/// [`crate::ownership::Placement`] before it comes back.
#[async_trait]
pub trait Peers: Send + Sync + 'static {
    /// A name for a command that is about to leave this node: never given twice.
    fn request(&self) -> RequestId;

    /// Asks an entity at another node, once, and waits for at most `within`.
    async fn ask(
        &self,
        at: &IncarnationId,
        to: EntityRef,
        command: Command,
        request: RequestId,
        within: Duration,
    ) -> Result<Answer<Reply>, Astray>;

    /// Delivers a notice to an entity at another node; whether it was taken there.
    async fn deliver(
        &self,
        at: &IncarnationId,
        to: EntityRef,
        from: EntityRef,
        seq: u64,
        notice: Notice,
    ) -> bool;
}

/// There are no other nodes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPeers;

#[async_trait]
impl Peers for NoPeers {
    fn request(&self) -> RequestId {
        RequestId {
            caller: 0,
            number: 0,
        }
    }

    async fn ask(
        &self,
        _: &IncarnationId,
        _: EntityRef,
        _: Command,
        _: RequestId,
        _: Duration,
    ) -> Result<Answer<Reply>, Astray> {
        Err(Astray)
    }

    async fn deliver(
        &self,
        _: &IncarnationId,
        _: EntityRef,
        _: EntityRef,
        _: u64,
        _: Notice,
    ) -> bool {
        false
    }
}
