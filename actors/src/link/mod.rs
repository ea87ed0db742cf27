//! What a node needs of its links to others: to send an envelope, and to hear what comes. Drivers are in the node and in
//! simulations.

use std::fmt::Debug;

use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;

/// How much an envelope matters when a peer takes what it is sent more slowly than it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It must arrive, or its sender must know that it did not: refused only when the budget of the peer is used up.
    Must,
    /// It may be lost: values such as typing and presence. Dropped when more than half of the budget is used.
    May,
}

/// Why an envelope was not sent. Nothing of it will arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no link to the incarnation.
    #[error("there is no link")]
    Down,
    /// The peer has not taken what it was sent before.
    #[error("the link is full")]
    Full,
    /// The envelope is larger than any frame may be.
    #[error("the envelope is too large")]
    TooLarge,
}

/// Sends envelopes to other nodes. Never waits.
pub trait NodeLink: Send + Sync + Debug {
    /// Queues an envelope for an incarnation. What is sent to one peer over one link arrives in order, or not at all from some
    /// envelope on: `Ok` means queued, and a link that goes down loses what it had not delivered.
    ///
    /// # Errors
    /// Nothing was sent.
    fn send(&self, to: &IncarnationId, envelope: Envelope, class: Class) -> Result<(), SendError>;
}

/// Hears what the links bring. Its functions are called one at a time for each peer, on a task that carries the traffic of
/// all of them: they may send, but must not wait.
pub trait Inbound: Send + Sync {
    /// An envelope arrived; the link of its sender is up.
    fn received(&self, from: &IncarnationId, envelope: Envelope);

    /// A link came up, or went down; always in turns, and up first. What it had not delivered when it went down is lost.
    fn linked(&self, peer: &IncarnationId, is_up: bool);

    /// A connection was refused by the machine where an incarnation should listen: its process is gone. Told again with each
    /// attempt, and only of exactly the incarnation that was tried.
    fn refused(&self, peer: &IncarnationId);
}
