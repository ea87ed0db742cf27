//! The world of a seed: one queue of events in one order, and everything in it.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rookery_protocol::ids::UserId;

use super::broken::Broken;
use super::clients::Client;
use super::database::Database;
use super::listeners::{Listener, Wake};
use super::network::{Network, Place};
use super::node::Node;
use super::oracles::Oracles;
use super::packet::{Event, Packet, Timer};
use super::plan::{FAULTS_MS, Fault, Plan};
use super::random::Random;
use super::tubes::{End, Tubes};

/// Milliseconds after the end of all faults in which everything must be as it should.
const RECOVERY_MS: u64 = 60_000;

/// Operations that each client must be answered after that.
const ANSWERS: u64 = 4;

/// The result of a future that never waits, as those of the memory store do.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waits for nothing"),
    }
}

/// What everything in the world shares.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    next: u64,
    pub(crate) random: Random,
    pub(crate) net: Network,
    pub(crate) db: Database,
    pub(crate) oracles: Oracles,
    pub(crate) plan: Plan,
    pub(crate) broken: Option<Broken>,
    /// What happened, if somebody wants to know.
    trace: Option<VecDeque<String>>,
    pub(crate) is_healed: bool,
    pub(crate) tubes: Tubes,
    /// The process of each node; 0: none.
    pub(crate) processes: Vec<u64>,
    /// The node whose process went just now.
    pub(crate) gone: Option<usize>,
}

impl Sim {
    pub(crate) fn later(&mut self, ms: u64, event: Event) {
        self.next += 1;
        self.queue.insert((self.now + ms, self.next), event);
    }

    pub(crate) fn send(&mut self, from: Place, to: Place, packet: Packet) {
        for delay in self.net.delays(from, to, &mut self.random) {
            let packet = packet.clone();
            self.later(delay, Event::Packet { from, to, packet });
        }
    }

    pub(crate) fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    /// Notes what happened.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push_back(format!("{now:>7} {}", what()));
            if trace.len() > 40_000 {
                trace.pop_front();
            }
        }
    }

    /// The node of a name.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        let index: usize = name.strip_prefix('n')?.parse().ok()?;
        (index < self.plan.nodes).then_some(index)
    }
}

/// What a run was like.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Run {
    /// Operations that were answered.
    pub(crate) answered: u64,
    /// Incarnations that were begun.
    pub(crate) incarnations: u64,
    /// Events in all logs.
    pub(crate) events: u64,
    /// When all was well again, after the faults.
    pub(crate) recovered_ms: u64,
    /// Events of the world.
    pub(crate) steps: u64,
}

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) trace: Vec<String>,
}

pub(crate) struct World {
    sim: Sim,
    nodes: Vec<Node>,
    clients: Vec<Client>,
    listeners: Vec<Listener>,
    /// What each client was answered when the faults ended.
    before: Vec<u64>,
}

/// Runs a seed.
pub(crate) fn run(seed: u64, broken: Option<Broken>, traced: bool) -> Result<Run, Failure> {
    World::new(seed, broken, traced).run()
}

impl World {
    fn new(seed: u64, broken: Option<Broken>, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let nodes: Vec<Node> = (0..plan.nodes)
            .map(|n| Node::new(n, plan.rates[n], &mut random))
            .collect();
        let clients: Vec<_> = (0..plan.clients).map(Client::new).collect();
        let oracles = Oracles::new(plan.shards);
        let mut sim = Sim {
            now: 0,
            queue: BTreeMap::new(),
            next: 0,
            random,
            net: Network::default(),
            db: Database::new(broken),
            oracles,
            plan,
            broken,
            trace: traced.then(VecDeque::new),
            is_healed: false,
            tubes: Tubes::default(),
            processes: vec![0; nodes.len()],
            gone: None,
        };
        for (node, at) in sim.plan.starts.clone().into_iter().enumerate() {
            sim.later(at, Event::Start(node));
        }
        for (at, fault) in sim.plan.faults.clone() {
            sim.later(at, Event::Fault(fault));
        }
        for client in 0..clients.len() {
            sim.later(500, Event::Begin(client));
        }
        sim.later(FAULTS_MS, Event::Heal);
        let before = vec![0; clients.len()];
        let user = |n| UserId([101, 102, 102][n]);
        let listeners: Vec<_> = (0..3).map(|n| Listener::new(n, user(n))).collect();
        for listener in 0..listeners.len() {
            let (attempt, wake) = (0, Wake::Connect);
            let event = Event::Wake {
                listener,
                attempt,
                wake,
            };
            sim.later(1_000 + 700 * listener as u64, event);
        }
        Self {
            sim,
            nodes,
            clients,
            listeners,
            before,
        }
    }

    fn run(mut self) -> Result<Run, Failure> {
        let plan = format!("{:?}", self.sim.plan);
        self.sim.note(|| plan);
        let mut steps = 0;
        while let Some(((at, _), event)) = self.sim.queue.pop_first() {
            self.sim.now = at;
            steps += 1;
            let is_over = self.happen(event);
            self.look_at_sessions();
            for what in std::mem::take(&mut self.sim.oracles.notes) {
                self.sim.note(|| what);
            }
            if let Some(what) = self.sim.oracles.violation.take() {
                let trace = self.sim.trace.take().unwrap_or_default().into();
                return Err(Failure { what, trace });
            }
            if is_over {
                break;
            }
        }
        Ok(Run {
            answered: self.clients.iter().map(|client| client.answered).sum(),
            incarnations: self.nodes.iter().map(|node| node.begun).sum(),
            events: self
                .sim
                .oracles
                .logs
                .values()
                .map(|log| log.len() as u64)
                .sum(),
            recovered_ms: self.sim.now - FAULTS_MS,
            steps,
        })
    }

    /// Whether the run is over.
    fn happen(&mut self, event: Event) -> bool {
        match event {
            Event::Packet { from, to, packet } => self.arrive(from, to, packet),
            Event::Timer { node, .. } => self.nodes[node].take(event, &mut self.sim),
            Event::Flow { tube, way } => self.flow(tube, way),
            Event::Arrived { .. } => {}
            Event::Wake {
                listener,
                attempt,
                wake,
            } => self.listeners[listener].woken(&mut self.sim, attempt, wake),
            Event::Begin(client) => self.clients[client].begin(&mut self.sim),
            Event::Retry(client, attempt) => self.clients[client].retry(&mut self.sim, attempt),
            Event::Start(node) => self.nodes[node].start(&mut self.sim),
            Event::Fault(fault) => self.fault(fault),
            Event::Undo(fault) => self.undo(fault),
            Event::Heal => self.heal(),
            Event::Check => return self.check(),
        }
        false
    }

    /// A connection gives what it holds.
    fn flow(&mut self, tube: u64, way: usize) {
        let Some((end, messages)) = self.sim.flow(tube, way) else {
            return;
        };
        match end.place {
            Place::Node(node) => {
                let event = Event::Arrived {
                    process: end.process,
                    tube,
                    messages,
                };
                self.nodes[node].take(event, &mut self.sim);
            }
            Place::Listener(listener) => {
                self.listeners[listener].heard(&mut self.sim, tube, messages);
            }
            Place::Database | Place::Client(_) => {}
        }
    }

    /// Who has got a session just now has it alone.
    fn look_at_sessions(&mut self) {
        if let Some(node) = self.sim.gone.take() {
            for listener in &mut self.listeners {
                listener.surprised(self.sim.now, node);
            }
        }
        for (key, end) in std::mem::take(&mut self.sim.oracles.sessions.fresh) {
            let holds = |other: &End| match other.place {
                Place::Node(node) => self.nodes[node].may_hold(other.process, self.sim.now),
                _ => false,
            };
            let other = self.sim.oracles.sessions.others(&key, end).find(holds);
            if let Some(other) = other {
                let what = format!("{key:?} is at {end:?} and at {other:?}");
                self.sim.oracles.violated(what);
            }
        }
    }

    fn arrive(&mut self, from: Place, to: Place, packet: Packet) {
        match (to, packet) {
            (Place::Node(node), packet) => {
                self.nodes[node].take(Event::Packet { from, to, packet }, &mut self.sim);
            }
            (Place::Client(client), Packet::Told { op, answer }) => {
                let Place::Node(node) = from else { return };
                self.clients[client].told(&mut self.sim, node, op, answer);
            }
            (Place::Database, Packet::Call { process, id, call }) => {
                let sim = &mut self.sim;
                if sim.now < sim.db.down_until {
                    // Some wait for the new server, some are lost with the old one.
                    if sim.random.percent(50) {
                        let wait = sim.db.down_until - sim.now + sim.random.between(0, 50);
                        let packet = Packet::Call { process, id, call };
                        sim.later(wait, Event::Packet { from, to, packet });
                    }
                    return;
                }
                if let Some(answer) = sim.db.call(sim.now, call, &mut sim.oracles) {
                    let packet = Packet::Answer {
                        process,
                        id,
                        answer,
                    };
                    sim.send(Place::Database, from, packet);
                }
            }
            _ => {}
        }
    }

    fn fault(&mut self, fault: Fault) {
        let sim = &mut self.sim;
        sim.note(|| format!("FAULT {fault:?}"));
        match fault {
            Fault::Crash { node, down_ms } => {
                self.nodes[node].crash(sim);
                sim.later(down_ms, Event::Start(node));
            }
            Fault::CrashWithin {
                node,
                effects,
                down_ms,
            } => {
                self.nodes[node].crash_within(effects, down_ms);
            }
            Fault::Freeze { node, ms } => {
                self.nodes[node].freeze(sim.now + ms);
                sim.later(ms, Event::Undo(fault));
            }
            Fault::Panic { node } => self.nodes[node].panic(sim),
            Fault::FailOver { ms } => sim.db.fail_over(sim.now + ms),
            Fault::CutDatabase { node, way, ms } => {
                sim.net.set(Place::Node(node), Place::Database, way, true);
                sim.later(ms, Event::Undo(fault));
            }
            Fault::CutLink { a, b, way, ms } => {
                sim.net.set(Place::Node(a), Place::Node(b), way, true);
                sim.later(ms, Event::Undo(fault));
            }
            Fault::Weather {
                loss,
                twice,
                late,
                late_ms,
                ms,
            } => {
                (sim.net.loss, sim.net.twice) = (loss, twice);
                (sim.net.late, sim.net.late_ms) = (late, late_ms);
                sim.later(ms, Event::Undo(fault));
            }
            Fault::SetClock { node, by_ms } => self.nodes[node].set_clock(by_ms),
            Fault::Drain { node, down_ms } => self.nodes[node].drain(sim, down_ms),
        }
    }

    fn undo(&mut self, fault: Fault) {
        let sim = &mut self.sim;
        if sim.is_healed && !matches!(fault, Fault::Freeze { .. }) {
            return;
        }
        sim.note(|| format!("OVER {fault:?}"));
        match fault {
            Fault::Freeze { node, .. } => self.nodes[node].thaw(sim),
            Fault::CutDatabase { node, way, .. } => {
                sim.net.set(Place::Node(node), Place::Database, way, false);
            }
            Fault::CutLink { a, b, way, .. } => {
                sim.net.set(Place::Node(a), Place::Node(b), way, false);
            }
            Fault::Weather { .. } => {
                (sim.net.loss, sim.net.twice, sim.net.late) = (0, 0, 0);
            }
            _ => {}
        }
    }

    /// Faults end: all nodes run, everything is heard.
    fn heal(&mut self) {
        self.sim.note(|| "HEAL".to_owned());
        self.sim.is_healed = true;
        self.sim.net.heal();
        self.sim.db.down_until = 0;
        for node in &mut self.nodes {
            node.heal(&mut self.sim);
        }
        self.before = self.clients.iter().map(|client| client.answered).collect();
        self.sim.later(1_000, Event::Check);
    }

    /// Whether all is well.
    fn check(&mut self) -> bool {
        let Some(what) = self.is_wrong() else {
            return true;
        };
        if self.sim.now >= FAULTS_MS + RECOVERY_MS {
            self.sim.oracles.violated(format!("no progress: {what}"));
        }
        self.sim.later(500, Event::Check);
        false
    }

    fn is_wrong(&self) -> Option<String> {
        let now = self.sim.now;
        for shard in 0..self.sim.plan.shards {
            let owners = self
                .nodes
                .iter()
                .filter(|node| node.serves(shard, now))
                .count();
            if owners != 1 {
                return Some(format!("shard {shard} is served by {owners} nodes"));
            }
        }
        for (client, before) in self.clients.iter().zip(&self.before) {
            if client.answered < before + ANSWERS {
                return Some(format!("a client waits: {client:?}"));
            }
        }
        let behind = |listener: &Listener| listener.is_behind(&self.sim);
        let behind = self.listeners.iter().find_map(behind);
        behind.or_else(|| self.sim.oracles.untold())
    }
}

/// What a process is reminded of, in its own time.
pub(crate) fn remind(sim: &mut Sim, node: usize, process: u64, ms: u64, timer: Timer) {
    let event = Event::Timer {
        node,
        process,
        timer,
    };
    sim.later(ms, event);
}
