//! How large a stream is wanted by those who get it, so that whoever sends it need not send what nobody sees.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

/// What is known, and was told, of one stream.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Pixels that it is high where it is shown largest; 0: nobody watches.
    wanted: u32,
    /// What whoever sends it was told last; none: nothing, and all is sent.
    told: Option<u32>,
    /// Since when less is wanted than he was told.
    lower: Option<Millis>,
}

impl Demand {
    /// Something else is wanted from now on.
    pub(super) fn want(&mut self, height: u32) {
        self.wanted = height;
    }

    /// What to tell whoever sends it, if anything: more at once, less only when that has lasted for a while, since to switch a
    /// layer off and on again costs a keyframe.
    pub(super) fn due(&mut self, now: Millis) -> Option<u32> {
        if self.told == Some(self.wanted) {
            self.lower = None;
            return None;
        }
        let is_less = self.told.is_none_or(|told| self.wanted < told);
        if is_less && now.since(*self.lower.get_or_insert(now)) < limits::DEMAND_CALM_MS {
            return None;
        }
        self.lower = None;
        self.told = Some(self.wanted);
        self.told
    }

    /// What he was told last.
    pub(super) fn told(&self) -> Option<u32> {
        self.told
    }

    /// He sends it no more; what he sends when he begins again is all.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
