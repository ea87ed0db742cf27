//! Asking wherever the entity is: here, at another node, or at nobody's while its shard moves.
//!
//! A command that left this node carries a request from then on, so it may be sent again, to whoever has the entity by
//! then: it is done once, whichever of them did it.

#![allow(
    clippy::disallowed_methods,
    reason = "the deadline of an ask, and the pause before it is tried again"
)]

use std::time::Duration;

use rookery_protocol::command::{Answer, Command, Notice, Reply, Request, RequestId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::directory::{Directory, Turned};
use super::mailbox::Message;
use super::origin::Origin;
use super::peers::Astray;
use crate::ownership::Place;

/// The first pause before an entity that could not be reached is tried again, if nothing is heard of it; it doubles.
const PAUSE_MS: u64 = 10;
/// The longest pause.
const LAST_PAUSE_MS: u64 = 320;

impl Directory {
    /// Asks an entity, wherever it is, and waits for its answer.
    ///
    /// # Errors
    /// What the entity refuses with; `Busy` when nothing was done; `Unavailable` when the outcome is not known: ask
    /// again with the same nonce.
    pub async fn ask<R: Request>(&self, to: impl Into<EntityRef>, request: R) -> Answer<R::Reply> {
        let to = to.into();
        let command = request.into();
        let reply = if self.world().placement.is_whole() {
            self.ask_here(to, command, None)
                .await
                .unwrap_or_else(|_| Err(ErrorCode::Unavailable.into()))?
        } else {
            self.ask_anywhere(to, command).await?
        };
        R::reply(reply).ok_or_else(|| ErrorCode::Internal.into())
    }

    /// Asks an entity of this node for another node, which may send the same again: what was done is recognised by its
    /// request, and answered as it was.
    ///
    /// # Errors
    /// The entity is not here.
    pub async fn ask_for(
        &self,
        to: EntityRef,
        command: Command,
        request: RequestId,
    ) -> Result<Answer<Reply>, Astray> {
        self.ask_here(to, command, Some(request)).await
    }

    async fn ask_here(
        &self,
        to: EntityRef,
        command: Command,
        request: Option<RequestId>,
    ) -> Result<Answer<Reply>, Astray> {
        let (port, answer) = oneshot::channel();
        let message = Message::Command {
            command,
            request,
            origin: Origin::current(),
            port,
        };
        match self.send(to, message) {
            Ok(()) => {}
            Err(Turned::Elsewhere) => return Err(Astray),
            Err(Turned::Refused(refusal)) => return Ok(Err(refusal)),
        }
        let answer = tokio::time::timeout(Duration::from_millis(limits::ASK_MS), answer).await;
        Ok(match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ErrorCode::Unavailable.into()),
        })
    }

    async fn ask_anywhere(&self, to: EntityRef, command: Command) -> Answer<Reply> {
        let world = self.world();
        let deadline = Instant::now() + Duration::from_millis(limits::ASK_MS);
        let mut changes = world.placement.changes();
        let mut request = None;
        let mut pause = Duration::from_millis(PAUSE_MS);
        loop {
            changes.mark_unchanged();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorCode::Unavailable.into());
            }
            let answer = match world.placement.of(to) {
                Place::Here(_) => self.ask_here(to, command.clone(), request).await,
                Place::At(node, _) => {
                    let request = *request.get_or_insert_with(|| world.peers.request());
                    let asked = world.peers.ask(&node, to, command.clone(), request, left);
                    match asked.await {
                        // Its lease or its store is gone, and it may be succeeded: nobody says yet what was done.
                        Ok(Err(refusal)) if refusal.code == ErrorCode::Unavailable => Err(Astray),
                        answer => answer,
                    }
                }
                Place::Nowhere | Place::Leaving(_) => Err(Astray),
            };
            if let Ok(answer) = answer {
                return answer;
            }
            // Whatever comes first: the shard is somewhere else, or it is tried once more.
            let pausing = tokio::time::sleep(pause.min(left));
            tokio::select! {
                _ = changes.changed() => {}
                () = pausing => pause = (pause * 2).min(Duration::from_millis(LAST_PAUSE_MS)),
            }
        }
    }

    /// Delivers a notice of an outbox, wherever its receiver is; whether it was taken.
    pub(super) async fn deliver(
        &self,
        to: EntityRef,
        from: EntityRef,
        seq: u64,
        notice: Notice,
    ) -> bool {
        let world = self.world();
        match world.placement.of(to) {
            Place::Here(_) => self.take(to, from, seq, notice).await == Ok(true),
            Place::At(node, _) => world.peers.deliver(&node, to, from, seq, notice).await,
            Place::Nowhere | Place::Leaving(_) => false,
        }
    }

    /// Gives an entity of this node a notice; whether it took it.
    ///
    /// # Errors
    /// The entity is not here.
    pub async fn take(
        &self,
        to: EntityRef,
        from: EntityRef,
        seq: u64,
        notice: Notice,
    ) -> Result<bool, Astray> {
        let (port, taken) = oneshot::channel();
        let message = Message::Notice {
            from,
            seq,
            notice,
            port,
        };
        match self.send(to, message) {
            Ok(()) => {}
            Err(Turned::Elsewhere) => return Err(Astray),
            Err(Turned::Refused(_)) => return Ok(false),
        }
        let taken = tokio::time::timeout(Duration::from_millis(limits::ASK_MS), taken).await;
        Ok(matches!(taken, Ok(Ok(()))))
    }
}
