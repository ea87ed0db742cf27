//! Members, and what is theirs: names, roles, timeouts.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, RoleId, UserId};
use crate::permissions::Permissions;
use crate::profile::Profile;
use crate::time::Millis;
use crate::voice::MediaNode;

/// Adds a bot; with `permissions` it gets a role of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddBot {
    /// Who asks; may grant only what he has.
    pub by: UserId,
    /// The bot.
    pub bot: Profile,
    /// What its role may do.
    pub permissions: Permissions,
}

/// Reads a member; `UnknownMember`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetMember {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub user: UserId,
}

/// Lists members by rising id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListMembers {
    /// Who asks.
    pub by: UserId,
    /// Only ids above.
    pub after: Option<UserId>,
    /// How many.
    pub limit: usize,
}

/// Removes a member. Somebody else only with KICK_MEMBERS and a higher role; the owner cannot be removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveMember {
    /// Who asks.
    pub by: UserId,
    /// Who goes, with the profile that GUILD_MEMBER_REMOVE shows.
    pub user: Profile,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Reads those of some users who are members, in the order they are named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetMembers {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub users: Vec<UserId>,
}

/// Lists members whose user name, display name or nickname begins with something, whatever the case; by rising id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchMembers {
    /// Who asks.
    pub by: UserId,
    /// What the name begins with; nothing fits everybody.
    pub query: String,
    /// How many.
    pub limit: usize,
}

/// Changes a member. Oneself only the name (CHANGE_NICKNAME); others need MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS
/// for what changes, and a lower rank than the asker's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateMember {
    /// Who asks.
    pub by: UserId,
    /// Whom, with the profile that GUILD_MEMBER_UPDATE shows.
    pub user: Profile,
    /// What changes.
    pub patch: MemberPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What changes of a member. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberPatch {
    /// A clean name in this group.
    pub nick: Option<Option<String>>,
    /// All roles from now on.
    pub roles: Option<Vec<RoleId>>,
    /// Until when he may only read.
    pub timeout_until: Option<Option<Millis>>,
    /// Whether he is heard in voice channels (MUTE_MEMBERS); he is in one.
    pub mute: Option<bool>,
    /// Whether he hears in voice channels (DEAFEN_MEMBERS); he is in one.
    pub deaf: Option<bool>,
    /// The voice channel he is moved to (MOVE_MEMBERS), with where its room goes if there is none; none: he is
    /// taken out of his.
    pub voice: Option<Option<(ChannelId, MediaNode)>>,
}

/// Gives a member a role or takes it; the role must be below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetMemberRole {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub user: Profile,
    /// Which.
    pub role: RoleId,
    /// Whether he is to have it.
    pub held: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}
