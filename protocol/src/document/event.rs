//! The event log, the outbox, the marks of what was delivered and the requests that were done.

use bson::RawDocumentBuf;
use serde::{Deserialize, Serialize};

use super::tables;
use crate::command::{Notice, RequestId};
use crate::entity::EntityRef;
use crate::event::Event;
use crate::time::Millis;

tables! {
    /// `(entity, gseq)`: what clients of the entity see, for those who missed some.
    Events: EventRow,
    /// `(sender, seq)`: intents for other entities that are not yet delivered.
    Outbox: OutboxRow,
    /// `(receiver, sender)`: how far the sender's outbox was taken.
    Marks: MarkRow,
    /// `(entity, n)`: commands of other nodes that were done lately, in the order they were done.
    Requests: RequestRow,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// When it was committed.
    pub at: Millis,
    /// What happened.
    pub event: Event,
}

/// An intent for another entity; written in the commit that decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// For whom.
    pub to: EntityRef,
    /// What.
    pub notice: Notice,
}

/// The last intent of a sender that a receiver has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRow {
    /// The sender.
    pub sender: EntityRef,
    /// Its sequence number.
    pub seq: u64,
}

/// A command of another node that was done; written in the commit of what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Which.
    pub request: RequestId,
    /// What was answered, as a document; none when an answer has no such form.
    pub answer: Option<RawDocumentBuf>,
}
