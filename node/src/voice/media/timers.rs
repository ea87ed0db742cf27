//! Who has to be woken when: one deadline for each.

use std::collections::BTreeSet;
use std::time::Instant;

/// Deadlines, exactly one for each key that has one. The owner of a key keeps its deadline and hands it in again.
#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(super) fn new() -> Self {
        Self {
            due: BTreeSet::new(),
        }
    }

    /// Moves a key's deadline.
    pub(super) fn set(&mut self, key: K, held: &mut Option<Instant>, at: Option<Instant>) {
        if *held == at {
            return;
        }
        if let Some(old) = *held {
            self.due.remove(&(old, key));
        }
        if let Some(new) = at {
            self.due.insert((new, key));
        }
        *held = at;
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A key whose deadline has come; it has none any more.
    pub(super) fn pop(&mut self, now: Instant) -> Option<K> {
        self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.pop_first().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Timers;

    #[test]
    fn a_key_has_one_deadline_however_often_it_is_moved() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        let mut held = None;
        for ms in [50, 10, 90, 20] {
            timers.set(1u8, &mut held, Some(at(ms)));
        }
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(timers.pop(at(19)), None);
        assert_eq!(timers.pop(at(20)), Some(1));
        assert_eq!(timers.pop(at(1_000)), None);
    }

    #[test]
    fn keys_are_due_in_the_order_of_their_deadlines() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        for (key, ms) in [(1u8, 30), (2, 10), (3, 20)] {
            timers.set(key, &mut None, Some(at(ms)));
        }
        let order: Vec<_> = std::iter::from_fn(|| timers.pop(at(30))).collect();
        assert_eq!(order, [2, 3, 1]);
    }
}
