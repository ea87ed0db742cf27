//! Wall-clock time as plain data: milliseconds since the Unix epoch, ISO 8601 on the client wire.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

    /// `2026-11-23T05:41:00.123000+00:00`, the form of the public API; what lies after the year 9999 is its end.
    pub fn iso8601(self) -> String {
        Iso8601::from(self).as_str().to_owned()
    }

    /// Reads an RFC 3339 timestamp; `None` when it is none or lies before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }
}

/// A timestamp's text. Written by hand: every message event has two, and a general formatter costs as much as the rest
/// of its body.
struct Iso8601([u8; 32]);

impl From<Millis> for Iso8601 {
    fn from(at: Millis) -> Self {
        let mut text = Self(*b"9999-12-31T23:59:59.999000+00:00");
        let seconds = i64::try_from(at.0 / 1_000).ok();
        let date = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        if let Some(date) = date {
            text.put(0..4, date.year().unsigned_abs());
            text.put(5..7, u8::from(date.month()).into());
            text.put(8..10, date.day().into());
            text.put(11..13, date.hour().into());
            text.put(14..16, date.minute().into());
            text.put(17..19, date.second().into());
            text.put(20..23, u32::try_from(at.0 % 1_000).unwrap_or(0));
        }
        text
    }
}

impl Iso8601 {
    /// Puts a number's last digits at a place.
    fn put(&mut self, place: std::ops::Range<usize>, mut number: u32) {
        for digit in self.0[place].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }

    fn as_str(&self) -> &str {
        // ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Serialises a time as ISO 8601, for fields of the client API: `#[serde(with = "crate::time::iso")]`.
pub mod iso {
    use super::{Iso8601, Millis};
    use serde::Serializer;

    /// Writes the timestamp as a string.
    pub fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Iso8601::from(*at).as_str())
    }

    /// The same for a field that may be null.
    pub mod option {
        use super::{Millis, Serializer};

        /// Writes the timestamp as a string, or null.
        pub fn serialize<S: Serializer>(
            at: &Option<Millis>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => super::serialize(at, serializer),
                None => serializer.serialize_none(),
            }
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
        assert_eq!(Millis(0).iso8601(), "1970-01-01T00:00:00.000000+00:00");
        let end = "9999-12-31T23:59:59.999000+00:00";
        assert_eq!(Millis(253_402_300_799_999).iso8601(), end);
        assert_eq!(Millis(253_402_300_800_000).iso8601(), end);
        assert_eq!(Millis(u64::MAX).iso8601(), end);
    }

    proptest::proptest! {
        #[test]
        fn every_timestamp_reads_back(ms in 0..253_402_300_800_000u64) {
            proptest::prop_assert_eq!(Millis::parse(&Millis(ms).iso8601()), Some(Millis(ms)));
        }
    }
}
