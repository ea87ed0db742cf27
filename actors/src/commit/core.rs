//! Grouping of units into commits: one commit in flight, the next one is everything that queued up meanwhile.
//!
//! Pure: the shell hands the commit to the store, says what became of it, and waits where it is told to.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_protocol::limits::{
    COMMIT_QUEUE, COMMIT_RETRY_FIRST_MS, COMMIT_RETRY_MAX_MS, COMMIT_UNITS,
};

use super::QueueFull;
use crate::store::{Commit, CommitError, Committed, LaneId, Unit};

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable.
    Committed,
    /// A row of `absent` existed: nothing of it was written.
    Refused,
    /// The lane is fenced: the unit was not acknowledged and whoever fenced the lane decides what is true now.
    Fenced,
}

/// What the shell does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// Hand this to the store and bring the result to [`Grouping::settle`].
    Commit(Arc<Commit>),
    /// Tell these that the lane is fenced.
    Fail(Vec<T>),
    /// Wait until something is queued.
    Nothing,
}

/// What a commit's result means.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled<T> {
    /// These units have their outcome, in the order of the commit.
    Outcomes(Vec<(T, Outcome)>),
    /// Not known: [`Grouping::begin`] gives the identical commit again; wait so many milliseconds before.
    Again {
        /// Milliseconds.
        after_ms: u64,
    },
}

/// The queue of a lane and its commit in flight. `T` is what a unit's submitter is known by.
#[derive(Debug)]
pub struct Grouping<T> {
    lane: LaneId,
    /// The last sequence number that is known to be durable.
    at: u64,
    queue: VecDeque<(Unit, T)>,
    flight: Option<Flight<T>>,
    fenced: bool,
}

#[derive(Debug)]
struct Flight<T> {
    commit: Arc<Commit>,
    submitters: Vec<T>,
    /// How often its outcome was unknown.
    unknown: u32,
}

impl<T> Grouping<T> {
    /// A lane that stands at sequence `at`.
    pub fn new(lane: LaneId, at: u64) -> Self {
        Self {
            lane,
            at,
            queue: VecDeque::new(),
            flight: None,
            fenced: false,
        }
    }

    /// Queues a unit; behind a fence it is queued too, to fail in its turn.
    ///
    /// # Errors
    /// [`COMMIT_QUEUE`] units are waiting.
    pub fn submit(&mut self, unit: Unit, submitter: T) -> Result<(), QueueFull> {
        if self.queue.len() >= COMMIT_QUEUE {
            return Err(QueueFull);
        }
        self.queue.push_back((unit, submitter));
        Ok(())
    }

    /// Units that wait for a commit.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Units of the commit in flight.
    pub fn in_flight(&self) -> usize {
        self.flight.as_ref().map_or(0, |f| f.submitters.len())
    }

    /// What is to be done. While a commit's outcome is unknown this is that commit again.
    pub fn begin(&mut self) -> Next<T> {
        if let Some(flight) = &self.flight {
            return Next::Commit(Arc::clone(&flight.commit));
        }
        if self.queue.is_empty() {
            return Next::Nothing;
        }
        if self.fenced {
            return Next::Fail(self.queue.drain(..).map(|(_, who)| who).collect());
        }
        let count = self.queue.len().min(COMMIT_UNITS);
        let (units, submitters) = self.queue.drain(..count).unzip();
        let commit = Arc::new(Commit {
            lane: self.lane.clone(),
            seq: self.at + 1,
            units,
        });
        self.flight = Some(Flight {
            commit: Arc::clone(&commit),
            submitters,
            unknown: 0,
        });
        Next::Commit(commit)
    }

    /// Takes the result of the commit in flight.
    pub fn settle(&mut self, result: Result<Committed, CommitError>) -> Settled<T> {
        let Some(mut flight) = self.flight.take() else {
            return Settled::Outcomes(Vec::new());
        };
        match result {
            Ok(committed) => {
                self.at = flight.commit.seq;
                let mut refused = committed.refused.into_iter().peekable();
                let outcome = |(index, who)| match refused.next_if_eq(&index) {
                    Some(_) => (who, Outcome::Refused),
                    None => (who, Outcome::Committed),
                };
                let submitters = flight.submitters.into_iter().enumerate();
                Settled::Outcomes(submitters.map(outcome).collect())
            }
            Err(CommitError::Unknown(_)) => {
                let doubled = COMMIT_RETRY_FIRST_MS << flight.unknown.min(16);
                flight.unknown = flight.unknown.saturating_add(1);
                self.flight = Some(flight);
                Settled::Again {
                    after_ms: doubled.min(COMMIT_RETRY_MAX_MS),
                }
            }
            // Out of order means that another writer used this lane: nothing of it can be trusted any more.
            Err(CommitError::Fenced | CommitError::OutOfOrder { .. }) => {
                self.fenced = true;
                let waiting = self.queue.drain(..).map(|(_, who)| who);
                let all = flight.submitters.into_iter().chain(waiting);
                Settled::Outcomes(all.map(|who| (who, Outcome::Fenced)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::ids::GroupId;

    fn lane() -> LaneId {
        LaneId {
            node: "n1".into(),
            incarnation: 1,
            index: 0,
        }
    }

    fn unit(n: u64) -> Unit {
        Unit {
            entity: GroupId(n).into(),
            absent: Vec::new(),
            writes: Vec::new(),
        }
    }

    fn submit(grouping: &mut Grouping<u64>, range: std::ops::Range<u64>) {
        for n in range {
            grouping.submit(unit(n), n).unwrap();
        }
    }

    fn commit(grouping: &mut Grouping<u64>) -> Arc<Commit> {
        match grouping.begin() {
            Next::Commit(commit) => commit,
            other => panic!("{other:?}"),
        }
    }

    fn committed(range: std::ops::Range<u64>) -> Settled<u64> {
        Settled::Outcomes(range.map(|n| (n, Outcome::Committed)).collect())
    }

    #[test]
    fn the_next_commit_is_everything_that_queued_up() {
        let mut grouping = Grouping::new(lane(), 7);
        submit(&mut grouping, 0..1);
        assert_eq!(commit(&mut grouping).seq, 8);
        submit(&mut grouping, 1..4);
        assert_eq!((grouping.in_flight(), grouping.queued()), (1, 3));
        assert_eq!(grouping.settle(Ok(Committed::default())), committed(0..1));
        let second = commit(&mut grouping);
        assert_eq!((second.seq, second.units.len()), (9, 3));
        assert_eq!(grouping.settle(Ok(Committed::default())), committed(1..4));
        assert_eq!(grouping.begin(), Next::Nothing);
    }

    #[test]
    fn a_commit_is_bounded_and_keeps_the_order() {
        let mut grouping = Grouping::new(lane(), 0);
        let most = COMMIT_UNITS as u64;
        submit(&mut grouping, 0..most + 3);
        assert_eq!(commit(&mut grouping).units.len(), COMMIT_UNITS);
        assert_eq!(
            grouping.settle(Ok(Committed::default())),
            committed(0..most)
        );
        assert_eq!(commit(&mut grouping).units.len(), 3);
        assert_eq!(
            grouping.settle(Ok(Committed::default())),
            committed(most..most + 3)
        );
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut grouping = Grouping::new(lane(), 0);
        submit(&mut grouping, 0..COMMIT_QUEUE as u64);
        assert_eq!(grouping.submit(unit(0), 0), Err(QueueFull));
        commit(&mut grouping);
        assert_eq!(grouping.submit(unit(0), 0), Ok(()));
    }

    #[test]
    fn a_refused_unit_leaves_the_others() {
        let mut grouping = Grouping::new(lane(), 0);
        submit(&mut grouping, 0..4);
        commit(&mut grouping);
        let refused = vec![0, 2];
        assert_eq!(
            grouping.settle(Ok(Committed { refused })),
            Settled::Outcomes(vec![
                (0, Outcome::Refused),
                (1, Outcome::Committed),
                (2, Outcome::Refused),
                (3, Outcome::Committed),
            ])
        );
    }

    #[test]
    fn an_unknown_outcome_repeats_the_identical_commit_ever_later() {
        let mut grouping = Grouping::new(lane(), 0);
        submit(&mut grouping, 0..2);
        let first = commit(&mut grouping);
        let mut last = 0;
        for _ in 0..100 {
            submit(&mut grouping, 2..3);
            let Settled::Again { after_ms } =
                grouping.settle(Err(CommitError::Unknown("lost".into())))
            else {
                panic!("an unknown outcome settled")
            };
            assert!(after_ms >= last.max(1) && after_ms <= COMMIT_RETRY_MAX_MS);
            last = after_ms;
            assert!(Arc::ptr_eq(&commit(&mut grouping), &first));
        }
        assert_eq!(last, COMMIT_RETRY_MAX_MS);
        assert_eq!(grouping.settle(Ok(Committed::default())), committed(0..2));
        assert_eq!(commit(&mut grouping).units.len(), 100);
    }

    #[test]
    fn behind_a_fence_everything_fails_once() {
        for error in [
            CommitError::Fenced,
            CommitError::OutOfOrder { at: 5, got: 1 },
        ] {
            let mut grouping = Grouping::new(lane(), 0);
            submit(&mut grouping, 0..1);
            commit(&mut grouping);
            submit(&mut grouping, 1..3);
            let fenced = (0..3).map(|n| (n, Outcome::Fenced)).collect();
            assert_eq!(grouping.settle(Err(error)), Settled::Outcomes(fenced));
            assert_eq!(grouping.begin(), Next::Nothing);
            submit(&mut grouping, 3..5);
            assert_eq!(grouping.begin(), Next::Fail(vec![3, 4]));
            assert_eq!(grouping.begin(), Next::Nothing);
        }
    }
}
