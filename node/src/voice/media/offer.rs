//! SDP offers: what they have, whether they are answered, and the session and answer that come of one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rookery_actors::sfu::Codec;
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::limits;
use str0m::bwe::Bitrate;
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec as Format, FormatParams};
use str0m::media::{Frequency, Mid, Pt};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig};

use super::section::{Plan, SlotSection, Source};
use super::{MediaError, MediaSettings, PeerId};

mod outline;

pub use outline::{Outline, Section, outline};

/// The share of what is sent that may be sent again: at 5% loss, bursts of it, and what is lost of the resends. str0m's own
/// 15% left half of the lost packets unrecovered (measured).
const RESEND_SHARE: f32 = 0.5;

/// Why an offer is not answered. Each is a sentence for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// More than [`limits::OFFER_BYTES`].
    #[error("an offer may have at most {} bytes", limits::OFFER_BYTES)]
    TooLarge,
    /// More than [`limits::OFFER_SECTIONS`].
    #[error("an offer may have at most {} media sections", limits::OFFER_SECTIONS)]
    TooManySections,
    /// More than [`limits::AUDIO_SLOTS`] or [`limits::VIDEO_SLOTS`].
    #[error(
        "an offer may have at most {} sections that receive audio and {} that receive video",
        limits::AUDIO_SLOTS,
        limits::VIDEO_SLOTS
    )]
    TooManySlots,
    /// More than [`limits::OFFER_CANDIDATES`].
    #[error("an offer may have at most {} candidates", limits::OFFER_CANDIDATES)]
    TooManyCandidates,
    /// More than [`limits::SIMULCAST_LAYERS`].
    #[error("a section may have at most {} layers", limits::SIMULCAST_LAYERS)]
    TooManyLayers,
    /// No section of audio or video.
    #[error("an offer needs a section of audio or video")]
    Empty,
    /// A section that is neither audio nor video.
    #[error("an offer may have sections of audio and video only")]
    UnknownSection,
    /// A section's name is missing, used twice, or not of 1 to [`limits::SECTION_NAME_BYTES`] letters and digits.
    #[error(
        "each section needs an a=mid of its own of 1 to {} letters and digits",
        limits::SECTION_NAME_BYTES
    )]
    SectionName,
    /// A payload type means one thing here and another there.
    #[error("a payload type may stand for one codec only, in all sections")]
    PayloadType,
    /// It is no SDP, or lacks what WebRTC needs.
    #[error("the offer is no SDP as WebRTC needs it")]
    Unreadable,
    /// The room has [`limits::ROOM_PEERS`].
    #[error("the room is full")]
    Full,
    /// The worker has too much to do.
    #[error("the media worker is busy")]
    Busy,
    /// Another offer or the peer's leaving came in between.
    #[error("the offer was overtaken")]
    Superseded,
    /// The peer's session has ended.
    #[error("the session has ended")]
    Ended,
}

/// Reads an offer, for a session that lives.
pub(super) fn parse(text: &str) -> Result<SdpOffer, OfferError> {
    SdpOffer::from_sdp_string(text).map_err(|error| {
        tracing::debug!(%error, "offer cannot be read");
        OfferError::Unreadable
    })
}

/// An answer as text. It says that its candidates are all (RFC 8840, section 4.4), which some clients wait for.
pub(super) fn text(answer: &SdpAnswer) -> String {
    const CANDIDATE: &str = "a=candidate:";
    const END: &str = "a=end-of-candidates\r\n";
    let mut text = answer.to_sdp_string();
    let after = text
        .rfind(CANDIDATE)
        .and_then(|at| Some(at + text[at..].find("\r\n")? + 2));
    if let Some(at) = after {
        text.insert_str(at, END);
    }
    text
}

/// The outlines of the offers of a room's peers.
#[derive(Debug, Default)]
pub(super) struct Known {
    peers: HashMap<PeerId, Outline>,
}

impl Known {
    pub(super) fn same(&self, peer: PeerId, outline: &Outline) -> bool {
        self.peers.get(&peer) == Some(outline)
    }

    pub(super) fn has(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    pub(super) fn insert(&mut self, peer: PeerId, outline: Outline) -> Result<(), OfferError> {
        if self.peers.len() >= limits::ROOM_PEERS && !self.has(peer) {
            return Err(OfferError::Full);
        }
        self.peers.insert(peer, outline);
        Ok(())
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> bool {
        self.peers.remove(&peer).is_some()
    }
}

/// A session that has answered.
pub(super) struct Built {
    pub(super) rtc: Rtc,
    pub(super) plan: Plan,
    /// Bandwidth is estimated.
    pub(super) estimates: bool,
    pub(super) max_bps: u64,
}

/// Builds sessions; all have one certificate, which lasts as long as the process.
pub(super) struct Builder {
    certificate: DtlsCert,
    start_bps: u64,
    max_bps: u64,
    estimate: bool,
}

impl Builder {
    pub(super) fn new(settings: &MediaSettings) -> Result<Self, MediaError> {
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(str0m::crypto::from_feature_flags);
        Ok(Self {
            certificate: provider
                .dtls_provider
                .generate_certificate()
                .ok_or(MediaError::Certificate)?,
            start_bps: settings.start_bps,
            max_bps: settings.max_bps,
            estimate: settings.estimate,
        })
    }

    /// A session that has answered the offer, and its answer.
    pub(super) fn build(
        &self,
        text: &str,
        outline: &Outline,
        advertised: &[SocketAddr],
    ) -> Result<(Built, String), OfferError> {
        let offer = parse(&outline.without_unknown(text))?;
        let estimates = self.estimate && outline.transport_cc;
        let mut rtc = self.config(estimates).build(Instant::now());
        for address in advertised {
            if let Ok(candidate) = Candidate::host(*address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| {
            tracing::debug!(%error, "offer cannot be answered");
            OfferError::Unreadable
        })?;
        let plan = plan(&mut rtc, outline);
        let built = Built {
            rtc,
            plan,
            estimates,
            max_bps: self.max_bps,
        };
        Ok((built, self::text(&answer)))
    }

    fn config(&self, estimates: bool) -> RtcConfig {
        let mut config = RtcConfig::new()
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_dtls_cert(self.certificate.clone())
            .set_stats_interval(Some(Duration::from_millis(limits::PEER_STATS_MS)))
            .set_send_buffer_video(limits::RESEND_PACKETS)
            .clear_codecs()
            .enable_vp8(true)
            .enable_bwe(estimates.then(|| Bitrate::bps(self.start_bps)));
        let codecs = config.codec_config();
        // In-band FEC and DTX are what we want to receive: clients that can then send them.
        codecs.add_config(
            Pt::new_with_value(111),
            None,
            Format::Opus,
            Frequency::FORTY_EIGHT_KHZ,
            Some(2),
            FormatParams {
                min_p_time: Some(10),
                use_inband_fec: Some(true),
                use_dtx: Some(true),
                ..FormatParams::default()
            },
        );
        codecs.add_config(
            Pt::new_with_value(98),
            Some(Pt::new_with_value(99)),
            Format::Vp9,
            Frequency::NINETY_KHZ,
            None,
            FormatParams {
                profile_id: Some(0),
                ..FormatParams::default()
            },
        );
        // Constrained baseline, the one profile that every browser has.
        codecs.add_h264(
            Pt::new_with_value(125),
            Some(Pt::new_with_value(107)),
            true,
            0x42e01f,
        );
        if !estimates {
            let mut extensions = ExtensionMap::empty();
            extensions.set(1, Extension::AudioLevel);
            extensions.set(4, Extension::RtpMid);
            extensions.set(10, Extension::RtpStreamId);
            extensions.set(11, Extension::RepairedRtpStreamId);
            extensions.set(13, Extension::VideoOrientation);
            config = config.set_extension_map(extensions);
        }
        config
    }
}

/// What each section is to us. The first that sends audio is the microphone, the second the screen's sound; the first that
/// sends video the camera, the second the screen; each that receives a slot.
fn plan(rtc: &mut Rtc, outline: &Outline) -> Plan {
    let mut plan = Plan::default();
    let mut audio = [StreamKind::Audio, StreamKind::ScreenAudio].into_iter();
    let mut video = [StreamKind::Camera, StreamKind::Screen].into_iter();
    for section in outline.sections.iter().filter(|section| section.alive) {
        let mid = Mid::from(section.mid.as_str());
        if section.sends {
            let kind = if section.audio {
                audio.next()
            } else {
                video.next()
            };
            if let Some(kind) = kind {
                plan.sources.push(Source {
                    mid,
                    kind,
                    rids: section.rids.iter().map(|rid| rid.as_str().into()).collect(),
                });
            }
        }
        if section.receives
            && let Some(slot) = slot(rtc, mid, section.audio)
        {
            if section.audio {
                plan.audio.push(slot);
            } else {
                plan.video.push(slot);
            }
        }
    }
    plan
}

/// A slot, if we can send in the section: not if it would have to be simulcast.
fn slot(rtc: &mut Rtc, mid: Mid, audio: bool) -> Option<SlotSection> {
    let ssrc = {
        let mut direct = rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        if !audio {
            stream.set_rtx_cache(
                limits::RESEND_PACKETS,
                Duration::from_millis(limits::RESEND_MS),
                Some(RESEND_SHARE),
            );
        }
        stream.ssrc()
    };
    let agreed = rtc.media(mid)?.remote_pts();
    let pts = Codec::ALL.map(|codec| {
        rtc.codec_config()
            .params()
            .iter()
            .find(|params| {
                agreed.contains(&params.pt()) && known(params.spec().codec) == Some(codec)
            })
            .map(|params| params.pt())
    });
    Some(SlotSection { mid, ssrc, pts })
}

/// A codec of str0m as one of ours.
pub(super) fn known(format: Format) -> Option<Codec> {
    match format {
        Format::Opus => Some(Codec::Opus),
        Format::Vp8 => Some(Codec::Vp8),
        Format::Vp9 => Some(Codec::Vp9),
        Format::H264 => Some(Codec::H264),
        _ => None,
    }
}
