//! Typed 64-bit ids: decimal strings in JSON, signed 64-bit integers in rows.
//!
//! Source: <https://discord.com/developers/docs/reference#snowflakes>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is no id: not decimal digits, or outside `1..=i64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a snowflake")]
pub struct InvalidId;

/// Reads an id the way the public API writes it: 1 to 19 decimal digits, no sign, no leading blank.
fn parse(text: &str) -> Result<u64, InvalidId> {
    if text.is_empty() || text.len() > 19 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidId);
    }
    match text.parse::<u64>() {
        Ok(raw) if raw > 0 && raw <= i64::MAX as u64 => Ok(raw),
        _ => Err(InvalidId),
    }
}

/// Accepts both forms an id has: the JSON string and the integer of rows.
struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a snowflake")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, raw: u64) -> Result<u64, E> {
        if raw > 0 && raw <= i64::MAX as u64 {
            Ok(raw)
        } else {
            Err(E::custom(InvalidId))
        }
    }

    fn visit_i64<E: de::Error>(self, raw: i64) -> Result<u64, E> {
        u64::try_from(raw)
            .map_err(E::custom)
            .and_then(|raw| self.visit_u64(raw))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(itoa::Buffer::new().format(self.0))
                } else {
                    serializer.serialize_i64(self.0.cast_signed())
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_any(IdVisitor).map(Self)
                } else {
                    deserializer.deserialize_i64(IdVisitor).map(Self)
                }
            }
        }
    )*};
}

ids! {
    /// A user: a person or a bot. A bot's application has the same id.
    UserId,
    /// A group ("guild" on the client wire). The `@everyone` role has the same id.
    GroupId,
    /// A channel; belongs to one group for ever.
    ChannelId,
    /// A message; rises strictly within its channel.
    MessageId,
    /// A role of a group.
    RoleId,
    /// A login of a user: one refresh-token family.
    LoginId,
    /// A file sent with a message.
    AttachmentId,
    /// An entry of an audit log.
    AuditId,
    /// An emoji of a group's own.
    EmojiId,
}

impl GroupId {
    /// The `@everyone` role, which every member holds without it being listed.
    pub fn everyone(self) -> RoleId {
        RoleId(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_strings_in_json_and_integers_in_rows() {
        assert_eq!(serde_json::to_string(&UserId(7)).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<UserId>("\"7\"").unwrap(), UserId(7));
        #[derive(Serialize, Deserialize)]
        struct Row {
            id: UserId,
        }
        let bytes = bson::serialize_to_vec(&Row { id: UserId(7) }).unwrap();
        let document = bson::Document::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(document.get("id"), Some(&bson::Bson::Int64(7)));
        assert_eq!(
            bson::deserialize_from_slice::<Row>(&bytes).unwrap().id,
            UserId(7)
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1 ",
            "0x1",
            "9223372036854775808",
            "18446744073709551616",
            "٣",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text:?}");
        }
    }
}
