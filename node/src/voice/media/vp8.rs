//! The numbers of pictures in VP8's payload descriptor (RFC 7741, section 4.2).

use rookery_actors::sfu::Picture;
use str0m::rtp::{Vp8Descriptor, Vp8Patch};

/// Whether a VP8 payload's PictureID has 15 bits.
pub(super) fn wide(payload: &[u8]) -> bool {
    matches!(payload, [first, second, third, ..]
        if first & 0x80 != 0 && second & 0x80 != 0 && third & 0x80 != 0)
}

/// What a packet's descriptor has to say instead, where it says such a number; none if it has no room for it.
pub(super) fn patch(descriptor: Vp8Descriptor, picture: Picture) -> Option<Vp8Patch> {
    let mut patch = descriptor.patch();
    if let Some(id) = picture.id {
        patch = patch.picture_id(id);
    }
    if let Some(tl0) = picture.tl0 {
        patch = patch.tl0_pic_idx(tl0);
    }
    if let Some(key) = picture.key {
        patch = patch.key_idx(key);
    }
    patch.build().ok()
}
