//! What a client sends: a voice every 20 ms, pictures thirty times a second in each layer.

use std::time::{Duration, Instant};

use rookery_protocol::client::voice::StreamKind;
use str0m::media::{Mid, Pt, Rid};
use str0m::rtp::{ExtensionValues, RtpWrite};

use super::content::{self, Content, Vp8};

/// Bytes of a packet's payload.
const PAYLOAD: usize = 1_100;
const VOICE: Duration = Duration::from_millis(20);
const PICTURE: Duration = Duration::from_micros(33_333);

/// A stream that is sent.
#[derive(Debug)]
pub struct Source {
    pub(super) mid: Mid,
    pub(super) kind: StreamKind,
    pub(super) pt: Pt,
    /// It sends.
    pub on: bool,
    /// Its pictures are never whole: none has a last packet.
    pub torn: bool,
    /// Of a voice: dBov that it says it has; none: it says nothing.
    pub level: Option<i8>,
    pub(super) layers: Vec<Layer>,
    user: u64,
    next: Instant,
}

/// One encoding of it.
#[derive(Debug)]
pub struct Layer {
    /// Its name, if there are several.
    pub rid: Option<Rid>,
    /// It sends.
    pub on: bool,
    /// Pixels high.
    pub height: u16,
    /// Bits per second.
    pub bps: u64,
    /// Keyframes that were asked for.
    pub asked: u32,
    keyframe: bool,
    seq: u64,
    time: u32,
    picture: u16,
    tl0: u8,
    key: u8,
}

impl Layer {
    pub(super) fn new(rid: Option<Rid>, height: u16, bps: u64, number: u32) -> Self {
        // Each begins somewhere else, as encoders do.
        Self {
            rid,
            on: true,
            height,
            bps,
            asked: 0,
            keyframe: true,
            seq: 100 + u64::from(number) * 1_000,
            time: number.wrapping_mul(0x1234_5678),
            picture: (number as u16).wrapping_mul(0x1111) & 0x7fff,
            tl0: (number as u8).wrapping_mul(77),
            key: number as u8 & 0x1f,
        }
    }

    /// The viewer wants a keyframe.
    pub(super) fn ask(&mut self) {
        self.asked += 1;
        self.keyframe = true;
    }
}

impl Source {
    pub(super) fn new(
        mid: Mid,
        kind: StreamKind,
        pt: Pt,
        layers: Vec<Layer>,
        user: u64,
        now: Instant,
    ) -> Self {
        Self {
            mid,
            kind,
            pt,
            on: true,
            torn: false,
            level: Some(-30),
            layers,
            user,
            next: now,
        }
    }

    /// When it has something to send.
    pub(super) fn due(&self) -> Option<Instant> {
        self.on.then_some(self.next)
    }

    /// What is to be sent now: of which layer, and the packet.
    pub(super) fn take(&mut self, now: Instant) -> Vec<(Option<Rid>, RtpWrite)> {
        let mut out = Vec::new();
        if !self.on || now < self.next {
            return out;
        }
        let step = if self.kind.is_video() { PICTURE } else { VOICE };
        self.next += step;
        // After a pause it does not catch up.
        if self.next < now {
            self.next = now + step;
        }
        for (index, layer) in self.layers.iter_mut().enumerate().filter(|(_, l)| l.on) {
            let content = Content {
                user: self.user,
                kind: self.kind,
                layer: index as u8,
            };
            if self.kind.is_video() {
                picture(layer, self.pt, content, now, self.torn, &mut out);
            } else {
                layer.seq += 1;
                layer.time = layer.time.wrapping_add(960);
                let ext = ExtensionValues {
                    audio_level: self.level,
                    voice_activity: self.level.map(|level| level > -50),
                    ..ExtensionValues::default()
                };
                let packet = RtpWrite::new(
                    self.pt,
                    layer.seq.into(),
                    layer.time,
                    now,
                    content::opus(content),
                );
                out.push((layer.rid, packet.ext_vals(ext)));
            }
        }
        out
    }
}

fn picture(
    layer: &mut Layer,
    pt: Pt,
    content: Content,
    now: Instant,
    torn: bool,
    out: &mut Vec<(Option<Rid>, RtpWrite)>,
) {
    let keyframe = std::mem::take(&mut layer.keyframe);
    let bytes = usize::try_from(layer.bps / 8 / 30).unwrap_or(PAYLOAD);
    // A keyframe is some pictures large.
    let bytes = if keyframe { bytes * 3 } else { bytes };
    let packets = bytes.div_ceil(PAYLOAD).max(1);
    layer.time = layer.time.wrapping_add(3_000);
    layer.picture = (layer.picture + 1) & 0x7fff;
    layer.tl0 = layer.tl0.wrapping_add(1);
    if keyframe {
        layer.key = (layer.key + 1) & 0x1f;
    }
    for index in 0..packets {
        layer.seq += 1;
        let packet = Vp8 {
            start: index == 0,
            keyframe,
            picture: layer.picture,
            tl0: layer.tl0,
            key: layer.key,
            content,
        };
        let payload = content::vp8(packet, layer.height, bytes / packets);
        let write = RtpWrite::new(pt, layer.seq.into(), layer.time, now, payload)
            .marker(index + 1 == packets && !torn)
            .nackable(true);
        out.push((layer.rid, write));
    }
}
