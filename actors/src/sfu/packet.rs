//! What the room is told of a packet, and what it says about forwarding it.

use rookery_protocol::client::voice::StreamKind;

use super::keyframe::Codec;
use super::peer::PeerIndex;
use super::slots::SlotIndex;

/// The numbers of VP8's payload descriptor, as far as a packet has them.
///
/// Source: RFC 7741, section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Picture {
    /// The PictureID.
    pub id: Option<u16>,
    /// The PictureID has 15 bits, not 7.
    pub wide: bool,
    /// TL0PICIDX.
    pub tl0: Option<u8>,
    /// KEYIDX, 5 bits.
    pub key: Option<u8>,
}

/// A packet that came from a peer.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Whose.
    pub from: PeerIndex,
    /// Of which of its streams.
    pub kind: StreamKind,
    /// Of which layer, from the smallest; 0 if there is but one.
    pub layer: u8,
    /// Its codec.
    pub codec: Codec,
    /// The extended sequence number.
    pub seq: u64,
    /// The RTP timestamp.
    pub time: u32,
    /// RTP's marker bit.
    pub marker: bool,
    /// The first packet of a keyframe.
    pub keyframe: bool,
    /// Pixels that the picture is high, if the packet says so.
    pub height: Option<u16>,
    /// Bytes of the payload.
    pub bytes: u32,
    /// Of audio: the level in dBov, from -127 (silence) to 0, if the packet says it.
    ///
    /// Source: RFC 6464.
    pub level: Option<i8>,
    /// Of VP8.
    pub picture: Picture,
}

/// A packet that goes to a peer: the arrived one with other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// To whom.
    pub to: PeerIndex,
    /// In which slot.
    pub slot: SlotIndex,
    /// The extended sequence number.
    pub seq: u64,
    /// The RTP timestamp.
    pub time: u32,
    /// RTP's marker bit.
    pub marker: bool,
    /// Of VP8.
    pub picture: Picture,
}
