//! Groups: the snapshot (settings, channels, roles), members and invites as rows, and their indexes.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::ids::{ChannelId, GroupId, RoleId, UserId};
use crate::permissions::Permissions;
use crate::time::Millis;

tables! {
    /// `(group)`: the group's snapshot.
    Groups: GroupDocument,
    /// `(group, user)`: who is a member.
    Members: MemberRow,
    /// `(user, group)`: the index over members.
    Memberships: Membership,
    /// `(channel)`: whose channel it is.
    Channels: ChannelOwner,
    /// `(group, code)`: the group's invites.
    Invites: InviteRow,
    /// `(code)`: the index over invites.
    InviteCodes: InviteOwner,
}

/// A group's durable state, but for its members, invites and messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDocument {
    /// Version of this schema; a newer one than [`GroupDocument::SCHEMA`] is refused.
    pub schema: u32,
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Hash of its icon.
    pub icon: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The member who may do everything.
    pub owner: UserId,
    /// Where joins are announced.
    pub system_channel: Option<ChannelId>,
    /// When it was made.
    pub created_at: Millis,
    /// Its channels, in no order: `position` orders them.
    pub channels: Vec<ChannelDocument>,
    /// Its roles; the first is `@everyone`.
    pub roles: Vec<RoleDocument>,
}

impl GroupDocument {
    /// The version this code writes.
    pub const SCHEMA: u32 = 1;

    /// The channel of that id.
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelDocument> {
        self.channels.iter().find(|channel| channel.id == id)
    }
}

/// What a channel is for; the numbers are the client wire's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelKind {
    /// Messages of a group (0).
    Text,
    /// A voice room of a group (2).
    Voice,
    /// A heading over channels (4).
    Category,
}

impl ChannelKind {
    /// The number on the client wire.
    pub fn wire(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Voice => 2,
            Self::Category => 4,
        }
    }

    /// The kind of a number on the client wire.
    pub fn from_wire(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Text),
            2 => Some(Self::Voice),
            4 => Some(Self::Category),
            _ => None,
        }
    }

    /// Whether messages can be sent to it.
    pub fn holds_messages(self) -> bool {
        matches!(self, Self::Text | Self::Voice)
    }
}

/// A channel of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDocument {
    /// Its id.
    pub id: ChannelId,
    /// What it is for.
    pub kind: ChannelKind,
    /// Its name.
    pub name: String,
    /// Its place in the list.
    pub position: u32,
    /// The category it is under.
    pub parent: Option<ChannelId>,
    /// What is talked about.
    pub topic: Option<String>,
    /// Only for adults.
    pub nsfw: bool,
    /// Seconds between two messages of a member.
    pub rate_limit_per_user: u32,
    /// Bits per second of a voice channel.
    pub bitrate: u32,
    /// People in a voice channel; 0 is unlimited.
    pub user_limit: u32,
}

/// A role of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDocument {
    /// Its id; that of the group for `@everyone`.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// 0xRRGGBB; 0 is none.
    pub color: u32,
    /// Shown apart in the member list.
    pub hoist: bool,
    /// Its rank; `@everyone` has 0.
    pub position: u32,
    /// What its holders may do.
    pub permissions: Permissions,
    /// Whether everybody may mention it.
    pub mentionable: bool,
    /// The bot it belongs to, if it is an integration's.
    pub bot: Option<UserId>,
}

/// One member of a group. The member's profile is the user's, not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Who.
    pub user: UserId,
    /// Name in this group.
    pub nick: Option<String>,
    /// Roles held, `@everyone` left out.
    pub roles: Vec<RoleId>,
    /// Since when.
    pub joined_at: Millis,
}

/// An entry of the index over members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// A group the user is in.
    pub group: GroupId,
}

/// The group that a channel belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOwner {
    /// The group.
    pub group: GroupId,
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRow {
    /// What is typed.
    pub code: String,
    /// Where who takes it arrives.
    pub channel: ChannelId,
    /// Who made it.
    pub inviter: UserId,
    /// Seconds it lives; 0 is for ever.
    pub max_age: u64,
    /// How many may take it; 0 is unlimited.
    pub max_uses: u64,
    /// How many took it.
    pub uses: u64,
    /// When it was made.
    pub created_at: Millis,
}

impl InviteRow {
    /// When it expires, if ever.
    pub fn expires_at(&self) -> Option<Millis> {
        (self.max_age > 0).then(|| self.created_at.plus(self.max_age * 1_000))
    }

    /// Whether it can still be taken.
    pub fn is_open(&self, now: Millis) -> bool {
        self.expires_at().is_none_or(|at| now < at)
            && (self.max_uses == 0 || self.uses < self.max_uses)
    }
}

/// The group that an invite code leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteOwner {
    /// The group.
    pub group: GroupId,
}
