//! Delivering: an entry of the log becomes a number and a position in each recipient; a flush hands a session's waiting
//! positions to whoever encodes and writes them. Nothing is allocated per delivery.

use std::collections::VecDeque;

use bytes::Bytes;
use rookery_protocol::client::message::redact;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::UserId;

use super::lane::Lane;
use super::log::{Entry, Log};
use super::session::{Session, WAITING_OVERHEAD};
use super::wire::{Control, Effect, SessionRef};

/// What became of a session's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// All is written.
    Done,
    /// The socket takes no more; [`super::Input::Writable`] follows.
    Blocked,
    /// The socket is broken.
    Failed,
}

/// One event for one session.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The `s`.
    pub seq: u64,
    /// The `t`.
    pub name: EventName,
    /// The `d`.
    pub body: &'a Bytes,
}

/// The events that wait for one session, in order. What is taken counts as written.
#[derive(Debug)]
pub struct Deliveries<'a> {
    log: &'a Log,
    pending: &'a mut VecDeque<u64>,
    pending_bytes: &'a mut usize,
    seq: u64,
    user: UserId,
    sees_all: bool,
}

impl<'a> Iterator for Deliveries<'a> {
    type Item = Delivery<'a>;

    fn next(&mut self) -> Option<Delivery<'a>> {
        let waiting = self.pending.len() as u64;
        let position = self.pending.pop_front()?;
        let entry = self.log.get(position)?;
        let whole = entry.dispatch()?.body.len();
        let (name, body) = entry.seen_by(self.user, self.sees_all)?;
        *self.pending_bytes = self.pending_bytes.saturating_sub(whole + WAITING_OVERHEAD);
        Some(Delivery {
            seq: self.seq + 1 - waiting,
            name,
            body,
        })
    }
}

impl<W> Lane<W> {
    /// Appends an entry to the log and gives its recipients their numbers.
    pub(super) fn deliver(&mut self, mut entry: Entry) {
        let position = self.log.next();
        let mut redacted_wanted = false;
        if let Some(dispatch) = entry.dispatch() {
            let bytes = dispatch.body.len() + WAITING_OVERHEAD;
            let own = matches!(entry.source, super::log::Source::Own(_));
            for &slot in entry.recipients.iter() {
                let Some(session) = self
                    .slots
                    .get_mut(slot as usize)
                    .and_then(|place| place.session.as_mut())
                else {
                    continue;
                };
                if !session.identity.admits(dispatch) {
                    continue;
                }
                redacted_wanted = redacted_wanted || !session.sees_content(dispatch);
                session.seq += 1;
                if session.wire.is_none() {
                    continue;
                }
                session.pending.push_back(position);
                // What a session asked for itself (READY, groups) does not make it slow.
                if !own {
                    session.pending_bytes += bytes;
                }
                if session.blocked {
                    if session.pending_bytes > self.config.outbox_bytes {
                        self.slow.push(slot);
                    }
                } else if !session.dirty {
                    session.dirty = true;
                    self.dirty.push(slot);
                }
            }
        }
        if redacted_wanted {
            let body = entry.dispatch().and_then(|dispatch| redact(&dispatch.body));
            entry.redacted = Some(body.map_or(Bytes::from_static(b"{}"), Bytes::from));
        }
        self.log.push(entry);
    }

    /// Hands every session that has something to send to `write`: its write side, the frames without a number, then
    /// its events. Effects: sessions whose socket broke, or that waited longer than the log reaches.
    pub fn flush(
        &mut self,
        out: &mut Vec<Effect<W>>,
        mut write: impl FnMut(SessionRef, &mut W, &mut Vec<Control>, Deliveries<'_>) -> Flush,
    ) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            let reference = self.session_ref(slot);
            let Some(session) = self
                .slots
                .get_mut(slot as usize)
                .and_then(|place| place.session.as_mut())
            else {
                continue;
            };
            if !std::mem::take(&mut session.dirty) {
                continue;
            }
            let base = self.log.base();
            if session.pending.front().is_some_and(|&first| first < base) {
                self.invalidate(slot, out);
                continue;
            }
            let Some(flushed) = session.flush(reference, &self.log, &mut write) else {
                continue;
            };
            match flushed {
                Flush::Done => {
                    if std::mem::take(&mut session.paced) {
                        out.push(Effect::Drained(reference));
                    }
                }
                Flush::Blocked => session.blocked = true,
                Flush::Failed => self.detach(slot, Vec::new(), None, out),
            }
        }
        self.dirty = dirty;
    }
}

impl<W> Session<W> {
    fn flush(
        &mut self,
        reference: SessionRef,
        log: &Log,
        write: &mut impl FnMut(SessionRef, &mut W, &mut Vec<Control>, Deliveries<'_>) -> Flush,
    ) -> Option<Flush> {
        /// Positions a session keeps room for.
        const KEPT: usize = 64;
        let sees_all = self.sees_all();
        let wire = self.wire.as_mut()?;
        let deliveries = Deliveries {
            log,
            pending: &mut self.pending,
            pending_bytes: &mut self.pending_bytes,
            seq: self.seq,
            user: self.identity.user,
            sees_all,
        };
        let flushed = write(reference, wire, &mut self.controls, deliveries);
        if self.pending.is_empty() {
            self.pending_bytes = 0;
            if self.pending.capacity() > KEPT {
                self.pending = VecDeque::new();
            }
        }
        if self.controls.is_empty() && self.controls.capacity() > 0 {
            self.controls = Vec::new();
        }
        Some(flushed)
    }
}
