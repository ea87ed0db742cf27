//! Minting of ids: 42 bits of milliseconds since 2015, 10 bits of worker, 12 bits of increment.
//!
//! Source: <https://discord.com/developers/docs/reference#snowflakes>

use crate::limits::ID_RESERVE_MS;
use crate::time::Millis;

/// First millisecond of the epoch of ids: 2015-01-01T00:00:00Z.
pub const EPOCH_MS: u64 = 1_420_070_400_000;

/// The largest worker id.
pub const MAX_WORKER: u16 = 0x3ff;

/// The instant an id was minted at.
pub fn created_at(id: u64) -> Millis {
    Millis((id >> 22) + EPOCH_MS)
}

/// The smallest id of the millisecond `at`; for searching by time.
pub fn floor(at: Millis) -> u64 {
    at.since(Millis(EPOCH_MS)) << 22
}

/// Milliseconds below the ceiling at which a minter has no room: 4 million ids, more than one step of anything takes.
const ROOM_MS: u64 = 1_000;

/// Mints strictly rising ids. When more than 4,096 are wanted in one millisecond, or the clock steps back, it
/// borrows from the future rather than repeat itself. When the clock steps far ahead, ids wait for the ceiling to follow.
#[derive(Debug, Clone)]
pub struct Minter {
    worker: u16,
    last_ms: u64,
    increment: u16,
    /// Ids lie below it.
    ceiling_ms: u64,
}

impl Minter {
    /// A minter for `worker` (its low 10 bits) whose ids all lie after the millisecond `floor`.
    pub fn new(worker: u16, floor: Millis) -> Self {
        Self {
            worker: worker & MAX_WORKER,
            last_ms: floor.since(Millis(EPOCH_MS)),
            increment: 0xfff,
            ceiling_ms: u64::MAX,
        }
    }

    /// Ids lie below `ceiling` from now on, as long as nobody mints without [`Minter::has_room`]. Without it there is no
    /// ceiling.
    pub fn limit(&mut self, ceiling: Millis) {
        self.ceiling_ms = ceiling.since(Millis(EPOCH_MS));
    }

    /// Whether a step may mint. Nobody mints without room: the ceiling is raised first.
    pub fn has_room(&self) -> bool {
        self.last_ms.saturating_add(ROOM_MS) <= self.ceiling_ms
    }

    /// The next ids lie above `last`, which another worker may have minted with a clock that is ahead. To be called when
    /// an entity is loaded, so that the room for [`Minter::mint_above`] is made before it is needed.
    pub fn see(&mut self, last: u64) {
        if last >> 22 >= self.last_ms {
            self.last_ms = last >> 22;
            self.increment = 0xfff;
        }
    }

    /// The next id, above every earlier one of this minter.
    pub fn mint(&mut self, now: Millis) -> u64 {
        // Half of what is reserved stays free to borrow from.
        let most = self.ceiling_ms.saturating_sub(ID_RESERVE_MS / 2);
        let ms = now.since(Millis(EPOCH_MS)).min(most);
        if ms > self.last_ms {
            self.last_ms = ms;
            self.increment = 0;
        } else if self.increment < 0xfff {
            self.increment += 1;
        } else {
            self.last_ms += 1;
            self.increment = 0;
        }
        (self.last_ms << 22) | (u64::from(self.worker) << 12) | u64::from(self.increment)
    }

    /// The next id, also above `last` (which another worker may have minted).
    pub fn mint_above(&mut self, now: Millis, last: u64) -> u64 {
        let id = self.mint(now);
        if id > last {
            return id;
        }
        self.last_ms = (last >> 22) + 1;
        self.increment = 0;
        (self.last_ms << 22) | (u64::from(self.worker) << 12)
    }

    /// The millisecond of the last id; the next holder of this worker id starts above it.
    pub fn high_water(&self) -> Millis {
        Millis(self.last_ms + EPOCH_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_rise_whatever_the_clock_does(clock in proptest::collection::vec(EPOCH_MS..EPOCH_MS + 5, 1..20_000), last in 0u64..(8 << 22)) {
            let mut minter = Minter::new(3, Millis(0));
            let mut previous = 0;
            for (n, now) in clock.into_iter().enumerate() {
                let id = if n % 7 == 0 { minter.mint_above(Millis(now), last.max(previous)) } else { minter.mint(Millis(now)) };
                prop_assert!(id > previous);
                previous = id;
            }
        }
    }

    #[test]
    fn no_id_lies_above_the_ceiling_whatever_the_clock_and_others_do() {
        let at = |ms| Millis(EPOCH_MS + ms);
        let mut minter = Minter::new(3, at(1_000));
        minter.limit(at(1_000));
        assert!(!minter.has_room());
        minter.limit(at(20_000));
        for now in [1_000, 12_000, 900_000, 0] {
            for _ in 0..10_000 {
                assert!(minter.has_room());
                assert!(created_at(minter.mint(at(now))) < at(20_000));
            }
        }
        // An id of a worker whose clock is ahead.
        let last = 50_000 << 22;
        minter.see(last);
        assert!(!minter.has_room());
        minter.limit(at(60_000));
        assert!(minter.has_room());
        assert!(minter.mint_above(at(0), last) > last);
        assert!(minter.high_water() < at(60_000));
    }

    #[test]
    fn an_id_tells_its_time() {
        let now = Millis(1_795_412_460_123);
        let mut minter = Minter::new(1, Millis(0));
        assert_eq!(created_at(minter.mint(now)), now);
        assert!(floor(now) <= minter.mint(now));
    }
}
