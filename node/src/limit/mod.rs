//! Rate limits: token buckets of requests, which the nodes of a cluster may share.
//!
//! A bucket is one number, the instant at which it will be full ("generic cell rate algorithm"): a request takes a
//! share of its period, and is refused while that would lie more than a period ahead.

mod quota;
mod table;

use async_trait::async_trait;
use rookery_protocol::time::Millis;

pub use quota::Quota;
pub use table::Limiter;

/// A token that a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Of which bucket.
    pub bucket: String,
    /// What the bucket holds.
    pub quota: Quota,
}

/// What a bucket says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request may go on; if so it has taken its token.
    pub is_allowed: bool,
    /// Tokens of a full bucket.
    pub limit: u32,
    /// Tokens left.
    pub remaining: u32,
    /// Milliseconds until it is full.
    pub reset_after_ms: u64,
    /// Milliseconds until there is a token; 0 for an allowed request.
    pub retry_after_ms: u64,
}

/// The buckets of requests.
#[async_trait]
pub trait Buckets: Send + Sync {
    /// Takes a token of each bucket in order, up to the first that has none: a decision for each that was asked.
    async fn take(&self, takes: &[Take], now: Millis) -> Vec<Decision>;
}

#[async_trait]
impl Buckets for Limiter<String> {
    async fn take(&self, takes: &[Take], now: Millis) -> Vec<Decision> {
        self.take_each(takes, now)
    }
}

impl Decision {
    /// Asks a bucket that will be full in `full_in_us` microseconds for a token. Also answers in how many it is full
    /// afterwards.
    fn ask(full_in_us: u64, quota: Quota) -> (Self, u64) {
        let is_allowed = quota.allows(full_in_us);
        let taken = if is_allowed { quota.share_us() } else { 0 };
        let full_in_us = full_in_us + taken;
        (Self::of(is_allowed, full_in_us, quota), full_in_us)
    }

    /// The decision of a bucket that now will be full in `full_in_us` microseconds.
    pub(crate) fn of(is_allowed: bool, full_in_us: u64, quota: Quota) -> Self {
        let room = quota.period_us().saturating_sub(full_in_us);
        let left = if is_allowed {
            room / quota.share_us()
        } else {
            0
        };
        let lacks = quota.share_us().saturating_sub(room);
        Self {
            is_allowed,
            limit: quota.count,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            reset_after_ms: full_in_us.div_ceil(1_000),
            retry_after_ms: if is_allowed { 0 } else { lacks.div_ceil(1_000) },
        }
    }
}
