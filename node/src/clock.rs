//! The node's clock: the wall clock at start, carried on by the monotonic one, so that it never goes back.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rookery_actors::entity::Clock;
use rookery_actors::ownership::Boot;
use rookery_protocol::time::Millis;
use rustix::time::{ClockId, clock_gettime};

/// How far the wall clock may be ahead of ours before we follow it, in milliseconds. Behind it we stay.
const TOLERANCE_MS: u64 = 50;

/// Milliseconds since the Unix epoch, monotone. A wall clock that is set forward, or ran on while the machine slept, is
/// followed; one that is set back is outwaited.
#[derive(Debug)]
pub struct SystemClock {
    /// For what is measured with every message: a third of what the system's clock costs where the processor's counter can be
    /// relied on, and that clock where it cannot.
    quick: quanta::Clock,
    start: u64,
    base: Mutex<Base>,
}

/// An instant of both clocks.
#[derive(Debug, Clone, Copy)]
struct Base {
    wall: u64,
    at: Instant,
}

impl SystemClock {
    /// A clock that starts at the wall clock's time.
    pub fn new() -> Self {
        let base = Base {
            wall: wall_ms(),
            at: Instant::now(),
        };
        let quick = quanta::Clock::new();
        Self {
            start: quick.raw(),
            quick,
            base: Mutex::new(base),
        }
    }

    /// Seconds since the Unix epoch, as tokens count.
    pub fn seconds(&self) -> u64 {
        self.now().0 / 1_000
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let wall = wall_ms();
        let at = Instant::now();
        let mut base = self.base.lock();
        let elapsed = u64::try_from(at.saturating_duration_since(base.at).as_millis());
        let ours = base.wall.saturating_add(elapsed.unwrap_or(u64::MAX));
        if wall > ours.saturating_add(TOLERANCE_MS) {
            *base = Base { wall, at };
            return Millis(wall);
        }
        Millis(ours)
    }

    fn monotonic_ns(&self) -> u64 {
        self.quick.delta_as_nanos(self.start, self.quick.raw())
    }

    fn boot(&self) -> Boot {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
        Boot(seconds.saturating_mul(1_000).saturating_add(millis))
    }
}

/// The wall clock; 0 when it stands before 1970.
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_time_and_never_goes_back() {
        let clock = SystemClock::new();
        let mut last = clock.now();
        assert!(last.0.abs_diff(wall_ms()) < 1_000);
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_wall_clock_that_was_set_back_is_outwaited_and_one_ahead_is_followed() {
        let clock = SystemClock::new();
        clock.base.lock().wall += 3_600_000;
        assert!(clock.now().0 > wall_ms() + 3_590_000);
        clock.base.lock().wall -= 7_200_000;
        assert!(clock.now().0.abs_diff(wall_ms()) < 1_000);
    }
}
