//! Who is in the group's voice channels: coming, going, being moved, and what others see of it.
//!
//! Voice states are rows and their changes events, as everything of a group: whoever takes the group over knows who was in
//! which channel and where its room is. What follows for the media is the room's to ask ([`room`]); it is nudged when it
//! should.

mod load;
mod room;

use std::collections::BTreeMap;

use rookery_protocol::client::voice_state::{VoiceServerUpdate, VoiceStateJson};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{JoinVoice, LeaveVoice};
use rookery_protocol::document::{
    ChannelDocument, ChannelKind, Key, MemberRow, RoomAtRow, RoomRow, Rooms, RoomsAt, VoiceRow,
    VoiceStates,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::voice::{MediaNode, RoomId, VoiceState};

pub(super) use self::load::load;
use super::{Live, Turn};
use crate::entity::Effect;
use crate::turn::dispatch;

/// Who is in voice channels, and where their rooms are.
#[derive(Debug, Default)]
pub(super) struct Voices {
    states: BTreeMap<UserId, VoiceRow>,
    rooms: BTreeMap<ChannelId, RoomRow>,
    /// Something changed that may decide who may be in a channel, or what he may do there.
    pub(super) is_stale: bool,
}

impl Voices {
    /// How many people are in voice channels, and in how many of them.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.states.len(), self.rooms.len())
    }
}

impl Live {
    /// A channel that has a room.
    fn voice_channel(&self, channel: ChannelId) -> Answer<&ChannelDocument> {
        let found = self.document.channel(channel);
        let found = found.ok_or(ErrorCode::UnknownChannel)?;
        if found.kind == ChannelKind::Voice {
            Ok(found)
        } else {
            Err(ErrorCode::InvalidAction.into())
        }
    }

    /// Who is in the channels that a member sees.
    pub(super) fn voices_for(&self, turn: &Turn<'_>, viewer: &MemberRow) -> Vec<VoiceState> {
        let sees = |channel: ChannelId| {
            let channel = self.document.channel(channel);
            channel.is_some_and(|channel| {
                let held = self.permissions_in(turn.now, viewer, channel);
                held.allow(Permissions::VIEW_CHANNEL)
            })
        };
        let seen = self.voices.states.values().filter(|row| sees(row.channel));
        seen.map(|row| {
            let member = self.members.get(&row.user);
            VoiceState {
                row: row.clone(),
                mute: member.is_some_and(|member| member.mute),
                deaf: member.is_some_and(|member| member.deaf),
            }
        })
        .collect()
    }

    pub(super) fn join_voice(&mut self, turn: &mut Turn<'_>, request: JoinVoice) -> Answer<()> {
        let JoinVoice {
            by,
            session,
            channel,
            said,
            at,
        } = request;
        let seat = self.seat(turn.now, by.id, channel)?;
        let permissions = seat.permissions;
        self.voice_channel(channel)?;
        if let Some(row) = self.voices.states.get(&by.id)
            && row.channel == channel
            && row.session == session
        {
            if row.said != said {
                let row = VoiceRow {
                    said,
                    ..row.clone()
                };
                self.put_state(turn, row);
                self.nudge(turn, channel);
            }
            return Ok(());
        }
        if !permissions.allow(Permissions::CONNECT) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        let here = self.voices.states.get(&by.id);
        // Another session of somebody who is in takes his place.
        if here.is_none_or(|row| row.channel != channel) {
            self.require_voice_room(by.id, channel, permissions)?;
        }
        let row = VoiceRow {
            user: by.id,
            channel,
            session,
            since: turn.now,
            said,
            suppress: !permissions.allow(Permissions::SPEAK),
            profile: by,
        };
        self.enter(turn, row, at);
        Ok(())
    }

    pub(super) fn leave_voice(&mut self, turn: &mut Turn<'_>, request: LeaveVoice) -> Answer<()> {
        let row = self.voices.states.get(&request.by);
        if row.is_some_and(|row| row.session == request.session) {
            self.exit(turn, request.by);
        }
        Ok(())
    }

    /// Moves somebody to another channel for a moderator, or out of his. Both must hold what it takes.
    pub(super) fn move_voice(
        &mut self,
        turn: &mut Turn<'_>,
        by: UserId,
        user: UserId,
        to: Option<(ChannelId, MediaNode)>,
    ) -> Answer<()> {
        let row = self.voices.states.get(&user).cloned();
        let row = row.ok_or(ErrorCode::NotInVoice)?;
        let seat = self.seat(turn.now, by, row.channel)?;
        seat.require(Permissions::MOVE_MEMBERS)?;
        let Some((channel, at)) = to else {
            self.exit(turn, user);
            return Ok(());
        };
        let seat = self.seat(turn.now, by, channel)?;
        seat.require(Permissions::MOVE_MEMBERS | Permissions::CONNECT)?;
        let channel = self.voice_channel(channel)?;
        if channel.id == row.channel {
            return Ok(());
        }
        // Whoever is moved must see where he is.
        let held = self.permissions_in(turn.now, self.member(user)?, channel);
        if !held.allow(Permissions::VIEW_CHANNEL) {
            return Err(ErrorCode::MissingPermissions.into());
        }
        let row = VoiceRow {
            channel: channel.id,
            since: turn.now,
            suppress: !held.allow(Permissions::SPEAK),
            ..row
        };
        self.enter(turn, row, at);
        Ok(())
    }

    /// Whether a moderator may mute or deafen somebody, who must be in a voice channel.
    pub(super) fn require_voice_rule(
        &self,
        turn: &Turn<'_>,
        by: UserId,
        user: UserId,
        wanted: Permissions,
    ) -> Answer<()> {
        let row = self.voices.states.get(&user);
        let row = row.ok_or(ErrorCode::NotInVoice)?;
        self.seat(turn.now, by, row.channel)?.require(wanted)
    }

    /// Refuses who finds no place in a channel. Who may move others finds one in a full channel.
    fn require_voice_room(
        &self,
        user: UserId,
        channel: ChannelId,
        held: Permissions,
    ) -> Answer<()> {
        let limit = self.voice_channel(channel)?.user_limit;
        let others = self.voices.states.values().filter(|row| row.user != user);
        let there = others.clone().filter(|row| row.channel == channel).count();
        let is_full = limit > 0 && there >= limit as usize;
        if (is_full && !held.allow(Permissions::MOVE_MEMBERS))
            || there >= limits::ROOM_PEOPLE
            || others.count() >= limits::VOICE_STATES_PER_GROUP
        {
            return Err(ErrorCode::VoiceFull.into());
        }
        Ok(())
    }

    /// Puts somebody into a channel: from nowhere, from another channel, or in the place of another session of his.
    fn enter(&mut self, turn: &mut Turn<'_>, row: VoiceRow, at: MediaNode) {
        let (user, channel) = (row.user, row.channel);
        let before = self.voices.states.get(&user).map(|row| row.channel);
        self.voices.rooms.entry(channel).or_insert_with(|| {
            let room = RoomRow {
                channel,
                life: self.kit.ids.mint(turn.now),
                since: turn.now,
                at,
            };
            put_room(turn, self.document.id, &room);
            room
        });
        if let Some(old) = before.filter(|&old| old != channel) {
            // Who sees only where he was sees him go; all others see him move.
            let gone = self.voices.states.get(&user);
            if let Some(gone) = gone {
                let audience = Audience::ChannelOnly {
                    sees: old,
                    not: channel,
                };
                self.show_state(turn, audience, gone, None);
            }
        }
        self.put_state(turn, row);
        self.summon(turn, user);
        if let Some(old) = before.filter(|&old| old != channel) {
            self.settle(turn, old);
        }
        self.nudge(turn, channel);
    }

    /// Takes somebody out of his channel.
    fn exit(&mut self, turn: &mut Turn<'_>, user: UserId) {
        let Some(row) = self.voices.states.remove(&user) else {
            return;
        };
        turn.delete::<VoiceStates>(Key::new(self.document.id, user));
        self.show_state(turn, Audience::Channel(row.channel), &row, None);
        // He may not see the channel any more.
        let last = Audience::User(user);
        if !self.sees(turn, user, row.channel) && self.members.contains_key(&user) {
            self.show_state(turn, last, &row, None);
        }
        self.settle(turn, row.channel);
    }

    fn sees(&self, turn: &Turn<'_>, user: UserId, channel: ChannelId) -> bool {
        self.seat(turn.now, user, channel).is_ok()
    }

    /// Writes and shows how somebody is in his channel from now on.
    fn put_state(&mut self, turn: &mut Turn<'_>, row: VoiceRow) {
        turn.put::<VoiceStates>(Key::new(self.document.id, row.user), &row);
        self.show_state(
            turn,
            Audience::Channel(row.channel),
            &row,
            Some(row.channel),
        );
        self.voices.states.insert(row.user, row);
    }

    /// Shows somebody's state again: a moderator changed it.
    pub(super) fn show_voice(&self, turn: &mut Turn<'_>, user: UserId) {
        if let Some(row) = self.voices.states.get(&user) {
            self.show_state(turn, Audience::Channel(row.channel), row, Some(row.channel));
        }
    }

    fn show_state(
        &self,
        turn: &mut Turn<'_>,
        audience: Audience,
        row: &VoiceRow,
        channel: Option<ChannelId>,
    ) {
        let member = self.members.get(&row.user);
        let body = VoiceStateJson::updated(self.document.id, row, member, channel);
        let intents = Intents::GUILD_VOICE_STATES;
        // A bot sees itself come and go whatever it asked for.
        let dispatch = dispatch(EventName::VoiceStateUpdate, intents, &body).about(row.user);
        turn.emit_for(audience, dispatch, None);
    }

    /// Tells somebody where his room is.
    fn summon(&self, turn: &mut Turn<'_>, user: UserId) {
        let Some(row) = self.voices.states.get(&user) else {
            return;
        };
        let Some(room) = self.voices.rooms.get(&row.channel) else {
            return;
        };
        let id = RoomId {
            group: self.document.id,
            channel: room.channel,
            life: room.life,
        };
        let body = VoiceServerUpdate {
            token: self.kit.links.admission(id, user, &row.session),
            guild_id: self.document.id,
            endpoint: &room.at.endpoint,
            url: room.at.url.as_deref(),
            session_id: &row.session,
        };
        let dispatch = dispatch(EventName::VoiceServerUpdate, Intents::NONE, &body);
        turn.emit_for(Audience::User(user), dispatch, None);
    }

    /// Ends a room that nobody is in any more; tells it that somebody went if not.
    fn settle(&mut self, turn: &mut Turn<'_>, channel: ChannelId) {
        self.nudge(turn, channel);
        let mut states = self.voices.states.values();
        if states.any(|row| row.channel == channel) {
            return;
        }
        if let Some(room) = self.voices.rooms.remove(&channel) {
            turn.delete::<Rooms>(Key::new(self.document.id, channel));
            turn.delete::<RoomsAt>(Key::new(room.at.node.node.as_str(), channel));
        }
    }

    /// Has a room ask at once who may be in it.
    fn nudge(&self, turn: &mut Turn<'_>, channel: ChannelId) {
        if let Some(room) = self.voices.rooms.get(&channel) {
            turn.out.push(Effect::Nudge {
                node: room.at.node.clone(),
                channel,
            });
        }
    }
}

/// Writes where a room is.
fn put_room(turn: &mut Turn<'_>, group: GroupId, room: &RoomRow) {
    turn.put::<Rooms>(Key::new(group, room.channel), room);
    let node = room.at.node.clone();
    let key = Key::new(node.node.as_str(), room.channel);
    turn.put::<RoomsAt>(key, &RoomAtRow { group, node });
}
