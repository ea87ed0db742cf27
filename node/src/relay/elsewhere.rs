//! Sessions of other nodes, as the gateway asks for them.

use async_trait::async_trait;
use rookery_protocol::session::{Checkpoint, Claim, Taken};

/// Takes sessions over from other nodes.
#[async_trait]
pub trait Elsewhere: Send + Sync + 'static {
    /// Takes a session from whoever has it, or the copy of one whose node is gone. What is handed over is nowhere else any
    /// more: it must not be dropped.
    async fn take(&self, claim: Claim) -> Taken;

    /// Whether there is another node now.
    fn is_there(&self) -> bool;

    /// Whether sessions that are here may go on here: who may be fenced does not know whether they are elsewhere by now.
    fn may_answer(&self) -> bool;
}

/// Another node that keeps a copy of this one's sessions.
pub trait Buddies: Send + Sync {
    /// Which one it is, by a number that changes when it is another one, or may have lost what it was told; none when there
    /// is none.
    fn current(&self) -> Option<u64>;

    /// Whether it may be told at all: who may be fenced may have lost its sessions to copies.
    fn may_tell(&self) -> bool;

    /// Tells it what changed in a lane. False when it is another one by now, or there was no room.
    fn tell(&self, buddy: u64, lane: u16, checkpoint: Checkpoint) -> bool;
}

/// There are no other nodes.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

#[async_trait]
impl Elsewhere for Nowhere {
    async fn take(&self, _: Claim) -> Taken {
        Taken::Unknown
    }

    fn is_there(&self) -> bool {
        false
    }

    fn may_answer(&self) -> bool {
        true
    }
}
