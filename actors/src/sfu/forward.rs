//! The path of a packet: from whom it came to everybody in whose slots it plays.

use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::time::Millis;

use super::packet::{Arrival, Forward};
use super::peer::PeerIndex;
use super::room::{Effect, Room};
use super::slots::SlotIndex;

impl Room {
    /// A packet came. Pushes what to send on; what follows from it besides goes to `out`.
    pub fn packet(
        &mut self,
        now: Millis,
        packet: &Arrival,
        forwards: &mut Vec<Forward>,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peer(packet.from).filter(|p| p.sends(packet.kind)) else {
            return;
        };
        match packet.kind {
            StreamKind::Audio => {
                let user = peer.user;
                let heard = self
                    .voices
                    .heard(now, packet.from, packet.level, packet.bytes);
                if heard.began {
                    out.push(Effect::Speaking {
                        user,
                        speaking: true,
                    });
                }
                if heard.changed {
                    self.audio_stale = true;
                    self.settle(now, out);
                }
                if heard.forwarded {
                    self.sound(now, packet, forwards);
                }
            }
            StreamKind::ScreenAudio => self.sound(now, packet, forwards),
            StreamKind::Camera | StreamKind::Screen => self.picture(now, packet, forwards, out),
        }
    }

    fn sound(&mut self, now: Millis, packet: &Arrival, forwards: &mut Vec<Forward>) {
        let viewers = self.take_viewers(packet);
        for (to, at) in &viewers {
            let Some(peer) = self.peer_mut(*to) else {
                continue;
            };
            if !peer.connected || !peer.sections.codecs.has(packet.codec) {
                continue;
            }
            let Some(slot) = peer.slot_mut(*at) else {
                continue;
            };
            let begins = slot.current.is_none();
            if begins {
                slot.rewriter.start(now, packet);
                slot.current = Some(0);
            }
            if let Some((seq, time, picture)) = slot.rewriter.pass(now, packet) {
                forwards.push(Forward {
                    to: *to,
                    slot: *at,
                    seq,
                    time,
                    // The begin of a talkspurt: the receiver may adapt its delay.
                    marker: packet.marker || begins,
                    picture,
                });
            }
        }
        self.give_viewers(packet, viewers);
    }

    fn picture(
        &mut self,
        now: Millis,
        packet: &Arrival,
        forwards: &mut Vec<Forward>,
        out: &mut Vec<Effect>,
    ) {
        let Some(track) = self
            .peer_mut(packet.from)
            .and_then(|peer| peer.track_mut(packet.kind))
        else {
            return;
        };
        if track.arrived(now, packet) {
            let viewers = track.viewers.clone();
            self.video_stale
                .extend(viewers.iter().map(|(viewer, _)| *viewer));
            self.settle(now, out);
        }
        let mut switched = Vec::new();
        let viewers = self.take_viewers(packet);
        for (to, at) in &viewers {
            let Some(peer) = self.peer_mut(*to) else {
                continue;
            };
            if !peer.connected || !peer.sections.codecs.has(packet.codec) {
                continue;
            }
            let Some(slot) = peer.slot_mut(*at) else {
                continue;
            };
            let layer = Some(packet.layer);
            if slot.current != layer && slot.target == layer && packet.keyframe {
                slot.rewriter.start(now, packet);
                slot.current = layer;
                switched.push(*to);
            }
            if slot.current == layer
                && let Some((seq, time, picture)) = slot.rewriter.pass(now, packet)
            {
                forwards.push(Forward {
                    to: *to,
                    slot: *at,
                    seq,
                    time,
                    marker: packet.marker,
                    picture,
                });
            }
        }
        self.give_viewers(packet, viewers);
        for viewer in switched {
            self.tell(viewer, out);
        }
    }

    /// The stream's viewers, out of the room while their slots are worked on.
    fn take_viewers(&mut self, packet: &Arrival) -> Vec<(PeerIndex, SlotIndex)> {
        self.peer_mut(packet.from)
            .and_then(|peer| peer.viewers_mut(packet.kind))
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn give_viewers(&mut self, packet: &Arrival, taken: Vec<(PeerIndex, SlotIndex)>) {
        if let Some(viewers) = self
            .peer_mut(packet.from)
            .and_then(|peer| peer.viewers_mut(packet.kind))
        {
            *viewers = taken;
        }
    }
}
