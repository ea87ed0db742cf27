//! A machine: its clocks, and the process that runs on it, or hangs, or does not run.

use std::collections::VecDeque;

use rookery_actors::ownership::{Boot, Input};
use rookery_protocol::time::Millis;

use super::network::Place;
use super::packet::{Event, Packet, Told};
use super::process::{Hands, Process};
use super::random::Random;
use super::tubes::End;
use super::world::Sim;

/// 2026-11-23T05:41:00Z, when the world begins.
const START: u64 = 1_795_412_460_000;

#[derive(Debug)]
pub(crate) struct Clocks {
    /// Thousandths of true.
    rate: u64,
    boot: u64,
    /// What the wall clock was set by.
    set: i64,
}

impl Clocks {
    pub(crate) fn boot(&self, now: u64) -> Boot {
        Boot(self.boot + now * self.rate / 1_000)
    }

    /// What the wall clock shows.
    pub(crate) fn wall(&self, now: u64) -> Millis {
        Millis((START + now * self.rate / 1_000).saturating_add_signed(self.set))
    }

    /// How long `ms` of these clocks take.
    pub(crate) fn wait(&self, ms: u64) -> u64 {
        (ms * 1_000).div_ceil(self.rate)
    }
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) clocks: Clocks,
    process: Option<Process>,
    /// Processes so far.
    processes: u64,
    frozen_until: u64,
    /// What waits for a process that hangs.
    inbox: VecDeque<Event>,
    /// The process dies after so many more effects.
    pub(crate) effects_left: Option<u64>,
    /// When it is started again after it ended or died like this.
    restart_ms: u64,
    /// Incarnations so far.
    pub(crate) begun: u64,
}

/// The configured name of a node.
pub(crate) fn name(node: usize) -> String {
    format!("n{node}")
}

impl Node {
    pub(crate) fn new(index: usize, rate: u64, random: &mut Random) -> Self {
        let clocks = Clocks {
            rate,
            boot: random.between(0, 1_000_000_000),
            set: 0,
        };
        Self {
            index,
            clocks,
            process: None,
            processes: 0,
            frozen_until: 0,
            inbox: VecDeque::new(),
            effects_left: None,
            restart_ms: 1_000,
            begun: 0,
        }
    }

    /// Starts a process, unless one runs.
    pub(crate) fn start(&mut self, sim: &mut Sim) {
        if self.process.is_some() {
            return;
        }
        self.processes += 1;
        self.effects_left = None;
        sim.note(|| format!("n{} starts process {}", self.index, self.processes));
        sim.processes[self.index] = self.processes;
        self.process = Some(Process::new(self, self.processes, sim));
        self.with(sim, |hands| hands.tick());
    }

    pub(crate) fn crash(&mut self, sim: &mut Sim) {
        sim.note(|| format!("n{} crashes", self.index));
        self.process = None;
        self.inbox.clear();
        self.gone(sim, false);
    }

    /// What the machine does for a process that is gone.
    fn gone(&self, sim: &mut Sim, in_order: bool) {
        let place = Place::Node(self.index);
        let process = std::mem::take(&mut sim.processes[self.index]);
        let end = End { place, process };
        sim.sever(end, in_order);
        sim.oracles.sessions.stopped(end);
        sim.gone = Some(self.index);
    }

    pub(crate) fn crash_within(&mut self, effects: u64, restart_ms: u64) {
        self.effects_left = Some(effects);
        self.restart_ms = restart_ms;
    }

    /// It runs, and goes on running.
    pub(crate) fn heal(&mut self, sim: &mut Sim) {
        self.effects_left = None;
        self.restart_ms = 0;
        self.frozen_until = 0;
        self.thaw(sim);
        self.start(sim);
    }

    pub(crate) fn freeze(&mut self, until: u64) {
        self.frozen_until = self.frozen_until.max(until);
    }

    /// Goes on with what waited, if it is time.
    pub(crate) fn thaw(&mut self, sim: &mut Sim) {
        if sim.now < self.frozen_until {
            return;
        }
        for event in std::mem::take(&mut self.inbox) {
            self.take(event, sim);
        }
    }

    pub(crate) fn set_clock(&mut self, by_ms: i64) {
        self.clocks.set += by_ms;
    }

    pub(crate) fn panic(&mut self, sim: &mut Sim) {
        self.with(sim, |hands| hands.panic());
    }

    pub(crate) fn drain(&mut self, sim: &mut Sim, restart_ms: u64) {
        self.restart_ms = restart_ms;
        self.with(sim, |hands| hands.inputs.push_back(Input::Drain));
    }

    /// Whether a shard can be asked for here.
    pub(crate) fn serves(&self, shard: u16, now: u64) -> bool {
        let boot = self.clocks.boot(now);
        self.process
            .as_ref()
            .is_some_and(|process| process.serves(shard, boot))
    }

    /// Whether a process of it may hold sessions.
    pub(crate) fn may_hold(&self, process: u64, now: u64) -> bool {
        let boot = self.clocks.boot(now);
        let held = self.process.as_ref().filter(|held| held.number == process);
        held.is_some_and(|held| held.holds_lease(boot))
    }

    /// Takes what arrives or is due.
    pub(crate) fn take(&mut self, event: Event, sim: &mut Sim) {
        if sim.now < self.frozen_until && self.process.is_some() {
            self.inbox.push_back(event);
            return;
        }
        let Some(process) = &self.process else {
            if let Event::Packet { from, to, packet } = event {
                self.refuse(sim, from, to, &packet);
            }
            return;
        };
        let number = process.number;
        match event {
            Event::Timer { process, timer, .. } if process == number => {
                self.with(sim, |hands| hands.due(timer));
            }
            Event::Packet {
                packet:
                    Packet::Answer {
                        process,
                        id,
                        answer,
                    },
                ..
            } if process == number => self.with(sim, |hands| hands.answered(id, answer)),
            Event::Packet {
                packet: Packet::Answer { .. },
                ..
            } => {}
            Event::Arrived {
                process,
                tube,
                messages,
            } if process == number => self.with(sim, |hands| hands.arrived(tube, messages)),
            Event::Packet { from, packet, .. } => {
                self.with(sim, |hands| hands.packet(from, packet));
            }
            _ => {}
        }
    }

    /// The machine without a process refuses connections.
    fn refuse(&self, sim: &mut Sim, from: Place, to: Place, packet: &Packet) {
        match packet {
            Packet::Dial { to: id, .. } => sim.send(to, from, Packet::Absent(id.clone())),
            Packet::Ask { op, .. } => {
                let answer = Told::Again;
                sim.send(to, from, Packet::Told { op: *op, answer });
            }
            _ => {}
        }
    }

    /// Lets the process do something, and all that follows from it.
    fn with(&mut self, sim: &mut Sim, act: impl FnOnce(&mut Hands<'_>)) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let mut hands = Hands {
            node: self,
            process: &mut process,
            sim,
            inputs: VecDeque::new(),
            is_dead: false,
            has_ended: false,
        };
        act(&mut hands);
        hands.finish();
        let (is_dead, has_ended) = (hands.is_dead, hands.has_ended);
        if !is_dead && !has_ended {
            self.process = Some(process);
            return;
        }
        let how = if is_dead { "crashes within" } else { "ends" };
        sim.note(|| format!("n{} {how}", self.index));
        self.inbox.clear();
        self.gone(sim, has_ended);
        sim.later(self.restart_ms, Event::Start(self.index));
    }
}
