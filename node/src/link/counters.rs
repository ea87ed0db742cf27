//! What the links count: connections that were refused, by reason; and the traffic of each peer.

use std::sync::atomic::{AtomicU64, Ordering};

use rookery_protocol::cluster::Verdict;
use rookery_protocol::document::IncarnationId;

use super::scan::Violation;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Why a connection or a frame of somebody was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Refusal { $($(#[$doc])* $name),* }

        impl Refusal {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// A constant name, for counters and logs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

refusals! {
    /// There were too many connections in their handshake.
    Busy = "busy",
    /// The handshake was not over in time.
    Late = "late",
    /// The connection ended in its handshake: a node that looks whether somebody listens, or a port scan.
    Closed = "closed",
    /// No TLS, or none that ours speaks.
    Tls = "tls",
    /// There was no certificate.
    NoCertificate = "no_certificate",
    /// The certificate is not of this cluster's authority.
    Foreign = "foreign_certificate",
    /// The certificate is expired, or not valid yet.
    Expired = "expired_certificate",
    /// The certificate cannot be used for another reason.
    Certificate = "bad_certificate",
    /// What came after TLS was no greeting.
    Greeting = "bad_greeting",
    /// The name is not the certificate's.
    Name = "wrong_name",
    /// Another incarnation than the one that was dialled, or an older one than is known.
    Old = "old_incarnation",
    /// The other end dials, the one with the smaller name.
    Direction = "wrong_direction",
    /// There are as many links as there may be.
    Full = "full",
    /// A message was longer than it may be.
    TooLong = "too_long",
    /// ractor's messages came in a wrong order, or could not be read.
    Protocol = "bad_protocol",
    /// More came than an honest peer sends.
    Flood = "flood",
    /// A frame could not be read.
    Junk = "junk_frame",
    /// A frame of no link: of one that is gone, or in another's name.
    Stray = "stray_frame",
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::TooLong => Self::TooLong,
            Violation::Unreadable | Violation::TooEarly => Self::Protocol,
            Violation::Name => Self::Name,
            Violation::TooMany => Self::Flood,
        }
    }
}

impl From<Verdict> for Refusal {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            // A welcome is none; it is not asked for.
            Verdict::Welcome => Self::Greeting,
            Verdict::Name => Self::Name,
            Verdict::Old => Self::Old,
            Verdict::Direction => Self::Direction,
            Verdict::Full => Self::Full,
        }
    }
}

/// Refusals by reason.
#[derive(Debug)]
pub(super) struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    pub(super) fn count(&self, refusal: Refusal) {
        let mut all = Refusal::ALL.iter().zip(&self.0);
        if let Some((_, counter)) = all.find(|(reason, _)| **reason == refusal) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> Vec<(Refusal, u64)> {
        let read =
            |(&reason, counter): (&Refusal, &AtomicU64)| (reason, counter.load(Ordering::Relaxed));
        let all = Refusal::ALL.iter().zip(&self.0).map(read);
        all.filter(|(_, count)| *count > 0).collect()
    }
}

/// The traffic with one peer, over all links to it.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) sent: Count,
    pub(super) received: Count,
    pub(super) dropped: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) links: AtomicU64,
}

/// Envelopes and the bytes of their frames.
#[derive(Debug, Default)]
pub(super) struct Count {
    envelopes: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    pub(super) fn add(&self, envelopes: usize, bytes: usize) {
        self.envelopes
            .fetch_add(envelopes as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn read(&self) -> Volume {
        Volume {
            envelopes: self.envelopes.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// An amount of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// How many envelopes.
    pub envelopes: u64,
    /// Bytes of the frames they were in.
    pub bytes: u64,
}

/// What is counted of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCounters {
    /// Which node; the incarnation is the one of the last link.
    pub peer: IncarnationId,
    /// Whether there is a link.
    pub is_up: bool,
    /// How many links there have been.
    pub links: u64,
    /// Bytes that are queued for it or not acknowledged by it.
    pub queued_bytes: u64,
    /// What it was sent.
    pub sent: Volume,
    /// What came from it.
    pub received: Volume,
    /// Envelopes that may be lost and gave way.
    pub dropped: u64,
    /// Envelopes that were refused because the budget was used up.
    pub refused: u64,
}

impl PeerCounters {
    pub(super) fn new(peer: IncarnationId, is_up: bool, queued: usize, of: &Traffic) -> Self {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            peer,
            is_up,
            links: read(&of.links),
            queued_bytes: queued as u64,
            sent: of.sent.read(),
            received: of.received.read(),
            dropped: read(&of.dropped),
            refused: read(&of.refused),
        }
    }
}

/// What the links of a node count, since they were started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Every peer there was a link with, by name.
    pub peers: Vec<PeerCounters>,
    /// Refusals by reason, without those that did not occur.
    pub refusals: Vec<(Refusal, u64)>,
}

impl Counters {
    /// How often something was refused for a reason.
    pub fn refusals_of(&self, reason: Refusal) -> u64 {
        let found = self.refusals.iter().find(|(other, _)| *other == reason);
        found.map_or(0, |(_, count)| *count)
    }
}
