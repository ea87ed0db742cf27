//! How much of something is allowed in how long; written `5/5s`, `10/1m`, `1000/24h`.

use std::fmt;
use std::str::FromStr;

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many; at least 1.
    pub count: u32,
    /// In how many milliseconds; at least 1.
    pub period_ms: u64,
}

/// The longest period: a day.
const LONGEST_MS: u64 = 24 * 3_600_000;

impl Quota {
    /// So many in so many seconds.
    pub const fn per_seconds(count: u32, seconds: u64) -> Self {
        Self {
            count,
            period_ms: seconds * 1_000,
        }
    }

    /// The period in microseconds.
    pub(crate) fn period_us(self) -> u64 {
        self.period_ms * 1_000
    }

    /// One token's share of the period in microseconds; at least 1.
    pub(crate) fn share_us(self) -> u64 {
        (self.period_us() / u64::from(self.count.max(1))).max(1)
    }

    /// Whether a bucket that will be full in `full_in_us` microseconds has a token.
    pub(crate) fn allows(self, full_in_us: u64) -> bool {
        full_in_us.saturating_add(self.share_us()) <= self.period_us()
    }
}

/// A text that is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a quota such as 5/5s, 100/1m or 1000/24h")]
pub struct InvalidQuota;

impl FromStr for Quota {
    type Err = InvalidQuota;

    fn from_str(text: &str) -> Result<Self, InvalidQuota> {
        let (count, period) = text.split_once('/').ok_or(InvalidQuota)?;
        let count: u32 = count.trim().parse().map_err(|_| InvalidQuota)?;
        let period = period.trim();
        let unit_at = period
            .find(|c: char| !c.is_ascii_digit())
            .ok_or(InvalidQuota)?;
        let (number, unit) = period.split_at(unit_at);
        let number: u64 = number.parse().map_err(|_| InvalidQuota)?;
        let unit_ms = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(InvalidQuota),
        };
        let period_ms = number.checked_mul(unit_ms).ok_or(InvalidQuota)?;
        if count == 0 || period_ms == 0 || period_ms > LONGEST_MS {
            return Err(InvalidQuota);
        }
        Ok(Self { count, period_ms })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        let (unit_ms, unit) = units
            .into_iter()
            .find(|(ms, _)| self.period_ms.is_multiple_of(*ms))
            .unwrap_or((1, "ms"));
        write!(f, "{}/{}{unit}", self.count, self.period_ms / unit_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_read_and_write_the_same() {
        for text in ["5/5s", "10/1m", "1000/24h", "1/250ms"] {
            assert_eq!(text.parse::<Quota>().unwrap().to_string(), text);
        }
        for text in [
            "", "5", "5/", "/5s", "0/5s", "5/0s", "5/5", "5/5d", "-5/5s", "5/25h", "5/s",
        ] {
            assert_eq!(text.parse::<Quota>(), Err(InvalidQuota), "{text}");
        }
    }
}
