//! The commit lane: the real grouping, over a database that may answer late, twice or never.

use rookery_actors::commit::Outcome;
use rookery_actors::commit::core::{Grouping, Next, Settled};
use rookery_actors::entity::Stimulus;
use rookery_actors::ownership::{Input, lane};
use rookery_actors::store::{CommitError, Committed, Unit};
use rookery_protocol::entity::EntityRef;

use super::Hands;
use super::calls::Purpose;
use crate::database::Call;
use crate::packet::Timer;

/// Whose a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Step {
        entity: EntityRef,
        life: u64,
        ticket: u64,
    },
    Release {
        shard: u16,
        epoch: u64,
    },
    /// Of somebody who was told before.
    Nobody,
}

#[derive(Debug)]
pub(super) struct Lane {
    /// Of this incarnation.
    number: u64,
    grouping: Grouping<Tag>,
    /// A commit is under way, or about to be repeated.
    pub(super) is_busy: bool,
    submitted: u64,
    settled: u64,
    attempts: u64,
    /// Lives that are loaded when so many units are settled.
    waiting: Vec<(u64, EntityRef, u64)>,
}

impl Lane {
    pub(super) fn is_drained(&self) -> bool {
        self.settled == self.submitted
    }
}

impl Hands<'_> {
    pub(super) fn lane_of(&mut self, number: u64) -> Option<&mut Lane> {
        self.process
            .lane
            .as_mut()
            .filter(|lane| lane.number == number)
    }

    pub(super) fn open_lane(&mut self, number: u64) {
        if let Some(id) = self.process.member.id().cloned()
            && id.number == number
        {
            self.call(Purpose::Open(number), Call::OpenLane(lane(&id, 0)));
        }
    }

    pub(super) fn opened(&mut self, number: u64, result: Result<u64, CommitError>) {
        let Some(id) = self.process.member.id().cloned() else {
            return;
        };
        if id.number != number || self.process.lane.is_some() {
            return;
        }
        match result {
            Ok(at) => {
                self.process.lane = Some(Lane {
                    number,
                    grouping: Grouping::new(lane(&id, 0), at),
                    is_busy: false,
                    submitted: 0,
                    settled: 0,
                    attempts: 0,
                    waiting: Vec::new(),
                });
                self.inputs.push_back(Input::Opened { number });
            }
            Err(_) => self.inputs.push_back(Input::Fenced { number }),
        }
    }

    pub(super) fn submit(&mut self, unit: Unit, tag: Tag) {
        let Some(lane) = &mut self.process.lane else {
            return;
        };
        lane.grouping
            .submit(unit, tag)
            .expect("clients wait for answers");
        lane.submitted += 1;
        self.kick();
    }

    /// Waits until all that was submitted so far is settled, then loads.
    pub(super) fn load_behind_lane(&mut self, entity: EntityRef, life: u64) {
        if let Some(lane) = &mut self.process.lane
            && !lane.is_drained()
        {
            lane.waiting.push((lane.submitted, entity, life));
        } else {
            self.load(entity, life);
        }
    }

    /// Hands the next commit over.
    pub(super) fn kick(&mut self) {
        let Some(lane) = self.process.lane.as_mut().filter(|lane| !lane.is_busy) else {
            return;
        };
        match lane.grouping.begin() {
            Next::Commit(commit) => {
                lane.is_busy = true;
                lane.attempts += 1;
                let (number, attempt) = (lane.number, lane.attempts);
                self.call(Purpose::Commit(number), Call::Touch(attempt, commit));
            }
            Next::Fail(tags) => {
                let outcomes = tags.into_iter().map(|tag| (tag, Outcome::Fenced)).collect();
                self.outcomes(outcomes);
            }
            Next::Nothing => {}
        }
    }

    /// A commit ended, or nobody knows.
    pub(super) fn settle(&mut self, number: u64, result: Result<Committed, CommitError>) {
        let Some(lane) = self.lane_of(number) else {
            return;
        };
        match lane.grouping.settle(result) {
            Settled::Again { after_ms } => self.remind(after_ms, Timer::LaneAgain(number)),
            Settled::Outcomes(outcomes) => {
                lane.is_busy = false;
                self.outcomes(outcomes);
                self.kick();
            }
        }
    }

    fn outcomes(&mut self, outcomes: Vec<(Tag, Outcome)>) {
        let Some(lane) = &mut self.process.lane else {
            return;
        };
        let number = lane.number;
        lane.settled += outcomes.len() as u64;
        let settled = lane.settled;
        let ready = lane
            .waiting
            .extract_if(.., |(until, _, _)| *until <= settled);
        let ready: Vec<_> = ready.collect();
        for (tag, outcome) in outcomes {
            if self.is_dead {
                return;
            }
            if outcome == Outcome::Fenced {
                self.inputs.push_back(Input::Fenced { number });
            }
            match tag {
                Tag::Step {
                    entity,
                    life,
                    ticket,
                } => self.stimulate_life(entity, life, Stimulus::Settled { ticket, outcome }),
                Tag::Release { shard, epoch } if outcome == Outcome::Committed => {
                    self.forget_shard(shard);
                    self.inputs.push_back(Input::Released(vec![(shard, epoch)]));
                }
                Tag::Release { .. } | Tag::Nobody => {}
            }
        }
        for (_, entity, life) in ready {
            self.load(entity, life);
        }
    }
}
