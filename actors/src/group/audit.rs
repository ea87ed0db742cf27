//! The audit log: who changed what, and why. An entry is written in the commit of the change it tells of.

use rookery_protocol::client::audit::entry_created;
use rookery_protocol::document::{AuditAction, AuditChange, AuditLog, AuditRow, Key};
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::{AuditId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;
use serde::Serialize;
use serde_json::Value;

use super::{Live, Turn};
use crate::turn::dispatch;

/// An entry in the making.
#[derive(Debug)]
pub(super) struct Entry {
    by: UserId,
    action: AuditAction,
    target: Option<u64>,
    reason: Option<String>,
    changes: Vec<AuditChange>,
    options: Option<Value>,
}

impl Entry {
    /// Somebody did something, for a reason.
    pub(super) fn new(by: UserId, action: AuditAction, reason: Option<String>) -> Self {
        Self {
            by,
            action,
            target: None,
            reason,
            changes: Vec::new(),
            options: None,
        }
    }

    /// To what it was done.
    pub(super) fn on(mut self, target: u64) -> Self {
        self.target = Some(target);
        self
    }

    /// Adds a field that is different now; one that is as it was is left out.
    pub(super) fn change<T: Serialize + PartialEq>(
        mut self,
        key: &str,
        old: Option<&T>,
        new: Option<&T>,
    ) -> Self {
        if old != new {
            let value = |value: Option<&T>| serde_json::to_value(value?).ok();
            self.changes.push(AuditChange {
                key: key.to_owned(),
                old_value: value(old),
                new_value: value(new),
            });
        }
        self
    }

    /// What the action has besides, as the client wire has it.
    pub(super) fn options(mut self, options: Value) -> Self {
        self.options = Some(options);
        self
    }

    /// Whether any field is different.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }
}

impl Live {
    /// Writes an entry and shows it to whoever may read the audit log.
    pub(super) fn audit(&self, turn: &mut Turn<'_>, entry: Entry) {
        let row = AuditRow {
            id: AuditId(self.kit.ids.mint(turn.now)),
            by: entry.by,
            action: entry.action,
            target: entry.target,
            reason: entry.reason,
            changes: entry.changes,
            options: entry.options,
        };
        let group = self.document.id;
        turn.put::<AuditLog>(Key::new(group, row.id), &row);
        let body = entry_created(group, &row);
        let name = EventName::GuildAuditLogEntryCreate;
        let readers = Audience::Holders {
            permissions: Permissions::VIEW_AUDIT_LOG,
            channel: None,
        };
        turn.emit_for(
            readers,
            dispatch(name, Intents::GUILD_MODERATION, &body),
            None,
        );
    }
}
