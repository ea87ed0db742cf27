//! Where keyframes start.

use proptest::prelude::*;

use crate::sfu::{Codec, starts_keyframe, vp8_height};

#[test]
fn keyframes_are_told_from_other_packets() {
    let cases: &[(Codec, &[u8], bool)] = &[
        (Codec::Opus, &[], true),
        (Codec::Vp8, &[], false),
        // No extension: the frame's first bit says it.
        (Codec::Vp8, &[0x10, 0x00], true),
        (Codec::Vp8, &[0x10, 0x01], false),
        // Not the first of a frame; not the first partition.
        (Codec::Vp8, &[0x00, 0x00], false),
        (Codec::Vp8, &[0x11, 0x00], false),
        // PictureID of 15 and 7 bits, TL0PICIDX, KEYIDX.
        (Codec::Vp8, &[0x90, 0xf0, 0x80, 1, 2, 3, 0x00], true),
        (Codec::Vp8, &[0x90, 0xf0, 0x80, 1, 2, 3, 0x01], false),
        (Codec::Vp8, &[0x90, 0x80, 0x01, 0x00], true),
        (Codec::Vp8, &[0x90, 0xf0, 0x80, 1, 2, 3], false),
        (Codec::Vp8, &[0x90], false),
        // Begin of a frame, not predicted; predicted; not the begin.
        (Codec::Vp9, &[0x08], true),
        (Codec::Vp9, &[0x48], false),
        (Codec::Vp9, &[0x00], false),
        (Codec::Vp9, &[], false),
        // Spatial layers: only the lowest begins.
        (Codec::Vp9, &[0xa8, 0x01, 0x00], true),
        (Codec::Vp9, &[0xa8, 0x81, 0x01, 0x02], false),
        (Codec::Vp9, &[0xa8, 0x81], false),
        (Codec::H264, &[0x65, 0], true),
        (Codec::H264, &[0x67, 0], true),
        (Codec::H264, &[0x41, 0], false),
        (Codec::H264, &[], false),
        // STAP-A with SPS; with something else; cut off.
        (Codec::H264, &[0x18, 0, 2, 0x67, 1, 0, 1, 0x68], true),
        (Codec::H264, &[0x18, 0, 2, 0x09, 1, 0, 1, 0x65], true),
        (Codec::H264, &[0x18, 0, 2, 0x09, 1], false),
        (Codec::H264, &[0x18, 0xff, 0xff, 0x09], false),
        // FU-A: the first fragment, another.
        (Codec::H264, &[0x7c, 0x85], true),
        (Codec::H264, &[0x7c, 0x05], false),
        (Codec::H264, &[0x7c], false),
    ];
    for (codec, payload, expected) in cases {
        assert_eq!(
            starts_keyframe(*codec, payload),
            *expected,
            "{codec:?} {payload:x?}"
        );
    }
}

#[test]
fn a_keyframe_says_how_high_it_is() {
    let mut payload = vec![0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a];
    payload.extend(1_280u16.to_le_bytes());
    payload.extend((720u16 | 0x4000).to_le_bytes());
    assert_eq!(vp8_height(&payload), Some(720), "without the scale bits");
    assert_eq!(vp8_height(&payload[..10]), None, "cut off");
    payload[1] = 1;
    assert_eq!(vp8_height(&payload), None, "no keyframe");
}

proptest! {
    #[test]
    fn no_payload_is_too_odd(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        for codec in Codec::ALL {
            // A keyframe of an empty payload would let a decoder begin with nothing.
            let starts = starts_keyframe(codec, &payload);
            prop_assert!(!(starts && payload.is_empty() && codec != Codec::Opus));
        }
        if vp8_height(&payload).is_some() {
            prop_assert!(starts_keyframe(Codec::Vp8, &payload));
        }
    }
}
