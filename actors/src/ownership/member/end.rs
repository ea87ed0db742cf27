//! The orderly end: shards are given away, what is left is flushed, the own lanes are fenced, and the incarnation ends.

use super::{Effect, Member, Now, Slot, Stage};
use crate::ownership::incarnation::{End, lane};
use crate::ownership::op::{Op, Verdict};

impl Member {
    /// When all is given away, what is left may be stopped. Where nobody is left to take anything, that is at once.
    pub(super) fn pump_drain(&mut self, out: &mut Vec<Effect>) {
        if !self.is_draining || self.is_asked(&Slot::Claim) || !self.has_nothing_to_give() {
            return;
        }
        self.stage = Stage::Quieting;
        out.push(Effect::Quiet);
    }

    pub(super) fn pump_close(&mut self, now: Now, out: &mut Vec<Effect>) {
        let (Stage::Closing { used, fenced }, Some(me)) = (&self.stage, &self.me) else {
            return;
        };
        let end = End {
            me: me.id.clone(),
            worker: me.worker,
            used: *used,
        };
        if *fenced < self.settings.lanes {
            let lane = lane(&me.id, *fenced);
            if let Some(ticket) = self.ask(Slot::OwnLane, now) {
                out.push(Effect::Fence { ticket, lane });
            }
        } else if let Some(ticket) = self.ask(Slot::End, now) {
            let op = Op::End(end);
            out.push(Effect::Decide { ticket, op });
        }
    }

    /// Ended; or fenced by somebody who was faster, which is as good.
    pub(super) fn ended(&mut self, verdict: Result<Verdict, ()>, out: &mut Vec<Effect>) {
        if verdict.is_ok() {
            self.stage = Stage::Over;
            self.lease.end();
            out.push(Effect::Lease(self.lease.until()));
            out.push(Effect::Ended);
        }
    }
}
