//! The made-up media: RTP payloads that say whose they are, so that who gets one can tell.

use rookery_protocol::client::voice::StreamKind;

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Whose.
    pub user: u64,
    /// Which of his streams.
    pub kind: StreamKind,
    /// Which layer of it.
    pub layer: u8,
}

const KINDS: [StreamKind; 4] = StreamKind::ALL;
/// Bytes that a content takes.
const BYTES: usize = 10;

impl Content {
    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.user.to_be_bytes());
        let kind = KINDS.iter().position(|kind| *kind == self.kind);
        out.push(kind.unwrap_or(0) as u8);
        out.push(self.layer);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let user = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
        Some(Self {
            user,
            kind: *KINDS.get(usize::from(*bytes.get(8)?))?,
            layer: *bytes.get(9)?,
        })
    }
}

/// A packet of voice: 80 bytes are 32 kbit/s at 20 ms.
pub fn opus(content: Content) -> Vec<u8> {
    let mut out = vec![0xf8];
    content.write(&mut out);
    out.resize(80, 0);
    out
}

/// Whose a packet of voice is.
pub fn read_opus(payload: &[u8]) -> Option<Content> {
    Content::read(payload.get(1..)?)
}

/// A packet of a picture, as VP8's payload descriptor (RFC 7741) says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp8 {
    /// The first of its picture.
    pub start: bool,
    /// The picture is a keyframe; known of the first packet.
    pub keyframe: bool,
    /// PictureID, 15 bits.
    pub picture: u16,
    /// TL0PICIDX.
    pub tl0: u8,
    /// KEYIDX.
    pub key: u8,
    /// Whose.
    pub content: Content,
}

/// A payload of so many bytes.
pub fn vp8(packet: Vp8, height: u16, bytes: usize) -> Vec<u8> {
    let mut out = vec![
        if packet.start { 0x90 } else { 0x80 },
        0xf0,
        0x80 | (packet.picture >> 8) as u8,
        packet.picture as u8,
        packet.tl0,
        0x20 | (packet.key & 0x1f),
    ];
    let width = height / 9 * 16;
    out.extend([u8::from(!packet.keyframe), 0, 0, 0x9d, 0x01, 0x2a]);
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    packet.content.write(&mut out);
    out.resize(bytes.max(out.len()), 0);
    out
}

/// Reads what [`vp8`] wrote.
pub fn read_vp8(payload: &[u8]) -> Option<Vp8> {
    let [first, extension, high, low, tl0, key, frame, ..] = *payload else {
        return None;
    };
    if extension != 0xf0 || high & 0x80 == 0 || payload.len() < 16 + BYTES {
        return None;
    }
    Some(Vp8 {
        start: first & 0x10 != 0,
        keyframe: frame & 1 == 0,
        picture: u16::from(high & 0x7f) << 8 | u16::from(low),
        tl0,
        key: key & 0x1f,
        content: Content::read(&payload[16..])?,
    })
}
