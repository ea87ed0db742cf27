//! The places in a room: who gets one, what its client offers and sends, and how it ends.

use rookery_protocol::client::voice::{
    IceServer, MaxSlots, MediaRights, Participant, ServerFrame, Stats, Streams, VoiceClose,
};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::Present;

use super::core::{Effect, Room};
use super::ports::{PeerId, SocketId};

/// A client in the room.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) session: String,
    pub(super) peer: PeerId,
    pub(super) socket: Option<SocketId>,
    pub(super) rights: MediaRights,
    pub(super) streams: Streams,
    /// What all were told of its streams since the last tick; none: nothing.
    pub(super) streams_told: Option<Streams>,
    /// Packets go both ways.
    pub(super) is_connected: bool,
    /// Since when it has no socket, or since when it has neither socket nor media.
    pub(super) alone_since: Option<Millis>,
    /// An offer is being answered.
    pub(super) is_answering: bool,
    /// The offer that came meanwhile.
    pub(super) next_offer: Option<String>,
    /// What its media told of itself last.
    pub(super) stats: Option<Stats>,
    /// Simulcast layers that it is sent, the smallest being 0.
    pub(super) layers: Vec<u8>,
}

/// A client that waits for the group's word.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) who: Present,
    pub(super) ice_servers: Vec<IceServer>,
}

impl Room {
    /// Gives a client that waits its place; another client of the same person loses his.
    pub(super) fn seat(&mut self, socket: SocketId, rights: MediaRights, out: &mut Vec<Effect>) {
        let Some(Waiting { who, ice_servers }) = self.waiting.remove(&socket) else {
            return;
        };
        let is_new = !self.seats.contains_key(&who.user);
        if !is_new {
            self.replace(who.user, out);
        }
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        let seat = Seat {
            session: who.session,
            peer,
            socket: Some(socket),
            rights,
            streams: Streams::default(),
            streams_told: None,
            is_connected: false,
            alone_since: None,
            is_answering: false,
            next_offer: None,
            stats: None,
            layers: Vec::new(),
        };
        self.seats.insert(who.user, seat);
        let ready = ServerFrame::Ready {
            guild_id: self.id.group,
            channel_id: self.id.channel,
            ice_servers,
            max_slots: MaxSlots {
                audio: limits::AUDIO_SLOTS,
                video: limits::VIDEO_SLOTS,
            },
            clients: self.participants(),
        };
        out.push(Effect::Send(vec![socket], ready));
        if is_new {
            let clients = vec![Participant {
                user_id: who.user,
                streams: Streams::default(),
            }];
            self.tell_others(who.user, ServerFrame::ClientsConnect { clients }, out);
        }
    }

    /// Ends somebody's client for another one of his.
    pub(super) fn replace(&mut self, user: UserId, out: &mut Vec<Effect>) {
        let Some(old) = self.seats.remove(&user) else {
            return;
        };
        if let Some(socket) = old.socket {
            out.push(Effect::Close(socket, VoiceClose::Disconnected));
        }
        out.push(Effect::Leave(old.peer));
        if old.streams != Streams::default() {
            let none = Participant {
                user_id: user,
                streams: Streams::default(),
            };
            self.tell_others(user, ServerFrame::Streams(none), out);
        }
    }

    pub(super) fn resume(&mut self, socket: SocketId, who: &Present, out: &mut Vec<Effect>) {
        let clients = self.participants();
        let seat = self.seats.get_mut(&who.user);
        let Some(seat) = seat.filter(|seat| seat.session == who.session) else {
            out.push(Effect::Close(socket, VoiceClose::SessionInvalid));
            return;
        };
        if let Some(old) = seat.socket.replace(socket) {
            out.push(Effect::Close(old, VoiceClose::Disconnected));
        }
        seat.alone_since = None;
        out.push(Effect::Send(vec![socket], ServerFrame::Resumed { clients }));
        out.push(Effect::Slots(seat.peer));
    }

    pub(super) fn participants(&self) -> Vec<Participant> {
        let seats = self.seats.iter();
        seats
            .map(|(&user_id, seat)| Participant {
                user_id,
                streams: seat.streams,
            })
            .collect()
    }

    pub(super) fn offer(&mut self, socket: SocketId, offer: String, out: &mut Vec<Effect>) {
        let Some((user, seat)) = self.at(socket) else {
            return;
        };
        if seat.is_answering {
            seat.next_offer = Some(offer);
            return;
        }
        seat.is_answering = true;
        out.push(Effect::Answer {
            peer: seat.peer,
            user,
            rights: seat.rights,
            offer,
        });
    }

    pub(super) fn answered(
        &mut self,
        peer: PeerId,
        answer: Result<String, VoiceClose>,
        out: &mut Vec<Effect>,
    ) {
        let Some((user, seat)) = self.of(peer) else {
            // When it was told to leave, the media did not know it yet.
            out.push(Effect::Leave(peer));
            return;
        };
        seat.is_answering = false;
        // What was said before there was media.
        out.push(Effect::Allow(peer, seat.rights));
        out.push(Effect::Streams(peer, seat.streams));
        let next = seat.next_offer.take();
        let Some(socket) = seat.socket else { return };
        match (answer, next) {
            (_, Some(offer)) => self.offer(socket, offer, out),
            (Ok(sdp), None) => {
                let kind = "answer";
                let frame = ServerFrame::SessionDescription { sdp, kind };
                out.push(Effect::Send(vec![socket], frame));
            }
            (Err(code), None) => self.unseat(user, Some(code), out),
        }
    }

    pub(super) fn streams(&mut self, socket: SocketId, streams: Streams, out: &mut Vec<Effect>) {
        let Some((user, seat)) = self.at(socket) else {
            return;
        };
        let streams = if seat.rights.stream {
            streams
        } else {
            Streams::default()
        };
        if streams == seat.streams {
            return;
        }
        seat.streams = streams;
        out.push(Effect::Streams(seat.peer, streams));
        // A burst of changes would fill the sockets of all: the newest follows with the next tick.
        if seat.streams_told.is_none() {
            self.tell_streams(user, out);
        }
    }

    /// Tells all what somebody sends.
    fn tell_streams(&mut self, user_id: UserId, out: &mut Vec<Effect>) {
        let Some(seat) = self.seats.get_mut(&user_id) else {
            return;
        };
        let streams = seat.streams;
        seat.streams_told = Some(streams);
        let participant = Participant { user_id, streams };
        self.tell_all(ServerFrame::Streams(participant), out);
    }

    /// A tick: tells all of streams that have changed since they were told of them.
    pub(super) fn tell_late_streams(&mut self, out: &mut Vec<Effect>) {
        let mut late = Vec::new();
        for (user, seat) in &mut self.seats {
            let told = seat.streams_told.take();
            if told.is_some_and(|told| told != seat.streams) {
                late.push(*user);
            }
        }
        for user in late {
            self.tell_streams(user, out);
        }
    }

    pub(super) fn allow(&mut self, user: UserId, rights: MediaRights, out: &mut Vec<Effect>) {
        let Some(seat) = self.seats.get_mut(&user) else {
            return;
        };
        if seat.rights == rights {
            return;
        }
        seat.rights = rights;
        out.push(Effect::Allow(seat.peer, rights));
        if !rights.stream && seat.streams != Streams::default() {
            seat.streams = Streams::default();
            out.push(Effect::Streams(seat.peer, seat.streams));
            self.tell_streams(user, out);
        }
    }

    pub(super) fn closed(
        &mut self,
        now: Millis,
        socket: SocketId,
        for_good: bool,
        out: &mut Vec<Effect>,
    ) {
        self.waiting.remove(&socket);
        let Some((user, seat)) = self.at(socket) else {
            return;
        };
        seat.socket = None;
        seat.alone_since = Some(now);
        if for_good {
            self.depart(now, user, out);
        }
    }

    /// Somebody went by himself: the group is told.
    pub(super) fn depart(&mut self, now: Millis, user: UserId, out: &mut Vec<Effect>) {
        let Some(seat) = self.seats.get(&user) else {
            return;
        };
        let session = seat.session.clone();
        self.gone.insert(Present { user, session });
        self.unseat(user, None, out);
        self.ask(now, out);
    }

    /// Takes somebody out of the room.
    pub(super) fn unseat(&mut self, user: UserId, code: Option<VoiceClose>, out: &mut Vec<Effect>) {
        let Some(seat) = self.seats.remove(&user) else {
            return;
        };
        if let (Some(socket), Some(code)) = (seat.socket, code) {
            out.push(Effect::Close(socket, code));
        }
        out.push(Effect::Leave(seat.peer));
        self.tell_all(ServerFrame::ClientDisconnect { user_id: user }, out);
    }

    pub(super) fn at(&mut self, socket: SocketId) -> Option<(UserId, &mut Seat)> {
        let mut seats = self.seats.iter_mut();
        let found = seats.find(|(_, seat)| seat.socket == Some(socket));
        found.map(|(&user, seat)| (user, seat))
    }

    pub(super) fn of(&mut self, peer: PeerId) -> Option<(UserId, &mut Seat)> {
        let found = self.seats.iter_mut().find(|(_, seat)| seat.peer == peer);
        found.map(|(&user, seat)| (user, seat))
    }

    pub(super) fn tell(&mut self, peer: PeerId, frame: ServerFrame, out: &mut Vec<Effect>) {
        if let Some((_, seat)) = self.of(peer)
            && let Some(socket) = seat.socket
        {
            out.push(Effect::Send(vec![socket], frame));
        }
    }

    pub(super) fn tell_all(&self, frame: ServerFrame, out: &mut Vec<Effect>) {
        let sockets = self.seats.values().filter_map(|seat| seat.socket);
        let sockets: Vec<_> = sockets.collect();
        if !sockets.is_empty() {
            out.push(Effect::Send(sockets, frame));
        }
    }

    pub(super) fn tell_others(&self, user: UserId, frame: ServerFrame, out: &mut Vec<Effect>) {
        let others = self.seats.iter().filter(|(other, _)| **other != user);
        let sockets: Vec<_> = others.filter_map(|(_, seat)| seat.socket).collect();
        if !sockets.is_empty() {
            out.push(Effect::Send(sockets, frame));
        }
    }
}
