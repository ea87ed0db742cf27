//! Asking the entities of other nodes: who waits for which answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_actors::entity::{Astray, Origin, Peers};
use rookery_actors::link::Class;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::command::{Answer, Command, Notice, Reply, RequestId};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::inspect::{Question, Said};
use rookery_protocol::limits::{ASK_MS, REMOTE_CALLS};
use rookery_protocol::session::Taken;
use tokio::sync::oneshot;

use super::Cluster;
use crate::random;

/// What became of a call.
pub(super) enum Outcome {
    /// The entity answered.
    Answer(Box<Answer<Reply>>),
    /// What there is of a session.
    Session(Box<Taken>),
    /// What it says to an operator, in JSON.
    Said(String),
    /// It took the notice.
    Taken,
    /// The entity is not there, or the link is cut.
    Astray,
}

struct Call {
    peer: IncarnationId,
    port: oneshot::Sender<Outcome>,
}

/// The calls that are open.
pub(super) struct Calls {
    /// Who asks, in requests: this run and no other.
    caller: u64,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Call>>,
}

/// A call that is open; over when it is dropped.
struct Open<'a> {
    calls: &'a Calls,
    number: u64,
    outcome: oneshot::Receiver<Outcome>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.calls.open.lock().remove(&self.number);
    }
}

impl Calls {
    pub(super) fn new() -> Self {
        Self {
            caller: u64::from_le_bytes(random::bytes()) >> 1,
            next: AtomicU64::new(1),
            open: Mutex::default(),
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Relaxed)
    }

    /// Opens a call; none when too many are.
    fn begin(&self, peer: &IncarnationId) -> Option<Open<'_>> {
        let (port, outcome) = oneshot::channel();
        let number = self.number();
        let mut open = self.open.lock();
        if open.len() >= REMOTE_CALLS {
            return None;
        }
        let peer = peer.clone();
        open.insert(number, Call { peer, port });
        Some(Open {
            calls: self,
            number,
            outcome,
        })
    }

    /// A call has come back from a peer; from another one than it went to it is none.
    pub(super) fn end(&self, from: &IncarnationId, number: u64, outcome: Outcome) {
        let call = {
            let mut open = self.open.lock();
            match open.get(&number) {
                Some(call) if call.peer == *from => open.remove(&number),
                _ => None,
            }
        };
        if let Some(call) = call {
            // Who does not wait any more has been told that the outcome is unknown.
            let _ = call.port.send(outcome);
        }
    }

    /// The link with a peer is cut: what is open there does not come back.
    pub(super) fn lost(&self, peer: &IncarnationId) {
        let mut lost = Vec::new();
        self.open.lock().retain(|_, call| {
            let stays = call.peer != *peer;
            if !stays {
                let (unused, _) = oneshot::channel();
                lost.push(std::mem::replace(&mut call.port, unused));
            }
            stays
        });
        for port in lost {
            let _ = port.send(Outcome::Astray);
        }
    }
}

impl Cluster {
    /// Calls a peer and waits; none when it was not reached, or the time is over.
    pub(super) async fn call(
        &self,
        at: &IncarnationId,
        within: Duration,
        envelope: impl FnOnce(u64) -> Envelope,
    ) -> Option<Outcome> {
        let mut open = self.calls.begin(at)?;
        if !self.send(at, envelope(open.number), Class::Must) {
            return None;
        }
        match tokio::time::timeout(within, &mut open.outcome).await {
            Ok(Ok(outcome)) => Some(outcome),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Asks a node for an operator; none: it did not answer in time, or not so that it is understood.
    pub async fn inspect(
        &self,
        at: &IncarnationId,
        question: &Question,
        within: Duration,
    ) -> Option<Said> {
        let question = serde_json::to_string(question).ok()?;
        let asked = self.call(at, within, |call| Envelope::Inspect { call, question });
        match asked.await? {
            Outcome::Said(said) => serde_json::from_str(&said).ok(),
            _ => None,
        }
    }

    /// Waits until a peer has taken everything sent to it before; whether it has.
    pub(super) async fn flush(&self, peer: &IncarnationId) -> bool {
        let within = Duration::from_millis(ASK_MS);
        let flushed = self.call(peer, within, |call| Envelope::Flush { call });
        matches!(flushed.await, Some(Outcome::Taken))
    }
}

#[async_trait]
impl Peers for Cluster {
    fn request(&self) -> RequestId {
        RequestId {
            caller: self.calls.caller,
            number: self.calls.number(),
        }
    }

    async fn ask(
        &self,
        at: &IncarnationId,
        to: EntityRef,
        command: Command,
        request: RequestId,
        within: Duration,
    ) -> Result<Answer<Reply>, Astray> {
        let envelope = |call| Envelope::Ask {
            call,
            request,
            to,
            command,
            deadline_ms: u32::try_from(within.as_millis()).unwrap_or(u32::MAX),
            origin: Origin::current().map(|origin| origin.0),
        };
        match self.call(at, within, envelope).await {
            Some(Outcome::Answer(answer)) => Ok(*answer),
            _ => Err(Astray),
        }
    }

    async fn deliver(
        &self,
        at: &IncarnationId,
        to: EntityRef,
        from: EntityRef,
        seq: u64,
        notice: Notice,
    ) -> bool {
        let within = Duration::from_millis(ASK_MS);
        let envelope = |call| Envelope::Notice {
            call,
            to,
            from,
            seq,
            notice,
        };
        matches!(self.call(at, within, envelope).await, Some(Outcome::Taken))
    }
}
