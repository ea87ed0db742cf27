//! How often a user may still identify: Discord's `session_start_limit`, per node.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Users remembered; above it those whose day is over are forgotten first.
const USERS: usize = 100_000;

/// What is left of a user's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Identifies a day.
    pub total: u32,
    /// Of these not yet used.
    pub remaining: u32,
    /// Milliseconds until all are back.
    pub reset_after_ms: u64,
}

/// The identifies of all users in their current day.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<HashMap<UserId, (Millis, u32)>>);

impl Budget {
    /// Counts an identify; false when none is left.
    pub(super) fn take(&self, user: UserId, now: Millis) -> bool {
        let mut days = self.0.lock();
        if days.len() >= USERS && !days.contains_key(&user) {
            days.retain(|_, (start, _)| now.since(*start) < DAY_MS);
            if days.len() >= USERS {
                return true;
            }
        }
        let day = days.entry(user).or_insert((now, 0));
        if now.since(day.0) >= DAY_MS {
            *day = (now, 0);
        }
        let is_left = day.1 < limits::IDENTIFIES_PER_DAY;
        day.1 += u32::from(is_left);
        is_left
    }

    /// What is left.
    pub(super) fn left(&self, user: UserId, now: Millis) -> Left {
        let day = self.0.lock().get(&user).copied();
        let (start, used) = day
            .filter(|(start, _)| now.since(*start) < DAY_MS)
            .unwrap_or((now, 0));
        Left {
            total: limits::IDENTIFIES_PER_DAY,
            remaining: limits::IDENTIFIES_PER_DAY - used,
            reset_after_ms: if used == 0 {
                0
            } else {
                DAY_MS - now.since(start)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_holds_so_many_identifies_and_then_starts_over() {
        let budget = Budget::default();
        let (user, now) = (UserId(1), Millis(DAY_MS));
        for _ in 0..limits::IDENTIFIES_PER_DAY {
            assert!(budget.take(user, now));
        }
        assert!(!budget.take(user, now));
        assert!(budget.take(UserId(2), now));
        let left = budget.left(user, now.plus(5));
        assert_eq!((left.remaining, left.reset_after_ms), (0, DAY_MS - 5));
        assert!(budget.take(user, now.plus(DAY_MS)));
        assert_eq!(
            budget.left(user, now.plus(DAY_MS)).remaining,
            limits::IDENTIFIES_PER_DAY - 1
        );
    }
}
