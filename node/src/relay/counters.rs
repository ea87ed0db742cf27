//! What a lane counts: relaxed atomics, added to once per wake.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A lane's counters. Gauges are set, the others only rise.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: AtomicU64),* }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct CountersView { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            /// Their values now.
            pub fn view(&self) -> CountersView {
                CountersView { $($name: self.$name.load(Relaxed)),* }
            }

            /// Adds what was counted since the last time.
            pub fn add(&self, more: &CountersView) {
                $(if more.$name > 0 { self.$name.fetch_add(more.$name, Relaxed); })*
            }
        }

        impl CountersView {
            /// The names with their values, for metrics.
            pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// The sum over lanes.
            #[must_use]
            pub fn plus(self, other: Self) -> Self {
                Self { $($name: self.$name + other.$name),* }
            }
        }
    };
}

counters! {
    /// Frames of entities taken.
    frames,
    /// Frames an inbox had no room for; each is healed from the event log.
    overflows,
    /// Events written to sessions.
    deliveries,
    /// Bytes handed to sockets.
    bytes,
    /// System calls that wrote.
    writes,
    /// Writes of which a remainder was left.
    partial_writes,
    /// Sockets closed because their client reads too slowly.
    slow_closes,
    /// Gaps that were read from the event log.
    heals,
    /// Sessions opened.
    opened,
    /// Resumes that were exact.
    resumed,
    /// Resumes that were refused.
    refused,
    /// Gauge: sessions, detached ones included.
    sessions,
    /// Gauge: topics followed.
    topics,
    /// Gauge: bytes of the replay log.
    log_bytes,
}
