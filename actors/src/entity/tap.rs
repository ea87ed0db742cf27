//! Taps: who looks on sees what an entity handles. Bounded: what nobody has taken in time is counted and dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::inspect::{TraceLine, TracePart};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::counters::Counters;

/// What one trace has seen and nobody has taken yet.
#[derive(Debug)]
struct Tap {
    entity: EntityRef,
    /// Tapped as long as this is; an entity that is started anew has others.
    counters: Arc<Counters>,
    seen: VecDeque<TraceLine>,
    skipped: u64,
    asked: Millis,
}

/// The taps of a node.
#[derive(Debug, Default)]
pub(super) struct Taps {
    taps: Mutex<HashMap<u64, Tap>>,
    /// So that it costs nothing while there are none.
    count: AtomicUsize,
}

/// There are as many taps as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyTraces;

impl Taps {
    /// What a trace has seen since it was last asked; the first time begins it.
    pub(super) fn take(
        &self,
        trace: u64,
        entity: EntityRef,
        counters: &Arc<Counters>,
        now: Millis,
    ) -> Result<TracePart, TooManyTraces> {
        let mut taps = self.taps.lock();
        if !taps.contains_key(&trace) && taps.len() >= limits::TRACES {
            return Err(TooManyTraces);
        }
        let tap = taps.entry(trace).or_insert_with(|| Tap {
            entity,
            counters: Arc::clone(counters),
            seen: VecDeque::new(),
            skipped: 0,
            asked: now,
        });
        tap.asked = now;
        if !Arc::ptr_eq(&tap.counters, counters) {
            tap.counters = Arc::clone(counters);
        }
        tap.counters.tap(true);
        let part = TracePart {
            lines: std::mem::take(&mut tap.seen).into(),
            skipped: std::mem::take(&mut tap.skipped),
            moved: false,
        };
        self.count.store(taps.len(), Relaxed);
        Ok(part)
    }

    /// Shows a message to those who look on.
    pub(super) fn show(&self, entity: EntityRef, line: &TraceLine) {
        let mut taps = self.taps.lock();
        for tap in taps.values_mut().filter(|tap| tap.entity == entity) {
            if tap.seen.len() >= limits::TRACE_LINES {
                tap.skipped += 1;
            } else {
                tap.seen.push_back(line.clone());
            }
        }
    }

    /// Ends the traces that nobody asks for any more.
    pub(super) fn sweep(&self, now: Millis) {
        if self.count.load(Relaxed) == 0 {
            return;
        }
        let mut taps = self.taps.lock();
        let ended: Vec<Arc<Counters>> = taps
            .extract_if(|_, tap| now.since(tap.asked) > limits::TRACE_IDLE_MS)
            .map(|(_, tap)| tap.counters)
            .collect();
        for counters in ended {
            let is_seen = taps
                .values()
                .any(|tap| Arc::ptr_eq(&tap.counters, &counters));
            counters.tap(is_seen);
        }
        self.count.store(taps.len(), Relaxed);
    }
}
