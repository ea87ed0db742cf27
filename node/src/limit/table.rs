//! The buckets of one node: a bounded table that forgets buckets once they are full again.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;
use rookery_protocol::time::Millis;

use super::{Decision, Quota, Take};

/// Independent parts of the table, so that requests rarely wait for each other.
const SHARDS: usize = 32;
/// Buckets a part holds: about 150 bytes each, 20 MB in all.
const BUCKETS_PER_SHARD: usize = 4_096;

/// A table of token buckets.
#[derive(Debug)]
pub struct Limiter<K> {
    shards: Vec<Mutex<HashMap<K, u64>>>,
    hasher: RandomState,
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
        let now_us = us(now);
        let mut buckets = self.shard(&key).lock();
        let full_at = buckets.get(&key).map_or(now_us, |&at| at.max(now_us));
        let (decision, full_in) = Decision::ask(full_at - now_us, quota);
        if decision.is_allowed {
            set(&mut buckets, key, now_us.saturating_add(full_in), now_us);
        }
        decision
    }

    fn shard(&self, key: &K) -> &Mutex<HashMap<K, u64>> {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        &self.shards[shard]
    }
}

impl Limiter<String> {
    /// Takes a token of each bucket in order, up to the first that has none.
    pub(crate) fn take_each(&self, takes: &[Take], now: Millis) -> Vec<Decision> {
        let mut decisions = Vec::with_capacity(takes.len());
        for take in takes {
            let decision = self.take(take.bucket.clone(), take.quota, now);
            decisions.push(decision);
            if !decision.is_allowed {
                break;
            }
        }
        decisions
    }

    /// In how many microseconds a bucket is full, as far as this table knows.
    pub(crate) fn full_in(&self, bucket: &String, now: Millis) -> u64 {
        let buckets = self.shard(bucket).lock();
        let full_at = buckets.get(bucket).copied().unwrap_or(0);
        full_at.saturating_sub(us(now))
    }

    /// Learns that a bucket will not be full before so many microseconds have passed.
    pub(crate) fn learn(&self, bucket: &str, full_in_us: u64, now: Millis) {
        let now_us = us(now);
        let key = bucket.to_owned();
        let mut buckets = self.shard(&key).lock();
        let known = buckets.get(&key).copied().unwrap_or(0);
        let full_at = now_us.saturating_add(full_in_us);
        if full_at > known {
            set(&mut buckets, key, full_at, now_us);
        }
    }
}

impl<K: Hash + Eq> Default for Limiter<K> {
    fn default() -> Self {
        Self::new()
    }
}

fn us(now: Millis) -> u64 {
    now.0.saturating_mul(1_000)
}

fn set<K: Hash + Eq>(buckets: &mut HashMap<K, u64>, key: K, full_at: u64, now_us: u64) {
    if !buckets.contains_key(&key) && buckets.len() >= BUCKETS_PER_SHARD {
        make_room(buckets, now_us);
    }
    buckets.insert(key, full_at);
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

    #[test]
    fn what_is_learned_only_takes_tokens_away() {
        let limiter = Limiter::new();
        let bucket = "ada".to_owned();
        limiter.learn(&bucket, 5_000_000, at(0));
        assert_eq!(limiter.full_in(&bucket, at(1_000)), 4_000_000);
        assert!(!limiter.take(bucket.clone(), QUOTA, at(0)).is_allowed);
        limiter.learn(&bucket, 1_000, at(0));
        assert!(!limiter.take(bucket.clone(), QUOTA, at(0)).is_allowed);
        assert_eq!(limiter.take(bucket, QUOTA, at(5_000)).remaining, 4);
    }
}
