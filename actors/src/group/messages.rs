//! Messages: sending, changing, deleting, typing, and leave to read the history.

use rookery_protocol::client;
use rookery_protocol::client::embed::Embed;
use rookery_protocol::client::events::{MessageDelete, TypingStart};
use rookery_protocol::client::message::{Beside, MessageJson, SUPPRESS_EMBEDS};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    DeleteMessage, EditMessage, PostMessage, Posted, ReadHistory, Referenced, StartTyping,
    Surroundings, Typing,
};
use rookery_protocol::document::{Attachment, AuditAction, Key, MessageKind, MessageRow, Messages};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::{AttachmentId, ChannelId, MessageId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use serde_json::json;

use super::audit::Entry;
use super::show::About;
use super::{Live, Turn, files};
use crate::links::Links;

impl Live {
    /// A message that is there; [`Live::missing`] has seen to it that it is known whether it is.
    pub(super) fn message(&self, channel: ChannelId, message: MessageId) -> Answer<&MessageRow> {
        let unknown = || ErrorCode::UnknownMessage.into();
        let known = self.recent.get(&(channel, message)).flatten();
        known.ok_or_else(unknown)
    }

    pub(super) fn post_message(
        &mut self,
        turn: &mut Turn<'_>,
        request: PostMessage,
    ) -> Answer<Posted> {
        let seat = self.seat(turn.now, request.by.id, request.channel)?;
        seat.require_messages()?;
        seat.require(Permissions::SEND_MESSAGES)?;
        if !request.attachments.is_empty() {
            seat.require(Permissions::ATTACH_FILES)?;
        }
        self.require_peace()?;
        let held = seat.permissions;
        let tts = request.tts && held.allow(Permissions::SEND_TTS_MESSAGES);
        if request.enforce_nonce
            && let Some(first) = self.repeated(turn.now, &request)
            && let Ok(row) = self.message(request.channel, first)
            && (row.author, &row.nonce) == (request.by.id, &request.nonce)
        {
            return Ok(Posted {
                message: row.clone(),
                repeated: true,
            });
        }
        let has_text = !request.content.is_empty() || !request.attachments.is_empty();
        if !has_text {
            if request.embeds.is_empty() {
                return Err(ErrorCode::EmptyMessage.into());
            }
            seat.require(Permissions::EMBED_LINKS)?;
        }
        let answered = match &request.reply_to {
            Some(referenced) => {
                seat.require(Permissions::READ_MESSAGE_HISTORY)?;
                Some(self.answered(request.channel, referenced)?)
            }
            None => None,
        };
        self.require_pace(turn.now, &seat, &request.by)?;
        self.reopen(turn);
        let kind = if answered.is_some() {
            MessageKind::Reply
        } else {
            MessageKind::Default
        };
        let id = self.next_id(turn.now, request.channel);
        let mut row = MessageRow {
            content: request.content,
            tts,
            nonce: request.nonce,
            reply_to: answered.as_ref().map(|message| message.id),
            flags: request.flags,
            embeds: embeds(held, request.embeds),
            attachments: request.attachments,
            ..blank(id, request.channel, request.by.id, kind)
        };
        self.mention(&mut row, held, &request.mentions);
        let answered = answered.as_ref().zip(request.reply_to.as_ref());
        let answered = answered.and_then(|(row, referenced)| {
            let beside = self.beside(turn.now, &referenced.author, &request.mentions.users);
            MessageJson::new(row, &beside)
        });
        let beside = self.beside(turn.now, &request.by, &request.mentions.users);
        let body = MessageJson::new(&row, &beside);
        if let Some(body) = body {
            self.emit_created(turn, &row, body.answering(answered));
        }
        self.tell_mentioned(turn, &row, &request.mentions.users);
        self.append(turn, row.clone());
        Ok(Posted {
            message: row,
            repeated: false,
        })
    }

    /// The message that another answers, as it is now if that is known here.
    fn answered(&self, channel: ChannelId, referenced: &Referenced) -> Answer<MessageRow> {
        let MessageRow {
            id, channel: at, ..
        } = referenced.message;
        let row = match self.recent.get(&(channel, id)) {
            Some(known) => known,
            None => Some(&referenced.message),
        };
        let row = row.filter(|_| at == channel).cloned();
        let unknown = || {
            let code = "MESSAGE_REFERENCE_UNKNOWN_MESSAGE";
            ApiError::field("message_reference", code, "Unknown message")
        };
        row.ok_or_else(unknown)
    }

    /// An id above every earlier one of the channel.
    fn next_id(&mut self, now: Millis, channel: ChannelId) -> MessageId {
        let last = self.last_messages.get(&channel).map_or(0, |last| last.0);
        MessageId(self.kit.ids.mint_above(now, last))
    }

    fn emit_created(&self, turn: &mut Turn<'_>, row: &MessageRow, body: MessageJson<'_>) {
        let member = self.members.get(&row.author);
        let body = client::encode(&body.in_group(self.guild_id(), member));
        self.show_message(
            turn,
            row.channel,
            EventName::MessageCreate,
            body,
            readers(row),
        );
    }

    /// Writes a new message: its rows only, never the snapshot.
    fn append(&mut self, turn: &mut Turn<'_>, row: MessageRow) {
        files::claim_files(turn, &row, &row.attachments);
        turn.insert::<Messages>(Key::new(row.channel, row.id), &row);
        self.last_messages.insert(row.channel, row.id);
        self.nonces.remember(turn.now, &row);
        self.remember_pace(&row);
        self.recent.put((row.channel, row.id), row);
    }

    /// Says in the system channel, if there is one, that somebody joined.
    pub(super) fn post_join(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        let Some(channel) = self.document.system_channel else {
            return;
        };
        self.post_system(
            turn,
            channel,
            MessageKind::Join,
            profile,
            String::new(),
            &[],
        );
    }

    /// Says something that nobody wrote; `by` is who caused it.
    pub(super) fn post_system(
        &mut self,
        turn: &mut Turn<'_>,
        channel: ChannelId,
        kind: MessageKind,
        by: &Profile,
        content: String,
        mentions: &[Profile],
    ) {
        let row = MessageRow {
            content,
            mentions: mentions.iter().map(|user| user.id).collect(),
            ..self.system_row(turn, channel, kind, by.id)
        };
        self.post_row(turn, row, by, mentions);
    }

    /// A message that nobody wrote, in the making.
    pub(super) fn system_row(
        &mut self,
        turn: &Turn<'_>,
        channel: ChannelId,
        kind: MessageKind,
        by: UserId,
    ) -> MessageRow {
        blank(self.next_id(turn.now, channel), channel, by, kind)
    }

    /// Shows and writes a message that nobody wrote.
    pub(super) fn post_row(
        &mut self,
        turn: &mut Turn<'_>,
        row: MessageRow,
        by: &Profile,
        mentions: &[Profile],
    ) {
        let beside = self.beside(turn.now, by, mentions);
        if let Some(body) = MessageJson::new(&row, &beside) {
            self.emit_created(turn, &row, body);
        }
        self.append(turn, row);
    }

    /// What an event of a message shows that its row does not hold.
    pub(super) fn beside<'a>(
        &'a self,
        now: Millis,
        author: &'a Profile,
        others: &'a [Profile],
    ) -> Brought<'a> {
        Brought {
            author,
            others,
            links: &self.kit.links,
            now,
        }
    }

    pub(super) fn edit_message(
        &mut self,
        turn: &mut Turn<'_>,
        request: EditMessage,
    ) -> Answer<MessageRow> {
        let seat = self.seat(turn.now, request.by.id, request.channel)?;
        seat.require_messages()?;
        let held = seat.permissions;
        let known = self.message(request.channel, request.message)?;
        if known.author != request.by.id {
            let is_about_flags = request.content.is_none()
                && request.embeds.is_none()
                && request.keep.is_none()
                && request.attachments.is_empty()
                && request.flags.is_some();
            if !is_about_flags || !held.allow(Permissions::MANAGE_MESSAGES) {
                return Err(ErrorCode::CannotEditOthersMessage.into());
            }
        }
        if known.kind.is_system() {
            return Err(ErrorCode::SystemMessage.into());
        }
        let mut row = known.clone();
        if let Some(flags) = request.flags {
            // The one flag that can be set later.
            row.flags = row.flags & !SUPPRESS_EMBEDS | flags & SUPPRESS_EMBEDS;
        }
        if let Some(content) = request.content {
            row.content = content;
            row.edited_at = Some(turn.now);
            self.mention(&mut row, held, &request.mentions);
        }
        if let Some(new) = request.embeds {
            row.embeds = embeds(held, new);
            row.edited_at = Some(turn.now);
        }
        let files = self.edit_files(turn.now, &mut row, request.keep, request.attachments)?;
        if row == *known {
            return Ok(row);
        }
        files.write(turn, &row);
        let mentioned = &request.mentions.users;
        self.show_updated(turn, &row, &request.by, &request.around, mentioned);
        turn.put::<Messages>(Key::new(row.channel, row.id), &row);
        self.recent.put((row.channel, row.id), row.clone());
        Ok(row)
    }

    /// Shows a message as it is now, if its author is known.
    pub(super) fn show_updated(
        &self,
        turn: &mut Turn<'_>,
        row: &MessageRow,
        by: &Profile,
        around: &Surroundings,
        mentioned: &[Profile],
    ) {
        let people = [around.people.as_slice(), mentioned].concat();
        let beside = self.beside(turn.now, by, &people);
        let Some(body) = MessageJson::new(row, &beside) else {
            return;
        };
        let answered = row.reply_to.and_then(|id| {
            let found = around.answered.as_ref().filter(|row| row.id == id);
            let known = self.recent.get(&(row.channel, id));
            known.or_else(|| found.map(Some))
        });
        let body = match answered {
            Some(answered) => {
                body.answering(answered.and_then(|row| MessageJson::new(row, &beside)))
            }
            None => body.without_answered(),
        };
        let member = self.members.get(&row.author);
        let body = client::encode(&body.in_group(self.guild_id(), member));
        let name = EventName::MessageUpdate;
        self.show_message(turn, row.channel, name, body, readers(row));
    }

    /// Deletes a message: one's own, or as a moderator, which the audit log tells.
    pub(super) fn delete_message(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteMessage,
    ) -> Answer<Vec<AttachmentId>> {
        let DeleteMessage {
            by,
            channel,
            message,
            reason,
        } = request;
        let seat = self.seat(turn.now, by, channel)?;
        seat.require_messages()?;
        let row = self.message(channel, message)?;
        let is_own = row.author == by;
        if !is_own {
            if self.is_direct() {
                return Err(ErrorCode::CannotActOnDirect.into());
            }
            seat.require(Permissions::MANAGE_MESSAGES)?;
        }
        let row = row.clone();
        let files = self.erase(turn, &row);
        let body = MessageDelete {
            id: message,
            channel_id: channel,
            guild_id: self.guild_id(),
        };
        self.show(
            turn,
            channel,
            EventName::MessageDelete,
            About::Messages,
            &body,
        );
        if !is_own {
            let entry = Entry::new(by, AuditAction::MessageDelete, reason).on(row.author.0);
            let options = json!({ "channel_id": channel, "count": "1" });
            self.audit(turn, entry.options(options));
        }
        Ok(files)
    }

    /// Deletes a message with all that hangs on it; answers which files are garbage now.
    pub(super) fn erase(&mut self, turn: &mut Turn<'_>, row: &MessageRow) -> Vec<AttachmentId> {
        self.nonces.forget(row);
        self.recent.delete((row.channel, row.id));
        turn.delete::<Messages>(Key::new(row.channel, row.id));
        if row.pinned {
            self.unpin(turn, row);
        }
        if !row.reactions.is_empty() {
            self.erase_reactions(turn, row.id);
        }
        files::forget_files(turn, row)
    }

    /// Without READ_MESSAGE_HISTORY the answer is `MissingPermissions`, which a listing shows as an empty history.
    pub(super) fn read_history(&mut self, turn: &mut Turn<'_>, request: ReadHistory) -> Answer<()> {
        let seat = self.seat(turn.now, request.by, request.channel)?;
        seat.require_messages()?;
        seat.require(Permissions::READ_MESSAGE_HISTORY)
    }

    pub(super) fn start_typing(
        &mut self,
        turn: &mut Turn<'_>,
        request: StartTyping,
    ) -> Answer<Typing> {
        let seat = self.seat(turn.now, request.by.id, request.channel)?;
        seat.require_messages()?;
        seat.require(Permissions::SEND_MESSAGES)?;
        self.require_peace()?;
        let member = self.member(request.by.id)?;
        let group = self.guild_id();
        let body = TypingStart::new(group, request.channel, member, &request.by, turn.now);
        let dispatch = self.dispatch(EventName::TypingStart, About::Typing, &body);
        if self.is_direct() {
            return Ok(Typing {
                show_to: self.watching(),
                dispatch: Some(dispatch),
            });
        }
        turn.signal(Audience::Channel(request.channel), dispatch);
        Ok(Typing {
            show_to: Vec::new(),
            dispatch: None,
        })
    }
}

/// A message that says nothing yet.
fn blank(id: MessageId, channel: ChannelId, author: UserId, kind: MessageKind) -> MessageRow {
    MessageRow {
        id,
        channel,
        author,
        kind,
        content: String::new(),
        tts: false,
        edited_at: None,
        nonce: None,
        mentions: Vec::new(),
        reply_to: None,
        flags: 0,
        mention_everyone: false,
        mention_roles: Vec::new(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reactions: Vec::new(),
        pinned: false,
    }
}

/// What somebody may lay out: without EMBED_LINKS nothing.
fn embeds(held: Permissions, embeds: Vec<Embed>) -> Vec<Embed> {
    if held.allow(Permissions::EMBED_LINKS) {
        embeds
    } else {
        Vec::new()
    }
}

/// Who sees a message's content without MESSAGE_CONTENT: its author and those it mentions.
fn readers(row: &MessageRow) -> Vec<UserId> {
    let author = std::iter::once(row.author);
    author.chain(row.mentions.iter().copied()).collect()
}

/// What a request brought along for its event, and what the group adds.
pub(super) struct Brought<'a> {
    author: &'a Profile,
    others: &'a [Profile],
    links: &'a Links,
    now: Millis,
}

impl<'a> Beside<'a> for Brought<'a> {
    fn profile(&self, user: UserId) -> Option<&'a Profile> {
        let mut all = std::iter::once(self.author).chain(self.others);
        all.find(|profile| profile.id == user)
    }

    fn file_url(&self, channel: ChannelId, file: &Attachment) -> String {
        self.links.attachment(channel, file, self.now)
    }
}
