//! What a session's sections are to forwarding: which streams it sends, and which slots it has.

use rookery_actors::sfu::{Codec, Codecs, Sections, SlotIndex, VideoSource};
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::limits;
use str0m::media::{Mid, Pt, Rid};
use str0m::rtp::Ssrc;

/// A stream that a session can send.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) mid: Mid,
    pub(super) kind: StreamKind,
    /// Its layers' names, the smallest first; none if it is no simulcast.
    pub(super) rids: Vec<Rid>,
}

/// A section that receives.
#[derive(Debug, Clone)]
pub(super) struct SlotSection {
    pub(super) mid: Mid,
    /// What we send in it.
    pub(super) ssrc: Ssrc,
    /// The payload type of each codec of [`Codec::ALL`].
    pub(super) pts: [Option<Pt>; Codec::ALL.len()],
}

/// All that a session's offer has.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) sources: Vec<Source>,
    pub(super) audio: Vec<SlotSection>,
    pub(super) video: Vec<SlotSection>,
}

impl Plan {
    pub(super) fn slot(&self, slot: SlotIndex) -> Option<&SlotSection> {
        match slot {
            SlotIndex::Audio(index) => self.audio.get(usize::from(index)),
            SlotIndex::Video(index) => self.video.get(usize::from(index)),
        }
    }

    pub(super) fn slot_of(&self, mid: Mid) -> Option<SlotIndex> {
        let find = |slots: &[SlotSection]| {
            let index = slots.iter().position(|slot| slot.mid == mid)?;
            u8::try_from(index).ok()
        };
        find(&self.video)
            .map(SlotIndex::Video)
            .or_else(|| find(&self.audio).map(SlotIndex::Audio))
    }

    pub(super) fn source(&self, kind: StreamKind) -> Option<&Source> {
        self.sources.iter().find(|source| source.kind == kind)
    }

    /// For the room's core.
    pub(super) fn sections(&self) -> Sections {
        let video = |kind| {
            self.source(kind).map(|source| VideoSource {
                layers: source.rids.len().clamp(1, limits::SIMULCAST_LAYERS),
            })
        };
        let mut codecs = Codecs::default();
        for codec in Codec::ALL {
            let mut slots = self.audio.iter().chain(&self.video);
            if slots.any(|slot| slot.pts[codec.index()].is_some()) {
                codecs = codecs.with(codec);
            }
        }
        Sections {
            microphone: self.source(StreamKind::Audio).is_some(),
            screen_audio: self.source(StreamKind::ScreenAudio).is_some(),
            camera: video(StreamKind::Camera),
            screen: video(StreamKind::Screen),
            audio_slots: self.audio.len(),
            video_slots: self.video.len(),
            codecs,
        }
    }
}
