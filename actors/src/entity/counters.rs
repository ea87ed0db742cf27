//! What is counted of every entity; relaxed atomics, read by the console while the entity works.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// Counters of one entity. They outlive its restarts.
#[derive(Debug, Default)]
pub struct Counters {
    enqueued: AtomicU64,
    handled: AtomicU64,
    busy_ns: AtomicU64,
    slowest_ns: AtomicU64,
    slowest_kind: Mutex<&'static str>,
    restarts: AtomicU64,
    last_active_ms: AtomicU64,
}

/// Counters at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountersView {
    /// Messages ever put into the mailbox.
    pub enqueued: u64,
    /// Messages ever taken out of it and done with.
    pub handled: u64,
    /// Nanoseconds spent handling.
    pub busy_ns: u64,
    /// Nanoseconds of the slowest message.
    pub slowest_ns: u64,
    /// The kind of the slowest message; empty before the first.
    pub slowest_kind: &'static str,
    /// How often it crashed and was started again.
    pub restarts: u64,
    /// When it last handled a message, in milliseconds since the Unix epoch.
    pub last_active_ms: u64,
}

impl CountersView {
    /// Messages that wait.
    pub fn depth(&self) -> u64 {
        self.enqueued.saturating_sub(self.handled)
    }
}

impl Counters {
    pub(crate) fn enqueue(&self) {
        self.enqueued.fetch_add(1, Relaxed);
    }

    pub(crate) fn handle(&self, kind: &'static str, ns: u64, now_ms: u64) {
        self.handled.fetch_add(1, Relaxed);
        self.busy_ns.fetch_add(ns, Relaxed);
        self.last_active_ms.store(now_ms, Relaxed);
        if ns > self.slowest_ns.load(Relaxed) {
            self.slowest_ns.store(ns, Relaxed);
            *self.slowest_kind.lock() = kind;
        }
    }

    /// Counts a restart; what was in the lost mailbox counts as handled.
    pub(super) fn restart(&self) {
        self.restarts.fetch_add(1, Relaxed);
        self.handled.store(self.enqueued.load(Relaxed), Relaxed);
    }

    pub(super) fn touch(&self, now_ms: u64) {
        self.last_active_ms.store(now_ms, Relaxed);
    }

    /// Messages that wait.
    pub fn depth(&self) -> u64 {
        // Read in this order, a message counted in between makes the depth too large rather than negative.
        let handled = self.handled.load(Relaxed);
        self.enqueued.load(Relaxed).saturating_sub(handled)
    }

    /// All of them.
    pub fn view(&self) -> CountersView {
        CountersView {
            handled: self.handled.load(Relaxed),
            enqueued: self.enqueued.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
            slowest_ns: self.slowest_ns.load(Relaxed),
            slowest_kind: *self.slowest_kind.lock(),
            restarts: self.restarts.load(Relaxed),
            last_active_ms: self.last_active_ms.load(Relaxed),
        }
    }
}
