//! The rows a group last touched, as they are in the store once everything under way has landed: a cache that is never
//! behind them, since every change of such a row goes through it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A bounded number of rows that were written or looked at, the newest ones; and those that somebody waits for.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    limit: usize,
    /// `None`: there is no such row (any more).
    rows: HashMap<K, Option<V>>,
    /// The keys of `rows`, oldest first.
    order: VecDeque<K>,
    /// Keys that commands wait for, and how many do: they stay until those have run, so that a command that needs many
    /// rows has them all in the end, and none that was read before a change is taken for a newer one.
    held: HashMap<K, usize>,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// How many rows are known, or known to be missing.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Keeps at most `limit` rows, but for those that are held.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            rows: HashMap::new(),
            order: VecDeque::new(),
            held: HashMap::new(),
        }
    }

    /// What is known of a row: outer `None` is nothing, inner `None` that it is not there.
    pub(super) fn get(&self, key: &K) -> Option<Option<&V>> {
        self.rows.get(key).map(Option::as_ref)
    }

    /// Takes in a row as it was written.
    pub(super) fn put(&mut self, key: K, row: V) {
        self.set(key, Some(row));
    }

    /// Keeps in mind that a row is gone.
    pub(super) fn delete(&mut self, key: K) {
        self.set(key, None);
    }

    /// Keeps in mind that rows are gone: of those that are known or waited for, the ones that `gone` picks.
    pub(super) fn delete_all(&mut self, gone: impl Fn(&K) -> bool) {
        let known = self.rows.keys().chain(self.held.keys());
        let keys: Vec<K> = known.filter(|key| gone(key)).cloned().collect();
        for key in keys {
            self.delete(key);
        }
    }

    /// Takes in what the store says, unless more is known already.
    pub(super) fn fetched(&mut self, key: K, row: Option<V>) {
        if !self.rows.contains_key(&key) {
            self.set(key, row);
        }
    }

    /// Keeps a row, once it is known, until it is released.
    pub(super) fn hold(&mut self, key: K) {
        *self.held.entry(key).or_default() += 1;
    }

    /// Undoes [`Recent::hold`] once.
    pub(super) fn release(&mut self, key: &K) {
        if let Some(times) = self.held.get_mut(key) {
            *times -= 1;
            if *times == 0 {
                self.held.remove(key);
            }
        }
    }

    fn set(&mut self, key: K, row: Option<V>) {
        if self.rows.insert(key.clone(), row).is_some() {
            return;
        }
        self.order.push_back(key);
        // What is held goes to the back: it was asked for, and its number is bounded.
        for _ in 0..self.order.len() {
            if self.order.len() <= self.limit {
                return;
            }
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if self.held.contains_key(&oldest) {
                self.order.push_back(oldest);
            } else {
                self.rows.remove(&oldest);
            }
        }
    }

    /// Everything known, for tests.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, Option<&V>)> {
        self.rows.iter().map(|(key, row)| (key, row.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_forgets_the_oldest() {
        let mut recent = Recent::<u64, ()>::new(10);
        for n in 0..=10 {
            recent.delete(n);
            recent.delete(n);
        }
        assert_eq!(recent.get(&0), None);
        assert_eq!(recent.get(&1), Some(None));
        assert_eq!((recent.rows.len(), recent.order.len()), (10, 10));
    }

    #[test]
    fn what_is_held_stays_until_it_is_released() {
        let mut recent = Recent::<u64, u64>::new(3);
        for n in 0..5 {
            recent.hold(n);
            recent.hold(n);
            recent.fetched(n, Some(n));
        }
        assert_eq!(recent.rows.len(), 5);
        for n in 0..5 {
            recent.release(&n);
        }
        recent.put(9, 9);
        assert_eq!(recent.get(&0), Some(Some(&0)));
        for n in 0..5 {
            recent.release(&n);
        }
        recent.put(10, 10);
        assert_eq!((recent.rows.len(), recent.order.len()), (3, 3));
        assert!(recent.held.is_empty());
        assert_eq!(recent.get(&10), Some(Some(&10)));
    }

    #[test]
    fn what_is_gone_is_gone_also_for_who_waits() {
        let mut recent = Recent::<u64, ()>::new(3);
        recent.put(1, ());
        recent.put(2, ());
        recent.hold(11);
        recent.delete_all(|n| n % 10 == 1);
        assert_eq!(recent.get(&1), Some(None));
        assert_eq!(recent.get(&2), Some(Some(&())));
        // The store was read before.
        recent.fetched(11, Some(()));
        assert_eq!(recent.get(&11), Some(None));
    }
}
