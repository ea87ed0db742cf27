//! The room: who is in it, and what each of them sends, may, wants and bears.

use std::collections::HashMap;

use rookery_protocol::client::voice::{MediaRights, StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::loudest::Loudest;
use super::peer::{Peer, PeerIndex, Sections};
use super::slots::{SlotIndex, SlotView};

/// Milliseconds between two looks at how bandwidth is shared out.
const SHARE_MS: u64 = 500;

/// What the room wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask a publisher for a keyframe.
    Keyframe {
        /// Whom.
        peer: PeerIndex,
        /// Of which stream.
        kind: StreamKind,
        /// Of which layer.
        layer: u8,
    },
    /// Somebody began to speak, or fell silent.
    Speaking {
        /// Who.
        user: UserId,
        /// He began.
        speaking: bool,
    },
    /// Slots of a peer play something else than it was told last.
    Slots {
        /// Whose.
        peer: PeerIndex,
        /// Those.
        slots: Vec<SlotView>,
    },
    /// What a viewer would use if his way bore it.
    Desired {
        /// Who.
        peer: PeerIndex,
        /// Bits per second.
        bps: u64,
        /// Bits per second that must flow so that something that is paused can play; 0: nothing is.
        least: u64,
    },
    /// How large others want to see what somebody sends.
    Demand {
        /// Who.
        peer: PeerIndex,
        /// What he sends.
        kind: StreamKind,
        /// Pixels that it is high where it is shown largest; 0: nobody watches it.
        height: u32,
    },
}

/// A room.
#[derive(Debug, Default)]
pub struct Room {
    pub(super) peers: Vec<Option<Peer>>,
    pub(super) users: HashMap<UserId, PeerIndex>,
    pub(super) voices: Loudest,
    /// Voices or screens with sound changed: the audio slots of all are to be looked at.
    pub(super) audio_stale: bool,
    /// Viewers whose video is to be looked at.
    pub(super) video_stale: Vec<PeerIndex>,
    /// Who watches what, and how large, changed: what is wanted of those who send is to be looked at.
    pub(super) demand_stale: bool,
    /// When bandwidth was last shared out for that reason alone that time passed.
    shared: Option<Millis>,
}

impl Room {
    /// An empty room.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.peers.iter().flatten().count()
    }

    /// Nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Somebody comes in. A peer of the same user that is here stays, but no longer counts as him. None: the room is full
    /// ([`limits::ROOM_PEERS`]).
    pub fn join(
        &mut self,
        user: UserId,
        rights: MediaRights,
        sections: Sections,
    ) -> Option<PeerIndex> {
        let place = match self.peers.iter().position(Option::is_none) {
            Some(place) => place,
            None if self.peers.len() < limits::ROOM_PEERS => {
                self.peers.push(None);
                self.peers.len() - 1
            }
            None => return None,
        };
        let index = PeerIndex(u32::try_from(place).ok()?);
        self.peers[place] = Some(Peer::new(user, rights, sections));
        self.users.insert(user, index);
        self.audio_stale = true;
        Some(index)
    }

    /// Somebody leaves. Another peer of the same user that is here counts as him again.
    pub fn leave(&mut self, now: Millis, index: PeerIndex, out: &mut Vec<Effect>) {
        self.quiet(index, out);
        for (viewer, slot) in self.lose(index, &StreamKind::ALL) {
            self.clear(viewer, slot);
        }
        let Some(peer) = self.peers.get_mut(index.get()).and_then(Option::take) else {
            return;
        };
        if self.users.get(&peer.user) == Some(&index) {
            self.users.remove(&peer.user);
            let mut rest = self.everybody().into_iter().rev();
            let is_his = |of: &PeerIndex| self.peer(*of).is_some_and(|of| of.user == peer.user);
            if let Some(other) = rest.find(is_his) {
                self.users.insert(peer.user, other);
                self.all_stale();
            }
        }
        // What he watched is not sent to him any more.
        for other in self.peers.iter_mut().flatten() {
            for kind in StreamKind::ALL {
                if let Some(viewers) = other.viewers_mut(kind) {
                    viewers.retain(|(viewer, _)| *viewer != index);
                }
            }
        }
        self.video_stale.retain(|stale| *stale != index);
        self.settle(now, out);
    }

    /// Media can reach a peer, or cannot any more.
    pub fn connected(
        &mut self,
        now: Millis,
        index: PeerIndex,
        connected: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.connected = connected;
        // What was forwarded while he was away never came: he begins anew.
        for slot in peer.video.iter_mut().chain(&mut peer.audio) {
            slot.current = None;
        }
        self.audio_stale = true;
        self.video_stale.push(index);
        self.settle(now, out);
    }

    /// What somebody may do.
    pub fn allow(
        &mut self,
        now: Millis,
        index: PeerIndex,
        rights: MediaRights,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.rights = rights;
        if !rights.speak {
            self.quiet(index, out);
        }
        self.demand_stale = true;
        self.audio_stale = true;
        self.all_stale();
        self.settle(now, out);
    }

    /// What somebody says he sends.
    pub fn streams(
        &mut self,
        now: Millis,
        index: PeerIndex,
        streams: Streams,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.streams = streams;
        self.demand_stale = true;
        self.audio_stale = true;
        self.all_stale();
        self.settle(now, out);
    }

    /// What somebody wants to see from now on, the most important first; what has no slot is not kept.
    pub fn want(
        &mut self,
        now: Millis,
        index: PeerIndex,
        mut wants: Vec<Want>,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        wants.truncate(limits::VIDEO_SLOTS);
        peer.wants = wants;
        self.demand_stale = true;
        self.audio_stale = true;
        self.video_stale.push(index);
        self.settle(now, out);
    }

    /// What a viewer's way is thought to bear, in bits per second; none: nobody measures it, and he gets what he wants.
    pub fn estimate(
        &mut self,
        now: Millis,
        index: PeerIndex,
        bps: Option<u64>,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.estimate = bps;
        self.video_stale.push(index);
        self.settle(now, out);
    }

    /// A viewer's decoder asks for a keyframe of what plays in a slot.
    pub fn keyframe_wanted(
        &mut self,
        now: Millis,
        index: PeerIndex,
        slot: SlotIndex,
        out: &mut Vec<Effect>,
    ) {
        let Some(slot) = self.peer_mut(index).and_then(|peer| peer.slot_mut(slot)) else {
            return;
        };
        if let (Some((of, kind)), Some(layer)) = (slot.stream, slot.current.or(slot.target)) {
            self.ask(now, of, kind, layer, out);
        }
    }

    /// Time passed: at least every [`limits::ROOM_TICK_MS`].
    pub fn tick(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let mut silent = Vec::new();
        self.voices.tick(now, &mut silent);
        for index in silent {
            if let Some(user) = self.peer(index).map(|peer| peer.user) {
                out.push(Effect::Speaking {
                    user,
                    speaking: false,
                });
            }
        }
        self.tick_tracks(now, out);
        self.demand(now, out);
        // Rates have moved, and calm viewers may try more. Who has no estimate gets what he wants anyway.
        let shared = self
            .shared
            .is_none_or(|at| now.0.saturating_sub(at.0) >= SHARE_MS);
        if shared {
            self.shared = Some(now);
            let bounded =
                |peer: &Option<Peer>| peer.as_ref().is_some_and(|peer| peer.estimate.is_some());
            let stale = (0u32..)
                .zip(&self.peers)
                .filter(|(_, peer)| bounded(peer))
                .map(|(place, _)| PeerIndex(place));
            self.video_stale.extend(stale);
        }
        self.settle(now, out);
    }

    /// Everything that a peer's slots play and that is wanted of what it sends, told once more.
    pub fn all_slots(&mut self, index: PeerIndex, out: &mut Vec<Effect>) {
        let views = self.views(index);
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        for view in &views {
            if let Some(slot) = peer.slot_mut(view.slot) {
                slot.told = Some(*view);
            }
        }
        for kind in [StreamKind::Camera, StreamKind::Screen] {
            if let Some(height) = peer.track(kind).and_then(|track| track.demand.told()) {
                out.push(Effect::Demand {
                    peer: index,
                    kind,
                    height,
                });
            }
        }
        out.push(Effect::Slots {
            peer: index,
            slots: views,
        });
    }

    pub(super) fn peer(&self, index: PeerIndex) -> Option<&Peer> {
        self.peers.get(index.get())?.as_ref()
    }

    pub(super) fn peer_mut(&mut self, index: PeerIndex) -> Option<&mut Peer> {
        self.peers.get_mut(index.get())?.as_mut()
    }

    fn all_stale(&mut self) {
        self.video_stale = self.everybody();
    }

    /// Everybody's place.
    pub(super) fn everybody(&self) -> Vec<PeerIndex> {
        (0u32..)
            .zip(&self.peers)
            .filter(|(_, peer)| peer.is_some())
            .map(|(place, _)| PeerIndex(place))
            .collect()
    }

    /// Takes a voice out.
    fn quiet(&mut self, index: PeerIndex, out: &mut Vec<Effect>) {
        let Some(voice) = self.voices.remove(index) else {
            return;
        };
        self.audio_stale = true;
        if let Some(peer) = self.peer(index).filter(|_| voice.speaking) {
            out.push(Effect::Speaking {
                user: peer.user,
                speaking: false,
            });
        }
    }

    /// Takes streams from whoever has them: who, and in which slot.
    fn lose(&mut self, index: PeerIndex, kinds: &[StreamKind]) -> Vec<(PeerIndex, SlotIndex)> {
        self.demand_stale = true;
        let Some(peer) = self.peer_mut(index) else {
            return Vec::new();
        };
        let mut lost = Vec::new();
        for kind in kinds {
            if let Some(viewers) = peer.viewers_mut(*kind) {
                lost.append(viewers);
            }
        }
        lost
    }

    fn clear(&mut self, viewer: PeerIndex, slot: SlotIndex) {
        if let Some(slot) = self.peer_mut(viewer).and_then(|peer| peer.slot_mut(slot)) {
            slot.set(None);
        }
        self.audio_stale = true;
        self.video_stale.push(viewer);
    }
}
