//! Requests for keyframes of one layer, merged: many may want one, the publisher is asked now and then.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

/// Lets at most one request in [`limits::KEYFRAME_MERGE_MS`] pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gate {
    asked: Option<Millis>,
    waiting: bool,
}

impl Gate {
    /// Somebody needs a keyframe. Whether to ask now; else [`due`](Self::due) will say when.
    pub fn want(&mut self, now: Millis) -> bool {
        self.waiting = true;
        self.due(now)
    }

    /// Whether a wish that waits is to be passed on now.
    pub fn due(&mut self, now: Millis) -> bool {
        let open = self
            .asked
            .is_none_or(|asked| now.0.saturating_sub(asked.0) >= limits::KEYFRAME_MERGE_MS);
        if self.waiting && open {
            self.asked = Some(now);
            self.waiting = false;
            return true;
        }
        false
    }

    /// A keyframe came: who waited has it.
    pub fn came(&mut self) {
        self.waiting = false;
    }
}
