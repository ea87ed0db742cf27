//! Rate limits: a token bucket per (who, what), in a bounded table that forgets buckets once they are full again.
//!
//! A bucket is one number, the instant at which it will be full ("generic cell rate algorithm"): a request takes a
//! share of its period, and is refused while that would lie more than a period ahead.

mod quota;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;
use rookery_protocol::time::Millis;

pub use quota::Quota;

/// Independent parts of the table, so that requests rarely wait for each other.
const SHARDS: usize = 32;
/// Buckets a part holds: about 100 bytes each, 13 MB in all.
const BUCKETS_PER_SHARD: usize = 4_096;

/// A table of token buckets.
#[derive(Debug)]
pub struct Limiter<K> {
    shards: Vec<Mutex<HashMap<K, u64>>>,
    hasher: RandomState,
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

impl<K: Hash + Eq> Limiter<K> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Takes a token of the bucket `key`, if there is one.
    pub fn take(&self, key: K, quota: Quota, now: Millis) -> Decision {
        let now_us = now.0.saturating_mul(1_000);
        let shard = usize::try_from(self.hasher.hash_one(&key) % SHARDS as u64).unwrap_or(0);
        let mut buckets = self.shards[shard].lock();
        let full_at = buckets.get(&key).map_or(now_us, |&at| at.max(now_us));
        let next = full_at.saturating_add(quota.share_us());
        let ahead = next - now_us;
        if ahead > quota.period_us() {
            return Decision {
                is_allowed: false,
                limit: quota.count,
                remaining: 0,
                reset_after_ms: (full_at - now_us).div_ceil(1_000),
                retry_after_ms: (ahead - quota.period_us()).div_ceil(1_000),
            };
        }
        if !buckets.contains_key(&key) && buckets.len() >= BUCKETS_PER_SHARD {
            make_room(&mut buckets, now_us);
        }
        buckets.insert(key, next);
        let left = (quota.period_us() - ahead) / quota.share_us();
        Decision {
            is_allowed: true,
            limit: quota.count,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            reset_after_ms: ahead.div_ceil(1_000),
            retry_after_ms: 0,
        }
    }
}

impl<K: Hash + Eq> Default for Limiter<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Forgets the buckets that are full again; if there are none, the half that will be full soonest.
fn make_room<K: Hash + Eq>(buckets: &mut HashMap<K, u64>, now_us: u64) {
    buckets.retain(|_, full_at| *full_at > now_us);
    if buckets.len() < BUCKETS_PER_SHARD {
        return;
    }
    let mut instants: Vec<u64> = buckets.values().copied().collect();
    let middle = instants.len() / 2;
    let (_, &mut median, _) = instants.select_nth_unstable(middle);
    buckets.retain(|_, full_at| *full_at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        count: 5,
        period_ms: 5_000,
    };

    fn at(ms: u64) -> Millis {
        Millis(1_000_000 + ms)
    }

    #[test]
    fn a_full_bucket_gives_its_tokens_at_once_and_then_one_per_share() {
        let limiter = Limiter::new();
        for remaining in (0..5).rev() {
            let decision = limiter.take("ada", QUOTA, at(0));
            assert!(decision.is_allowed);
            assert_eq!(decision.remaining, remaining);
            assert_eq!(decision.reset_after_ms, 1_000 * u64::from(5 - remaining));
        }
        let refused = limiter.take("ada", QUOTA, at(400));
        assert!(!refused.is_allowed);
        assert_eq!(
            (refused.retry_after_ms, refused.reset_after_ms),
            (600, 4_600)
        );
        assert!(limiter.take("ben", QUOTA, at(400)).is_allowed);
        assert!(!limiter.take("ada", QUOTA, at(999)).is_allowed);
        assert!(limiter.take("ada", QUOTA, at(1_000)).is_allowed);
        assert!(!limiter.take("ada", QUOTA, at(1_000)).is_allowed);
        assert_eq!(limiter.take("ada", QUOTA, at(60_000)).remaining, 4);
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_the_buckets_in_debt() {
        let limiter = Limiter::new();
        for _ in 0..5 {
            limiter.take(u64::MAX, QUOTA, at(0));
        }
        let flood = 2 * (SHARDS * BUCKETS_PER_SHARD) as u64;
        for key in 0..flood {
            limiter.take(key, QUOTA, at(0));
        }
        let held: usize = limiter.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(held <= SHARDS * BUCKETS_PER_SHARD, "{held}");
        assert!(!limiter.take(u64::MAX, QUOTA, at(0)).is_allowed);
    }
}
