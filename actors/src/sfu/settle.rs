//! What plays where after something changed: streams into slots, layers into budgets, and what viewers are told of it.

use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::allocate::{Choice, choose, hold};
use super::peer::PeerIndex;
use super::room::{Effect, Room};
use super::slots::{Slot, SlotIndex, SlotView, place};

/// Bits per second that are kept free for each voice that is forwarded.
const VOICE_BPS: u64 = 40_000;

type Stream = (PeerIndex, StreamKind);

impl Room {
    /// Puts everything right that is marked as stale.
    pub(super) fn settle(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let mut stale = std::mem::take(&mut self.video_stale);
        stale.sort_unstable();
        stale.dedup();
        for index in &stale {
            self.place_video(*index);
        }
        if std::mem::take(&mut self.audio_stale) {
            stale = self.everybody();
            for index in &stale {
                self.place_audio(*index);
            }
        }
        for index in &stale {
            self.share_out(now, *index, out);
        }
        for index in stale {
            self.tell(index, out);
        }
        if std::mem::take(&mut self.demand_stale) {
            self.look_at_demand();
            self.demand(now, out);
        }
    }

    /// Finds out how large each video is shown where it is shown largest.
    fn look_at_demand(&mut self) {
        for of in self.everybody() {
            for kind in [StreamKind::Camera, StreamKind::Screen] {
                let Some(peer) = self.peer(of) else { continue };
                let (user, is_sent) = (peer.user, peer.sends(kind));
                let Some(track) = peer.track(kind) else {
                    continue;
                };
                let shown = track.viewers.iter().filter_map(|(viewer, _)| {
                    let wants = self.peer(*viewer)?.wants.iter();
                    let mut heights = wants.filter(|w| w.user_id == user && w.stream == kind);
                    heights.next().map(|want| want.height)
                });
                let height = shown.max().unwrap_or(0);
                if let Some(track) = self.peer_mut(of).and_then(|peer| peer.track_mut(kind)) {
                    if is_sent {
                        track.demand.want(height);
                    } else {
                        track.demand.reset();
                    }
                }
            }
        }
    }

    /// Tells those who send what is wanted of it.
    pub(super) fn demand(&mut self, now: Millis, out: &mut Vec<Effect>) {
        for (peer, place) in self.peers.iter_mut().zip(0u32..) {
            let Some(peer) = peer else { continue };
            for kind in [StreamKind::Camera, StreamKind::Screen] {
                if peer.sends(kind)
                    && let Some(track) = peer.track_mut(kind)
                    && let Some(height) = track.demand.due(now)
                {
                    out.push(Effect::Demand {
                        peer: PeerIndex(place),
                        kind,
                        height,
                    });
                }
            }
        }
    }

    fn place_video(&mut self, index: PeerIndex) {
        let Some(peer) = self.peer(index) else {
            return;
        };
        let mut wanted: Vec<Stream> = Vec::new();
        for want in &peer.wants {
            let Some(of) = self.users.get(&want.user_id).copied() else {
                continue;
            };
            let stream = (of, want.stream);
            let there = of != index
                && want.stream.is_video()
                && self.peer(of).is_some_and(|of| of.sends(want.stream));
            if there && !wanted.contains(&stream) && wanted.len() < peer.video.len() {
                wanted.push(stream);
            }
        }
        let changes = place(&peer.video, &wanted);
        self.put(index, changes, SlotIndex::Video);
    }

    fn place_audio(&mut self, index: PeerIndex) {
        let Some(peer) = self.peer(index) else {
            return;
        };
        let mut wanted: Vec<Stream> = Vec::new();
        if peer.rights.hear {
            wanted.extend(
                self.voices
                    .forwarded()
                    .filter(|of| *of != index)
                    .map(|of| (of, StreamKind::Audio)),
            );
            for slot in &peer.video {
                if let Some((of, StreamKind::Screen)) = slot.stream
                    && self
                        .peer(of)
                        .is_some_and(|of| of.sends(StreamKind::ScreenAudio))
                {
                    wanted.push((of, StreamKind::ScreenAudio));
                }
            }
        }
        wanted.truncate(peer.audio.len());
        let changes = place(&peer.audio, &wanted);
        self.put(index, changes, SlotIndex::Audio);
    }

    /// Carries out changes of a viewer's slots on both sides.
    fn put(
        &mut self,
        viewer: PeerIndex,
        changes: Vec<(usize, Option<Stream>)>,
        slot_index: impl Fn(u8) -> SlotIndex,
    ) {
        self.demand_stale |= !changes.is_empty();
        for (slot, stream) in changes {
            let Ok(slot) = u8::try_from(slot) else {
                continue;
            };
            let at = slot_index(slot);
            let Some(slot) = self.peer_mut(viewer).and_then(|peer| peer.slot_mut(at)) else {
                continue;
            };
            let before = slot.stream;
            slot.set(stream);
            if let Some((of, kind)) = before
                && let Some(viewers) = self.peer_mut(of).and_then(|peer| peer.viewers_mut(kind))
            {
                viewers.retain(|entry| *entry != (viewer, at));
            }
            if let Some((of, kind)) = stream
                && let Some(viewers) = self.peer_mut(of).and_then(|peer| peer.viewers_mut(kind))
            {
                viewers.push((viewer, at));
            }
            if kind_has_sound(before) || kind_has_sound(stream) {
                self.audio_stale = true;
            }
        }
    }

    /// Shares a viewer's bandwidth out: sets each video slot's target, and asks for the keyframes that it needs.
    fn share_out(&mut self, now: Millis, index: PeerIndex, out: &mut Vec<Effect>) {
        let Some(peer) = self.peer(index) else {
            return;
        };
        // Screens first, then the rest; each in the order of the wants.
        let mut order: Vec<(usize, Stream, u32)> = Vec::new();
        for screens in [true, false] {
            for want in &peer.wants {
                let Some(of) = self.users.get(&want.user_id).copied() else {
                    continue;
                };
                let stream = (of, want.stream);
                let slot = peer.video.iter().position(|s| s.stream == Some(stream));
                if let Some(slot) = slot
                    && (want.stream == StreamKind::Screen) == screens
                    && !order.iter().any(|(taken, ..)| *taken == slot)
                {
                    order.push((slot, stream, want.height));
                }
            }
        }
        let codecs = peer.sections.codecs;
        let layers: Vec<_> = order
            .iter()
            .map(|(_, (of, kind), _)| {
                // What he cannot decode is not sent to him, and no keyframe of it helps.
                self.peer(*of)
                    .and_then(|of| of.track(*kind))
                    .filter(|track| track.codec.is_none_or(|codec| codecs.has(codec)))
                    .map(|track| track.states())
                    .unwrap_or_default()
            })
            .collect();
        let choices: Vec<_> = order
            .iter()
            .zip(&layers)
            .map(|((slot, _, height), layers)| Choice {
                layers,
                height: *height,
                current: peer.video[*slot].target.or(peer.video[*slot].current),
            })
            .collect();
        let voices = peer.audio.iter().filter(|s| s.stream.is_some()).count() as u64;
        let budget = peer
            .estimate
            .map(|estimate| estimate.saturating_sub(voices * VOICE_BPS));
        let calm = peer
            .dropped
            .is_none_or(|at| now.0.saturating_sub(at.0) >= limits::LAYER_CALM_MS);
        let mut chosen = choose(&choices, budget, calm);
        let short = hold(&choices, &mut chosen, peer.short, now);

        let desired: u64 = choices
            .iter()
            .filter_map(|choice| {
                let layer = choice.desired()?;
                Some(choice.layers[usize::from(layer)].bps)
            })
            .sum::<u64>()
            + voices * VOICE_BPS;
        // What would have to flow for the first paused stream to play: padding up to there lets the estimate get there.
        let plays: u64 = choices
            .iter()
            .zip(&chosen)
            .filter_map(|(choice, chosen)| Some(choice.bps((*chosen)?)))
            .sum();
        let least = choices
            .iter()
            .zip(&chosen)
            .filter(|(_, chosen)| chosen.is_none())
            .find_map(|(choice, _)| Some(choice.price(choice.lowest()?)))
            .map_or(0, |price| price + plays + voices * VOICE_BPS);
        let connected = peer.connected;
        let shares: Vec<_> = order
            .into_iter()
            .zip(&choices)
            .zip(chosen)
            .map(|(((slot, stream, _), choice), chosen)| {
                let sent = choice.desired().is_some();
                let dropped = chosen < choice.current
                    && choice.current.is_some_and(|current| {
                        choice
                            .layers
                            .get(usize::from(current))
                            .is_some_and(|layer| layer.active)
                            && Some(current) <= choice.desired()
                    });
                (slot, stream, chosen, sent && chosen.is_none(), dropped)
            })
            .collect();

        let mut asks = Vec::new();
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.short = short;
        for (slot, (of, kind), chosen, paused, dropped) in shares {
            if dropped {
                peer.dropped = Some(now);
            }
            let slot = &mut peer.video[slot];
            slot.paused = paused;
            if chosen.is_none() {
                slot.current = None;
                slot.rewriter.stop();
            }
            let begins = slot.target != chosen || slot.current.is_none();
            slot.target = chosen;
            if let Some(layer) = chosen
                && connected
                && begins
                && slot.current != chosen
            {
                asks.push((of, kind, layer));
            }
        }
        let moved = |old: u64, new: u64| old.abs_diff(new) * 20 > old;
        if moved(peer.desired.0, desired) || moved(peer.desired.1, least) {
            peer.desired = (desired, least);
            out.push(Effect::Desired {
                peer: index,
                bps: desired,
                least,
            });
        }
        for (of, kind, layer) in asks {
            self.ask(now, of, kind, layer, out);
        }
    }

    /// Asks a publisher for a keyframe, if nobody has just done so.
    pub(super) fn ask(
        &mut self,
        now: Millis,
        of: PeerIndex,
        kind: StreamKind,
        layer: u8,
        out: &mut Vec<Effect>,
    ) {
        let Some(layer_state) = self
            .peer_mut(of)
            .and_then(|peer| peer.track_mut(kind))
            .and_then(|track| track.layers.get_mut(usize::from(layer)))
        else {
            return;
        };
        if layer_state.gate.want(now) {
            out.push(Effect::Keyframe {
                peer: of,
                kind,
                layer,
            });
        }
    }

    /// Layers that fell silent, and keyframes that viewers still wait for.
    pub(super) fn tick_tracks(&mut self, now: Millis, out: &mut Vec<Effect>) {
        for of in self.everybody() {
            for kind in [StreamKind::Camera, StreamKind::Screen] {
                let Some(track) = self.peer_mut(of).and_then(|peer| peer.track_mut(kind)) else {
                    continue;
                };
                let changed = track.tick(now);
                let viewers = track.viewers.clone();
                if changed {
                    self.video_stale
                        .extend(viewers.iter().map(|(viewer, _)| *viewer));
                }
                let mut waits = [false; limits::SIMULCAST_LAYERS];
                for (viewer, slot) in viewers {
                    let Some(viewer) = self.peer_mut(viewer).filter(|viewer| viewer.connected)
                    else {
                        continue;
                    };
                    if let Some(slot) = viewer.slot_mut(slot)
                        && let Some(target) = slot.target
                        && slot.current != Some(target)
                    {
                        waits[usize::from(target)] = true;
                    }
                }
                for (layer, waits) in (0u8..).zip(waits) {
                    if waits {
                        self.ask(now, of, kind, layer, out);
                    } else if let Some(state) = self
                        .peer_mut(of)
                        .and_then(|peer| peer.track_mut(kind))
                        .and_then(|track| track.layers.get_mut(usize::from(layer)))
                        && state.gate.due(now)
                    {
                        out.push(Effect::Keyframe {
                            peer: of,
                            kind,
                            layer,
                        });
                    }
                }
            }
        }
    }

    /// Tells a peer which of its slots changed.
    pub(super) fn tell(&mut self, index: PeerIndex, out: &mut Vec<Effect>) {
        let mut views = self.views(index);
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        views.retain(|view| {
            let Some(slot) = peer.slot_mut(view.slot) else {
                return false;
            };
            let silent = slot.told.is_none() && view.stream.is_none();
            let changed = slot.told != Some(*view) && !silent;
            if changed {
                slot.told = Some(*view);
            }
            changed
        });
        if !views.is_empty() {
            out.push(Effect::Slots {
                peer: index,
                slots: views,
            });
        }
    }

    /// What a peer's slots play.
    pub(super) fn views(&self, index: PeerIndex) -> Vec<SlotView> {
        let Some(peer) = self.peer(index) else {
            return Vec::new();
        };
        let view = |at: SlotIndex, slot: &Slot| {
            let stream = slot
                .stream
                .and_then(|(of, kind)| Some((of, self.peer(of)?.user, kind)));
            let simulcast = slot
                .stream
                .and_then(|(of, kind)| self.peer(of)?.track(kind))
                .is_some_and(|track| track.layers.len() > 1);
            SlotView {
                slot: at,
                stream,
                layer: slot.current.filter(|_| simulcast),
                paused: slot.paused,
            }
        };
        let audio = (0u8..)
            .zip(&peer.audio)
            .map(|(at, slot)| view(SlotIndex::Audio(at), slot));
        let video = (0u8..)
            .zip(&peer.video)
            .map(|(at, slot)| view(SlotIndex::Video(at), slot));
        audio.chain(video).collect()
    }
}

fn kind_has_sound(stream: Option<Stream>) -> bool {
    matches!(stream, Some((_, StreamKind::Screen)))
}
