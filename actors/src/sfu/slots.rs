//! A peer's slots: what plays in each, and what was said about it.

use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::ids::UserId;

use super::peer::PeerIndex;
use super::rewrite::Rewriter;

/// A slot of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotIndex {
    /// The n-th section that receives audio.
    Audio(u8),
    /// The n-th section that receives video.
    Video(u8),
}

/// What a slot plays, as the peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// Which slot.
    pub slot: SlotIndex,
    /// Whose stream, and which; none: nothing.
    pub stream: Option<(PeerIndex, UserId, StreamKind)>,
    /// The layer that is sent, if the stream has several.
    pub layer: Option<u8>,
    /// Nothing is sent for want of bandwidth.
    pub paused: bool,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    /// What it is to play.
    pub(super) stream: Option<(PeerIndex, StreamKind)>,
    /// The layer that is forwarded.
    pub(super) current: Option<u8>,
    /// The layer that is to be, from its next keyframe on.
    pub(super) target: Option<u8>,
    /// Layers are sent but none fits.
    pub(super) paused: bool,
    pub(super) rewriter: Rewriter,
    /// What the peer was told last.
    pub(super) told: Option<SlotView>,
}

impl Slot {
    /// Plays something else from now on.
    pub(super) fn set(&mut self, stream: Option<(PeerIndex, StreamKind)>) {
        self.stream = stream;
        self.current = None;
        self.target = None;
        self.paused = false;
        self.rewriter.stop();
    }
}

/// Puts what is wanted into slots: what is there already stays where it is, the rest takes free slots in order. The slots
/// that change, with what comes in.
pub(super) fn place(
    slots: &[Slot],
    wanted: &[(PeerIndex, StreamKind)],
) -> Vec<(usize, Option<(PeerIndex, StreamKind)>)> {
    let mut changes = Vec::new();
    let mut free = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        match slot.stream {
            Some(stream) if wanted.contains(&stream) => {}
            Some(_) => {
                free.push(index);
                changes.push((index, None));
            }
            None => free.push(index),
        }
    }
    let mut free = free.into_iter();
    for stream in wanted {
        if slots.iter().any(|slot| slot.stream == Some(*stream)) {
            continue;
        }
        let Some(index) = free.next() else {
            break;
        };
        match changes.iter_mut().find(|(changed, _)| *changed == index) {
            Some(change) => change.1 = Some(*stream),
            None => changes.push((index, Some(*stream))),
        }
    }
    changes
}
