//! Member objects.
//!
//! Source: <https://discord.com/developers/docs/resources/guild#guild-member-object>

use serde::Serialize;

use super::user::UserJson;
use crate::document::MemberRow;
use crate::ids::{GroupId, RoleId};
use crate::profile::Profile;
use crate::time::{Millis, iso};

/// A member, with or without the user.
#[derive(Debug, Clone, Serialize)]
pub struct MemberJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<GroupId>,
    nick: Option<&'a str>,
    avatar: Option<&'a str>,
    roles: &'a [RoleId],
    #[serde(serialize_with = "iso::serialize")]
    joined_at: Millis,
    premium_since: Option<&'static str>,
    #[serde(serialize_with = "iso::option::serialize")]
    communication_disabled_until: Option<Millis>,
    deaf: bool,
    mute: bool,
    flags: u32,
    pending: bool,
}

impl<'a> MemberJson<'a> {
    /// The member without the user, as messages carry it.
    pub fn partial(row: &'a MemberRow) -> Self {
        Self {
            user: None,
            guild_id: None,
            nick: row.nick.as_deref(),
            avatar: None,
            roles: &row.roles,
            joined_at: row.joined_at,
            premium_since: None,
            communication_disabled_until: row.timeout_until,
            deaf: row.deaf,
            mute: row.mute,
            flags: 0,
            pending: false,
        }
    }

    /// The member with the user, as listings carry it.
    pub fn full(row: &'a MemberRow, profile: &'a Profile) -> Self {
        Self {
            user: Some(profile.into()),
            ..Self::partial(row)
        }
    }

    /// The member with user and group, as the gateway's member events carry it.
    pub fn in_group(row: &'a MemberRow, profile: &'a Profile, group: GroupId) -> Self {
        Self {
            guild_id: Some(group),
            ..Self::full(row, profile)
        }
    }
}
