//! Leases: how long I may answer, and when I hold another for dead. Time comes in as data, from a clock that also runs
//! while the machine sleeps.

use std::collections::BTreeMap;

use rookery_protocol::limits::{
    CONDEMN_MS, CONDEMN_STEP_MS, LEASE_MS, LINK_CUT_MS, REFUSED_MS, RENEW_MS,
};

/// An instant of `CLOCK_BOOTTIME`, in milliseconds: never goes back, means nothing on another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Boot(pub u64);

impl Boot {
    /// This instant plus `ms` milliseconds.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; 0 when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The times of leases, in milliseconds. They are limits; only the simulation changes them, to show that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// [`RENEW_MS`].
    pub renew: u64,
    /// [`LEASE_MS`].
    pub lease: u64,
    /// [`CONDEMN_MS`].
    pub condemn: u64,
    /// [`CONDEMN_STEP_MS`].
    pub condemn_step: u64,
    /// [`LINK_CUT_MS`].
    pub link_cut: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            renew: RENEW_MS,
            lease: LEASE_MS,
            condemn: CONDEMN_MS,
            condemn_step: CONDEMN_STEP_MS,
            link_cut: LINK_CUT_MS,
        }
    }
}

/// My lease. It counts from when the renewal *started*: nobody can have seen it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lease {
    until: Boot,
    is_over: bool,
}

impl Lease {
    /// A renewal that started at `started` was acknowledged.
    pub fn renewed(&mut self, started: Boot, lease_ms: u64) {
        self.until = self.until.max(started.plus(lease_ms));
    }

    /// I am fenced: it never holds again.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Answers are true before this instant.
    pub fn until(&self) -> Boot {
        if self.is_over { Boot(0) } else { self.until }
    }

    /// Whether I may answer.
    pub fn holds(&self, now: Boot) -> bool {
        now < self.until()
    }
}

/// When my own renewals started: what tells a silence of another from one of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beats {
    before: Option<Boot>,
    last: Option<Boot>,
}

impl Beats {
    /// A renewal that started at `started` was acknowledged.
    pub fn renewed(&mut self, started: Boot) {
        self.before = self.last;
        self.last = Some(started);
    }

    /// The milliseconds since `since` of the pause between the last two, if it was short enough to say that the store
    /// answered all along.
    fn counted(&self, since: Boot, step_ms: u64) -> u64 {
        let (Some(before), Some(last)) = (self.before, self.last) else {
            return 0;
        };
        if last.since(before) > step_ms {
            return 0;
        }
        last.since(before.max(since))
    }
}

/// What I know of the life of another's incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    counter: u64,
    /// When I first saw the counter stand where it stands.
    since: Boot,
    /// The last of my renewals that was counted.
    counted_to: Boot,
    /// How long it stood still, as far as the store answered me meanwhile.
    still_ms: u64,
    /// Who was refused a connection, and when I heard.
    refused: BTreeMap<String, Boot>,
}

impl Watch {
    /// It is seen for the first time.
    pub fn new(counter: u64, now: Boot) -> Self {
        Self {
            counter,
            since: now,
            counted_to: now,
            still_ms: 0,
            refused: BTreeMap::new(),
        }
    }

    /// Its counter was read, after my last renewal was acknowledged.
    pub fn observe(&mut self, counter: u64, now: Boot, beats: &Beats, timing: &Timing) {
        if counter != self.counter {
            let refused = std::mem::take(&mut self.refused);
            *self = Self {
                refused,
                ..Self::new(counter, now)
            };
            return;
        }
        self.still_ms += beats.counted(self.counted_to, timing.condemn_step);
        self.counted_to = self.counted_to.max(beats.last.unwrap_or_default());
    }

    /// `peer` was refused a connection: its process is not there.
    pub fn refused(&mut self, peer: &str, now: Boot) {
        self.refused.insert(peer.to_owned(), now);
    }

    /// I am linked with it: whatever was heard, its process is there.
    pub fn linked(&mut self) {
        self.refused.clear();
    }

    /// Whether it is dead, in a cluster with `peers` other live nodes, of which it is one.
    pub fn is_condemned(&self, peers: usize, now: Boot, timing: &Timing) -> bool {
        let is_fresh = |at: &&Boot| now.since(**at) < REFUSED_MS;
        let witnesses = self.refused.values().filter(is_fresh).count();
        let needed = if peers <= 1 { 1 } else { 2 };
        self.still_ms >= timing.condemn || witnesses >= needed
    }

    /// Its counter, as it was last read.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// Whether its counter moved not long ago.
    pub fn is_alive(&self, now: Boot, timing: &Timing) -> bool {
        now.since(self.since) < timing.condemn / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing {
        renew: RENEW_MS,
        lease: LEASE_MS,
        condemn: CONDEMN_MS,
        condemn_step: CONDEMN_STEP_MS,
        link_cut: LINK_CUT_MS,
    };

    #[test]
    fn a_lease_holds_from_the_start_of_its_renewal_and_never_again_behind_a_fence() {
        let mut lease = Lease::default();
        assert!(!lease.holds(Boot(0)));
        lease.renewed(Boot(1_000), LEASE_MS);
        assert!(lease.holds(Boot(5_999)) && !lease.holds(Boot(6_000)));
        // The answer to an earlier renewal comes late.
        lease.renewed(Boot(500), LEASE_MS);
        assert_eq!(lease.until(), Boot(6_000));
        lease.renewed(Boot(9_000), LEASE_MS);
        assert!(lease.holds(Boot(9_001)));
        lease.end();
        lease.renewed(Boot(9_500), LEASE_MS);
        assert!(!lease.holds(Boot(9_501)));
    }

    /// Renews at the given instants, each answered 10 ms later, and looks at a counter that never moves.
    fn stood_still(renewals: impl IntoIterator<Item = u64>) -> (Watch, u64) {
        let mut beats = Beats::default();
        let mut watch = None;
        let mut now = 0;
        for started in renewals {
            beats.renewed(Boot(started));
            now = started + 10;
            watch
                .get_or_insert_with(|| Watch::new(7, Boot(now)))
                .observe(7, Boot(now), &beats, &TIMING);
        }
        (watch.unwrap(), now)
    }

    #[test]
    fn who_stands_still_for_six_seconds_is_condemned() {
        let condemned = |last: u64| {
            let (watch, now) = stood_still((0..=last).map(|n| n * 1_000));
            watch.is_condemned(3, Boot(now), &TIMING)
        };
        // First seen at 10 ms: what lies before is not counted.
        assert!(!condemned(6));
        assert!(condemned(7));
    }

    #[test]
    fn time_in_which_the_store_did_not_answer_me_condemns_nobody() {
        let outage = [0, 1_000, 2_000, 60_000, 61_000, 62_000, 90_000, 91_000];
        let (watch, now) = stood_still(outage);
        assert!(!watch.is_condemned(3, Boot(now), &TIMING));
        let (watch, now) = stood_still((0..20).map(|n| n * 2_500));
        assert!(!watch.is_condemned(3, Boot(now), &TIMING));
    }

    #[test]
    fn a_counter_that_moves_starts_over() {
        let (mut watch, now) = stood_still((0..6).map(|n| n * 1_000));
        let mut beats = Beats::default();
        watch.observe(8, Boot(now + 1_000), &beats, &TIMING);
        assert!(watch.is_alive(Boot(now + 2_000), &TIMING));
        for n in 0..5 {
            beats.renewed(Boot(now + 1_000 + n * 1_000));
            watch.observe(8, Boot(now + 1_010 + n * 1_000), &beats, &TIMING);
        }
        assert!(!watch.is_condemned(3, Boot(now + 6_000), &TIMING));
        assert!(!watch.is_alive(Boot(now + 6_000), &TIMING));
    }

    #[test]
    fn two_refusals_condemn_at_once_and_one_does_in_a_pair() {
        let (mut watch, now) = stood_still([0, 1_000]);
        let now = Boot(now);
        watch.refused("n1", now);
        watch.refused("n1", now);
        assert!(!watch.is_condemned(2, now, &TIMING));
        assert!(watch.is_condemned(1, now, &TIMING));
        watch.refused("n3", now.plus(REFUSED_MS));
        assert!(!watch.is_condemned(2, now.plus(REFUSED_MS), &TIMING));
        watch.refused("n1", now.plus(REFUSED_MS));
        assert!(watch.is_condemned(2, now.plus(REFUSED_MS), &TIMING));
        watch.linked();
        assert!(!watch.is_condemned(1, now.plus(REFUSED_MS), &TIMING));
    }
}
