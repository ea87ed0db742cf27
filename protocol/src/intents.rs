//! Gateway intents: which dispatches a session asked for.
//!
//! Source: <https://discord.com/developers/docs/events/gateway#gateway-intents>

use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// A set of intents. A person's client has [`Intents::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intents(pub u32);

#[allow(
    missing_docs,
    reason = "the names are Discord's and explain themselves"
)]
impl Intents {
    pub const GUILDS: Self = Self(1);
    pub const GUILD_MEMBERS: Self = Self(1 << 1);
    pub const GUILD_MODERATION: Self = Self(1 << 2);
    pub const GUILD_EXPRESSIONS: Self = Self(1 << 3);
    pub const GUILD_INTEGRATIONS: Self = Self(1 << 4);
    pub const GUILD_WEBHOOKS: Self = Self(1 << 5);
    pub const GUILD_INVITES: Self = Self(1 << 6);
    pub const GUILD_VOICE_STATES: Self = Self(1 << 7);
    pub const GUILD_PRESENCES: Self = Self(1 << 8);
    pub const GUILD_MESSAGES: Self = Self(1 << 9);
    pub const GUILD_MESSAGE_REACTIONS: Self = Self(1 << 10);
    pub const GUILD_MESSAGE_TYPING: Self = Self(1 << 11);
    pub const DIRECT_MESSAGES: Self = Self(1 << 12);
    pub const DIRECT_MESSAGE_REACTIONS: Self = Self(1 << 13);
    pub const DIRECT_MESSAGE_TYPING: Self = Self(1 << 14);
    pub const MESSAGE_CONTENT: Self = Self(1 << 15);
    pub const GUILD_SCHEDULED_EVENTS: Self = Self(1 << 16);
    pub const AUTO_MODERATION_CONFIGURATION: Self = Self(1 << 20);
    pub const AUTO_MODERATION_EXECUTION: Self = Self(1 << 21);
    pub const GUILD_MESSAGE_POLLS: Self = Self(1 << 24);
    pub const DIRECT_MESSAGE_POLLS: Self = Self(1 << 25);
}

impl Intents {
    /// Delivered whatever the session asked for.
    pub const NONE: Self = Self(0);
    /// Every intent there is.
    pub const ALL: Self = Self(0x0331_ffff);

    /// Those that a bot gets only if its owner granted them to the application.
    ///
    /// Source: <https://discord.com/developers/docs/events/gateway#privileged-intents>
    pub const PRIVILEGED: Self =
        Self(Self::GUILD_MEMBERS.0 | Self::GUILD_PRESENCES.0 | Self::MESSAGE_CONTENT.0);

    /// Those of what happens in direct channels.
    pub const DIRECT: Self = Self(
        Self::DIRECT_MESSAGES.0
            | Self::DIRECT_MESSAGE_REACTIONS.0
            | Self::DIRECT_MESSAGE_TYPING.0
            | Self::DIRECT_MESSAGE_POLLS.0,
    );

    /// Whether a dispatch that needs `required` goes to a session with this set.
    pub fn admit(self, required: Self) -> bool {
        required.0 == 0 || self.0 & required.0 != 0
    }

    /// Whether the set holds all of `other`.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set holds a privileged intent that is not among those granted.
    pub fn asks_beyond(self, granted: Self) -> bool {
        self.0 & Self::PRIVILEGED.0 & !granted.0 != 0
    }

    /// Whether no bit outside [`Intents::ALL`] is set; else the socket is closed with 4013.
    pub fn is_valid(self) -> bool {
        self.0 & !Self::ALL.0 == 0
    }
}

impl BitOr for Intents {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
