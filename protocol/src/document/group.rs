//! Groups: the snapshot (settings, channels, roles), members and invites as rows, and their indexes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DirectGroup, tables};
use crate::ids::{AuditId, ChannelId, GroupId, MessageId, RoleId, UserId};
use crate::permissions::{Overwrite, Permissions};
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
    /// `(group, user)`: who is banned.
    Bans: BanRow,
    /// `(group, purge)`: whose messages a ban still has to delete.
    Purges: PurgeRow,
    /// `(group, entry)`: who changed what, and why.
    AuditLog: AuditRow,
    /// `(group, 0)`: what is left to delete of a group that ended; `(group, channel)`: of a removed channel.
    EndedGroups: EndedGroup,
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
    /// Set when it is no community but the direct channel of a few people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<DirectDocument>,
    /// What was laid on people who left meanwhile, for when they come back; who left first comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanctions: Vec<SanctionDocument>,
}

impl GroupDocument {
    /// The version this code writes.
    pub const SCHEMA: u32 = 1;

    /// The channel of that id.
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelDocument> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// How the two people of a pair stand to each other; none when it is no pair's.
    pub fn pair(&self) -> Option<&PairDocument> {
        self.direct.as_ref()?.pair.as_ref()
    }

    /// What the direct channel of more than two people is like; none when it is no such.
    pub fn direct_group(&self) -> Option<DirectGroup> {
        let direct = self.direct.as_ref()?;
        direct.pair.is_none().then(|| DirectGroup {
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            icon: self.icon.clone(),
            owner: self.owner,
        })
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
    /// The direct channel of two people (1).
    Direct,
    /// The direct channel of a few people (3).
    GroupDirect,
}

impl ChannelKind {
    /// The number on the client wire.
    pub fn wire(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Voice => 2,
            Self::Category => 4,
            Self::Direct => 1,
            Self::GroupDirect => 3,
        }
    }

    /// The kind of a number on the client wire, of those that a group's channels have.
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
        !matches!(self, Self::Category)
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
    /// What differs here from what roles allow.
    #[serde(default)]
    pub overwrites: Vec<Overwrite>,
    /// When its newest pin was made.
    #[serde(default)]
    pub last_pin_at: Option<Millis>,
}

/// What holds against somebody who left a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SanctionDocument {
    /// Who.
    pub user: UserId,
    /// Until when he may only read.
    pub timeout_until: Option<Millis>,
    /// He is not heard in voice channels.
    pub mute: bool,
    /// He does not hear in voice channels.
    pub deaf: bool,
}

/// What makes a group a direct channel. Its one channel has the group's id, its members are the recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectDocument {
    /// How the two people of a pair stand to each other; none when it is the channel of more.
    pub pair: Option<PairDocument>,
    /// Members who have the channel closed: it is not in their list until somebody writes.
    pub closed: Vec<UserId>,
}

/// How two people stand to each other. All facts about the two are here, in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairDocument {
    /// Both, the smaller id first.
    pub people: [UserId; 2],
    /// Whether they are friends, or which of them asked to be.
    pub friendship: Friendship,
    /// Since when the friendship is as it is.
    pub since: Millis,
    /// Which of them blocks the other.
    pub blocks: [bool; 2],
}

/// Where two people are on the way to being friends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Friendship {
    /// Nowhere.
    None,
    /// This one of them has asked.
    Asked(UserId),
    /// They are friends.
    Friends,
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
    /// The user's name, kept here so that members can be searched and ordered; the profile is the user's.
    #[serde(default)]
    pub username: String,
    /// The user's display name, for the same reason.
    #[serde(default)]
    pub global_name: Option<String>,
    /// Until when he may only read.
    #[serde(default)]
    pub timeout_until: Option<Millis>,
    /// He is not heard in voice channels.
    #[serde(default)]
    pub mute: bool,
    /// He does not hear in voice channels.
    #[serde(default)]
    pub deaf: bool,
}

impl MemberRow {
    /// What others call him here.
    pub fn display_name(&self) -> &str {
        let name = self.nick.as_ref().or(self.global_name.as_ref());
        name.unwrap_or(&self.username)
    }
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

/// A banned user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRow {
    /// Who.
    pub user: UserId,
    /// Why.
    pub reason: Option<String>,
    /// By whom.
    pub by: UserId,
    /// Since when.
    pub at: Millis,
}

/// What a ban still has to delete: written with the ban, deleted when nothing is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeRow {
    /// Whose messages.
    pub user: UserId,
    /// By whose wish.
    pub by: UserId,
    /// Only messages with larger ids.
    pub above: MessageId,
    /// Only messages with smaller ids: what he writes when he is back stays. Its place among the purges of the group.
    pub below: MessageId,
}

/// An entry of a group's audit log.
///
/// Source: <https://discord.com/developers/docs/resources/audit-log>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its id; tells when.
    pub id: AuditId,
    /// Who did it.
    pub by: UserId,
    /// What was done.
    pub action: AuditAction,
    /// The id of what it was done to.
    pub target: Option<u64>,
    /// Why.
    pub reason: Option<String>,
    /// What is different now, as `{key, old_value, new_value}`.
    pub changes: Vec<AuditChange>,
    /// What the action has besides, as the client wire has it.
    pub options: Option<Value>,
}

/// One difference that an action made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    /// The field.
    pub key: String,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_value: Option<Value>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_value: Option<Value>,
}

macro_rules! audit_actions {
    ($($name:ident = $number:literal),* $(,)?) => {
        /// What an audit log tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are Discord's and explain themselves")]
        pub enum AuditAction { $($name),* }

        impl AuditAction {
            /// The number on the client wire.
            pub fn wire(self) -> u64 {
                match self { $(Self::$name => $number),* }
            }

            /// The action of a number on the client wire.
            pub fn from_wire(number: u64) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

audit_actions! {
    GuildUpdate = 1, ChannelCreate = 10, ChannelUpdate = 11, ChannelDelete = 12, OverwriteCreate = 13,
    OverwriteUpdate = 14, OverwriteDelete = 15, MemberKick = 20, MemberBanAdd = 22, MemberBanRemove = 23,
    MemberUpdate = 24, MemberRoleUpdate = 25, BotAdd = 28, RoleCreate = 30, RoleUpdate = 31, RoleDelete = 32,
    InviteCreate = 40, InviteUpdate = 41, InviteDelete = 42, MessageDelete = 72, MessageBulkDelete = 73,
    MessagePin = 74, MessageUnpin = 75,
}

/// What is left to delete of a group that ended, or of a channel that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedGroup {
    /// Its channels, whose messages are deleted first.
    pub channels: Vec<ChannelId>,
    /// When it ended.
    pub at: Millis,
}
