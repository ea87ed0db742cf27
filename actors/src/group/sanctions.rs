//! What was laid on members and outlives their leaving: nobody ends his time-out, or is heard again, by going out and
//! coming back.

use rookery_protocol::document::{MemberRow, SanctionDocument};
use rookery_protocol::limits;

use super::{Live, Turn};

impl Live {
    /// A member leaves: what holds against him is kept.
    pub(super) fn keep_sanctions(&mut self, turn: &mut Turn<'_>, row: &MemberRow) {
        let timeout_until = row.timeout_until.filter(|&until| turn.now < until);
        if timeout_until.is_none() && !row.mute && !row.deaf {
            return;
        }
        let now = turn.now;
        let sanctions = &mut self.document.sanctions;
        sanctions.retain(|one| {
            one.mute || one.deaf || one.timeout_until.is_some_and(|until| now < until)
        });
        if sanctions.len() >= limits::SANCTIONS_PER_GROUP {
            sanctions.remove(0);
        }
        sanctions.push(SanctionDocument {
            user: row.user,
            timeout_until,
            mute: row.mute,
            deaf: row.deaf,
        });
        self.save(turn);
    }

    /// Somebody comes, perhaps back: what was kept holds again.
    pub(super) fn lay_sanctions(&mut self, turn: &mut Turn<'_>, row: &mut MemberRow) {
        let sanctions = &mut self.document.sanctions;
        let Some(at) = sanctions.iter().position(|one| one.user == row.user) else {
            return;
        };
        let kept = sanctions.remove(at);
        row.timeout_until = kept.timeout_until.filter(|&until| turn.now < until);
        row.mute = kept.mute;
        row.deaf = kept.deaf;
        self.save(turn);
    }
}
