//! The state machine of a room.

use std::collections::{BTreeMap, BTreeSet};

use rookery_protocol::client::voice::{
    IceServer, MediaRights, RIDS, ServerFrame, Slot, Stats, Streams, VoiceClose, Want,
};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId, RoomOrders};

use super::ports::{MediaEvent, PeerId, SocketId};
use super::seats::{Seat, Waiting};

/// What happens to a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A client whose token admits it identifies.
    Identify {
        /// Its socket.
        socket: SocketId,
        /// Who it is.
        who: Present,
        /// TURN servers for it.
        ice_servers: Vec<IceServer>,
    },
    /// A client whose token admits it takes its place up again with another socket.
    Resume {
        /// Its socket.
        socket: SocketId,
        /// Who it is.
        who: Present,
    },
    /// A client offers media.
    Offer(SocketId, String),
    /// A client says what it sends.
    Streams(SocketId, Streams),
    /// A client says what it wants to see.
    Wants(SocketId, Vec<Want>),
    /// A socket is gone; whether the client ended it for good.
    Closed(SocketId, bool),
    /// An offer was answered, or what its socket is closed with.
    Answered(PeerId, Result<String, VoiceClose>),
    /// Something happened to media.
    Media(MediaEvent),
    /// What the group says; none: it could not be asked.
    Orders(Option<RoomOrders>),
    /// Something changed at the group: ask.
    Nudge,
    /// Time has passed.
    Tick,
}

/// What a room wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a frame to some.
    Send(Vec<SocketId>, ServerFrame),
    /// Close a socket.
    Close(SocketId, VoiceClose),
    /// Answer an offer; comes back as [`Input::Answered`].
    Answer {
        /// Whose.
        peer: PeerId,
        /// Who.
        user: UserId,
        /// What he may do.
        rights: MediaRights,
        /// The offer.
        offer: String,
    },
    /// Tell the media what somebody may do.
    Allow(PeerId, MediaRights),
    /// Tell the media what somebody sends.
    Streams(PeerId, Streams),
    /// Tell the media what somebody wants.
    Want(PeerId, Vec<Want>),
    /// Ask the media for all slots.
    Slots(PeerId),
    /// End a peer's media.
    Leave(PeerId),
    /// Ask the group; comes back as [`Input::Orders`]. One question at a time.
    Ask {
        /// Who is here.
        present: Vec<Present>,
        /// Who went.
        gone: Vec<Present>,
    },
    /// The room is over.
    End,
}

/// How many of what a room has; for the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// People.
    pub people: usize,
    /// Cameras that are on.
    pub cameras: usize,
    /// Screens that are shared.
    pub screens: usize,
}

/// Somebody's media; for the console.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerView {
    /// Whose.
    pub user: UserId,
    /// What it told of itself last.
    pub stats: Stats,
    /// Simulcast layers that he is sent, the smallest being 0.
    pub layers: Vec<u8>,
}

/// The simulcast layer that plays in a slot.
fn layer(slot: &Slot) -> Option<u8> {
    slot.stream.filter(|_| !slot.paused)?;
    let rid = slot.rid.as_deref()?;
    let index = RIDS.iter().position(|known| *known == rid)?;
    u8::try_from(index).ok()
}

/// A room.
#[derive(Debug)]
pub struct Room {
    pub(super) id: RoomId,
    pub(super) seats: BTreeMap<UserId, Seat>,
    pub(super) waiting: BTreeMap<SocketId, Waiting>,
    pub(super) gone: BTreeSet<Present>,
    pub(super) next_peer: u64,
    /// A question to the group is under way.
    is_asking: bool,
    /// Another one must follow it.
    must_ask: bool,
    asked_at: Millis,
    /// Since when nobody is here, and the group has not said that somebody may come.
    empty_since: Option<Millis>,
    is_over: bool,
}

impl Room {
    /// An empty room.
    pub fn new(id: RoomId, now: Millis) -> Self {
        Self {
            id,
            seats: BTreeMap::new(),
            waiting: BTreeMap::new(),
            gone: BTreeSet::new(),
            next_peer: 1,
            is_asking: false,
            must_ask: false,
            asked_at: Millis(0),
            empty_since: Some(now),
            is_over: false,
        }
    }

    /// How many of what there is.
    pub fn served(&self) -> Served {
        let count = |has: fn(&Seat) -> bool| self.seats.values().filter(|seat| has(seat)).count();
        Served {
            people: self.seats.len(),
            cameras: count(|seat| seat.streams.camera),
            screens: count(|seat| seat.streams.screen),
        }
    }

    /// Takes an input.
    pub fn step(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        if self.is_over {
            if let Input::Identify { socket, .. } | Input::Resume { socket, .. } = input {
                out.push(Effect::Close(socket, VoiceClose::ServerCrashed));
            }
            return;
        }
        match input {
            Input::Identify {
                socket,
                who,
                ice_servers,
            } => {
                if self.waiting.len() >= limits::ROOM_PEOPLE {
                    out.push(Effect::Close(socket, VoiceClose::RateLimited));
                    return;
                }
                // Back before the group has heard that he went.
                self.gone.remove(&who);
                self.waiting.insert(socket, Waiting { who, ice_servers });
                self.ask(now, out);
            }
            Input::Resume { socket, who } => self.resume(socket, &who, out),
            Input::Offer(socket, offer) => self.offer(socket, offer, out),
            Input::Streams(socket, streams) => self.streams(socket, streams, out),
            Input::Wants(socket, wants) => {
                if let Some((_, seat)) = self.at(socket) {
                    out.push(Effect::Want(seat.peer, wants));
                }
            }
            Input::Closed(socket, for_good) => self.closed(now, socket, for_good, out),
            Input::Answered(peer, answer) => self.answered(peer, answer, out),
            Input::Media(event) => self.media(now, event, out),
            Input::Orders(orders) => self.orders(now, orders, out),
            Input::Nudge => self.ask(now, out),
            Input::Tick => self.tick(now, out),
        }
        let is_empty = self.seats.is_empty() && self.waiting.is_empty();
        self.empty_since = is_empty.then(|| self.empty_since.unwrap_or(now));
    }

    /// Asks the group, or again once it has answered.
    pub(super) fn ask(&mut self, now: Millis, out: &mut Vec<Effect>) {
        if self.awaits_orders(now) {
            self.must_ask = true;
            return;
        }
        // What counts as lost may be answered yet, by what knows nothing of who waits now.
        self.must_ask = self.is_asking;
        self.is_asking = true;
        self.asked_at = now;
        let seats = self.seats.iter();
        let present = seats.map(|(&user, seat)| Present {
            user,
            session: seat.session.clone(),
        });
        // Who waits has come.
        let waiting = self.waiting.values().map(|waiting| waiting.who.clone());
        out.push(Effect::Ask {
            present: present.chain(waiting).collect(),
            gone: self.gone.iter().cloned().collect(),
        });
    }

    /// A question is under way, and not for so long that it counts as lost.
    fn awaits_orders(&self, now: Millis) -> bool {
        self.is_asking && now.since(self.asked_at) < limits::ROOM_ANSWER_MS
    }

    fn orders(&mut self, now: Millis, orders: Option<RoomOrders>, out: &mut Vec<Effect>) {
        self.is_asking = false;
        match orders {
            None => {}
            Some(RoomOrders::Close) => return self.close(out),
            Some(RoomOrders::Go(members)) => {
                if !members.is_empty() {
                    // Whoever has still to come is late when the group says so.
                    self.empty_since = self.empty_since.map(|_| now);
                }
                let allowed: BTreeMap<UserId, _> = members
                    .into_iter()
                    .map(|member| (member.who.user, member))
                    .collect();
                self.gone.retain(|gone| {
                    let member = allowed.get(&gone.user);
                    member.is_some_and(|member| member.who == *gone)
                });
                for user in self.seats.keys().copied().collect::<Vec<_>>() {
                    match allowed.get(&user) {
                        Some(member) if self.seats[&user].session == member.who.session => {
                            self.allow(user, member.rights, out);
                        }
                        _ => self.unseat(user, Some(VoiceClose::Disconnected), out),
                    }
                }
                // Who came while the question was under way is asked about in the next one.
                let is_current = !self.must_ask;
                for socket in self.waiting.keys().copied().collect::<Vec<_>>() {
                    let who = &self.waiting[&socket].who;
                    match allowed.get(&who.user) {
                        Some(member) if member.who == *who => {
                            let rights = member.rights;
                            self.seat(socket, rights, out);
                        }
                        _ if is_current => {
                            self.waiting.remove(&socket);
                            out.push(Effect::Close(socket, VoiceClose::Disconnected));
                        }
                        _ => {}
                    }
                }
            }
        }
        if self.must_ask {
            self.ask(now, out);
        }
    }

    /// Those whose media has told something of itself.
    pub fn peers(&self) -> Vec<PeerView> {
        let peers = self.seats.iter().filter_map(|(&user, seat)| {
            Some(PeerView {
                user,
                stats: seat.stats?,
                layers: seat.layers.clone(),
            })
        });
        peers.collect()
    }

    fn media(&mut self, now: Millis, event: MediaEvent, out: &mut Vec<Effect>) {
        match event {
            MediaEvent::Connected(peer) => {
                if let Some((_, seat)) = self.of(peer) {
                    seat.is_connected = true;
                }
            }
            MediaEvent::Lost(peer) | MediaEvent::Gone(peer) => {
                if let Some((_, seat)) = self.of(peer) {
                    seat.is_connected = false;
                    if seat.socket.is_none() {
                        seat.alone_since = Some(now);
                    }
                }
            }
            MediaEvent::Speaking(user_id, is_speaking) => {
                let speaking = u8::from(is_speaking);
                self.tell_all(ServerFrame::Speaking { user_id, speaking }, out);
            }
            MediaEvent::Slots(peer, slots) => {
                if let Some((_, seat)) = self.of(peer) {
                    seat.layers = slots.iter().filter_map(layer).collect();
                }
                self.tell(peer, ServerFrame::Slots { slots }, out);
            }
            MediaEvent::Stats(peer, stats) => {
                if let Some((_, seat)) = self.of(peer) {
                    seat.stats = Some(stats);
                }
                self.tell(peer, ServerFrame::Stats(stats), out);
            }
            MediaEvent::Demand(peer, stream, height) => {
                self.tell(peer, ServerFrame::Demand { stream, height }, out);
            }
            MediaEvent::Ended => self.close(out),
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let is_late = |seat: &Seat| {
            let patience = if seat.is_connected {
                limits::VOICE_RESUME_MS
            } else {
                limits::VOICE_LOST_MS
            };
            let alone = seat.alone_since;
            alone.is_some_and(|since| now.since(since) >= patience)
        };
        let late = self.seats.iter().filter(|(_, seat)| is_late(seat));
        for user in late.map(|(&user, _)| user).collect::<Vec<_>>() {
            self.depart(now, user, out);
        }
        self.tell_late_streams(out);
        if now.since(self.asked_at) >= limits::ROOM_BEAT_MS && !self.awaits_orders(now) {
            self.ask(now, out);
        }
        let empty = self.empty_since;
        if empty.is_some_and(|since| now.since(since) >= limits::VOICE_ABSENT_MS) {
            self.close(out);
        }
    }

    /// Ends the room: it is elsewhere, or over. Its clients hear from their gateway what comes next.
    fn close(&mut self, out: &mut Vec<Effect>) {
        for (_, seat) in std::mem::take(&mut self.seats) {
            if let Some(socket) = seat.socket {
                out.push(Effect::Close(socket, VoiceClose::ServerCrashed));
            }
            out.push(Effect::Leave(seat.peer));
        }
        for (socket, _) in std::mem::take(&mut self.waiting) {
            out.push(Effect::Close(socket, VoiceClose::ServerCrashed));
        }
        self.is_over = true;
        out.push(Effect::End);
    }
}
