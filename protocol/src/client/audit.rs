//! Entries of an audit log.
//!
//! Source: <https://discord.com/developers/docs/resources/audit-log>

use serde_json::{Value, json};

use super::group::merge;
use super::user::UserJson;
use crate::document::{AuditChange, AuditRow};
use crate::ids::GroupId;
use crate::profile::Profile;

/// An entry.
pub fn entry(row: &AuditRow) -> Value {
    let change = |change: &AuditChange| {
        let mut object = json!({ "key": change.key });
        if let Some(old) = &change.old_value {
            object["old_value"] = old.clone();
        }
        if let Some(new) = &change.new_value {
            object["new_value"] = new.clone();
        }
        object
    };
    let mut object = json!({
        "id": row.id,
        "user_id": row.by,
        "target_id": row.target.map(|id| id.to_string()),
        "action_type": row.action.wire(),
    });
    if !row.changes.is_empty() {
        object["changes"] = row.changes.iter().map(change).collect();
    }
    if let Some(options) = &row.options {
        object["options"] = options.clone();
    }
    if let Some(reason) = &row.reason {
        object["reason"] = reason.as_str().into();
    }
    object
}

/// A page of the log, with the users it names. Of the other kinds of things that a log can name there are none here.
pub fn log(rows: &[AuditRow], users: &[&Profile]) -> Value {
    json!({
        "audit_log_entries": rows.iter().map(entry).collect::<Vec<_>>(),
        "users": users.iter().map(|&user| UserJson::from(user)).collect::<Vec<_>>(),
        "webhooks": [],
        "integrations": [],
        "threads": [],
        "application_commands": [],
        "auto_moderation_rules": [],
        "guild_scheduled_events": [],
    })
}

/// The body of GUILD_AUDIT_LOG_ENTRY_CREATE.
pub fn entry_created(group: GroupId, row: &AuditRow) -> Value {
    merge(entry(row), json!({ "guild_id": group }))
}
