//! The requests of other nodes: what was done of them lately, and what is under way.
//!
//! A command may be sent again because its answer was lost, and may then meet the same life of the entity, its next life,
//! or its next owner. So what was answered is a row in the commit of what was done, kept for as long as anybody repeats.
//! The answer is kept as a document and not made anew: the state it was made from may be gone.
//!
//! What changes nothing leaves no row: asked again it is done again.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bson::RawDocumentBuf;
use rookery_protocol::command::{Answer, RequestId};
use rookery_protocol::document::{Key, RequestRow, Requests as Table};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits::{REQUEST_MS, REQUESTS_PER_ENTITY};
use rookery_protocol::time::Millis;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::core::ReplyTo;
use crate::store::{self, Write};

/// Milliseconds by which rows may outlive [`REQUEST_MS`], so that many of them go with one deletion.
const SLACK_MS: u64 = 5_000;

/// So many are forgotten before the entity sleeps: time counts only while it lives, so a row of one that lives shortly
/// and often would never be old.
const FORGET_FROM: usize = 256;

/// The most that two steps count as apart. Time is counted here as the entity lived it: a clock that is set forward, or
/// that of the owner before, must not make it forget.
const STEP_MS: u64 = 1_000;

/// What a request is.
#[derive(Debug, PartialEq)]
pub(super) enum Known<R> {
    /// It was not seen before; it is under way from now on.
    New,
    /// It is under way: who asks again is answered with the first.
    UnderWay,
    /// It was done, and this was the answer.
    Done(Answer<R>),
    /// Too many are remembered: nothing was done.
    Full,
}

/// One that was done.
#[derive(Debug)]
struct Done {
    n: u64,
    request: RequestId,
    /// On [`Requests::clock`].
    at: u64,
    answer: Option<RawDocumentBuf>,
}

/// The requests of one entity.
#[derive(Debug)]
pub(super) struct Requests {
    entity: EntityRef,
    /// Oldest first.
    done: VecDeque<Done>,
    /// Their numbers.
    numbers: HashMap<RequestId, u64>,
    /// Who waits for those under way.
    waiting: BTreeMap<RequestId, Vec<ReplyTo>>,
    /// The first asker of each.
    asked: HashMap<ReplyTo, RequestId>,
    next: u64,
    clock: u64,
    last_step: Millis,
}

impl Requests {
    /// As they were loaded.
    pub(super) fn new(entity: EntityRef, rows: BTreeMap<u64, RequestRow>, now: Millis) -> Self {
        let next = rows.last_key_value().map_or(1, |(&n, _)| n + 1);
        let done = |(n, row): (u64, RequestRow)| Done {
            n,
            request: row.request,
            at: 0,
            answer: row.answer,
        };
        let done: VecDeque<_> = rows.into_iter().map(done).collect();
        Self {
            entity,
            numbers: done.iter().map(|done| (done.request, done.n)).collect(),
            done,
            waiting: BTreeMap::new(),
            asked: HashMap::new(),
            next,
            clock: 0,
            last_step: now,
        }
    }

    /// A step begins.
    pub(super) fn at(&mut self, now: Millis) {
        self.clock += now.since(self.last_step).min(STEP_MS);
        self.last_step = now;
    }

    /// A request comes in.
    pub(super) fn admit<R: DeserializeOwned>(
        &mut self,
        request: RequestId,
        reply: ReplyTo,
        is_full: bool,
    ) -> Known<R> {
        if let Some(&n) = self.numbers.get(&request) {
            return Known::Done(self.answer(n));
        }
        if let Some(waiting) = self.waiting.get_mut(&request) {
            waiting.push(reply);
            return Known::UnderWay;
        }
        let is_recent = |done: &Done| self.clock - done.at < REQUEST_MS;
        let is_full = is_full
            || self.done.len() + self.waiting.len() >= REQUESTS_PER_ENTITY
                && self.done.front().is_none_or(is_recent);
        if is_full {
            return Known::Full;
        }
        self.waiting.insert(request, Vec::new());
        self.asked.insert(reply, request);
        Known::New
    }

    /// What was answered to the `n`-th.
    fn answer<R: DeserializeOwned>(&self, n: u64) -> Answer<R> {
        let place = self.done.binary_search_by_key(&n, |done| done.n).ok();
        let kept = place.and_then(|place| self.done.get(place)?.answer.as_ref());
        let answer = kept.and_then(|kept| bson::deserialize_from_slice(kept.as_bytes()).ok());
        // It was done; how it was answered is not known any more.
        answer.unwrap_or_else(|| Err(ErrorCode::Unavailable.into()))
    }

    /// Whether a command is under way that came with a request.
    pub(super) fn are_waited_for(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The state is void: those who asked again for what was under way will not be answered with the first.
    pub(super) fn give_up(&mut self) -> Vec<ReplyTo> {
        self.asked.clear();
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().flatten().collect()
    }

    /// A command is answered in a step that writes something or not. Returns who else waits for the answer.
    pub(super) fn answered<R: Serialize>(
        &mut self,
        reply: ReplyTo,
        answer: &Answer<R>,
        writes: &mut Vec<Write>,
        does_write: bool,
    ) -> Vec<ReplyTo> {
        let Some(request) = self.asked.remove(&reply) else {
            return Vec::new();
        };
        if does_write {
            let answer = bson::serialize_to_raw_document_buf(answer).ok();
            let row = RequestRow { request, answer };
            writes.push(store::put::<Table>(Key::new(self.entity, self.next), &row));
            self.numbers.insert(request, self.next);
            self.done.push_back(Done {
                n: self.next,
                request,
                at: self.clock,
                answer: row.answer,
            });
            self.next += 1;
        }
        self.waiting.remove(&request).unwrap_or_default()
    }

    /// Adds the deletion of all, if they are many and nothing came for so long that nobody repeats them any more.
    pub(super) fn forget(&mut self, idle_ms: u64, writes: &mut Vec<Write>) {
        if self.done.len() < FORGET_FROM || idle_ms < REQUEST_MS {
            return;
        }
        let done = std::mem::take(&mut self.done);
        self.numbers.clear();
        if let Some(last) = done.back() {
            writes.push(store::delete_up_to::<Table>(self.entity, last.n));
        }
    }

    /// Adds the deletion of those that are old enough, now and then.
    pub(super) fn trim(&mut self, writes: &mut Vec<Write>) {
        let age = self.done.front().map_or(0, |done| self.clock - done.at);
        if age < REQUEST_MS + SLACK_MS && self.done.len() < REQUESTS_PER_ENTITY {
            return;
        }
        let mut last = None;
        while let Some(old) = self
            .done
            .pop_front_if(|done| self.clock - done.at >= REQUEST_MS)
        {
            self.numbers.remove(&old.request);
            last = Some(old.n);
        }
        if let Some(last) = last {
            writes.push(store::delete_up_to::<Table>(self.entity, last));
        }
    }
}
