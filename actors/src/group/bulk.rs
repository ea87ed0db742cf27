//! Deleting several messages at once.

use std::collections::BTreeSet;

use rookery_protocol::client::events::MessageDeleteBulk;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::BulkDelete;
use rookery_protocol::document::AuditAction;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{AttachmentId, MessageId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;
use serde_json::json;

use super::audit::Entry;
use super::show::About;
use super::{Live, Turn};

/// The messages of a request, each once, in their order.
pub(super) fn each_once(messages: &[MessageId]) -> impl Iterator<Item = MessageId> {
    let mut seen = BTreeSet::new();
    messages.iter().copied().filter(move |&id| seen.insert(id))
}

impl Live {
    /// Whether somebody may delete these messages at all.
    pub(super) fn require_bulk_delete(&self, now: Millis, request: &BulkDelete) -> Answer<()> {
        if self.is_direct() {
            return Err(ErrorCode::CannotActOnDirect.into());
        }
        let count = each_once(&request.messages).count();
        if request.purge {
            // The ban was the leave for it; whoever made it may have left since.
            let unknown = || ErrorCode::UnknownChannel;
            self.document.channel(request.channel).ok_or_else(unknown)?;
            if count > *limits::BULK_DELETE.end() {
                return Err(ErrorCode::BulkDeleteCount.into());
            }
            return Ok(());
        }
        let seat = self.seat(now, request.by, request.channel)?;
        seat.require_messages()?;
        seat.require(Permissions::MANAGE_MESSAGES)?;
        if !limits::BULK_DELETE.contains(&count) {
            return Err(ErrorCode::BulkDeleteCount.into());
        }
        let is_old =
            |id: &MessageId| now.since(snowflake::created_at(id.0)) > limits::BULK_DELETE_MS;
        if request.messages.iter().any(is_old) {
            return Err(ErrorCode::TooOldToBulkDelete.into());
        }
        Ok(())
    }

    /// Deletes those that are there. What a ban deletes, its own entry in the audit log tells.
    pub(super) fn bulk_delete(
        &mut self,
        turn: &mut Turn<'_>,
        request: BulkDelete,
    ) -> Answer<Vec<AttachmentId>> {
        self.require_bulk_delete(turn.now, &request)?;
        let channel = request.channel;
        let (mut ids, mut files) = (Vec::new(), Vec::new());
        for id in each_once(&request.messages) {
            if let Ok(row) = self.message(channel, id) {
                let row = row.clone();
                files.extend(self.erase(turn, &row));
                ids.push(id);
            }
        }
        if ids.is_empty() {
            return Ok(files);
        }
        let count = ids.len();
        let body = MessageDeleteBulk {
            ids,
            channel_id: channel,
            guild_id: self.guild_id(),
        };
        self.show(
            turn,
            channel,
            EventName::MessageDeleteBulk,
            About::Messages,
            &body,
        );
        if !request.purge {
            let action = AuditAction::MessageBulkDelete;
            let entry = Entry::new(request.by, action, request.reason).on(channel.0);
            self.audit(turn, entry.options(json!({ "count": count.to_string() })));
        }
        Ok(files)
    }
}
