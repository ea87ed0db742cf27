//! Counters of what nodes share: relaxed atomics, read by whoever inspects it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How sharing goes. A copy; the figures of one copy may be an instant apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct EphemeralCounters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The cells behind [`EphemeralCounters`].
        #[derive(Debug, Default)]
        pub(super) struct Cells {
            $(pub(super) $name: Count,)*
        }

        impl Cells {
            pub(super) fn read(&self) -> EphemeralCounters {
                EphemeralCounters {
                    $($name: self.$name.0.load(Relaxed),)*
                }
            }
        }
    };
}

/// A number that rises.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Relaxed);
    }
}

counters! {
    /// Times Redis came within reach.
    arrivals,
    /// Times it was lost: away, too slow, or unwilling.
    losses,
    /// Requests it did not answer in time.
    late,
    /// Requests whose rate limits were counted in Redis.
    limits_shared,
    /// Requests whose rate limits were counted by this node alone: Redis was away, or this node knew that it would refuse.
    limits_alone,
    /// Profiles that Redis knew.
    profile_hits,
    /// Profiles that it did not.
    profile_misses,
    /// Profiles offered to it.
    profiles_offered,
    /// Offers that were dropped, to make room or because Redis was lost.
    offers_dropped,
    /// Changed accounts that other nodes were told of.
    voids_told,
    /// Times that too many of them waited, so that others were told to forget everything.
    voids_overflowed,
    /// Changed accounts that were heard of, own ones included.
    voids_heard,
    /// People whose presence other nodes were told.
    presences_told,
    /// People whose presence was heard of.
    presences_heard,
    /// Times that what another node says was read from the start.
    presence_readings,
}
