//! The relay lane: which session gets which event under which number, what a resume replays, who is too slow.
//!
//! [`Lane`] is a state machine without I/O. A thread of `rookery-node` owns one, feeds it [`Input`]s in the order of its
//! inbox, runs the [`Effect`]s and hands [`Lane::flush`] a function that encodes and writes. The order of the inputs is
//! the order every session sees.
//!
//! *What a session sees* of a group is decided when an event passes: the lane keeps the group's picture of who sees which
//! channel, in step with the events, and what a change makes appear or disappear goes out right behind it.
//!
//! *Nothing per session is copied*: an event is one entry of the lane's replay log with a shared snapshot of its
//! recipients; a session holds positions of that log. Its numbers are dense, so what it missed is found by walking the
//! log backwards.

mod choice;
mod delivery;
mod ending;
mod follow;
mod join;
mod keeper;
mod lane;
mod log;
mod moving;
mod names;
mod roster;
mod search;
mod session;
mod sight;
mod since;
mod telling;
mod told;
mod topic;
mod wire;

#[cfg(test)]
mod tests;

pub use choice::Choice;
pub use delivery::{Deliveries, Delivery, Flush};
pub use keeper::Keeper;
pub use lane::{Census, Config, Lane, SessionView};
pub use names::Names;
pub use search::{Search, Step};
pub use since::{Reading, Since, is_shown_anew, page_above};
pub use told::Told;
pub use wire::{
    Again, Control, Effect, Identity, Input, Link, Lost, Refusal, Secret, SessionRef, Shard,
    Viewpoint,
};
