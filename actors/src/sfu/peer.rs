//! Somebody in the room, as forwarding sees him.

use rookery_protocol::client::voice::{MediaRights, StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;

use super::keyframe::Codecs;
use super::slots::{Slot, SlotIndex};
use super::track::Track;

/// A peer's place in its room. It is given to somebody else when the peer has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerIndex(pub u32);

impl PeerIndex {
    /// As an index.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// A video that a peer's offer can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSource {
    /// Layers, 1 if it is no simulcast.
    pub layers: usize,
}

/// What a peer's offer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sections {
    /// It can send a voice.
    pub microphone: bool,
    /// It can send the sound of a screen.
    pub screen_audio: bool,
    /// It can send a camera.
    pub camera: Option<VideoSource>,
    /// It can send a screen.
    pub screen: Option<VideoSource>,
    /// Sections that receive audio.
    pub audio_slots: usize,
    /// Sections that receive video.
    pub video_slots: usize,
    /// What it can decode.
    pub codecs: Codecs,
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) user: UserId,
    pub(super) rights: MediaRights,
    pub(super) streams: Streams,
    pub(super) sections: Sections,
    /// Media can reach him.
    pub(super) connected: bool,
    pub(super) wants: Vec<Want>,
    /// Bits per second that his way is thought to bear; unknown: nobody measures it.
    pub(super) estimate: Option<u64>,
    /// When a layer had last to be dropped for him.
    pub(super) dropped: Option<Millis>,
    /// Since when not even the smallest layer of what he wants most fits.
    pub(super) short: Option<Millis>,
    /// What was said that he would use, and that he needs at least, in bits per second.
    pub(super) desired: (u64, u64),
    pub(super) audio: Vec<Slot>,
    pub(super) video: Vec<Slot>,
    pub(super) voice: Vec<(PeerIndex, SlotIndex)>,
    pub(super) screen_sound: Vec<(PeerIndex, SlotIndex)>,
    pub(super) camera: Option<Track>,
    pub(super) screen: Option<Track>,
}

impl Peer {
    pub(super) fn new(user: UserId, rights: MediaRights, sections: Sections) -> Self {
        let slots = |count| (0..count).map(|_| Slot::default()).collect();
        Self {
            user,
            rights,
            streams: Streams::default(),
            sections,
            connected: false,
            wants: Vec::new(),
            estimate: None,
            dropped: None,
            short: None,
            desired: (0, 0),
            audio: slots(sections.audio_slots),
            video: slots(sections.video_slots),
            voice: Vec::new(),
            screen_sound: Vec::new(),
            camera: sections.camera.map(|video| Track::new(video.layers)),
            screen: sections.screen.map(|video| Track::new(video.layers)),
        }
    }

    /// Whether a stream of his is forwarded to whoever wants it.
    pub(super) fn sends(&self, kind: StreamKind) -> bool {
        match kind {
            StreamKind::Audio => self.rights.speak && self.sections.microphone,
            StreamKind::Camera => {
                self.rights.stream && self.streams.camera && self.sections.camera.is_some()
            }
            StreamKind::Screen => {
                self.rights.stream && self.streams.screen && self.sections.screen.is_some()
            }
            StreamKind::ScreenAudio => {
                self.rights.stream && self.streams.screen && self.sections.screen_audio
            }
        }
    }

    pub(super) fn track(&self, kind: StreamKind) -> Option<&Track> {
        match kind {
            StreamKind::Camera => self.camera.as_ref(),
            StreamKind::Screen => self.screen.as_ref(),
            StreamKind::Audio | StreamKind::ScreenAudio => None,
        }
    }

    pub(super) fn track_mut(&mut self, kind: StreamKind) -> Option<&mut Track> {
        match kind {
            StreamKind::Camera => self.camera.as_mut(),
            StreamKind::Screen => self.screen.as_mut(),
            StreamKind::Audio | StreamKind::ScreenAudio => None,
        }
    }

    /// Who has a stream of his, and in which slot.
    pub(super) fn viewers_mut(
        &mut self,
        kind: StreamKind,
    ) -> Option<&mut Vec<(PeerIndex, SlotIndex)>> {
        match kind {
            StreamKind::Audio => Some(&mut self.voice),
            StreamKind::ScreenAudio => Some(&mut self.screen_sound),
            StreamKind::Camera | StreamKind::Screen => {
                self.track_mut(kind).map(|track| &mut track.viewers)
            }
        }
    }

    pub(super) fn slot_mut(&mut self, slot: SlotIndex) -> Option<&mut Slot> {
        match slot {
            SlotIndex::Audio(index) => self.audio.get_mut(usize::from(index)),
            SlotIndex::Video(index) => self.video.get_mut(usize::from(index)),
        }
    }
}
