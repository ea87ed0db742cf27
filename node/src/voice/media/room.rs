//! A room on its worker: its peers' sessions around the forwarding core.

mod outbox;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rookery_actors::sfu::{Effect, Forward, PeerIndex, Room as Core, SlotView};
use rookery_protocol::client::voice::{Slot, Streams, Want};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::demux::{self, Demux, Entry};
use super::load::{Counters, count};
use super::mailbox::{Adopt, Events, Mail, Reoffer, RoomKey};
use super::offer::OfferError;
use super::session::{Drained, Failed, Happened, Packet, Session, admitted};
use super::socket::Sockets;
use super::stats::Meter;
use super::timers::Timers;
use super::{GoneReason, MediaEvent, PeerId};

/// Whom a worker's deadline wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wake {
    /// A room's clockwork.
    Room(RoomKey),
    /// A room that waits for a picture to be whole.
    Picture(RoomKey),
    /// A session.
    Peer(RoomKey, PeerIndex),
}

/// What rooms share of their worker.
pub(super) struct Desk<'a> {
    pub(super) now: Instant,
    /// The same, as the core counts it.
    pub(super) millis: Millis,
    pub(super) sockets: &'a mut Sockets,
    pub(super) demux: &'a mut Demux<(RoomKey, PeerIndex)>,
    pub(super) timers: &'a mut Timers<Wake>,
    pub(super) counters: &'a Counters,
    /// Rooms that have something to [`forward`](Room::forward) now.
    pub(super) forwarding: &'a mut Vec<RoomKey>,
}

struct Peer {
    id: PeerId,
    streams: Streams,
    wants: Vec<Want>,
    session: Session,
    entry: Entry,
    armed: Option<Instant>,
    connected: bool,
    /// Since when it is not connected.
    away: Option<Instant>,
    meter: Meter,
    /// What it is to be sent.
    outbox: Vec<(Forward, Arc<Packet>)>,
}

pub(super) struct Room {
    key: RoomKey,
    label: u64,
    core: Core,
    peers: BTreeMap<PeerIndex, Peer>,
    ids: HashMap<PeerId, PeerIndex>,
    events: Events,
    armed: Option<Instant>,
    drained: Drained,
    /// What the core says of a packet; empty between packets.
    forwards: Vec<Forward>,
    /// Whose outbox is not empty.
    receivers: Vec<PeerIndex>,
    /// Packets in outboxes, each counted once.
    posted: usize,
    /// It is among those that [`forward`](Self::forward) now.
    forwarding: bool,
    /// Until when the rest of a picture is waited for.
    waits: Option<Instant>,
    effects: Vec<Effect>,
    /// Sessions that failed while others were at work.
    failed: Vec<(PeerIndex, GoneReason)>,
}

impl Room {
    pub(super) fn new(key: RoomKey, label: u64, events: Events) -> Self {
        Self {
            key,
            label,
            core: Core::new(),
            peers: BTreeMap::new(),
            ids: HashMap::new(),
            events,
            armed: None,
            drained: Drained::default(),
            forwards: Vec::new(),
            receivers: Vec::new(),
            posted: 0,
            forwarding: false,
            waits: None,
            effects: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// The room ends.
    pub(super) fn close(&mut self, desk: &mut Desk<'_>) {
        for index in self.peers.keys().copied().collect::<Vec<_>>() {
            self.remove(desk, index);
        }
        self.stop_clocks(desk);
    }

    fn stop_clocks(&mut self, desk: &mut Desk<'_>) {
        desk.timers.set(Wake::Room(self.key), &mut self.armed, None);
        self.wait(desk, None);
    }

    /// The room failed: everybody is told.
    pub(super) fn fail(&mut self, desk: &mut Desk<'_>) {
        self.stop_clocks(desk);
        for (index, peer) in &mut self.peers {
            let key = (self.key, *index);
            desk.demux.remove(key, &mut peer.entry);
            desk.timers
                .set(Wake::Peer(key.0, key.1), &mut peer.armed, None);
            desk.counters.peers.fetch_sub(1, Relaxed);
            (self.events)(MediaEvent::Gone(peer.id, GoneReason::Failed));
        }
        (self.events)(MediaEvent::Ended);
    }

    /// What the control plane said of a peer.
    pub(super) fn mail(&mut self, desk: &mut Desk<'_>, id: PeerId, mail: Mail) {
        if mail.leave
            && let Some(index) = self.ids.get(&id).copied()
        {
            self.remove(desk, index);
        }
        if let Some(adopt) = mail.adopt {
            self.adopt(desk, id, adopt);
        }
        let index = self.ids.get(&id).copied();
        if let Some(reoffer) = mail.reoffer {
            self.reoffer(desk, index, reoffer);
        }
        let Some(index) = index else {
            return;
        };
        let now = desk.millis;
        let Some(peer) = self.peers.get_mut(&index) else {
            return;
        };
        if let Some(rights) = mail.rights {
            self.core.allow(now, index, rights, &mut self.effects);
        }
        if let Some(streams) = mail.streams {
            peer.streams = streams;
            self.core.streams(now, index, streams, &mut self.effects);
        }
        if let Some(wants) = mail.wants {
            peer.wants.clone_from(&wants);
            self.core.want(now, index, wants, &mut self.effects);
        }
        if mail.slots {
            self.core.all_slots(index, &mut self.effects);
        }
        self.pump(desk);
    }

    fn adopt(&mut self, desk: &mut Desk<'_>, id: PeerId, adopt: Adopt) {
        let before = self.ids.get(&id).copied();
        let kept = before
            .and_then(|index| self.remove(desk, index))
            .map(|peer| (peer.streams, peer.wants));
        let sections = adopt.built.plan.sections();
        let Some(index) = self.core.join(adopt.user, adopt.rights, sections) else {
            // Nobody waits any more if this fails.
            let _ = adopt.ack.send(Err(OfferError::Full));
            return;
        };
        let (streams, wants) = kept.unwrap_or_default();
        let mut peer = Peer {
            id,
            streams,
            wants,
            session: Session::new(*adopt.built, index, desk.now),
            entry: Entry::default(),
            armed: None,
            connected: false,
            away: Some(desk.now),
            meter: Meter::default(),
            outbox: Vec::new(),
        };
        let named = match peer.session.name() {
            Ok(name) => desk.demux.name((self.key, index), &mut peer.entry, name),
            Err(Failed) => false,
        };
        if !named {
            self.core.leave(desk.millis, index, &mut self.effects);
            let _ = adopt.ack.send(Err(OfferError::Unreadable));
            return;
        }
        let (streams, wants) = (peer.streams, peer.wants.clone());
        self.peers.insert(index, peer);
        self.ids.insert(id, index);
        count(&desk.counters.peers, 1);
        let now = desk.millis;
        self.core.streams(now, index, streams, &mut self.effects);
        self.core.want(now, index, wants, &mut self.effects);
        self.with(index, |session, now, out| session.timeout(now, out), desk);
        self.wake_room(desk);
        self.pump(desk);
        tracing::debug!(room = self.label, peer = %id, user = %adopt.user, "media session");
        let _ = adopt.ack.send(Ok(adopt.answer));
    }

    fn reoffer(&mut self, desk: &mut Desk<'_>, index: Option<PeerIndex>, reoffer: Reoffer) {
        let Some(index) = index.filter(|index| self.peers.contains_key(index)) else {
            let _ = reoffer.ack.send(Err(OfferError::Ended));
            return;
        };
        let mut answer = Err(OfferError::Ended);
        self.with(
            index,
            |session, now, out| {
                answer = session.reoffer(now, *reoffer.offer, out)?;
                Ok(())
            },
            desk,
        );
        if let Some(peer) = self.peers.get_mut(&index)
            && let Ok(name) = peer.session.name()
            && !desk.demux.name((self.key, index), &mut peer.entry, name)
        {
            answer = Err(OfferError::Busy);
        }
        self.pump(desk);
        let _ = reoffer.ack.send(answer);
    }

    /// A datagram came from where a peer is, or calling its name.
    pub(super) fn receive(
        &mut self,
        desk: &mut Desk<'_>,
        index: PeerIndex,
        source: SocketAddr,
        here: SocketAddr,
        bytes: &[u8],
    ) {
        let Some(peer) = self.peers.get_mut(&index) else {
            count(&desk.counters.unknown, 1);
            return;
        };
        if !admitted(&mut peer.session, bytes) || !desk.demux.admits(&peer.entry, source) {
            count(&desk.counters.flooded, 1);
            return;
        }
        let mut taken = true;
        self.with(
            index,
            |session, now, out| {
                taken = session.receive(now, source, here, bytes, out)?;
                Ok(())
            },
            desk,
        );
        if !taken {
            count(&desk.counters.refused, 1);
        }
        // A request that was answered was authenticated.
        let answered = self.drained.datagrams.iter().any(|datagram| {
            datagram.destination == source && demux::is_binding_success(&datagram.bytes)
        });
        if answered && let Some(peer) = self.peers.get_mut(&index) {
            desk.demux.bind((self.key, index), &mut peer.entry, source);
        }
        self.pump(desk);
    }

    /// A session's deadline came.
    pub(super) fn timeout(&mut self, desk: &mut Desk<'_>, index: PeerIndex) {
        if let Some(peer) = self.peers.get_mut(&index) {
            // It was taken out of the timers.
            peer.armed = None;
        }
        self.with(index, |session, now, out| session.timeout(now, out), desk);
        self.pump(desk);
    }

    /// The clockwork.
    pub(super) fn tick(&mut self, desk: &mut Desk<'_>) {
        self.armed = None;
        for (index, peer) in &self.peers {
            let Some(since) = peer.away else {
                continue;
            };
            let away = desk.now.saturating_duration_since(since).as_millis();
            if peer.connected && away >= u128::from(limits::PEER_LOST_MS) {
                self.failed.push((*index, GoneReason::TimedOut));
            } else if !peer.connected && away >= u128::from(limits::PEER_CONNECT_MS) {
                self.failed.push((*index, GoneReason::NeverConnected));
            }
        }
        self.core.tick(desk.millis, &mut self.effects);
        self.pump(desk);
        self.wake_room(desk);
    }

    fn wake_room(&mut self, desk: &mut Desk<'_>) {
        let next = if self.peers.is_empty() {
            None
        } else {
            let next = desk.now + Duration::from_millis(limits::ROOM_TICK_MS);
            Some(self.armed.unwrap_or(next))
        };
        desk.timers.set(Wake::Room(self.key), &mut self.armed, next);
    }

    /// Works on a session; what it wants sent stays until [`pump`](Self::pump).
    fn with(
        &mut self,
        index: PeerIndex,
        work: impl FnOnce(&mut Session, Instant, &mut Drained) -> Result<(), Failed>,
        desk: &mut Desk<'_>,
    ) {
        let Some(peer) = self.peers.get_mut(&index) else {
            return;
        };
        if work(&mut peer.session, desk.now, &mut self.drained).is_err() {
            self.failed.push((index, GoneReason::Failed));
        }
        let at = Some(peer.session.deadline());
        desk.timers
            .set(Wake::Peer(self.key, index), &mut peer.armed, at);
    }

    /// Carries on until nothing is left that follows from what happened: packets to pass on, effects, failures.
    fn pump(&mut self, desk: &mut Desk<'_>) {
        loop {
            for datagram in self.drained.datagrams.drain(..) {
                desk.sockets.push(datagram, desk.counters);
            }
            if let Some((index, happened)) = self.drained.happened.pop_front() {
                self.happened(desk, index, happened);
            } else if !self.effects.is_empty() {
                for effect in std::mem::take(&mut self.effects) {
                    self.effect(desk, effect);
                }
            } else if let Some((index, why)) = self.failed.pop() {
                if let Some(peer) = self.remove(desk, index) {
                    if why == GoneReason::Failed {
                        count(&desk.counters.failed, 1);
                    }
                    tracing::debug!(room = self.label, peer = %peer.id, ?why, "media session ended");
                    (self.events)(MediaEvent::Gone(peer.id, why));
                }
            } else {
                return;
            }
        }
    }

    fn happened(&mut self, desk: &mut Desk<'_>, index: PeerIndex, happened: Happened) {
        let now = desk.millis;
        let Some(peer) = self.peers.get_mut(&index) else {
            return;
        };
        match happened {
            Happened::Packet(arrival, packet) => {
                self.core
                    .packet(now, &arrival, &mut self.forwards, &mut self.effects);
                let whole = arrival.marker || !arrival.kind.is_video();
                self.post(desk, packet, whole);
            }
            Happened::Connected => {
                peer.connected = true;
                peer.away = None;
                (self.events)(MediaEvent::Connected(peer.id));
                self.core.connected(now, index, true, &mut self.effects);
            }
            Happened::Heard(heard) if peer.connected => {
                if heard == peer.away.is_none() {
                    return;
                }
                peer.away = (!heard).then_some(desk.now);
                let event = if heard {
                    MediaEvent::Connected(peer.id)
                } else {
                    MediaEvent::Lost(peer.id)
                };
                (self.events)(event);
                self.core.connected(now, index, heard, &mut self.effects);
            }
            // Before DTLS is through it is not connected, whatever ICE says.
            Happened::Heard(_) => {}
            Happened::Closed => self.failed.push((index, GoneReason::Closed)),
            Happened::KeyframeWanted(slot) => {
                self.core
                    .keyframe_wanted(now, index, slot, &mut self.effects);
            }
            Happened::Estimate(bps) => self.core.estimate(now, index, bps, &mut self.effects),
            Happened::Stats(stats) => {
                if let Some(stats) = peer.meter.read(&stats) {
                    (self.events)(MediaEvent::Stats(peer.id, stats));
                }
            }
        }
    }

    fn effect(&mut self, desk: &mut Desk<'_>, effect: Effect) {
        match effect {
            Effect::Keyframe { peer, kind, layer } => self.with(
                peer,
                |session, now, out| session.ask_keyframe(now, kind, layer, out),
                desk,
            ),
            Effect::Desired { peer, bps, least } => self.with(
                peer,
                |session, now, out| session.desire(now, bps, least, out),
                desk,
            ),
            Effect::Demand { peer, kind, height } => {
                if let Some(peer) = self.peers.get(&peer) {
                    (self.events)(MediaEvent::Demand(peer.id, kind, height));
                }
            }
            Effect::Speaking { user, speaking } => {
                (self.events)(MediaEvent::Speaking(user, speaking));
            }
            Effect::Slots { peer, slots } => {
                if let Some(id) = self.peers.get(&peer).map(|peer| peer.id) {
                    let slots = slots
                        .iter()
                        .filter_map(|view| self.slot(peer, view))
                        .collect();
                    (self.events)(MediaEvent::Slots(id, slots));
                }
            }
        }
    }

    /// A slot as its peer knows it.
    fn slot(&self, of: PeerIndex, view: &SlotView) -> Option<Slot> {
        let section = self.peers.get(&of)?.session.plan.slot(view.slot)?;
        let rid = view.stream.and_then(|(publisher, _, kind)| {
            let plan = &self.peers.get(&publisher)?.session.plan;
            let rid = plan.source(kind)?.rids.get(usize::from(view.layer?))?;
            Some(rid.to_string())
        });
        Some(Slot {
            mid: section.mid.to_string(),
            user_id: view.stream.map(|(_, user, _)| user),
            stream: view.stream.map(|(.., kind)| kind),
            rid,
            paused: view.paused,
        })
    }

    fn remove(&mut self, desk: &mut Desk<'_>, index: PeerIndex) -> Option<Peer> {
        let mut peer = self.peers.remove(&index)?;
        self.ids.remove(&peer.id);
        desk.demux.remove((self.key, index), &mut peer.entry);
        desk.timers
            .set(Wake::Peer(self.key, index), &mut peer.armed, None);
        desk.counters.peers.fetch_sub(1, Relaxed);
        // What it still wanted to say is void, and its index is free for somebody else.
        self.drained.happened.retain(|(of, _)| *of != index);
        self.failed.retain(|(of, _)| *of != index);
        self.core.leave(desk.millis, index, &mut self.effects);
        Some(peer)
    }
}
