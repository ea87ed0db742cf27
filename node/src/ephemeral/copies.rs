//! Copies of what users own, bounded, and no older than what was heard of them: a copy that was read before it was heard
//! that there is a newer version is not kept, however late it comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rookery_actors::entity::Clock;
use rookery_protocol::ids::UserId;

/// Voids that are remembered for readings under way: 24 bytes each.
const REMEMBERED: usize = 4_096;

/// Told which copies are void.
pub trait Voided: Send + Sync {
    /// Copies of what `user` owns below `version` are void.
    fn void(&self, user: UserId, version: u64);
    /// Any copy may be void.
    fn void_all(&self);
}

/// What had been heard when a reading began; whoever wants a copy of it kept shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket(u64);

/// One kind of copies.
pub struct Copies<V> {
    cache: Cache<UserId, Copy<V>>,
    heard: Mutex<Heard>,
    clock: Arc<dyn Clock>,
}

struct Copy<V> {
    value: Arc<V>,
    version: u64,
    read_at_ns: u64,
}

impl<V> Clone for Copy<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            ..*self
        }
    }
}

/// The voids heard last.
#[derive(Debug, Default)]
struct Heard {
    /// How many were ever heard.
    count: u64,
    /// The last of them, oldest first.
    last: VecDeque<(UserId, u64)>,
}

impl Heard {
    fn push(&mut self, user: UserId, version: u64) {
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back((user, version));
        self.count += 1;
    }

    /// After this no reading that is under way is kept.
    fn forget(&mut self) {
        self.last.clear();
        self.count += 1;
    }

    /// Whether a version that was read since `ticket` is still the newest heard of.
    fn admits(&self, ticket: Ticket, user: UserId, version: u64) -> bool {
        let since = usize::try_from(self.count - ticket.0).unwrap_or(usize::MAX);
        since <= self.last.len()
            && !self
                .last
                .iter()
                .rev()
                .take(since)
                .any(|&(of, newer)| of == user && newer > version)
    }
}

impl<V> Copies<V> {
    /// No copies yet, and room for so many.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            cache: Cache::new(capacity),
            heard: Mutex::default(),
            clock,
        }
    }

    /// To be taken before something is read of which a copy may be kept.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.heard.lock().count)
    }

    /// The copy of what `user` owns, if it was read within `max_age`.
    pub fn get(&self, user: UserId, max_age: Option<Duration>) -> Option<Arc<V>> {
        let copy = self.cache.get(&user)?;
        let age = self.clock.monotonic_ns().saturating_sub(copy.read_at_ns);
        let is_fresh = max_age.is_none_or(|most| u128::from(age) < most.as_nanos());
        is_fresh.then_some(copy.value)
    }

    /// Keeps a copy, unless a newer version has been heard of since the reading began, or is kept already.
    pub fn keep(&self, ticket: Ticket, user: UserId, version: u64, value: Arc<V>) {
        let read_at_ns = self.clock.monotonic_ns();
        // Held over the insertion, so that no void comes between.
        let heard = self.heard.lock();
        let is_older = self
            .cache
            .peek(&user)
            .is_some_and(|known| known.version > version);
        if !is_older && heard.admits(ticket, user, version) {
            let copy = Copy {
                value,
                version,
                read_at_ns,
            };
            self.cache.insert(user, copy);
        }
    }
}

impl<V: Send + Sync> Voided for Copies<V> {
    fn void(&self, user: UserId, version: u64) {
        let mut heard = self.heard.lock();
        heard.push(user, version);
        self.cache.remove_if(&user, |known| known.version < version);
    }

    fn void_all(&self) {
        let mut heard = self.heard.lock();
        heard.forget();
        self.cache.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use rookery_protocol::time::Millis;

    use rookery_actors::ownership::Boot;

    use super::*;

    const ADA: UserId = UserId(1);
    const BEN: UserId = UserId(2);

    /// A clock that stands still until it is told to go on.
    #[derive(Default)]
    struct Still(AtomicU64);

    impl Clock for Still {
        fn now(&self) -> Millis {
            Millis(self.0.load(Relaxed) / 1_000_000)
        }

        fn monotonic_ns(&self) -> u64 {
            self.0.load(Relaxed)
        }

        fn boot(&self) -> Boot {
            Boot(0)
        }
    }

    fn copies() -> Copies<u64> {
        Copies::new(100, Arc::new(Still::default()))
    }

    fn kept(copies: &Copies<u64>) -> Option<u64> {
        copies.get(ADA, None).map(|value| *value)
    }

    #[test]
    fn a_reading_that_races_a_void_is_not_kept() {
        let copies = copies();
        let ticket = copies.ticket();
        copies.void(ADA, 2);
        copies.keep(ticket, ADA, 1, Arc::new(1));
        assert_eq!(kept(&copies), None);
        // Of another user, of the version that was heard of, or begun since: kept.
        copies.keep(ticket, BEN, 1, Arc::new(1));
        assert!(copies.get(BEN, None).is_some());
        copies.keep(ticket, ADA, 2, Arc::new(2));
        assert_eq!(kept(&copies), Some(2));
    }

    #[test]
    fn what_is_newer_stays() {
        let copies = copies();
        let ticket = copies.ticket();
        copies.keep(ticket, ADA, 3, Arc::new(3));
        copies.keep(ticket, ADA, 2, Arc::new(2));
        assert_eq!(kept(&copies), Some(3));
        copies.void(ADA, 3);
        assert_eq!(kept(&copies), Some(3));
        copies.void(ADA, 4);
        assert_eq!(kept(&copies), None);
    }

    #[test]
    fn a_reading_older_than_what_is_remembered_is_not_kept() {
        let copies = copies();
        let ticket = copies.ticket();
        for n in 0..REMEMBERED as u64 {
            copies.void(UserId(n + 10), 1);
        }
        copies.keep(ticket, ADA, 1, Arc::new(1));
        assert_eq!(kept(&copies), Some(1));
        copies.void_all();
        copies.keep(ticket, ADA, 1, Arc::new(1));
        assert_eq!(kept(&copies), None);
        copies.keep(copies.ticket(), ADA, 1, Arc::new(1));
        assert_eq!(kept(&copies), Some(1));
        let ticket = copies.ticket();
        for n in 0..=REMEMBERED as u64 {
            copies.void(UserId(n + 10), 1);
        }
        copies.keep(ticket, ADA, 2, Arc::new(2));
        assert_eq!(kept(&copies), Some(1));
    }

    #[test]
    fn a_copy_is_believed_for_so_long() {
        let clock = Arc::new(Still::default());
        let copies: Copies<u64> = Copies::new(100, Arc::clone(&clock) as Arc<dyn Clock>);
        copies.keep(copies.ticket(), ADA, 1, Arc::new(1));
        let most = Some(Duration::from_millis(10));
        assert!(copies.get(ADA, most).is_some());
        clock.0.store(10_000_000, Relaxed);
        assert!(copies.get(ADA, most).is_none());
        assert!(copies.get(ADA, None).is_some());
    }
}
