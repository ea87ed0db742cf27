//! The permission bitset: a decimal string in JSON, an integer in rows.
//!
//! Source: <https://discord.com/developers/docs/topics/permissions>

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::{RoleId, UserId};

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(pub u64);

macro_rules! permissions {
    ($($name:ident = $bit:expr),* $(,)?) => {
        #[allow(missing_docs, reason = "the names are Discord's and explain themselves")]
        impl Permissions {
            $(pub const $name: Self = Self(1 << $bit);)*
            /// Every permission there is.
            pub const ALL: Self = Self($((1 << $bit))|*);
        }
    };
}

permissions! {
    CREATE_INSTANT_INVITE = 0, KICK_MEMBERS = 1, BAN_MEMBERS = 2, ADMINISTRATOR = 3, MANAGE_CHANNELS = 4,
    MANAGE_GUILD = 5, ADD_REACTIONS = 6, VIEW_AUDIT_LOG = 7, PRIORITY_SPEAKER = 8, STREAM = 9, VIEW_CHANNEL = 10,
    SEND_MESSAGES = 11, SEND_TTS_MESSAGES = 12, MANAGE_MESSAGES = 13, EMBED_LINKS = 14, ATTACH_FILES = 15,
    READ_MESSAGE_HISTORY = 16, MENTION_EVERYONE = 17, USE_EXTERNAL_EMOJIS = 18, VIEW_GUILD_INSIGHTS = 19,
    CONNECT = 20, SPEAK = 21, MUTE_MEMBERS = 22, DEAFEN_MEMBERS = 23, MOVE_MEMBERS = 24, USE_VAD = 25,
    CHANGE_NICKNAME = 26, MANAGE_NICKNAMES = 27, MANAGE_ROLES = 28, MANAGE_WEBHOOKS = 29,
    MANAGE_GUILD_EXPRESSIONS = 30, USE_APPLICATION_COMMANDS = 31, REQUEST_TO_SPEAK = 32, MANAGE_EVENTS = 33,
    MANAGE_THREADS = 34, CREATE_PUBLIC_THREADS = 35, CREATE_PRIVATE_THREADS = 36, USE_EXTERNAL_STICKERS = 37,
    SEND_MESSAGES_IN_THREADS = 38, USE_EMBEDDED_ACTIVITIES = 39, MODERATE_MEMBERS = 40,
    VIEW_CREATOR_MONETIZATION_ANALYTICS = 41, USE_SOUNDBOARD = 42, CREATE_GUILD_EXPRESSIONS = 43,
    CREATE_EVENTS = 44, USE_EXTERNAL_SOUNDS = 45, SEND_VOICE_MESSAGES = 46, SEND_POLLS = 49, USE_EXTERNAL_APPS = 50,
    PIN_MESSAGES = 51, BYPASS_SLOWMODE = 52,
}

impl Permissions {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// What `@everyone` may do in a new group.
    pub const DEFAULT: Self = Self(
        Self::CREATE_INSTANT_INVITE.0
            | Self::ADD_REACTIONS.0
            | Self::STREAM.0
            | Self::VIEW_CHANNEL.0
            | Self::SEND_MESSAGES.0
            | Self::EMBED_LINKS.0
            | Self::ATTACH_FILES.0
            | Self::READ_MESSAGE_HISTORY.0
            | Self::MENTION_EVERYONE.0
            | Self::USE_EXTERNAL_EMOJIS.0
            | Self::CONNECT.0
            | Self::SPEAK.0
            | Self::USE_VAD.0
            | Self::CHANGE_NICKNAME.0
            | Self::USE_APPLICATION_COMMANDS.0
            | Self::REQUEST_TO_SPEAK.0,
    );

    /// Whether every permission of `wanted` is in this set. ADMINISTRATOR implies all.
    pub fn allow(self, wanted: Self) -> bool {
        self.0 & Self::ADMINISTRATOR.0 != 0 || self.0 & wanted.0 == wanted.0
    }

    /// Whether any permission of `wanted` is in this set. ADMINISTRATOR implies all.
    pub fn allow_any(self, wanted: Self) -> bool {
        self.0 & Self::ADMINISTRATOR.0 != 0 || self.0 & wanted.0 != 0
    }
}

/// What differs in a channel for the holders of a role, or for one member.
///
/// Source: <https://discord.com/developers/docs/resources/channel#overwrite-object>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwrite {
    /// For whom.
    pub target: OverwriteTarget,
    /// What they may do here.
    pub allow: Permissions,
    /// What they may not do here.
    pub deny: Permissions,
}

/// Whom an overwrite is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OverwriteTarget {
    /// The holders of a role (`type` 0).
    Role(RoleId),
    /// One member (`type` 1).
    Member(UserId),
}

impl BitOr for Permissions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Permissions {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Permissions {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Permissions {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.0)
        } else {
            serializer.serialize_i64(self.0.cast_signed())
        }
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Permissions;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a permission bitset")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Permissions, E> {
                text.parse().map(Permissions).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, raw: u64) -> Result<Permissions, E> {
                Ok(Permissions(raw))
            }
            fn visit_i64<E: de::Error>(self, raw: i64) -> Result<Permissions, E> {
                Ok(Permissions(raw.cast_unsigned()))
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Visitor)
        } else {
            deserializer.deserialize_i64(Visitor)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_may_do_everything() {
        assert!(Permissions::ADMINISTRATOR.allow(Permissions::MANAGE_GUILD));
        assert!(!Permissions::DEFAULT.allow(Permissions::MANAGE_GUILD));
        assert!(Permissions::DEFAULT.allow(Permissions::SEND_MESSAGES | Permissions::VIEW_CHANNEL));
    }
}
