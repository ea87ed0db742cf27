//! The group and its rooms: who may be in one and what he may do there, where one is, and what becomes of it when its node
//! goes.

use rookery_protocol::client::voice::MediaRights;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{BeatRoom, LoseRooms};
use rookery_protocol::document::{
    IncarnationId, Key, RoomRow, Rooms, RoomsAt, VoiceRow, VoiceStates,
};
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId, RoomMember, RoomOrders};

use super::super::{Live, Turn};
use super::put_room;

impl Live {
    /// Takes note of who is in a room and who went, and says who may be in it.
    pub(in crate::group) fn beat_room(
        &mut self,
        turn: &mut Turn<'_>,
        request: BeatRoom,
    ) -> Answer<RoomOrders> {
        let BeatRoom {
            room,
            node,
            runs_ms,
            present,
            gone,
        } = request;
        let Some(row) = self.room_of(&room, &node) else {
            return Ok(RoomOrders::Close);
        };
        let settled = row.since;
        for Present { user, session } in gone {
            let state = self.voices.states.get(&user);
            let is_he =
                state.is_some_and(|row| row.channel == room.channel && row.session == session);
            if is_he {
                self.exit(turn, user);
            }
        }
        if runs_ms >= limits::VOICE_ABSENT_MS {
            for user in self.absent(turn.now, room.channel, settled, &present) {
                self.exit(turn, user);
            }
        }
        if self.room_of(&room, &node).is_none() {
            return Ok(RoomOrders::Close);
        }
        let there = self.voices.states.values();
        let there = there.filter(|row| row.channel == room.channel);
        let members = there.map(|row| RoomMember {
            who: Present {
                user: row.user,
                session: row.session.clone(),
            },
            rights: self.rights(turn.now, row),
        });
        Ok(RoomOrders::Go(members.collect()))
    }

    fn room_of(&self, room: &RoomId, node: &IncarnationId) -> Option<&RoomRow> {
        let row = self.voices.rooms.get(&room.channel)?;
        (row.life == room.life && row.at.node == *node).then_some(row)
    }

    /// Who has not come to the room in all the time that he had.
    fn absent(
        &self,
        now: Millis,
        channel: ChannelId,
        settled: Millis,
        present: &[Present],
    ) -> Vec<UserId> {
        let is_there = |row: &VoiceRow| {
            let mut present = present.iter();
            present.any(|other| other.user == row.user && other.session == row.session)
        };
        let is_late = |row: &VoiceRow| now.since(row.since.max(settled)) >= limits::VOICE_ABSENT_MS;
        let there = self.voices.states.values();
        there
            .filter(|row| row.channel == channel && is_late(row) && !is_there(row))
            .map(|row| row.user)
            .collect()
    }

    /// What somebody may do in his room.
    fn rights(&self, now: Millis, row: &VoiceRow) -> MediaRights {
        let none = MediaRights {
            speak: false,
            stream: false,
            hear: false,
        };
        let Some(member) = self.members.get(&row.user) else {
            return none;
        };
        let Some(channel) = self.document.channel(row.channel) else {
            return none;
        };
        let held = self.permissions_in(now, member, channel);
        MediaRights {
            speak: held.allow(Permissions::SPEAK) && !member.mute && !row.said.self_mute,
            stream: held.allow(Permissions::STREAM),
            hear: !member.deaf && !row.said.self_deaf,
        }
    }

    /// Moves the rooms of a node that is gone or stops, and tells their people where they are now.
    pub(in crate::group) fn lose_rooms(
        &mut self,
        turn: &mut Turn<'_>,
        request: LoseRooms,
    ) -> Answer<()> {
        let LoseRooms { node, at, only } = request;
        let is_lost = |row: &&RoomRow| {
            only.is_none_or(|channel| row.channel == channel)
                && row.at.node.node == node.node
                && row.at.node.number <= node.number
                && row.at != at
        };
        let lost: Vec<RoomRow> = self
            .voices
            .rooms
            .values()
            .filter(is_lost)
            .cloned()
            .collect();
        for old in lost {
            // What is left of it asks, and is told to close.
            self.nudge(turn, old.channel);
            if old.at.node.node != at.node.node {
                turn.delete::<RoomsAt>(Key::new(old.at.node.node.as_str(), old.channel));
            }
            let room = RoomRow {
                channel: old.channel,
                life: self.kit.ids.mint(turn.now),
                since: turn.now,
                at: at.clone(),
            };
            put_room(turn, self.document.id, &room);
            self.voices.rooms.insert(room.channel, room);
            for user in self.people_in(old.channel) {
                self.summon(turn, user);
            }
        }
        Ok(())
    }

    /// A channel goes: who is in it is taken out as long as others can be told.
    pub(in crate::group) fn empty_voice(&mut self, turn: &mut Turn<'_>, channel: ChannelId) {
        for user in self.people_in(channel) {
            self.exit(turn, user);
        }
    }

    fn people_in(&self, channel: ChannelId) -> Vec<UserId> {
        let there = self.voices.states.values();
        let there = there.filter(|row| row.channel == channel);
        there.map(|row| row.user).collect()
    }

    /// Looks again at who may be where, after something changed that decides it: who is no member any more, does not see
    /// his channel or is timed out leaves it.
    pub(in crate::group) fn review_voices(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::take(&mut self.voices.is_stale) || self.voices.states.is_empty() {
            return;
        }
        let users: Vec<UserId> = self.voices.states.keys().copied().collect();
        for user in users {
            let Some(row) = self.voices.states.get(&user).cloned() else {
                continue;
            };
            let is_timed_out = self
                .members
                .get(&user)
                .and_then(|member| member.timeout_until)
                .is_some_and(|until| turn.now < until);
            match self.seat(turn.now, user, row.channel) {
                Ok(seat) if !is_timed_out => {
                    let suppress = !seat.permissions.allow(Permissions::SPEAK);
                    if suppress != row.suppress {
                        self.put_state(turn, VoiceRow { suppress, ..row });
                    }
                }
                _ => self.exit(turn, user),
            }
        }
        let channels: Vec<ChannelId> = self.voices.rooms.keys().copied().collect();
        for channel in channels {
            self.nudge(turn, channel);
        }
    }

    /// The group ends: so do its rooms, without a word but the farewell.
    pub(in crate::group) fn end_voices(&mut self, turn: &mut Turn<'_>) {
        let group = self.document.id;
        for channel in self.voices.rooms.keys().copied().collect::<Vec<_>>() {
            self.nudge(turn, channel);
        }
        for (channel, room) in std::mem::take(&mut self.voices.rooms) {
            turn.delete::<Rooms>(Key::new(group, channel));
            turn.delete::<RoomsAt>(Key::new(room.at.node.node.as_str(), channel));
        }
        for user in std::mem::take(&mut self.voices.states).into_keys() {
            turn.delete::<VoiceStates>(Key::new(group, user));
        }
    }
}
