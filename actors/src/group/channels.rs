//! Channels: making, reading, changing and removing them.

use rookery_protocol::client;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    ChannelPatch, ChannelView, CreateChannel, DeleteChannel, GetChannel, ListChannels,
    UpdateChannel,
};
use rookery_protocol::document::{
    ChannelDocument, ChannelKind, ChannelOwner, Channels, Key, TableId,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;

use super::{Live, Turn};
use crate::entity::Effect;

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

    fn emit_channel(&self, turn: &mut Turn<'_>, name: EventName, channel: &ChannelDocument) {
        let last = self.last_messages.get(&channel.id).copied();
        let body = client::channel::channel(channel, self.guild_id(), last);
        turn.emit(name, Intents::GUILDS, &body);
    }

    pub(super) fn create_channel(
        &mut self,
        turn: &mut Turn<'_>,
        request: CreateChannel,
    ) -> Answer<ChannelView> {
        let CreateChannel {
            by, kind, patch, ..
        } = request;
        self.require(turn.now, by, Permissions::MANAGE_CHANNELS)?;
        if self.document.channels.len() >= limits::CHANNELS_PER_GROUP {
            return Err(ErrorCode::MaximumChannels.into());
        }
        // The id comes last, when nothing can be refused any more.
        let mut channel = blank(ChannelId(0), kind);
        channel.position = self.next_position(kind);
        self.apply(&mut channel, patch)?;
        channel.id = ChannelId(self.kit.ids.mint(turn.now));
        claim(turn, self.document.id, channel.id);
        self.document.channels.push(channel.clone());
        self.save(turn);
        self.emit_channel(turn, EventName::ChannelCreate, &channel);
        Ok(self.channel_view(&channel))
    }

    /// Below every channel of its kind.
    fn next_position(&self, kind: ChannelKind) -> u32 {
        let alike = self.document.channels.iter().filter(|c| c.kind == kind);
        let positions = alike.map(|c| c.position.saturating_add(1));
        positions.max().unwrap_or(0)
    }

    /// Changes a channel; fields that its kind does not have are ignored, as on Discord.
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

    fn check_parent(&self, kind: ChannelKind, parent: ChannelId) -> Answer<()> {
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
        let seat = self.seat(turn.now, request.by, request.channel)?;
        seat.require(Permissions::MANAGE_CHANNELS)?;
        let mut changed = seat.channel.clone();
        self.apply(&mut changed, request.patch)?;
        if changed != *seat.channel {
            self.replace_channel(&changed);
            self.save(turn);
            self.emit_channel(turn, EventName::ChannelUpdate, &changed);
        }
        Ok(self.channel_view(&changed))
    }

    fn replace_channel(&mut self, changed: &ChannelDocument) {
        let mut channels = self.document.channels.iter_mut();
        if let Some(channel) = channels.find(|channel| channel.id == changed.id) {
            channel.clone_from(changed);
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
        self.end_channel(turn, id);
        if self.document.system_channel == Some(id) {
            self.document.system_channel = None;
            self.save_announced(turn);
        } else {
            self.save(turn);
        }
        Ok(view)
    }
}
