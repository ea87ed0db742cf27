//! One peer's WebRTC session: str0m behind what a room needs of it.
//!
//! str0m's contract is kept to the letter: after every change of an `Rtc` it is drained until it says its next deadline,
//! before the next change. Packets that were written leave when time moves on. (Two changes without a drain lose packets;
//! measured.)

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_actors::sfu::{Arrival, Codec, Forward, PeerIndex, Picture, SlotIndex};
use rookery_actors::sfu::{starts_keyframe, vp8_height};
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::limits;
use str0m::bwe::{Bitrate, BweKind};
use str0m::change::SdpOffer;
use str0m::media::KeyframeRequestKind;
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc, Vp8Descriptor};
use str0m::stats::PeerStats;
use str0m::{Event, IceConnectionState, Input, Output, Reason, Rtc};

use super::demux::{Datagram, classify};
use super::offer::{Built, OfferError, known, text};
use super::queue::Outgoing;
use super::section::Plan;
use super::vp8::{patch, wide};

/// Errors of one drain after which a session is given up: it would say the same for ever.
const DRAIN_ERRORS: usize = 8;
/// Steps of a session that follow at once, after which others have their turn.
const STEPS: usize = 64;
/// What is due so soon is done at once.
const AT_ONCE: Duration = Duration::from_micros(20);

/// What came of a session.
pub(super) enum Happened {
    /// Media can flow.
    Connected,
    /// Nothing is heard of the peer, or again.
    Heard(bool),
    /// The peer ended it.
    Closed,
    /// A packet of media.
    Packet(Arrival, Packet),
    /// The peer's decoder wants a keyframe.
    KeyframeWanted(SlotIndex),
    /// What the way to the peer is thought to bear, in bits per second.
    Estimate(Option<u64>),
    /// Totals.
    Stats(Box<PeerStats>),
}

/// A packet's bytes, and what all who get it share.
pub(super) struct Packet {
    pub(super) codec: Codec,
    payload: Arc<[u8]>,
    extensions: ExtensionValues,
    vp8: Option<Vp8Descriptor>,
}

/// A session failed: it is over.
#[derive(Debug)]
pub(super) struct Failed;

/// What a session wants to be sent, and what happened in it.
#[derive(Default)]
pub(super) struct Drained {
    pub(super) datagrams: Vec<Outgoing>,
    pub(super) happened: VecDeque<(PeerIndex, Happened)>,
}

/// A session.
pub(super) struct Session {
    rtc: Rtc,
    pub(super) plan: Plan,
    peer: PeerIndex,
    estimates: bool,
    max_bps: u64,
    /// What each SSRC that has come is, the newest last.
    streams: Vec<(Ssrc, StreamKind, u8)>,
    /// Every SSRC that has ever come, those of resends too.
    ssrcs: Vec<u32>,
    codecs: Vec<Option<Codec>>,
    /// When str0m wants to be told of the time.
    due: Instant,
    /// Until when that is kept to the letter.
    exact: Instant,
}

impl Session {
    pub(super) fn new(built: Built, peer: PeerIndex, now: Instant) -> Self {
        let mut codecs = vec![None; 128];
        for params in built.rtc.codec_config().params() {
            if let Some(slot) = codecs.get_mut(usize::from(*params.pt())) {
                *slot = known(params.spec().codec);
            }
        }
        Self {
            rtc: built.rtc,
            plan: built.plan,
            peer,
            estimates: built.estimates,
            max_bps: built.max_bps,
            streams: Vec::new(),
            ssrcs: Vec::new(),
            codecs,
            due: now,
            exact: now,
        }
    }

    /// When [`timeout`](Self::timeout) is to be called. Regular work, as estimating, is mostly done with the next packet, which costs
    /// less; so it waits a little for one.
    pub(super) fn deadline(&self) -> Instant {
        let waits = match self.rtc.last_timeout_reason() {
            Reason::BweDelayControl
            | Reason::BweProbeControl
            | Reason::BweProbeEstimator
            | Reason::Feedback
            | Reason::PauseCheck
            | Reason::Stats => self.due >= self.exact,
            _ => false,
        };
        if waits {
            self.due + Duration::from_millis(limits::PATIENCE_MS)
        } else {
            self.due
        }
    }

    /// The name by which the peer's STUN requests call this session.
    pub(super) fn name(&mut self) -> Result<String, Failed> {
        self.guarded(|session| Ok(session.rtc.direct_api().local_ice_credentials().ufrag))
    }

    /// Whether a packet's SSRC is within what a peer may use.
    pub(super) fn admits(&mut self, ssrc: u32) -> bool {
        if self.ssrcs.contains(&ssrc) {
            return true;
        }
        if self.ssrcs.len() >= limits::PEER_SSRCS {
            return false;
        }
        self.ssrcs.push(ssrc);
        true
    }

    /// A datagram came. False: the session would not take it.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
        out: &mut Drained,
    ) -> Result<bool, Failed> {
        self.guarded(|session| {
            let Ok(receive) = Receive::new(Protocol::Udp, source, destination, bytes) else {
                return Ok(false);
            };
            let taken = session.rtc.handle_input(Input::Receive(now, receive));
            session.drain(out)?;
            if session.due <= now + AT_ONCE {
                session.advance(now, out)?;
            }
            Ok(taken.is_ok())
        })
    }

    /// Time passed.
    pub(super) fn timeout(&mut self, now: Instant, out: &mut Drained) -> Result<(), Failed> {
        let before = out.datagrams.len();
        let advanced = self.guarded(|session| session.advance(now, out));
        if out.datagrams.len() > before {
            // It may probe the way or fill it up, which goes by the clock.
            self.exact = now + Duration::from_millis(limits::EXACT_MS);
        }
        advanced
    }

    /// Another offer to the same session: its answer.
    pub(super) fn reoffer(
        &mut self,
        now: Instant,
        offer: SdpOffer,
        out: &mut Drained,
    ) -> Result<Result<String, OfferError>, Failed> {
        self.guarded(|session| {
            let answer = session.rtc.sdp_api().accept_offer(offer);
            session.drain(out)?;
            session.advance(now, out)?;
            Ok(answer.map(|answer| text(&answer)).map_err(|error| {
                tracing::debug!(%error, "offer cannot be answered");
                OfferError::Unreadable
            }))
        })
    }

    /// Sends packets in slots, with one step of time for all of them. Says how many; for the others the peer has no slot, or not
    /// their codec.
    pub(super) fn send(
        &mut self,
        now: Instant,
        forwards: &[(Forward, Arc<Packet>)],
        out: &mut Drained,
    ) -> Result<u64, Failed> {
        self.guarded(|session| {
            let mut sent = 0;
            for (forward, packet) in forwards {
                if session.write(now, forward, packet) {
                    session.drain(out)?;
                    sent += 1;
                }
            }
            if sent > 0 {
                session.advance(now, out)?;
            }
            Ok(sent)
        })
    }

    /// Gives str0m a packet; it leaves when time moves on. False: the peer has no such slot, or not its codec.
    fn write(&mut self, now: Instant, forward: &Forward, packet: &Packet) -> bool {
        let Some(slot) = self.plan.slot(forward.slot) else {
            return false;
        };
        let Some(pt) = slot.pts[packet.codec.index()] else {
            return false;
        };
        let mut write = RtpWrite::new(
            pt,
            forward.seq.into(),
            forward.time,
            now,
            packet.payload.clone(),
        )
        .marker(forward.marker)
        .ext_vals(packet.extensions.clone())
        .nackable(packet.codec != Codec::Opus);
        if let Some(patch) = packet.vp8.and_then(|vp8| patch(vp8, forward.picture)) {
            write = write.vp8_patch(patch);
        }
        let ssrc = slot.ssrc;
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&ssrc) else {
            return false;
        };
        stream.write_rtp(write);
        true
    }

    /// Asks the peer for a keyframe of a stream that it sends; nothing happens if it has not begun to.
    pub(super) fn ask_keyframe(
        &mut self,
        now: Instant,
        kind: StreamKind,
        layer: u8,
        out: &mut Drained,
    ) -> Result<(), Failed> {
        self.guarded(|session| {
            let Some(source) = session.plan.source(kind) else {
                return Ok(());
            };
            let (mid, rid) = (source.mid, source.rids.get(usize::from(layer)).copied());
            let mut direct = session.rtc.direct_api();
            let Some(stream) = direct.stream_rx_by_mid(mid, rid) else {
                return Ok(());
            };
            stream.request_keyframe(KeyframeRequestKind::Pli);
            session.drain(out)?;
            session.advance(now, out)
        })
    }

    /// What would be sent if the way bore it, in bits per second: the estimator looks for that much. `least` is filled up
    /// with padding as far as the estimate goes.
    pub(super) fn desire(
        &mut self,
        now: Instant,
        bps: u64,
        least: u64,
        out: &mut Drained,
    ) -> Result<(), Failed> {
        if !self.estimates {
            return Ok(());
        }
        // Somewhat more than is used, since a layer is only taken up with room to spare.
        let desired = bps.saturating_mul(3) / 2;
        let desired = Bitrate::bps(desired.min(self.max_bps));
        self.guarded(|session| {
            session.rtc.bwe().set_bitrate(Bitrate::bps(least), desired);
            session.drain(out)?;
            session.advance(now, out)
        })
    }

    /// Moves time on until nothing is due: the pacer lets one packet go, and wants to be called again a microsecond later for the
    /// next. To come back to a session is dear.
    fn advance(&mut self, mut now: Instant, out: &mut Drained) -> Result<(), Failed> {
        for _ in 0..STEPS {
            // Its errors are those of what came before; whether it lives is seen when it is drained.
            if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
                tracing::debug!(%error, "media session");
            }
            self.drain(out)?;
            if self.due > now + AT_ONCE {
                break;
            }
            now = now.max(self.due);
        }
        Ok(())
    }

    fn drain(&mut self, out: &mut Drained) -> Result<(), Failed> {
        let mut errors = 0;
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at;
                    if !self.rtc.is_alive() {
                        return Err(Failed);
                    }
                    return Ok(());
                }
                Ok(Output::Transmit(transmit)) => out.datagrams.push(Outgoing {
                    source: transmit.source,
                    destination: transmit.destination,
                    bytes: transmit.contents.into(),
                }),
                Ok(Output::Event(event)) => {
                    if let Some(happened) = self.read(event) {
                        out.happened.push_back((self.peer, happened));
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "media session");
                    errors += 1;
                    if errors >= DRAIN_ERRORS || !self.rtc.is_alive() {
                        return Err(Failed);
                    }
                }
            }
        }
    }

    fn read(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::Connected => Some(Happened::Connected),
            Event::IceConnectionStateChange(state) => match state {
                IceConnectionState::Disconnected => Some(Happened::Heard(false)),
                IceConnectionState::Connected | IceConnectionState::Completed => {
                    Some(Happened::Heard(true))
                }
                IceConnectionState::New | IceConnectionState::Checking => None,
            },
            Event::Closed => Some(Happened::Closed),
            Event::RtpPacket(packet) => self.packet(packet),
            Event::KeyframeRequest(request) => {
                self.plan.slot_of(request.mid).map(Happened::KeyframeWanted)
            }
            Event::EgressBitrateEstimate(BweKind::Twcc {
                estimate,
                can_probe,
            }) => Some(Happened::Estimate(
                can_probe.then(|| estimate.as_u64().min(self.max_bps)),
            )),
            Event::PeerStats(stats) => Some(Happened::Stats(Box::new(stats))),
            _ => None,
        }
    }

    fn packet(&mut self, packet: RtpPacket) -> Option<Happened> {
        let codec = (*self.codecs.get(usize::from(*packet.header.payload_type))?)?;
        let (kind, layer) = self.stream(packet.header.ssrc)?;
        if kind.is_video() == (codec == Codec::Opus) {
            return None;
        }
        let vp8 = match codec {
            Codec::Vp8 => Vp8Descriptor::parse(&packet.payload).ok(),
            _ => None,
        };
        let extensions = &packet.header.ext_vals;
        let arrival = Arrival {
            from: self.peer,
            kind,
            layer,
            codec,
            seq: *packet.seq_no,
            time: packet.header.timestamp,
            marker: packet.header.marker,
            keyframe: starts_keyframe(codec, &packet.payload),
            height: (codec == Codec::Vp8)
                .then(|| vp8_height(&packet.payload))
                .flatten(),
            bytes: u32::try_from(packet.payload.len()).unwrap_or(u32::MAX),
            level: extensions.audio_level,
            picture: vp8.map_or_else(Picture::default, |vp8| Picture {
                id: vp8.picture_id(),
                wide: wide(&packet.payload),
                tl0: vp8.tl0_pic_idx(),
                key: vp8.key_idx(),
            }),
        };
        // The rest belongs to the way from the publisher to here.
        let extensions = ExtensionValues {
            audio_level: extensions.audio_level,
            voice_activity: extensions.voice_activity,
            video_orientation: extensions.video_orientation,
            ..ExtensionValues::default()
        };
        let packet = Packet {
            codec,
            payload: packet.payload,
            extensions,
            vp8,
        };
        Some(Happened::Packet(arrival, packet))
    }

    /// Which stream and layer an SSRC is.
    fn stream(&mut self, ssrc: Ssrc) -> Option<(StreamKind, u8)> {
        if let Some((_, kind, layer)) = self.streams.iter().find(|(known, ..)| *known == ssrc) {
            return Some((*kind, *layer));
        }
        let (mid, rid) = {
            let mut direct = self.rtc.direct_api();
            let stream = direct.stream_rx(&ssrc)?;
            (stream.mid(), stream.rid())
        };
        let source = self.plan.sources.iter().find(|source| source.mid == mid)?;
        let layer = match rid {
            Some(rid) => source.rids.iter().position(|known| *known == rid)?,
            None if source.rids.is_empty() => 0,
            None => return None,
        };
        let found = (source.kind, u8::try_from(layer).ok()?);
        if self.streams.len() >= limits::PEER_SSRCS {
            self.streams.remove(0);
        }
        self.streams.push((ssrc, found.0, found.1));
        Some(found)
    }

    /// A panic of one session ends that session, not its worker.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(result) => result,
            Err(_) => {
                tracing::error!("a media session panicked");
                Err(Failed)
            }
        }
    }
}

/// Whether a datagram is worth the session's time, by its SSRC.
pub(super) fn admitted(session: &mut Session, bytes: &[u8]) -> bool {
    match classify(bytes) {
        Datagram::Rtp(ssrc) => session.admits(ssrc),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use rookery_actors::sfu::PeerIndex;
    use str0m::Rtc;
    use str0m::media::{Direction, MediaKind};

    use super::{Failed, Session};
    use crate::voice::media::MediaSettings;
    use crate::voice::media::offer::{Builder, outline};

    #[test]
    fn a_panic_ends_in_a_failure() {
        let now = Instant::now();
        let mut client = Rtc::builder().build(now);
        let mut api = client.sdp_api();
        api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let offer = api.apply().unwrap().0.to_sdp_string();
        let builder = Builder::new(&MediaSettings::default()).unwrap();
        let here = (Ipv4Addr::LOCALHOST, 5_000).into();
        let (built, _) = builder
            .build(&offer, &outline(&offer).unwrap(), &[here])
            .unwrap();
        let mut session = Session::new(built, PeerIndex(0), now);
        assert!(session.guarded(|_| Ok(())).is_ok());
        let failed: Result<(), Failed> = session.guarded(|_| panic!("as str0m might"));
        assert!(failed.is_err());
    }
}
