//! Traces: what an actor was sent for a while. Kinds, ids and times; never bodies.

use serde::{Deserialize, Serialize};

/// A message that an actor handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// When it was handled, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Its kind.
    pub kind: String,
    /// The request of a client that it belongs to (`X-Request-Id`), if it is one's.
    pub request: Option<String>,
    /// Microseconds that it waited.
    pub wait_us: u64,
    /// Microseconds that handling it took.
    pub handle_us: u64,
    /// Rows that it wrote.
    pub writes: u32,
    /// Events that it caused.
    pub events: u32,
    /// Messages that wait behind it.
    pub depth: u64,
}

/// What a trace has seen since it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TracePart {
    /// What was handled, in order.
    pub lines: Vec<TraceLine>,
    /// Messages that are not shown because there were too many: this many were handled in between.
    pub skipped: u64,
    /// The actor is not at that node any more; the trace goes on where it is now.
    pub moved: bool,
}
