//! Invite objects.
//!
//! Source: <https://discord.com/developers/docs/resources/invite#invite-object>

use serde_json::{Value, json};

use super::group::merge;
use super::user::UserJson;
use crate::document::{GroupDocument, InviteRow};
use crate::profile::Profile;

/// An invite as whoever has the code sees it; `counts`: how many are members, and online.
pub fn invite(
    row: &InviteRow,
    group: &GroupDocument,
    inviter: Option<&Profile>,
    counts: Option<(u64, usize)>,
) -> Value {
    let channel = group.channel(row.channel);
    let mut object = json!({
        "type": 0,
        "code": row.code,
        "guild": {
            "id": group.id,
            "name": group.name,
            "icon": group.icon,
            "splash": null,
            "banner": null,
            "description": group.description,
            "features": [],
            "verification_level": 0,
            "vanity_url_code": null,
            "nsfw_level": 0,
            "premium_subscription_count": 0,
        },
        "guild_id": group.id,
        "channel": channel.map(|c| json!({ "id": c.id, "name": c.name, "type": c.kind.wire() })),
        "inviter": inviter.map(UserJson::from),
        "expires_at": row.expires_at().map(|at| at.iso8601()),
        "flags": 0,
    });
    if let Some((members, online)) = counts {
        object["approximate_member_count"] = members.into();
        object["approximate_presence_count"] = online.into();
    }
    object
}

/// An invite as members who may see its use do.
pub fn invite_with_metadata(
    row: &InviteRow,
    group: &GroupDocument,
    inviter: Option<&Profile>,
) -> Value {
    let use_made = json!({
        "uses": row.uses,
        "max_uses": row.max_uses,
        "max_age": row.max_age,
        "temporary": false,
        "created_at": row.created_at.iso8601(),
    });
    merge(invite(row, group, inviter, None), use_made)
}
