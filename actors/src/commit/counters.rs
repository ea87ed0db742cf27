//! Counters of a commit lane: relaxed atomics, written by the lane, read by whoever inspects it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How a lane is doing. A copy; the figures of one copy may be an instant apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitCounters {
    /// Commits that were acknowledged.
    pub commits: u64,
    /// Units in them.
    pub units: u64,
    /// Units of them that were refused.
    pub refused: u64,
    /// Times the outcome of a commit was unknown.
    pub unknown: u64,
    /// Units whose outcome is outstanding: waiting or in flight.
    pub outstanding: u64,
    /// Units in the latest commit.
    pub last_batch: u64,
    /// The latest commit in nanoseconds, from handing it to the store to its acknowledgement.
    pub last_ns: u64,
    /// The slowest commit in nanoseconds.
    pub slowest_ns: u64,
    /// Nanoseconds spent in commits.
    pub busy_ns: u64,
}

#[derive(Debug, Default)]
pub(super) struct Cells {
    commits: AtomicU64,
    units: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    outstanding: AtomicU64,
    last_batch: AtomicU64,
    last_ns: AtomicU64,
    slowest_ns: AtomicU64,
    busy_ns: AtomicU64,
}

impl Cells {
    pub(super) fn submitted(&self) {
        self.outstanding.fetch_add(1, Relaxed);
    }

    pub(super) fn settled(&self, units: u64) {
        self.outstanding.fetch_sub(units, Relaxed);
    }

    pub(super) fn unknown(&self) {
        self.unknown.fetch_add(1, Relaxed);
    }

    pub(super) fn committed(&self, units: u64, refused: u64, ns: u64) {
        self.commits.fetch_add(1, Relaxed);
        self.units.fetch_add(units, Relaxed);
        self.refused.fetch_add(refused, Relaxed);
        self.last_batch.store(units, Relaxed);
        self.last_ns.store(ns, Relaxed);
        self.slowest_ns.fetch_max(ns, Relaxed);
        self.busy_ns.fetch_add(ns, Relaxed);
    }

    pub(super) fn read(&self) -> CommitCounters {
        CommitCounters {
            commits: self.commits.load(Relaxed),
            units: self.units.load(Relaxed),
            refused: self.refused.load(Relaxed),
            unknown: self.unknown.load(Relaxed),
            outstanding: self.outstanding.load(Relaxed),
            last_batch: self.last_batch.load(Relaxed),
            last_ns: self.last_ns.load(Relaxed),
            slowest_ns: self.slowest_ns.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
        }
    }
}
