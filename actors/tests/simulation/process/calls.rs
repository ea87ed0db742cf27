//! Calls of the database: each has a deadline, after which its outcome is unknown.

use rookery_actors::ownership::{Input, Ticket};
use rookery_actors::store::CommitError;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::{OWNERSHIP_CALL_MS, STORE_CALL_MS};

use super::Hands;
use crate::database::{Answer, Call};
use crate::network::Place;
use crate::packet::{Packet, Timer};

/// What a call is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Decide(Ticket),
    Read(Ticket),
    Fence(Ticket),
    /// Of this incarnation.
    Open(u64),
    Commit(u64),
    /// Of this life.
    Load(EntityRef, u64),
    Senders,
    /// A question of the clerk.
    Ask(u64),
}

impl Hands<'_> {
    pub(super) fn call(&mut self, purpose: Purpose, call: Call) {
        let id = self.number();
        self.process.calls.insert(id, purpose);
        let packet = Packet::Call {
            process: self.process.number,
            id,
            call,
        };
        self.send(Place::Database, packet);
        // A renewal that hangs must not keep the next one waiting until the lease is over.
        let deadline = match purpose {
            Purpose::Decide(_) | Purpose::Read(_) | Purpose::Fence(_) => OWNERSHIP_CALL_MS,
            _ => STORE_CALL_MS,
        };
        self.remind(deadline, Timer::CallTimeout(id));
    }

    /// The database answered. What comes too late is not heard any more.
    pub(crate) fn answered(&mut self, id: u64, answer: Answer) {
        if let Answer::Failed = answer {
            return self.failed(id);
        }
        let Some(purpose) = self.process.calls.remove(&id) else {
            return;
        };
        match (purpose, answer) {
            (Purpose::Decide(ticket), Answer::Verdict(verdict)) => {
                let verdict = Ok(verdict);
                self.inputs.push_back(Input::Decided { ticket, verdict });
            }
            (Purpose::Read(ticket), Answer::Facts(facts)) => {
                let facts = Ok(facts);
                self.inputs.push_back(Input::Facts { ticket, facts });
            }
            (Purpose::Fence(ticket), Answer::Fenced) => {
                let result = Ok(());
                self.inputs.push_back(Input::LaneFenced { ticket, result });
            }
            (Purpose::Open(number), Answer::Opened(result)) => self.opened(number, result),
            (Purpose::Commit(number), Answer::Touched(attempt, lane)) => {
                if self.lane_of(number).is_some() {
                    self.call(Purpose::Commit(number), Call::Land(attempt, lane));
                }
            }
            (Purpose::Commit(number), Answer::Landed(result)) => self.settle(number, result),
            (Purpose::Load(entity, life), Answer::Log(log)) => self.logged(entity, life, log),
            (Purpose::Load(entity, life), Answer::Row(row)) => self.loaded(entity, life, row),
            (Purpose::Senders, Answer::Senders(senders)) => self.senders(&senders),
            (Purpose::Ask(id), Answer::Events(page)) => self.read(id, page),
            (Purpose::Ask(id), Answer::Newest(gseq)) => self.newest(id, gseq),
            (purpose, answer) => panic!("{answer:?} for {purpose:?}"),
        }
    }

    /// A call failed, or was not answered in time.
    pub(super) fn failed(&mut self, id: u64) {
        let Some(purpose) = self.process.calls.remove(&id) else {
            return;
        };
        match purpose {
            Purpose::Decide(ticket) => {
                let verdict = Err(());
                self.inputs.push_back(Input::Decided { ticket, verdict });
            }
            Purpose::Read(ticket) => {
                let facts = Err(());
                self.inputs.push_back(Input::Facts { ticket, facts });
            }
            Purpose::Fence(ticket) => {
                let result = Err(());
                self.inputs.push_back(Input::LaneFenced { ticket, result });
            }
            Purpose::Open(number) => self.remind(200, Timer::OpenLane(number)),
            Purpose::Commit(number) => {
                self.settle(number, Err(CommitError::Unknown("no answer".to_owned())));
            }
            Purpose::Load(entity, life) => self.remind(200, Timer::Load(entity, life)),
            Purpose::Senders => self.remind(200, Timer::Senders),
            Purpose::Ask(id) => self.unread(id),
        }
    }
}
