//! A process: the shell of the simulation around the real member, lane and machines. A shell of a node does the same
//! with threads and sockets.

mod calls;
mod entities;
mod lane;
mod links;
mod member;
mod relay;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rookery_actors::entity::{AckTo, ReplyTo, SharedMinter};
use rookery_actors::ownership::{Boot, Input, Member, Now, Settings, Timing};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::time::Millis;

use self::calls::Purpose;
use self::entities::{Delivery, Life};
use self::lane::Lane;
use self::links::Peer;
use self::relay::Relay;
use super::broken::Broken;
use super::network::Place;
use super::node::{Node, name};
use super::packet::{Packet, Timer};
use super::world::{Sim, remind};

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: u64,
    member: Member,
    lease: Boot,
    /// The clock of the process: never goes back.
    wall: Millis,
    wall_at: Boot,
    minter: SharedMinter,
    lane: Option<Lane>,
    lives: BTreeMap<EntityRef, Life>,
    /// Calls under way, and what for.
    calls: BTreeMap<u64, Purpose>,
    next: u64,
    replies: BTreeMap<ReplyTo, (Place, u64)>,
    acks: BTreeMap<AckTo, (usize, EntityRef, u64)>,
    deliveries: BTreeMap<(EntityRef, u64), Delivery>,
    /// Shards whose release was handed to the lane.
    leaving: BTreeSet<u16>,
    links: BTreeMap<IncarnationId, Peer>,
    relay: Option<Relay>,
    ticks: u64,
    is_quiet: bool,
}

impl Process {
    pub(crate) fn new(node: &Node, number: u64, sim: &mut Sim) -> Self {
        let mut timing = Timing::default();
        if sim.is(Broken::CountOutage) {
            timing.condemn_step = u64::MAX;
        }
        if sim.is(Broken::CondemnEarly) {
            timing.condemn = 2_500;
        }
        let settings = Settings {
            node: name(node.index),
            address: String::new(),
            process: node.index as u64 * 1_000 + number,
            lanes: 1,
            shards: sim.plan.shards,
            alone: false,
            timing,
        };
        Self {
            number,
            member: Member::new(settings),
            lease: Boot(0),
            wall: node.clocks.wall(sim.now),
            wall_at: node.clocks.boot(sim.now),
            minter: SharedMinter::new(0, Millis(0)),
            lane: None,
            lives: BTreeMap::new(),
            calls: BTreeMap::new(),
            next: 0,
            replies: BTreeMap::new(),
            acks: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            leaving: BTreeSet::new(),
            links: BTreeMap::new(),
            relay: None,
            ticks: 0,
            is_quiet: false,
        }
    }

    pub(crate) fn holds_lease(&self, now: Boot) -> bool {
        now < self.lease
    }

    pub(crate) fn serves(&self, shard: u16, now: Boot) -> bool {
        self.member.epoch(shard).is_some() && now < self.lease && !self.is_quiet
    }
}

/// A process in the world, while it does something.
pub(crate) struct Hands<'a> {
    pub(crate) node: &'a mut Node,
    pub(crate) process: &'a mut Process,
    pub(crate) sim: &'a mut Sim,
    /// What the member is still to be told.
    pub(crate) inputs: VecDeque<Input>,
    pub(crate) is_dead: bool,
    pub(crate) has_ended: bool,
}

impl Hands<'_> {
    fn boot(&self) -> Boot {
        self.node.clocks.boot(self.sim.now)
    }

    /// What the process's clock shows: follows a wall clock that is set forward, and outwaits one that is set back.
    fn wall(&mut self) -> Millis {
        let boot = self.boot();
        let process = &mut *self.process;
        let ours = process.wall.plus(boot.since(process.wall_at));
        process.wall = ours.max(self.node.clocks.wall(self.sim.now));
        process.wall_at = boot;
        process.wall
    }

    fn number(&mut self) -> u64 {
        self.process.next += 1;
        self.process.next
    }

    fn remind(&mut self, ms: u64, timer: Timer) {
        let wait = self.node.clocks.wait(ms);
        remind(self.sim, self.node.index, self.process.number, wait, timer);
    }

    fn send(&mut self, to: Place, packet: Packet) {
        self.sim.send(Place::Node(self.node.index), to, packet);
    }

    /// Counts an effect; whether the process dies instead of having it.
    fn dies(&mut self) -> bool {
        match &mut self.node.effects_left {
            Some(0) => self.is_dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        self.is_dead
    }

    /// Tells the member what is left to tell.
    pub(crate) fn finish(&mut self) {
        while !self.is_dead && !self.has_ended {
            self.quieten();
            let Some(input) = self.inputs.pop_front() else {
                return;
            };
            let now = Now {
                boot: self.boot(),
                wall: self.wall(),
            };
            let mut effects = Vec::new();
            self.process.member.step(now, input, &mut effects);
            for effect in effects {
                if self.dies() {
                    return;
                }
                self.effect(effect);
            }
        }
    }

    /// A timer is due.
    pub(crate) fn due(&mut self, timer: Timer) {
        match timer {
            Timer::Tick => self.tick(),
            Timer::CallTimeout(id) => self.failed(id),
            Timer::LaneAgain(number) => {
                if let Some(lane) = self.lane_of(number) {
                    lane.is_busy = false;
                    self.kick();
                }
            }
            Timer::OpenLane(number) => self.open_lane(number),
            Timer::Load(entity, life) => self.load(entity, life),
            Timer::Deliver(sender, seq) => self.deliver(sender, seq),
            Timer::Senders => self.look_for_senders(),
            Timer::Ask(id, attempt) => self.ask_again(id, attempt),
            Timer::Read(id) => self.read_again(id),
            Timer::LookAgain(id) => self.look_again_for(id),
            Timer::TakeTimeout(call) => self.take_timeout(call),
            Timer::Shutdown => self.shut_lane(),
        }
    }

    pub(crate) fn packet(&mut self, from: Place, packet: Packet) {
        match packet {
            Packet::Ask {
                op,
                entity,
                command,
                request,
            } => self.ask(from, op, entity, command, request),
            Packet::Told { op, answer } => self.told(op, &answer),
            packet => {
                if let Place::Node(peer) = from {
                    self.packet_of(peer, packet);
                }
            }
        }
    }

    /// A packet of another node.
    fn packet_of(&mut self, peer: usize, packet: Packet) {
        match packet {
            Packet::Notice {
                sender,
                seq,
                to,
                notice,
            } => self.notice(peer, sender, seq, to, notice),
            Packet::Taken { sender, seq } => self.taken(sender, seq),
            Packet::Elsewhere { shard, row } => {
                self.inputs.push_back(Input::Learned(vec![(shard, row)]));
            }
            Packet::Dial { by, to, at } => self.dialled(peer, by, &to, at),
            Packet::Absent(id) => self.absent(id),
            Packet::Gossip { by, peer } => self.inputs.push_back(Input::Refused { by, peer }),
            Packet::Hint => self.inputs.push_back(Input::Hint),
            Packet::Moved(shards) => self.inputs.push_back(Input::Learned(shards)),
            Packet::Call { .. }
            | Packet::Answer { .. }
            | Packet::Ask { .. }
            | Packet::Told { .. } => {}
        }
    }
}
