//! How long messages of each kind wait and are handled, over all actors of a node.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::RwLock;
use rookery_protocol::inspect::{ActorKind, KindRow};
use rustc_hash::FxHashMap;

use super::counters::Handled;

/// Nanoseconds that the first bucket ends at; each of the others ends at twice the one before.
const FIRST_NS: u64 = 1_024;

/// Buckets: the last one takes what is longer than half a minute.
const BUCKETS: usize = 26;

/// Durations, counted in buckets of powers of two.
#[derive(Debug, Default)]
struct Histogram([AtomicU64; BUCKETS]);

/// The counts of the buckets, the shortest first.
pub type Buckets = [u64; BUCKETS];

impl Histogram {
    fn record(&self, ns: u64) {
        let above = u64::BITS - (ns / FIRST_NS).leading_zeros();
        let index = usize::try_from(above).unwrap_or(0).min(BUCKETS - 1);
        self.0[index].fetch_add(1, Relaxed);
    }

    fn read(&self) -> Buckets {
        std::array::from_fn(|index| self.0[index].load(Relaxed))
    }
}

/// Where a bucket ends, in nanoseconds.
pub fn bucket_end_ns(index: usize) -> u64 {
    FIRST_NS << index.min(BUCKETS - 1)
}

/// Nanoseconds that a share of what was counted took at most: the end of its bucket, 0 if nothing was counted.
pub fn percentile_ns(buckets: &Buckets, percent: u64) -> u64 {
    let count: u64 = buckets.iter().sum();
    let rank = (count * percent).div_ceil(100);
    let mut seen = 0;
    for (index, bucket) in buckets.iter().enumerate() {
        seen += bucket;
        if rank > 0 && seen >= rank {
            return bucket_end_ns(index);
        }
    }
    0
}

#[derive(Debug, Default)]
struct Stats {
    wait: Histogram,
    handle: Histogram,
    busy_ns: AtomicU64,
}

impl Stats {
    fn record(&self, handled: Handled) {
        self.wait.record(handled.wait_ns);
        self.handle.record(handled.busy_ns);
        self.busy_ns.fetch_add(handled.busy_ns, Relaxed);
    }
}

/// Messages of one kind at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindView {
    /// What handled them.
    pub actor: ActorKind,
    /// Their name.
    pub kind: &'static str,
    /// How long they waited.
    pub wait: Buckets,
    /// How long handling them took.
    pub handle: Buckets,
    /// The same in all, in nanoseconds.
    pub busy_ns: u64,
}

impl KindView {
    /// The same with percentiles.
    pub fn row(&self) -> KindRow {
        KindRow {
            actor: self.actor,
            kind: self.kind.to_owned(),
            count: self.handle.iter().sum(),
            wait_p50_us: percentile_ns(&self.wait, 50) / 1_000,
            wait_p99_us: percentile_ns(&self.wait, 99) / 1_000,
            handle_p50_us: percentile_ns(&self.handle, 50) / 1_000,
            handle_p99_us: percentile_ns(&self.handle, 99) / 1_000,
        }
    }
}

/// The kinds of messages that a node's actors have handled. There are as many as the code names.
#[derive(Debug, Default)]
pub struct Kinds(RwLock<FxHashMap<(ActorKind, &'static str), Stats>>);

impl Kinds {
    /// Notes how a message was handled.
    pub fn record(&self, actor: ActorKind, kind: &'static str, handled: Handled) {
        if let Some(stats) = self.0.read().get(&(actor, kind)) {
            stats.record(handled);
            return;
        }
        let mut all = self.0.write();
        all.entry((actor, kind)).or_default().record(handled);
    }

    /// All of them.
    pub fn view(&self) -> Vec<KindView> {
        let all = self.0.read();
        let views = all.iter().map(|(&(actor, kind), stats)| KindView {
            actor,
            kind,
            wait: stats.wait.read(),
            handle: stats.handle.read(),
            busy_ns: stats.busy_ns.load(Relaxed),
        });
        views.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_so_long_is_in_the_bucket_that_ends_above_it() {
        for (ns, end) in [
            (0, 1_024),
            (1_023, 1_024),
            (1_024, 2_048),
            (5_000, 8_192),
            (1_000_000, 1_048_576),
            (u64::MAX, FIRST_NS << (BUCKETS - 1)),
        ] {
            let histogram = Histogram::default();
            histogram.record(ns);
            assert_eq!(percentile_ns(&histogram.read(), 50), end, "{ns}");
        }
    }

    #[test]
    fn a_percentile_is_the_bucket_that_so_many_do_not_exceed() {
        let histogram = Histogram::default();
        assert_eq!(percentile_ns(&histogram.read(), 99), 0);
        for _ in 0..98 {
            histogram.record(500);
        }
        histogram.record(3_000);
        histogram.record(3_000_000);
        let buckets = histogram.read();
        assert_eq!(percentile_ns(&buckets, 50), 1_024);
        assert_eq!(percentile_ns(&buckets, 98), 1_024);
        assert_eq!(percentile_ns(&buckets, 99), 4_096);
        assert_eq!(percentile_ns(&buckets, 100), 4_194_304);
    }

    #[test]
    fn kinds_are_apart_by_actor_and_name() {
        let kinds = Kinds::default();
        let handled = Handled {
            wait_ns: 10,
            busy_ns: 2_000,
        };
        kinds.record(ActorKind::User, "Attach", handled);
        kinds.record(ActorKind::Group, "Attach", handled);
        kinds.record(ActorKind::Group, "Attach", handled);
        let mut rows: Vec<_> = kinds.view().iter().map(KindView::row).collect();
        rows.sort_by_key(|row| row.actor);
        let counts: Vec<_> = rows.iter().map(|row| (row.actor, row.count)).collect();
        assert_eq!(counts, [(ActorKind::User, 1), (ActorKind::Group, 2)]);
        assert_eq!((rows[0].wait_p50_us, rows[0].handle_p50_us), (1, 2));
    }
}
