//! Codecs, and where their keyframes start.

/// A codec that rooms forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
}

impl Codec {
    /// All.
    pub const ALL: [Self; 4] = [Self::Opus, Self::Vp8, Self::Vp9, Self::H264];

    /// Ticks of its RTP clock in a millisecond.
    pub fn ticks(self) -> u32 {
        match self {
            Self::Opus => 48,
            Self::Vp8 | Self::Vp9 | Self::H264 => 90,
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A set of codecs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Codecs(u8);

impl Codecs {
    /// The set and one more.
    #[must_use]
    pub fn with(self, codec: Codec) -> Self {
        Self(self.0 | 1 << codec.index())
    }

    /// Whether one is in it.
    pub fn has(self, codec: Codec) -> bool {
        self.0 & 1 << codec.index() != 0
    }
}

/// Whether an RTP payload is the first of a keyframe, from which a decoder can begin. Audio always begins.
pub fn starts_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => true,
        Codec::Vp8 => vp8_frame(payload).is_some_and(|frame| frame[0] & 1 == 0),
        Codec::Vp9 => vp9(payload),
        Codec::H264 => h264(payload),
    }
}

/// Pixels that a VP8 keyframe is high, if the payload is the first of one.
///
/// Source: RFC 6386, section 9.1.
pub fn vp8_height(payload: &[u8]) -> Option<u16> {
    let frame = vp8_frame(payload)?;
    if frame[0] & 1 != 0 || frame.get(3..6)? != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let height = frame.get(8..10)?;
    Some(u16::from_le_bytes([height[0], height[1]]) & 0x3fff)
}

/// The frame's bytes, never empty, if the payload is the first of a frame.
fn vp8_frame(payload: &[u8]) -> Option<&[u8]> {
    let first = *payload.first()?;
    // S, and the partition index 0.
    if first & 0x17 != 0x10 {
        return None;
    }
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        at = 2;
        if extension & 0x80 != 0 {
            at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    payload.get(at..).filter(|frame| !frame.is_empty())
}

/// The begin of a frame that is not predicted from another picture, in the lowest spatial layer.
fn vp9(payload: &[u8]) -> bool {
    let Some(&first) = payload.first() else {
        return false;
    };
    let (has_id, predicted, layered, begins) = (
        first & 0x80 != 0,
        first & 0x40 != 0,
        first & 0x20 != 0,
        first & 0x08 != 0,
    );
    if predicted || !begins {
        return false;
    }
    if !layered {
        return true;
    }
    let mut at = 1;
    if has_id {
        match payload.get(at) {
            Some(id) => at += if id & 0x80 != 0 { 2 } else { 1 },
            None => return false,
        }
    }
    payload
        .get(at)
        .is_some_and(|layers| (layers >> 1) & 0x07 == 0)
}

/// An IDR picture or the parameters before it: alone, aggregated (STAP-A) or the first of its fragments (FU-A).
fn h264(payload: &[u8]) -> bool {
    let begins = |kind: u8| matches!(kind & 0x1f, 5 | 7);
    match payload.first().map(|first| first & 0x1f) {
        Some(24) => {
            let mut rest = &payload[1..];
            while let [high, low, kind, ..] = rest {
                if begins(*kind) {
                    return true;
                }
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(2 + length..).unwrap_or(&[]);
            }
            false
        }
        Some(28) => payload
            .get(1)
            .is_some_and(|header| header & 0x80 != 0 && begins(*header)),
        Some(kind) => begins(kind),
        None => false,
    }
}
