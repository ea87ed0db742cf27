//! Entries of an audit log.
//!
//! Source: <https://discord.com/developers/docs/resources/audit-log>

use serde_json::{Value, json};

use super::group::merge;
use crate::document::{AuditChange, AuditRow};
use crate::ids::GroupId;

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

/// The body of GUILD_AUDIT_LOG_ENTRY_CREATE.
pub fn entry_created(group: GroupId, row: &AuditRow) -> Value {
    merge(entry(row), json!({ "guild_id": group }))
}
