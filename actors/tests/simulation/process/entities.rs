//! The entities of a process: loaded when somebody asks, around the real machine.

use rookery_actors::commit::Outcome;
use rookery_actors::entity::{AckTo, Action, Kit, Log, Machine, ReplyTo, Stimulus};
use rookery_actors::links::Links;
use rookery_protocol::command::{Notice, RequestId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::FrameSeq;

use super::Hands;
use super::calls::Purpose;
use super::lane::Tag;
use crate::broken::Broken;
use crate::database::Call;
use crate::entity::{Command, Counter, Reply};
use crate::network::Place;
use crate::packet::{Packet, Timer, Told};

/// Milliseconds before a delivery is repeated.
const REDELIVER_MS: u64 = 700;

/// One life of an entity.
#[derive(Debug)]
pub(super) struct Life {
    id: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What came in meanwhile, and what was read already.
    Loading(Vec<Stimulus<Command>>, Option<Log>),
    Running(Box<Machine<Counter>>),
}

/// A notice on its way.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    to: EntityRef,
    notice: Notice,
    life: u64,
}

impl Hands<'_> {
    fn shard(&self, entity: EntityRef) -> u16 {
        self.sim.oracles.shard(entity)
    }

    /// Whether an entity may be stepped here.
    fn is_here(&self, shard: u16) -> bool {
        let process = &self.process;
        let is_leaving = process.leaving.contains(&shard);
        let is_held = process.member.epoch(shard).is_some() && !is_leaving;
        let is_open = is_held || (is_leaving && self.sim.is(Broken::WriteAfterRelease));
        is_open && process.lane.is_some() && !process.is_quiet
    }

    fn may_answer(&self) -> bool {
        self.boot() < self.process.lease || self.sim.is(Broken::IgnoreLease)
    }

    pub(super) fn ask(
        &mut self,
        from: Place,
        op: u64,
        entity: EntityRef,
        command: Command,
        request: RequestId,
    ) {
        let shard = self.shard(entity);
        if !self.is_here(shard) {
            let owner = self.process.member.owner(shard);
            let answer = Told::Elsewhere(owner.map(|row| row.owner.node.clone()));
            return self.send(from, Packet::Told { op, answer });
        }
        if !self.may_answer() || !self.process.minter.has_room() {
            let answer = Told::Again;
            return self.send(from, Packet::Told { op, answer });
        }
        let reply = ReplyTo(self.number());
        self.process.replies.insert(reply, (from, op));
        let request = (!self.sim.is(Broken::ForgetRequests)).then_some(request);
        let stimulus = Stimulus::Command {
            command,
            reply,
            request,
        };
        self.stimulate(entity, Some(stimulus));
    }

    pub(super) fn notice(
        &mut self,
        from: usize,
        sender: EntityRef,
        seq: u64,
        to: EntityRef,
        notice: Notice,
    ) {
        let shard = self.shard(to);
        if !self.is_here(shard) {
            if let Some(row) = self.process.member.owner(shard).cloned() {
                self.send(Place::Node(from), Packet::Elsewhere { shard, row });
            }
            return;
        }
        if !self.process.minter.has_room() {
            return;
        }
        let ack = AckTo(self.number());
        self.process.acks.insert(ack, (from, sender, seq));
        let stimulus = Stimulus::Notice {
            from: sender,
            seq,
            notice,
            ack,
        };
        self.stimulate(to, Some(stimulus));
    }

    /// A notice of one of my entities was taken.
    pub(super) fn taken(&mut self, sender: EntityRef, seq: u64) {
        let Some(delivery) = self.process.deliveries.remove(&(sender, seq)) else {
            return;
        };
        if self.is_here(self.shard(sender)) {
            self.stimulate_life(sender, delivery.life, Stimulus::Delivered { seq });
        }
    }

    /// Gives an entity something to do, loading it first if need be; nothing only loads it.
    fn stimulate(&mut self, entity: EntityRef, stimulus: Option<Stimulus<Command>>) {
        match self.process.lives.get_mut(&entity) {
            Some(life) => match (&mut life.state, stimulus) {
                (State::Loading(queue, _), stimulus) => queue.extend(stimulus),
                (State::Running(_), Some(stimulus)) => {
                    let id = life.id;
                    self.stimulate_life(entity, id, stimulus);
                }
                (State::Running(_), None) => {}
            },
            None => {
                let id = self.number();
                let state = State::Loading(stimulus.into_iter().collect(), None);
                self.process.lives.insert(entity, Life { id, state });
                if self.sim.is(Broken::LoadUnsettled) {
                    self.load(entity, id);
                } else {
                    self.load_behind_lane(entity, id);
                }
            }
        }
    }

    fn life(&mut self, entity: EntityRef, id: u64) -> Option<&mut Life> {
        self.process
            .lives
            .get_mut(&entity)
            .filter(|life| life.id == id)
    }

    pub(super) fn stimulate_life(
        &mut self,
        entity: EntityRef,
        id: u64,
        stimulus: Stimulus<Command>,
    ) {
        let now = self.wall();
        let Some(life) = self.life(entity, id) else {
            return;
        };
        let State::Running(machine) = &mut life.state else {
            return;
        };
        let mut actions = Vec::new();
        machine.step(now, stimulus, &mut actions);
        self.carry_out(entity, id, actions);
    }

    /// Reads what is still missing.
    pub(super) fn load(&mut self, entity: EntityRef, id: u64) {
        let now = self.wall();
        let Some(life) = self.life(entity, id) else {
            return;
        };
        let call = match &life.state {
            State::Loading(_, None) => Call::Log(entity, now),
            State::Loading(_, Some(_)) => Call::Row(entity),
            State::Running(_) => return,
        };
        self.call(Purpose::Load(entity, id), call);
    }

    pub(super) fn logged(&mut self, entity: EntityRef, id: u64, log: Log) {
        if let Some(life) = self.life(entity, id)
            && let State::Loading(_, read) = &mut life.state
        {
            *read = Some(log);
            self.load(entity, id);
        }
    }

    pub(super) fn loaded(&mut self, entity: EntityRef, id: u64, row: Option<Vec<u8>>) {
        let now = self.wall();
        let kit = Kit {
            ids: self.process.minter.clone(),
            links: Links::new("https://chat.example", [7; 32]),
        };
        let Some(life) = self.life(entity, id) else {
            return;
        };
        let State::Loading(queue, log) = &mut life.state else {
            return;
        };
        let (queue, log) = (std::mem::take(queue), log.take().unwrap_or_default());
        let index = self.node.index;
        self.sim.note(|| {
            let (gseq, owed, done) = (log.gseq, log.outbox.len(), log.requests.len());
            format!("n{index} loads {entity} at {gseq}, {owed} notices, {done} requests")
        });
        let Some(life) = self.life(entity, id) else {
            return;
        };
        let core = Counter::new(entity, row, kit.ids);
        let mut machine = Machine::new(entity, core, log, now);
        let mut actions = Vec::new();
        machine.start(&mut actions);
        life.state = State::Running(Box::new(machine));
        self.carry_out(entity, id, actions);
        for stimulus in queue {
            // What was loaded may have used up the room for ids, and the shard may be on its way out.
            if self.process.minter.has_room() && self.is_here(self.shard(entity)) {
                self.stimulate_life(entity, id, stimulus);
            }
        }
    }

    fn carry_out(&mut self, entity: EntityRef, life: u64, actions: Vec<Action<Reply>>) {
        for action in actions {
            if self.dies() {
                return;
            }
            match action {
                Action::Submit { ticket, unit } => {
                    let shard = self.shard(entity);
                    let is_leaving = self.process.leaving.contains(&shard);
                    if is_leaving && !self.sim.is(Broken::WriteAfterRelease) {
                        // Nothing may follow the release: what this life knows is void.
                        self.process.lives.remove(&entity);
                        return;
                    }
                    if self.sim.is(Broken::ReplyBeforeCommit) {
                        self.submit(unit, Tag::Nobody);
                        let outcome = Outcome::Committed;
                        self.stimulate_life(entity, life, Stimulus::Settled { ticket, outcome });
                    } else {
                        let tag = Tag::Step {
                            entity,
                            life,
                            ticket,
                        };
                        self.submit(unit, tag);
                    }
                }
                Action::Publish(frame) => {
                    if let FrameSeq::Logged(gseq) = frame.seq {
                        self.sim.oracles.published(entity, gseq, &frame.event);
                    }
                    self.publish(frame);
                }
                Action::Reply { to, answer } => {
                    let Some((asker, op)) = self.process.replies.remove(&to) else {
                        continue;
                    };
                    // The store has answered; does the lease still hold?
                    let answer = match answer {
                        Ok(reply) if self.may_answer() => Told::Reply(reply),
                        Ok(_) | Err(_) => Told::Again,
                    };
                    self.send(asker, Packet::Told { op, answer });
                }
                Action::Deliver { seq, to, notice } => {
                    let delivery = Delivery { to, notice, life };
                    self.process.deliveries.insert((entity, seq), delivery);
                    self.deliver(entity, seq);
                }
                Action::Acknowledge(ack) => {
                    if let Some((node, sender, seq)) = self.process.acks.remove(&ack) {
                        self.send(Place::Node(node), Packet::Taken { sender, seq });
                    }
                }
                Action::Discard { is_owed } => {
                    self.process.lives.remove(&entity);
                    if is_owed {
                        self.stimulate(entity, None);
                    }
                }
                Action::Fetch { .. } | Action::Nudge { .. } | Action::Invalidate { .. } => {}
            }
        }
    }

    /// Delivers a notice, and again until it was taken.
    pub(super) fn deliver(&mut self, sender: EntityRef, seq: u64) {
        let Some(delivery) = self.process.deliveries.get(&(sender, seq)).cloned() else {
            return;
        };
        if self.life(sender, delivery.life).is_none() {
            self.process.deliveries.remove(&(sender, seq));
            return;
        }
        let owner = self.process.member.owner(self.shard(delivery.to));
        let node = owner.and_then(|row| self.sim.index_of(&row.owner.node));
        if let Some(node) = node {
            let packet = Packet::Notice {
                sender,
                seq,
                to: delivery.to,
                notice: delivery.notice,
            };
            self.send(Place::Node(node), packet);
        }
        self.remind(REDELIVER_MS, Timer::Deliver(sender, seq));
    }

    pub(super) fn look_for_senders(&mut self) {
        if !self.sim.is(Broken::ForgetOutbox) {
            self.call(Purpose::Senders, Call::Senders);
        }
    }

    /// Wakes those with notices that nobody has taken.
    pub(super) fn senders(&mut self, senders: &[EntityRef]) {
        for &sender in senders {
            if self.is_here(self.shard(sender)) {
                self.stimulate(sender, None);
            }
        }
    }

    /// A shard is gone, with all that ran in it.
    pub(super) fn forget_shard(&mut self, shard: u16) {
        let oracles = &self.sim.oracles;
        let process = &mut *self.process;
        process
            .lives
            .retain(|entity, _| oracles.shard(*entity) != shard);
        process.leaving.remove(&shard);
    }

    /// One of the entities panics: its life is over, what it submitted is on the lane. It is started again, behind that.
    pub(crate) fn panic(&mut self) {
        let lives: Vec<_> = self.process.lives.keys().copied().collect();
        if !lives.is_empty() {
            let entity = lives[self.sim.random.index(lives.len())];
            self.sim.note(|| format!("{entity} panics"));
            self.process.lives.remove(&entity);
            if self.is_here(self.shard(entity)) {
                self.stimulate(entity, None);
            }
        }
    }

    /// Now and then an entity that has nothing to do is forgotten.
    pub(super) fn passivate(&mut self) {
        let is_idle = |life: &Life| match &life.state {
            State::Running(machine) => machine.is_idle(),
            State::Loading(..) => false,
        };
        let mut idle = self.process.lives.iter().filter(|(_, life)| is_idle(life));
        if let Some((&entity, _)) = idle.next() {
            self.process.lives.remove(&entity);
        }
    }
}
