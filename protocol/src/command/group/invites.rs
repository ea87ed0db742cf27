//! Invites: made, read, taken, revoked.

use serde::{Deserialize, Serialize};

use crate::document::{GroupDocument, InviteRow};
use crate::ids::{ChannelId, UserId};
use crate::profile::Profile;

/// Makes an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateInvite {
    /// Who asks, with the profile that INVITE_CREATE shows.
    pub by: Profile,
    /// Where who takes it arrives.
    pub channel: ChannelId,
    /// A random code, made at the edge.
    pub code: String,
    /// Seconds it lives; 0 is for ever.
    pub max_age: u64,
    /// How many may take it; 0 is unlimited.
    pub max_uses: u64,
    /// Answer with an invite of the same kind if there is one.
    pub reuse: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Lists invites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListInvites {
    /// Who asks.
    pub by: UserId,
    /// Only those of this channel.
    pub channel: Option<ChannelId>,
}

/// Reads an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetInvite {
    /// Its code.
    pub code: String,
}

/// An invite with what it leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteView {
    /// The invite.
    pub invite: InviteRow,
    /// Its group.
    pub group: GroupDocument,
    /// How many members that has.
    pub member_count: u64,
    /// Whether the asker became a member just now.
    pub new_member: bool,
}

/// Revokes an invite: with MANAGE_GUILD, MANAGE_CHANNELS, or as its maker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteInvite {
    /// Who asks.
    pub by: UserId,
    /// Its code.
    pub code: String,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Takes an invite; who is a member already stays one and uses nothing up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptInvite {
    /// Who takes it.
    pub by: Profile,
    /// Its code.
    pub code: String,
}
