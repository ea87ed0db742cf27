//! The commit lane: what many entities want written while a commit is in flight goes into the next one.
//!
//! [`core`] decides what is grouped and repeated, without a thread or a clock; [`CommitLane`] is its shell.

pub mod core;
mod counters;
mod lane;

pub use self::core::Outcome;
pub use self::counters::CommitCounters;
pub use self::lane::{CommitLane, Done};

/// As many units wait as [`rookery_protocol::limits::COMMIT_QUEUE`] allows: the caller answers busy. Nothing was
/// queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the commit queue is full")]
pub struct QueueFull;
