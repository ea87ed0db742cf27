//! One session: its number, its socket if it has one, and the log positions that wait to be written.

use std::collections::VecDeque;

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::Dispatch;
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;

use super::topic::Join;
use super::wire::{Control, Effect, Identity, SessionRef};

/// What a waiting event counts for besides its body.
pub(super) const WAITING_OVERHEAD: usize = 64;

/// A session.
#[derive(Debug)]
pub(super) struct Session<W> {
    /// Who identified.
    pub(super) identity: Identity,
    /// The number of its last event.
    pub(super) seq: u64,
    /// The log's end when it was opened: entries below are not its own.
    pub(super) opened: u64,
    /// The write side of its socket; none while it is detached.
    pub(super) wire: Option<W>,
    /// How many sockets it had.
    pub(super) attach: u32,
    /// Since when it has no socket.
    pub(super) detached_at: Millis,
    /// READY is in its log: from here on it can be resumed.
    pub(super) ready: bool,
    /// The socket takes no more at the moment.
    pub(super) blocked: bool,
    /// It is in the lane's list of sessions to flush.
    pub(super) dirty: bool,
    /// Positions of the events that are not yet written; their numbers are the last ones up to `seq`.
    pub(super) pending: VecDeque<u64>,
    /// Bytes of the events that came since it had its socket and are not yet written.
    pub(super) pending_bytes: usize,
    /// Somebody waits until everything is written to give more.
    pub(super) paced: bool,
    /// Frames without a number that are not yet written.
    pub(super) controls: Vec<Control>,
    /// The topics it is on.
    pub(super) topics: Vec<EntityRef>,
    /// Topics that were asked for and have not yet answered; one entry for each question.
    pub(super) asked: Vec<EntityRef>,
    /// Of those, topics it was on at another node, with the last event that has passed it.
    pub(super) rejoining: Vec<(EntityRef, u64)>,
    /// Pictures of such topics, which were asked for meanwhile and wait until it is on them, or not any more.
    pub(super) deferred: Vec<Join>,
    /// Of `seq`, what the buddy was told last; none while it does not know the session.
    pub(super) told: Option<u64>,
    /// It joined, left or asked for a topic since the buddy was told.
    pub(super) is_moved: bool,
}

impl<W> Session<W> {
    pub(super) fn new(identity: Identity, opened: u64, wire: W) -> Self {
        Self {
            identity,
            seq: 0,
            opened,
            wire: Some(wire),
            attach: 1,
            detached_at: Millis(0),
            ready: false,
            blocked: false,
            dirty: false,
            pending: VecDeque::new(),
            pending_bytes: 0,
            paced: false,
            controls: Vec::new(),
            topics: Vec::new(),
            asked: Vec::new(),
            rejoining: Vec::new(),
            deferred: Vec::new(),
            told: None,
            is_moved: false,
        }
    }

    /// Whether it sees what people wrote in any event.
    pub(super) fn sees_all(&self) -> bool {
        self.identity.intents.contains(Intents::MESSAGE_CONTENT)
    }

    /// Whether it sees what people wrote in this event.
    pub(super) fn sees_content(&self, dispatch: &Dispatch) -> bool {
        match &dispatch.content_for {
            None => true,
            Some(users) => self.sees_all() || users.contains(&self.identity.user),
        }
    }

    /// Lets go of the socket, which is closed behind some last words; what waits stays in the log only, and whoever waits
    /// until it is written is told so.
    pub(super) fn detach(
        &mut self,
        reference: SessionRef,
        now: Millis,
        last_words: Vec<Control>,
        code: Option<CloseCode>,
        out: &mut Vec<Effect<W>>,
    ) {
        self.detached_at = now;
        self.blocked = false;
        self.pending = VecDeque::new();
        self.pending_bytes = 0;
        if std::mem::take(&mut self.paced) {
            out.push(Effect::Unwritten(reference));
        }
        let mut words = std::mem::take(&mut self.controls);
        if let Some(wire) = self.wire.take() {
            words.extend(last_words);
            out.push(Effect::Close { wire, words, code });
        }
    }
}
