//! The clients: each does one operation after another, and asks again, with the same request, until it is answered or
//! its deadline is over.

use rookery_protocol::command::RequestId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::ids::{GroupId, UserId};

use super::entity::Command;
use super::network::Place;
use super::packet::{Event, Packet, Told};
use super::world::Sim;

/// Milliseconds after which a client gives up: then it does not know.
const DEADLINE_MS: u64 = 15_000;

/// Milliseconds a client waits for an answer before it asks somebody else.
const ANSWER_MS: u64 = 1_500;

#[derive(Debug)]
struct Asking {
    op: u64,
    entity: EntityRef,
    command: Command,
    floor: u64,
    deadline: u64,
    attempt: u64,
}

#[derive(Debug)]
pub(crate) struct Client {
    index: usize,
    asking: Option<Asking>,
    /// Which node it believes to know.
    guess: Option<usize>,
    ops: u64,
    attempts: u64,
    /// Operations that were answered.
    pub(crate) answered: u64,
}

impl Client {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            asking: None,
            guess: None,
            ops: 0,
            attempts: 0,
            answered: 0,
        }
    }

    /// Begins the next operation.
    pub(crate) fn begin(&mut self, sim: &mut Sim) {
        self.ops += 1;
        let op = (self.index as u64 + 1) * 1_000_000 + self.ops;
        let first = first(sim);
        let (entity, command): (EntityRef, Command) = if sim.random.once_in(8) {
            let user = UserId(sim.random.between(101, 102));
            (user.into(), Command::Add(op))
        } else {
            let group = GroupId(sim.random.between(first, sim.plan.entities));
            (group.into(), self.command(sim, op, group.into()))
        };
        self.asking = Some(Asking {
            op,
            entity,
            command,
            floor: sim.oracles.floor(entity),
            deadline: sim.now + DEADLINE_MS,
            attempt: 0,
        });
        self.ask(sim);
    }

    /// Some entities mostly talk, some are mostly read: what waits behind a write shows nothing old.
    fn command(&self, sim: &mut Sim, op: u64, entity: EntityRef) -> Command {
        let (sends, reads) = match entity.id {
            1 => (60, 20),
            id if id.is_multiple_of(2) => (10, 75),
            _ => (20, 30),
        };
        let percent = sim.random.between(0, 99);
        if percent >= sends + reads {
            return Command::Add(op);
        }
        if percent >= sends {
            return Command::Read;
        }
        // To one that is not itself.
        let entities = sim.plan.entities;
        let step = sim.random.between(1, entities - 1);
        let to = (entity.id - 1 + step) % entities + 1;
        if to < first(sim) {
            return Command::Add(op);
        }
        let to = GroupId(to).into();
        sim.oracles.sends.insert(op, to);
        Command::Send(op, to)
    }

    /// The `attempt`-th time was in vain.
    pub(crate) fn retry(&mut self, sim: &mut Sim, attempt: u64) {
        if self
            .asking
            .as_ref()
            .is_some_and(|asking| asking.attempt == attempt)
        {
            self.ask(sim);
        }
    }

    fn ask(&mut self, sim: &mut Sim) {
        let Some(asking) = &mut self.asking else {
            return;
        };
        if sim.now >= asking.deadline {
            self.asking = None;
            sim.later(100, Event::Begin(self.index));
            return;
        }
        self.attempts += 1;
        asking.attempt = self.attempts;
        let nodes = sim.plan.nodes;
        let node = match self.guess.take() {
            Some(node) => node,
            None => sim.random.index(nodes),
        };
        let packet = Packet::Ask {
            op: asking.op,
            entity: asking.entity,
            command: asking.command,
            request: RequestId {
                caller: self.index as u64 + 1,
                number: asking.op,
            },
        };
        sim.send(Place::Client(self.index), Place::Node(node), packet);
        sim.later(ANSWER_MS, Event::Retry(self.index, self.attempts));
    }

    /// A node answers.
    pub(crate) fn told(&mut self, sim: &mut Sim, from: usize, op: u64, answer: Told) {
        let Some(asking) = self.asking.as_ref().filter(|asking| asking.op == op) else {
            return;
        };
        match answer {
            Told::Reply(reply) => {
                sim.oracles
                    .answered(asking.entity, op, asking.floor, &reply);
                self.asking = None;
                self.answered += 1;
                self.guess = Some(from);
                let think = sim.random.between(20, 600);
                sim.later(think, Event::Begin(self.index));
            }
            Told::Again => {
                let pause = sim.random.between(50, 400);
                sim.later(pause, Event::Retry(self.index, asking.attempt));
            }
            Told::Elsewhere(node) => {
                self.guess = node
                    .and_then(|name| sim.index_of(&name))
                    .filter(|&n| n != from);
                let pause = sim.random.between(20, 150);
                sim.later(pause, Event::Retry(self.index, asking.attempt));
            }
        }
    }
}

/// The first entity that anything is asked of or told. One of them is left alone from some time on: what it has still to
/// tell, nobody's question reminds it of.
fn first(sim: &Sim) -> u64 {
    if sim.now < sim.plan.forgotten_at {
        1
    } else {
        2
    }
}
