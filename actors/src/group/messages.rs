//! Messages: sending, changing, deleting, typing, and leave to read the history.

use rookery_protocol::client;
use rookery_protocol::client::events::{MessageDelete, TypingStart};
use rookery_protocol::client::message::{Beside, MessageJson};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    DeleteMessage, EditMessage, GroupCommand, PostMessage, Posted, ReadHistory, Referenced,
    StartTyping, Typing,
};
use rookery_protocol::document::{Attachment, Key, MessageKind, MessageRow, Messages};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::{AttachmentId, ChannelId, MessageId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

use super::show::About;
use super::{Live, Place, Turn, files};
use crate::links::Links;

impl Live {
    /// The message that a command cannot be answered without and of which nothing is known here.
    pub(super) fn missing(&self, now: Millis, command: &GroupCommand) -> Option<Place> {
        let (by, channel, message) = match command {
            GroupCommand::EditMessage(request) => (request.by.id, request.channel, request.message),
            GroupCommand::DeleteMessage(request) => (request.by, request.channel, request.message),
            GroupCommand::PostMessage(request) if request.enforce_nonce => {
                (request.by.id, request.channel, self.repeated(now, request)?)
            }
            _ => return None,
        };
        // Who is refused anyway causes no reading; and ids above the last one are not taken yet.
        self.seat(now, by, channel).ok()?;
        let exists = self
            .last_messages
            .get(&channel)
            .is_some_and(|&last| message <= last);
        let place = (channel, message);
        (exists && self.recent.get(place).is_none()).then_some(place)
    }

    /// The earlier message of a request's nonce; whether it really is of that nonce, its row says.
    fn repeated(&self, now: Millis, request: &PostMessage) -> Option<MessageId> {
        let nonce = request.nonce.as_ref()?;
        self.nonces.find(now, request.by.id, request.channel, nonce)
    }

    /// A message that is there; [`Live::missing`] has seen to it that it is known whether it is.
    fn message(&self, channel: ChannelId, message: MessageId) -> Answer<&MessageRow> {
        let unknown = || ErrorCode::UnknownMessage.into();
        let known = self.recent.get((channel, message)).flatten();
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
        let tts = request.tts && seat.permissions.allow(Permissions::SEND_TTS_MESSAGES);
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
        let is_empty = request.content.is_empty()
            && request.embeds.is_empty()
            && request.attachments.is_empty();
        if is_empty {
            return Err(ErrorCode::EmptyMessage.into());
        }
        let answered = match &request.reply_to {
            Some(referenced) => {
                seat.require(Permissions::READ_MESSAGE_HISTORY)?;
                Some(self.answered(request.channel, referenced)?)
            }
            None => None,
        };
        self.reopen(turn);
        let kind = if answered.is_some() {
            MessageKind::Reply
        } else {
            MessageKind::Default
        };
        let row = MessageRow {
            id: self.next_id(turn.now, request.channel),
            channel: request.channel,
            author: request.by.id,
            kind,
            content: request.content,
            tts,
            edited_at: None,
            nonce: request.nonce,
            mentions: self.mentioned(&request.mentions.users),
            reply_to: answered.as_ref().map(|message| message.id),
            flags: request.flags,
            mention_everyone: false,
            mention_roles: Vec::new(),
            embeds: request.embeds,
            attachments: request.attachments,
            reactions: Vec::new(),
            pinned: false,
        };
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
        let row = match self.recent.get((channel, id)) {
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

    /// Those of the users who are members.
    fn mentioned(&self, users: &[Profile]) -> Vec<UserId> {
        let mut mentioned = Vec::new();
        for user in users.iter().take(limits::MENTIONS_PER_MESSAGE + 1) {
            if self.members.contains_key(&user.id) && !mentioned.contains(&user.id) {
                mentioned.push(user.id);
            }
        }
        mentioned
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
        turn.put::<Messages>(Key::new(row.channel, row.id), &row);
        self.last_messages.insert(row.channel, row.id);
        self.nonces.remember(turn.now, &row);
        self.recent.put(row);
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
            id: self.next_id(turn.now, channel),
            channel,
            author: by.id,
            kind,
            content,
            tts: false,
            edited_at: None,
            nonce: None,
            mentions: mentions.iter().map(|user| user.id).collect(),
            reply_to: None,
            flags: 0,
            mention_everyone: false,
            mention_roles: Vec::new(),
            embeds: Vec::new(),
            attachments: Vec::new(),
            reactions: Vec::new(),
            pinned: false,
        };
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
        self.seat(turn.now, request.by.id, request.channel)?
            .require_messages()?;
        let known = self.message(request.channel, request.message)?;
        if known.author != request.by.id {
            return Err(ErrorCode::CannotEditOthersMessage.into());
        }
        if known.kind.is_system() {
            return Err(ErrorCode::SystemMessage.into());
        }
        let mut row = known.clone();
        row.flags = request.flags.unwrap_or(row.flags);
        if let Some(content) = request.content {
            row.content = content;
            row.edited_at = Some(turn.now);
            row.mentions = self.mentioned(&request.mentions.users);
        }
        let files = self.edit_files(turn.now, &mut row, request.keep, request.attachments)?;
        if row == *known {
            return Ok(row);
        }
        files.write(turn, &row);
        let beside = self.beside(turn.now, &request.by, &request.mentions.users);
        if let Some(body) = MessageJson::new(&row, &beside) {
            let member = self.members.get(&row.author);
            let body = body.in_group(self.guild_id(), member).without_answered();
            let body = client::encode(&body);
            self.show_message(
                turn,
                row.channel,
                EventName::MessageUpdate,
                body,
                readers(&row),
            );
        }
        turn.put::<Messages>(Key::new(row.channel, row.id), &row);
        self.recent.put(row.clone());
        Ok(row)
    }

    pub(super) fn delete_message(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteMessage,
    ) -> Answer<Vec<AttachmentId>> {
        let DeleteMessage {
            by,
            channel,
            message,
            ..
        } = request;
        let seat = self.seat(turn.now, by, channel)?;
        seat.require_messages()?;
        let row = self.message(channel, message)?;
        if row.author != by {
            seat.require(Permissions::MANAGE_MESSAGES)?;
        }
        let row = row.clone();
        self.nonces.forget(&row);
        self.recent.delete((channel, message));
        turn.delete::<Messages>(Key::new(channel, message));
        let files = files::forget_files(turn, &row);
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
        Ok(files)
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
