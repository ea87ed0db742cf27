//! What waits to be told to Redis about profiles: bounded, and the newest of each user.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rookery_protocol::ids::UserId;
use rookery_protocol::limits::{OFFERS_QUEUED, VOIDS_QUEUED};

use crate::ephemeral::Known;

/// Voids, which are told in any case, and offers, which are not.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The version below which copies are void, until it was told.
    voids: HashMap<UserId, u64>,
    /// Too many waited: everything is void.
    is_everything_void: bool,
    /// Offers, with the connection on which nothing was known.
    offers: VecDeque<(u64, Arc<Known>)>,
}

impl Queue {
    /// Has a void told; answers whether there was room.
    pub(super) fn void(&mut self, user: UserId, version: u64) -> bool {
        if self.voids.len() >= VOIDS_QUEUED && !self.voids.contains_key(&user) {
            self.voids.clear();
            self.is_everything_void = true;
            return false;
        }
        let newest = self.voids.entry(user).or_default();
        *newest = version.max(*newest);
        true
    }

    /// Has a profile offered; answers whether another one had to make room.
    pub(super) fn offer(&mut self, generation: u64, known: Arc<Known>) -> bool {
        let is_full = self.offers.len() >= OFFERS_QUEUED;
        if is_full {
            self.offers.pop_front();
        }
        self.offers.push_back((generation, known));
        is_full
    }

    /// Whether Redis may still hold what is void of this user.
    pub(super) fn is_void(&self, user: UserId) -> bool {
        self.is_everything_void || self.voids.contains_key(&user)
    }

    /// Voids to tell; they stay until [`Queue::told`].
    pub(super) fn voids(&self, limit: usize) -> Vec<(UserId, u64)> {
        let voids = self.voids.iter().take(limit);
        voids.map(|(user, version)| (*user, *version)).collect()
    }

    /// These were told.
    pub(super) fn told(&mut self, voids: &[(UserId, u64)]) {
        for (user, version) in voids {
            if self.voids.get(user) == Some(version) {
                self.voids.remove(user);
            }
        }
    }

    /// Whether others are to be told that everything is void.
    pub(super) fn is_everything_void(&self) -> bool {
        self.is_everything_void
    }

    /// They were.
    pub(super) fn told_everything(&mut self) {
        self.is_everything_void = false;
    }

    /// Up to `limit` offers that were made on this connection; those made on earlier ones are dropped and counted: what
    /// was told in the meantime may have been lost with it.
    pub(super) fn offers(&mut self, generation: u64, limit: usize) -> (Vec<Arc<Known>>, usize) {
        let before = self.offers.len();
        self.offers.retain(|(made, _)| *made == generation);
        let dropped = before - self.offers.len();
        let count = self.offers.len().min(limit);
        let offers = self.offers.drain(..count).map(|(_, known)| known);
        (offers.collect(), dropped)
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::profile::Profile;

    use super::*;

    fn known(user: u64) -> Arc<Known> {
        Arc::new(Known {
            version: 1,
            profile: Profile::deleted(UserId(user)),
        })
    }

    #[test]
    fn a_void_waits_until_its_newest_version_was_told() {
        let mut queue = Queue::default();
        assert!(queue.void(UserId(1), 2));
        let telling = queue.voids(10);
        assert!(queue.void(UserId(1), 3));
        assert!(queue.void(UserId(1), 1));
        queue.told(&telling);
        assert_eq!(queue.voids(10), [(UserId(1), 3)]);
        assert!(queue.is_void(UserId(1)) && !queue.is_void(UserId(2)));
        queue.told(&[(UserId(1), 3)]);
        assert!(!queue.is_void(UserId(1)));
    }

    #[test]
    fn too_many_voids_are_one_over_everything() {
        let mut queue = Queue::default();
        for user in 0..VOIDS_QUEUED as u64 {
            assert!(queue.void(UserId(user), 1));
        }
        assert!(queue.void(UserId(0), 2));
        assert!(!queue.void(UserId(VOIDS_QUEUED as u64), 1));
        assert!(queue.voids(1).is_empty() && queue.is_everything_void());
        assert!(queue.is_void(UserId(1)));
        queue.told_everything();
        assert!(!queue.is_void(UserId(1)));
    }

    #[test]
    fn offers_make_room_for_newer_ones_and_end_with_their_connection() {
        let mut queue = Queue::default();
        for user in 0..OFFERS_QUEUED as u64 {
            assert!(!queue.offer(1, known(user)));
        }
        assert!(queue.offer(2, known(7)));
        let (offers, dropped) = queue.offers(2, 10);
        assert_eq!((offers, dropped), (vec![known(7)], OFFERS_QUEUED - 1));
    }
}
