//! The room of a media worker without its packets' bytes: which stream plays in which slot, which layer of it, whose
//! voice is heard, when a keyframe is asked for, and how packets are renumbered.
//!
//! [`Room`] is a state machine like the other cores: no clock, no I/O, no str0m. It is told what arrived and says what to
//! forward; `rookery-node` moves the bytes.

mod allocate;
mod demand;
mod forward;
mod gate;
mod keyframe;
mod loudest;
mod packet;
mod peer;
mod rewrite;
mod room;
mod settle;
mod slots;
#[cfg(test)]
mod tests;
mod track;

pub use allocate::{Choice, LayerState, choose};
pub use gate::Gate;
pub use keyframe::{Codec, Codecs, starts_keyframe, vp8_height};
pub use loudest::{Loudest, Voice};
pub use packet::{Arrival, Forward, Picture};
pub use peer::{PeerIndex, Sections, VideoSource};
pub use rewrite::Rewriter;
pub use room::{Effect, Room};
pub use slots::{SlotIndex, SlotView};
