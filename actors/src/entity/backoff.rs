//! How long a crashed entity stays down.

use rookery_protocol::time::Millis;

/// The first pause, in milliseconds; it doubles with every crash.
const FIRST_MS: u64 = 50;

/// The longest pause, in milliseconds.
const LONGEST_MS: u64 = 10_000;

/// A life of this many milliseconds makes earlier crashes forgotten.
const STABLE_MS: u64 = 60_000;

/// The crashes of one entity.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backoff {
    crashes: u32,
    last_start: Millis,
}

impl Backoff {
    /// A life begins.
    pub(super) fn started(&mut self, now: Millis) {
        self.last_start = now;
    }

    /// A life ended in a crash: milliseconds until the next may begin.
    pub(super) fn crashed(&mut self, now: Millis) -> u64 {
        if now.since(self.last_start) >= STABLE_MS {
            self.crashes = 0;
        }
        let pause = FIRST_MS
            .saturating_mul(1 << self.crashes.min(16))
            .min(LONGEST_MS);
        self.crashes += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds_and_are_forgotten_after_a_stable_minute() {
        let mut backoff = Backoff::default();
        let mut now = Millis(0);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            backoff.started(now);
            let pause = backoff.crashed(now);
            pauses.push(pause);
            now = now.plus(pause);
        }
        assert_eq!(
            pauses,
            [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
        );
        backoff.started(now);
        assert_eq!(backoff.crashed(now.plus(STABLE_MS)), 50);
    }
}
