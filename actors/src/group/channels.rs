//! Channels: making, reading, changing and removing them.

use rookery_protocol::client;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    ChannelPatch, ChannelView, CreateChannel, DeleteChannel, GetChannel, ListChannels,
    UpdateChannel,
};
use rookery_protocol::document::{
    AuditAction, ChannelDocument, ChannelKind, ChannelOwner, Channels, Key, TableId,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{AccessChange, Audience, ChannelAccess, EventName};
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;

use super::audit::Entry;
use super::{Live, Turn};
use crate::entity::Effect;
use crate::turn::dispatch;

/// Bits per second of a new voice channel.
const DEFAULT_BITRATE: u32 = 64_000;

/// A channel without a name, with the defaults of its kind.
pub(super) fn blank(id: ChannelId, kind: ChannelKind) -> ChannelDocument {
    ChannelDocument {
        id,
        kind,
        name: String::new(),
        position: 0,
        parent: None,
        topic: None,
        nsfw: false,
        rate_limit_per_user: 0,
        bitrate: if kind == ChannelKind::Voice {
            DEFAULT_BITRATE
        } else {
            0
        },
        user_limit: 0,
        overwrites: Vec::new(),
        last_pin_at: None,
    }
}

/// Writes whose channel it is, for ever. Another group of the node may have minted the same id in the same
/// millisecond: then nothing is done, and a second attempt gets another id.
pub(super) fn claim(turn: &mut Turn<'_>, group: GroupId, channel: ChannelId) {
    turn.out.push(Effect::RequireAbsent {
        table: TableId::Channels,
        key: Key::single(channel),
        refusal: ErrorCode::Busy.into(),
    });
    turn.put::<Channels>(Key::single(channel), &ChannelOwner { group });
}

impl Live {
    fn channel_view(&self, channel: &ChannelDocument) -> ChannelView {
        ChannelView {
            channel: channel.clone(),
            last_message: self.last_messages.get(&channel.id).copied(),
            group: self.guild_id(),
        }
    }

    /// Shows what became of a channel to who sees it, which may be what changes.
    pub(super) fn emit_channel(
        &self,
        turn: &mut Turn<'_>,
        name: EventName,
        channel: &ChannelDocument,
    ) {
        let last = self.last_messages.get(&channel.id).copied();
        let body = client::channel::channel(channel, self.guild_id(), last);
        let dispatch = dispatch(name, Intents::GUILDS, &body);
        let is_there = name != EventName::ChannelDelete;
        let access = is_there.then(|| ChannelAccess {
            overwrites: channel.overwrites.clone(),
            body: dispatch.body.clone(),
        });
        let change = AccessChange::Channel(channel.id, access);
        turn.emit_for(Audience::Channel(channel.id), dispatch, Some(change));
    }

    pub(super) fn create_channel(
        &mut self,
        turn: &mut Turn<'_>,
        request: CreateChannel,
    ) -> Answer<ChannelView> {
        let CreateChannel {
            by,
            kind,
            mut patch,
            reason,
        } = request;
        let held = self.require(turn.now, by, Permissions::MANAGE_CHANNELS)?;
        if self.document.channels.len() >= limits::CHANNELS_PER_GROUP {
            return Err(ErrorCode::MaximumChannels.into());
        }
        // The id comes last, when nothing can be refused any more.
        let mut channel = blank(ChannelId(0), kind);
        channel.position = self.next_position(kind);
        // Libraries send an empty list for a channel that nothing was said about.
        let overwrites = patch.overwrites.take();
        let overwrites = overwrites.filter(|wanted| !wanted.is_empty());
        self.apply(&mut channel, patch)?;
        channel.overwrites = match overwrites {
            Some(wanted) => self.first_overwrites(held, wanted)?,
            None => self.overwrites_above(&channel),
        };
        channel.id = ChannelId(self.kit.ids.mint(turn.now));
        claim(turn, self.document.id, channel.id);
        self.document.channels.push(channel.clone());
        self.save(turn);
        self.emit_channel(turn, EventName::ChannelCreate, &channel);
        let entry = Entry::new(by, AuditAction::ChannelCreate, reason).on(channel.id.0);
        self.audit(turn, audited(entry, None, Some(&channel)));
        Ok(self.channel_view(&channel))
    }

    /// Below every channel of its kind.
    fn next_position(&self, kind: ChannelKind) -> u32 {
        let alike = self.document.channels.iter().filter(|c| c.kind == kind);
        let positions = alike.map(|c| c.position.saturating_add(1));
        positions.max().unwrap_or(0)
    }

    /// Changes a channel but for its overwrites; fields that its kind does not have are ignored, as on Discord.
    fn apply(&self, channel: &mut ChannelDocument, patch: ChannelPatch) -> Answer<()> {
        if let Some(parent) = patch.parent {
            if let Some(parent) = parent {
                self.check_parent(channel.kind, parent)?;
            }
            channel.parent = parent;
        }
        let set = |field: &mut u32, value: Option<u32>| *field = value.unwrap_or(*field);
        set(&mut channel.position, patch.position);
        if let Some(name) = patch.name {
            channel.name = name;
        }
        if channel.kind.holds_messages() {
            channel.nsfw = patch.nsfw.unwrap_or(channel.nsfw);
            set(&mut channel.rate_limit_per_user, patch.rate_limit_per_user);
        }
        match channel.kind {
            ChannelKind::Text => channel.topic = patch.topic.unwrap_or(channel.topic.take()),
            ChannelKind::Voice => {
                set(&mut channel.bitrate, patch.bitrate);
                set(&mut channel.user_limit, patch.user_limit);
            }
            ChannelKind::Category | ChannelKind::Direct | ChannelKind::GroupDirect => {}
        }
        Ok(())
    }

    pub(super) fn check_parent(&self, kind: ChannelKind, parent: ChannelId) -> Answer<()> {
        let refuse = |code, message| Err(ApiError::field("parent_id", code, message));
        let Some(parent) = self.document.channel(parent) else {
            return refuse("CHANNEL_PARENT_INVALID", "Category does not exist");
        };
        if parent.kind != ChannelKind::Category || kind == ChannelKind::Category {
            return refuse("CHANNEL_PARENT_INVALID_TYPE", "Not a category");
        }
        Ok(())
    }

    pub(super) fn get_channel(
        &mut self,
        turn: &mut Turn<'_>,
        request: GetChannel,
    ) -> Answer<ChannelView> {
        let seat = self.seat(turn.now, request.by, request.channel)?;
        Ok(self.channel_view(seat.channel))
    }

    pub(super) fn list_channels(
        &mut self,
        turn: &mut Turn<'_>,
        request: ListChannels,
    ) -> Answer<Vec<ChannelView>> {
        self.member(request.by)?;
        let channels = self.document.channels.iter();
        let visible =
            channels.filter(|channel| self.seat(turn.now, request.by, channel.id).is_ok());
        Ok(visible.map(|channel| self.channel_view(channel)).collect())
    }

    pub(super) fn update_channel(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateChannel,
    ) -> Answer<ChannelView> {
        let UpdateChannel {
            by,
            channel,
            mut patch,
            reason,
        } = request;
        let seat = self.seat(turn.now, by, channel)?;
        seat.require(Permissions::MANAGE_CHANNELS)?;
        let before = seat.channel.clone();
        let mut changed = before.clone();
        if let Some(wanted) = patch.overwrites.take() {
            changed.overwrites = self.next_overwrites(turn.now, by, &before, wanted)?;
        }
        self.apply(&mut changed, patch)?;
        if changed != before {
            self.replace_channel(turn, &changed);
            self.save(turn);
            let entry = Entry::new(by, AuditAction::ChannelUpdate, reason).on(channel.0);
            self.audit(turn, audited(entry, Some(&before), Some(&changed)));
        }
        Ok(self.channel_view(&changed))
    }

    /// Puts a changed channel in the place of what it was and shows it. Channels under a category whose overwrites are the
    /// category's take over its new ones.
    pub(super) fn replace_channel(&mut self, turn: &mut Turn<'_>, changed: &ChannelDocument) {
        let mut channels = self.document.channels.iter_mut();
        let Some(channel) = channels.find(|channel| channel.id == changed.id) else {
            return;
        };
        let before = std::mem::replace(channel, changed.clone());
        self.emit_channel(turn, EventName::ChannelUpdate, changed);
        if changed.kind != ChannelKind::Category || before.overwrites == changed.overwrites {
            return;
        }
        let mut synced = Vec::new();
        for channel in &mut self.document.channels {
            if channel.parent == Some(changed.id) && channel.overwrites == before.overwrites {
                channel.overwrites.clone_from(&changed.overwrites);
                synced.push(channel.clone());
            }
        }
        for channel in &synced {
            self.emit_channel(turn, EventName::ChannelUpdate, channel);
        }
    }

    /// Removes a channel with its invites; channels under a category stay, under none. What it holds is deleted later
    /// ([`super::reap`]).
    pub(super) fn delete_channel(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteChannel,
    ) -> Answer<ChannelView> {
        let seat = self.seat(turn.now, request.by, request.channel)?;
        seat.require(Permissions::MANAGE_CHANNELS)?;
        let id = request.channel;
        let view = self.channel_view(seat.channel);
        let entry = Entry::new(request.by, AuditAction::ChannelDelete, request.reason).on(id.0);
        let entry = audited(entry, Some(seat.channel), None);
        self.empty_voice(turn, id);
        self.document.channels.retain(|channel| channel.id != id);
        let mut orphans = Vec::new();
        for channel in &mut self.document.channels {
            if channel.parent == Some(id) {
                channel.parent = None;
                orphans.push(channel.clone());
            }
        }
        for orphan in &orphans {
            self.emit_channel(turn, EventName::ChannelUpdate, orphan);
        }
        self.remove_invites(turn, |invite| invite.channel == id);
        self.emit_channel(turn, EventName::ChannelDelete, &view.channel);
        self.last_messages.remove(&id);
        self.pins.remove(&id);
        self.end_channel(turn, id);
        if self.document.system_channel == Some(id) {
            self.document.system_channel = None;
            self.announce(turn, None);
        }
        self.save(turn);
        self.audit(turn, entry);
        Ok(view)
    }
}

/// Adds to an audit entry what is different of a channel.
pub(super) fn audited(
    entry: Entry,
    old: Option<&ChannelDocument>,
    new: Option<&ChannelDocument>,
) -> Entry {
    macro_rules! changes {
        ($($key:literal: $of:expr),* $(,)?) => {
            entry$(.change($key, old.and_then($of).as_ref(), new.and_then($of).as_ref()))*
        };
    }
    let overwrites = |channel: &ChannelDocument| {
        let all = channel.overwrites.iter();
        Some(all.map(client::channel::overwrite).collect::<Vec<_>>())
    };
    changes! {
        "name": |channel| Some(channel.name.clone()),
        "type": |channel| Some(channel.kind.wire()),
        "position": |channel| Some(channel.position),
        "parent_id": |channel| channel.parent,
        "topic": |channel| channel.topic.clone(),
        "nsfw": |channel| Some(channel.nsfw),
        "rate_limit_per_user": |channel| Some(channel.rate_limit_per_user),
        "bitrate": |channel| (channel.kind == ChannelKind::Voice).then_some(channel.bitrate),
        "user_limit": |channel| (channel.kind == ChannelKind::Voice).then_some(channel.user_limit),
        "permission_overwrites": overwrites,
    }
}
