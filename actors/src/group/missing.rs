//! Which rows a command needs before it can be answered, of those that are not known here.

use rookery_protocol::command::group::{BulkDelete, GroupCommand, PostMessage};
use rookery_protocol::document::{MessageRow, ReactionRow};
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;

use super::waiting::Wanted;
use super::{Live, bulk};

impl Live {
    /// The rows that a command cannot be answered without and of which nothing is known here. A command that needs a row to
    /// know which other it needs is asked again when the first has come.
    pub(super) fn missing(&self, now: Millis, command: &GroupCommand) -> Vec<Wanted> {
        let one = |by, channel, message| {
            let wanted = self.missing_message(now, by, channel, message);
            wanted.into_iter().collect()
        };
        match command {
            GroupCommand::EditMessage(r) => one(r.by.id, r.channel, r.message),
            GroupCommand::DeleteMessage(r) => one(r.by, r.channel, r.message),
            GroupCommand::SetPinned(r) => one(r.by.id, r.channel, r.message),
            GroupCommand::ClearReactions(r) => one(r.by, r.channel, r.message),
            GroupCommand::PostMessage(r) if r.enforce_nonce => match self.repeated(now, r) {
                Some(message) => one(r.by.id, r.channel, message),
                None => Vec::new(),
            },
            GroupCommand::AddReaction(r) => {
                self.missing_reaction(now, r.by.id, r.channel, r.message, &r.emoji, r.by.id)
            }
            GroupCommand::RemoveReaction(r) => {
                self.missing_reaction(now, r.by, r.channel, r.message, &r.emoji, r.user)
            }
            GroupCommand::BulkDelete(r) => self.missing_messages(now, r),
            _ => Vec::new(),
        }
    }

    fn missing_message(
        &self,
        now: Millis,
        by: UserId,
        channel: ChannelId,
        message: MessageId,
    ) -> Option<Wanted> {
        // Who is refused anyway causes no reading.
        self.seat(now, by, channel).ok()?;
        self.unknown_message(channel, message)
    }

    fn unknown_message(&self, channel: ChannelId, message: MessageId) -> Option<Wanted> {
        // Ids above the last one are not taken yet.
        let last = self.last_messages.get(&channel);
        let exists = last.is_some_and(|&last| message <= last);
        let place = (channel, message);
        (exists && self.recent.get(&place).is_none()).then_some(Wanted::Message(place))
    }

    fn missing_messages(&self, now: Millis, request: &BulkDelete) -> Vec<Wanted> {
        if self.require_bulk_delete(now, request).is_err() {
            return Vec::new();
        }
        let messages = bulk::each_once(&request.messages);
        let unknown = messages.filter_map(|id| self.unknown_message(request.channel, id));
        unknown.collect()
    }

    /// The message, and then whether a user reacted to it, which matters only if somebody did.
    fn missing_reaction(
        &self,
        now: Millis,
        by: UserId,
        channel: ChannelId,
        message: MessageId,
        emoji: &str,
        user: UserId,
    ) -> Vec<Wanted> {
        if let Some(wanted) = self.missing_message(now, by, channel, message) {
            return vec![wanted];
        }
        let may_moderate = |by| {
            let seat = self.seat(now, by, channel);
            seat.is_ok_and(|seat| seat.permissions.allow(Permissions::MANAGE_MESSAGES))
        };
        let has_emoji =
            |row: &MessageRow| row.reactions.iter().any(|reaction| reaction.emoji == emoji);
        let Ok(row) = self.message(channel, message) else {
            return Vec::new();
        };
        if !has_emoji(row) || (by != user && !may_moderate(by)) {
            return Vec::new();
        }
        let emoji = emoji.to_owned();
        let key = (message, ReactionRow { emoji, user }.place());
        match self.reacted.get(&key) {
            Some(_) => Vec::new(),
            None => vec![Wanted::Reaction(key.0, key.1)],
        }
    }

    /// The earlier message of a request's nonce; whether it really is of that nonce, its row says.
    pub(super) fn repeated(&self, now: Millis, request: &PostMessage) -> Option<MessageId> {
        let nonce = request.nonce.as_ref()?;
        self.nonces.find(now, request.by.id, request.channel, nonce)
    }
}
