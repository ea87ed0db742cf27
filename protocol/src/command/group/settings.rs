//! The group as a whole: made, read, changed, ended, followed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{GroupDocument, MemberRow};
use crate::event::AccessPicture;
use crate::ids::{ChannelId, MessageId, UserId};
use crate::permissions::Permissions;
use crate::profile::Profile;
use crate::voice::VoiceState;

/// Makes the group, with a text and a voice channel. The id is new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateGroup {
    /// The first member and owner.
    pub by: Profile,
    /// A clean name.
    pub name: String,
    /// Hash of the icon.
    pub icon: Option<String>,
}

/// Reads the settings; refused with `MissingAccess` for who is no member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetGroup {
    /// Who asks.
    pub by: UserId,
}

/// A group with what is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// Settings, channels, roles.
    pub group: GroupDocument,
    /// How many members it has.
    pub member_count: u64,
    /// What the asker may do in the group as a whole.
    pub permissions: Permissions,
}

/// Changes the settings. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupPatch {
    /// A clean name.
    pub name: Option<String>,
    /// A clean description.
    pub description: Option<Option<String>>,
    /// Where joins are announced.
    pub system_channel: Option<Option<ChannelId>>,
    /// Another member as owner (only the owner may).
    pub owner: Option<UserId>,
    /// Hash of the icon.
    pub icon: Option<Option<String>>,
}

/// Changes the settings (MANAGE_GUILD).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateGroup {
    /// Who asks.
    pub by: UserId,
    /// What changes.
    pub patch: GroupPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Ends the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteGroup {
    /// Who asks; must be the owner.
    pub by: UserId,
}

/// Subscribes a member's session: the group's events follow from `gseq` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Whose session.
    pub by: UserId,
}

/// The group as of `gseq`; what GUILD_CREATE is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The number of the last event that is in this picture.
    pub gseq: u64,
    /// Settings, channels, roles.
    pub view: GroupView,
    /// The last message of each channel that has one.
    pub last_messages: Vec<(ChannelId, MessageId)>,
    /// Who sees which channel.
    pub access: Arc<AccessPicture>,
    /// All members, or in a large group only the asker.
    pub members: Vec<MemberRow>,
    /// The asker's row.
    pub me: MemberRow,
    /// Who is in the voice channels that the asker sees.
    pub voice: Vec<VoiceState>,
}

/// Asks leave for something that is read from the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Authorize {
    /// Who asks.
    pub by: UserId,
    /// What he must hold.
    pub permissions: Permissions,
    /// Where; in the group as a whole without.
    pub channel: Option<ChannelId>,
}
