//! Deleting of an entity's log what need not be kept any more, a little with each commit.

use std::collections::VecDeque;

use rookery_protocol::document::Events;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::log::Log;
use crate::store::{self, Write};

/// Events between two marks.
const MARK_EVERY: u64 = 256;

/// Milliseconds between two marks, when there are events.
const MARK_EVERY_MS: u64 = 60_000;

/// The most events that one commit deletes: it must end in time, however much earlier lives left.
const AT_ONCE: u64 = 2_000;

/// What is to be deleted of a log, and when.
#[derive(Debug)]
pub(super) struct Trim {
    /// Everything up to here is deleted.
    done: u64,
    /// Where the log stood at some times, oldest first: events up to the first are deleted when it is old enough.
    marks: VecDeque<(u64, Millis)>,
}

impl Trim {
    /// Of a log as it was loaded at `now`.
    pub(super) fn new(log: &Log, now: Millis) -> Self {
        let expired = (log.expired > 0).then_some((log.expired, Millis(0)));
        Self {
            done: log.oldest.saturating_sub(1),
            marks: expired.into_iter().chain([(log.gseq, now)]).collect(),
        }
    }

    /// Adds the deletion of events that are older or more than the log keeps; never of the newest one, `gseq`.
    pub(super) fn trim(&mut self, entity: EntityRef, gseq: u64, now: Millis, out: &mut Vec<Write>) {
        let is_over = |&(upto, at): &(u64, Millis)| {
            now.since(at) > limits::EVENT_MS
                || gseq.saturating_sub(upto) >= limits::EVENTS_PER_ENTITY
        };
        let mut last = None;
        while self.marks.front().is_some_and(is_over) {
            last = self.marks.pop_front();
        }
        if let Some((upto, at)) = last.filter(|&(upto, _)| upto > self.done && upto < gseq) {
            if upto - self.done > AT_ONCE {
                self.marks.push_front((upto, at));
            }
            self.done = upto.min(self.done + AT_ONCE);
            out.push(store::delete_up_to::<Events>(entity, self.done));
        }
        let (marked, at) = self.marks.back().copied().unwrap_or((0, Millis(0)));
        if gseq > marked && (gseq - marked >= MARK_EVERY || now.since(at) >= MARK_EVERY_MS) {
            self.marks.push_back((gseq, now));
        }
    }
}
