//! A room and what goes in and out of it.

use rookery_protocol::client::voice::{MediaRights, StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;

use crate::sfu::{
    Arrival, Codec, Codecs, Effect, Forward, PeerIndex, Picture, Room, Sections, SlotIndex,
    VideoSource,
};

pub(super) const ALL: MediaRights = MediaRights {
    speak: true,
    stream: true,
    hear: true,
};

pub(super) fn sections() -> Sections {
    Sections {
        microphone: true,
        screen_audio: true,
        camera: Some(VideoSource { layers: 3 }),
        screen: Some(VideoSource { layers: 1 }),
        audio_slots: 4,
        video_slots: 4,
        codecs: Codecs::default().with(Codec::Opus).with(Codec::Vp8),
    }
}

/// A packet; its numbers are those of a stream that has sent `number` packets, one a picture.
pub(super) fn packet(from: PeerIndex, kind: StreamKind, layer: u8, number: u64) -> Arrival {
    let video = kind.is_video();
    // Streams and layers begin at numbers of their own.
    let base = u64::from(from.0) * 1_000 + u64::from(layer) * 100;
    let count = base + number;
    // The low bits, as on the wire.
    let low = count.to_le_bytes();
    let ticks = (count * if video { 3_000 } else { 960 }).to_le_bytes();
    Arrival {
        from,
        kind,
        layer,
        codec: if video { Codec::Vp8 } else { Codec::Opus },
        seq: count,
        time: u32::from_le_bytes([ticks[0], ticks[1], ticks[2], ticks[3]]),
        marker: video,
        keyframe: true,
        height: None,
        bytes: 100,
        level: Some(-30),
        picture: if video {
            Picture {
                id: Some(u16::from_le_bytes([low[0], low[1]]) & 0x7fff),
                wide: true,
                tl0: Some(low[0]),
                key: Some(low[0] & 0x1f),
            }
        } else {
            Picture::default()
        },
    }
}

pub(super) struct Fixture {
    pub(super) room: Room,
    pub(super) now: Millis,
    pub(super) effects: Vec<Effect>,
    /// What came of earlier instants.
    past: Vec<(Millis, Effect)>,
}

impl Fixture {
    /// A room with so many people who send voices and cameras, and are connected.
    pub(super) fn new(people: u64) -> Self {
        let mut fixture = Self {
            room: Room::new(),
            now: Millis(1_000),
            effects: Vec::new(),
            past: Vec::new(),
        };
        for user in 0..people {
            fixture.join(user, sections());
        }
        fixture
    }

    pub(super) fn join(&mut self, user: u64, sections: Sections) -> PeerIndex {
        let index = self.room.join(UserId(user), ALL, sections).unwrap();
        let streams = Streams {
            camera: true,
            screen: true,
        };
        self.room
            .streams(self.now, index, streams, &mut self.effects);
        self.room
            .connected(self.now, index, true, &mut self.effects);
        index
    }

    pub(super) fn want(&mut self, index: u32, wants: &[(u64, StreamKind, u32)]) {
        let wants = wants
            .iter()
            .map(|(user, stream, height)| Want {
                user_id: UserId(*user),
                stream: *stream,
                height: *height,
            })
            .collect();
        self.room
            .want(self.now, PeerIndex(index), wants, &mut self.effects);
    }

    pub(super) fn packet(&mut self, packet: &Arrival) -> Vec<Forward> {
        let mut forwards = Vec::new();
        self.room
            .packet(self.now, packet, &mut forwards, &mut self.effects);
        forwards
    }

    /// Time passes, with the room's clockwork.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while self.now < end {
            self.stamp();
            self.now = self.now.plus(100.min(end.0 - self.now.0));
            self.room.tick(self.now, &mut self.effects);
            self.stamp();
        }
    }

    fn stamp(&mut self) {
        let now = self.now;
        self.past
            .extend(self.effects.drain(..).map(|effect| (now, effect)));
    }

    /// What came of all since the last time, and when.
    pub(super) fn taken_at(&mut self) -> Vec<(Millis, Effect)> {
        self.stamp();
        std::mem::take(&mut self.past)
    }

    pub(super) fn taken(&mut self) -> Vec<Effect> {
        self.taken_at().into_iter().map(|(_, e)| e).collect()
    }

    /// The keyframes that were asked for.
    pub(super) fn asked(&mut self) -> Vec<(u32, u8)> {
        self.taken()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Keyframe { peer, layer, .. } => Some((peer.0, layer)),
                _ => None,
            })
            .collect()
    }
}

/// Who got it.
pub(super) fn to(forwards: &[Forward]) -> Vec<u32> {
    let mut to: Vec<_> = forwards.iter().map(|forward| forward.to.0).collect();
    to.sort_unstable();
    to
}

/// Where it plays.
pub(super) fn slots(forwards: &[Forward]) -> Vec<SlotIndex> {
    forwards.iter().map(|forward| forward.slot).collect()
}
