//! What a worker does, counted: relaxed atomics that anybody may read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What media workers did since they were started, and do now.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct MediaLoad {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl MediaLoad {
            /// Each figure with its name.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }

            /// Adds another worker's.
            pub(super) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        /// A worker's counters.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: AtomicU64,)*
        }

        impl Counters {
            pub(super) fn read(&self) -> MediaLoad {
                MediaLoad { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Rooms that are open.
    rooms,
    /// Peers in them.
    peers,
    /// Datagrams a second, in and out, in the last second.
    packets_per_second,
    /// Bits a second, in and out, in the last second.
    bits_per_second,
    /// Datagrams that came.
    received,
    /// Bytes that came.
    received_bytes,
    /// Datagrams that were sent.
    sent,
    /// Bytes that were sent.
    sent_bytes,
    /// RTP packets that were passed on, once for each who got them.
    forwarded,
    /// Dropped: from an address that nobody has, or with a name that nobody has.
    unknown,
    /// Dropped: no STUN, DTLS, RTP or RTCP, or broken.
    malformed,
    /// Dropped: from more addresses or with more SSRCs than a peer may have.
    flooded,
    /// Dropped: a session would not take it.
    refused,
    /// Dropped: the socket could not send as fast.
    overflowed,
    /// Dropped: no way to where it should go.
    unsendable,
    /// Sessions that failed or panicked.
    failed,
}

impl Counters {
    /// How much there is to do, to choose a worker for a room: its traffic, and its rooms for those that have just opened.
    pub(super) fn weight(&self) -> u64 {
        self.packets_per_second.load(Relaxed) + self.rooms.load(Relaxed) * 50
    }
}

/// Adds to a counter.
pub(super) fn count(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Relaxed);
}
