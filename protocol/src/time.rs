//! Wall-clock time as plain data: milliseconds since the Unix epoch, ISO 8601 on the client wire.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Milliseconds since 1970-01-01T00:00:00Z. Cores are handed it; only the edge reads a clock.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This instant plus `ms` milliseconds.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; 0 when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `2026-11-23T05:41:00.123000+00:00`, the form of the public API.
    pub fn iso8601(self) -> String {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00"
        );
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&format).ok())
            .unwrap_or_else(|| "9999-12-31T23:59:59.999000+00:00".to_owned())
    }

    /// Reads an RFC 3339 timestamp; `None` when it is none or lies before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }
}

/// Serialises a time as ISO 8601, for fields of the client API: `#[serde(with = "crate::time::iso")]`.
pub mod iso {
    use super::Millis;
    use serde::{Serialize, Serializer};

    /// Writes the timestamp as a string.
    pub fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        at.iso8601().serialize(serializer)
    }

    /// The same for a field that may be null.
    pub mod option {
        use super::{Millis, Serialize, Serializer};

        /// Writes the timestamp as a string, or null.
        pub fn serialize<S: Serializer>(
            at: &Option<Millis>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            at.map(Millis::iso8601).serialize(serializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso8601_has_microseconds_and_an_offset_and_reads_back() {
        let at = Millis(1_795_412_460_123);
        assert_eq!(at.iso8601(), "2026-11-23T05:41:00.123000+00:00");
        assert_eq!(Millis::parse(&at.iso8601()), Some(at));
    }
}
