//! The listeners: each keeps a session of the gateway alive, at one node after another, and checks that nothing that it is
//! told is missing, in disorder, or comes twice.

use std::collections::BTreeMap;

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::user::Proof;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{LoginId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::session::{Claim, Identity, Secret, SessionKey};

use super::entity::told_as;
use super::network::Place;
use super::packet::Event;
use super::tubes::{Down, End, Message, Up};
use super::world::Sim;

/// Milliseconds in which a socket must lead to a session.
const ADMISSION_MS: u64 = 15_000;
/// Milliseconds between heartbeats; one that is not answered by the next ends the socket.
const HEARTBEAT_MS: u64 = 2_500;
/// Milliseconds in which a session, or its move, is not yet told to the buddy of its node.
pub(crate) const FRESH_MS: u64 = 3_000;

/// What a listener is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    Connect,
    /// There is no session yet.
    Late,
    Heartbeat,
    /// Its socket breaks.
    Break,
}

/// How far it has come with a topic.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at: u64,
    /// It goes on from a copy: the next event may be one that it has.
    may_repeat: bool,
}

/// A session as its client knows it.
#[derive(Debug)]
struct Known {
    key: SessionKey,
    topics: BTreeMap<EntityRef, Heard>,
    /// How often it has gone on from a copy.
    copies: u64,
}

#[derive(Debug)]
pub(crate) struct Listener {
    index: usize,
    pub(crate) user: UserId,
    secret: Secret,
    session: Option<Known>,
    /// The number of its last event of this session, also before READY says what it is called.
    seq: u64,
    socket: Option<u64>,
    node: usize,
    is_live: bool,
    /// The last heartbeat was answered.
    is_heard: bool,
    attempt: u64,
    /// When it last began a session, or to move one.
    touched: u64,
    /// A node went while it did.
    is_excused: bool,
    /// Nodes that went since it was last connected.
    went: u64,
    /// How often it went on with its session, and how often it had to begin a new one.
    pub(crate) resumed: u64,
    pub(crate) lost: u64,
    /// Events that came twice.
    pub(crate) repeated: u64,
    pub(crate) events: u64,
}

impl Listener {
    pub(crate) fn new(index: usize, user: UserId) -> Self {
        Self {
            index,
            user,
            secret: Secret([0; 16]),
            session: None,
            seq: 0,
            socket: None,
            node: 0,
            is_live: false,
            is_heard: true,
            attempt: 0,
            touched: 0,
            is_excused: false,
            went: 0,
            resumed: 0,
            lost: 0,
            repeated: 0,
            events: 0,
        }
    }

    fn place(&self) -> Place {
        Place::Listener(self.index)
    }

    fn later(&self, sim: &mut Sim, ms: u64, wake: Wake) {
        let (listener, attempt) = (self.index, self.attempt);
        sim.later(
            ms,
            Event::Wake {
                listener,
                attempt,
                wake,
            },
        );
    }

    pub(crate) fn woken(&mut self, sim: &mut Sim, attempt: u64, wake: Wake) {
        if attempt != self.attempt {
            return;
        }
        match wake {
            Wake::Connect => self.connect(sim),
            Wake::Late if self.is_live => {}
            Wake::Late => self.leave(sim),
            Wake::Heartbeat => self.heartbeat(sim),
            Wake::Break if sim.is_healed => {}
            Wake::Break if sim.random.once_in(12) => self.say_goodbye(sim),
            Wake::Break => self.leave(sim),
        }
    }

    fn heartbeat(&mut self, sim: &mut Sim) {
        let Some(socket) = self.socket else { return };
        if !std::mem::replace(&mut self.is_heard, false) {
            return self.leave(sim);
        }
        sim.push(socket, self.place(), Message::Up(Up::Heartbeat));
        self.later(sim, HEARTBEAT_MS, Wake::Heartbeat);
    }

    /// Connects to a node: mostly the one before.
    fn connect(&mut self, sim: &mut Sim) {
        if sim.random.percent(50) {
            self.node = sim.random.index(sim.plan.nodes);
        }
        self.attempt += 1;
        let process = sim.processes[self.node];
        if process == 0 {
            self.node = sim.random.index(sim.plan.nodes);
            let pause = sim.random.between(100, 1_000);
            return self.later(sim, pause, Wake::Connect);
        }
        let place = Place::Node(self.node);
        let from = End {
            place: self.place(),
            process: 0,
        };
        let socket = sim.connect(from, End { place, process });
        let up = match &self.session {
            Some(known) => Up::Resume(Claim {
                key: known.key.clone(),
                user: self.user,
                secret: self.secret,
                seq: self.seq,
            }),
            None => {
                self.seq = 0;
                self.secret = Secret(std::array::from_fn(|_| sim.random.between(0, 255) as u8));
                Up::Identify(Identity {
                    user: self.user,
                    proof: Proof::Login(LoginId(1)),
                    intents: Intents::ALL,
                    shard: None,
                    secret: self.secret,
                })
            }
        };
        let (index, node, seq) = (self.index, self.node, self.seq);
        sim.note(|| format!("listener {index} connects to n{node} with {seq}"));
        self.touched = sim.now;
        self.socket = Some(socket);
        self.is_live = false;
        self.is_heard = true;
        sim.push(socket, self.place(), Message::Up(up));
        self.later(sim, ADMISSION_MS, Wake::Late);
        self.later(sim, HEARTBEAT_MS, Wake::Heartbeat);
    }

    /// Lets go of its socket, and connects again.
    fn leave(&mut self, sim: &mut Sim) {
        if let Some(socket) = self.socket.take() {
            sim.shut(socket, self.place());
        }
        self.is_live = false;
        self.attempt += 1;
        // Some are away for long.
        let pause = if sim.random.once_in(10) && !sim.is_healed {
            sim.random.between(1_000, 20_000)
        } else {
            sim.random.between(5, 800)
        };
        self.later(sim, pause, Wake::Connect);
    }

    /// Ends its session, and begins another.
    fn say_goodbye(&mut self, sim: &mut Sim) {
        if let Some(socket) = self.socket {
            sim.push(socket, self.place(), Message::Up(Up::Goodbye));
        }
        self.session = None;
        self.leave(sim);
    }

    /// A node goes at this instant.
    pub(crate) fn surprised(&mut self, now: u64, node: usize) {
        self.is_excused |= now - self.touched < FRESH_MS;
        // Its session's node, and before it came back that node's buddy.
        self.went += u64::from(!self.is_live || self.node == node);
        self.is_excused |= self.went > 1;
    }

    /// What came over a socket.
    pub(crate) fn heard(&mut self, sim: &mut Sim, tube: u64, messages: Vec<Message>) {
        for message in messages {
            if self.socket != Some(tube) {
                // It was left.
                sim.shut(tube, self.place());
                return;
            }
            match message {
                Message::Down(Down::Dispatch { seq, name, body }) => {
                    let text = String::from_utf8(body.to_vec()).unwrap();
                    self.dispatched(sim, seq, name, &text);
                }
                Message::Down(Down::Ack) => self.is_heard = true,
                Message::Down(Down::Reconnect) | Message::Fin => self.leave(sim),
                Message::Down(Down::Invalid) => self.lose(sim, "is not resumed"),
                Message::Down(Down::Closed(code)) => self.closed(sim, code),
                other => panic!("a client is not told {other:?}"),
            }
        }
    }

    fn closed(&mut self, sim: &mut Sim, code: Option<CloseCode>) {
        match code {
            None | Some(CloseCode::UnknownError) => self.leave(sim),
            Some(CloseCode::InvalidSeq) => self.violated(sim, "has a number it was never given"),
            Some(code) => panic!("a client is not closed with {code:?}"),
        }
    }

    fn violated(&self, sim: &mut Sim, what: &str) {
        let (index, session) = (self.index, &self.session);
        sim.oracles
            .violated(format!("listener {index} {what}: {session:?}"));
    }

    /// Its session is over.
    fn lose(&mut self, sim: &mut Sim, how: &str) {
        if let Some(known) = self.session.take() {
            self.lost += 1;
            if sim.plan.is_gentle && !self.is_excused {
                self.session = Some(known);
                return self.violated(sim, &format!("loses its session, which {how}"));
            }
        }
        self.is_excused = false;
        self.leave(sim);
    }

    fn dispatched(&mut self, sim: &mut Sim, seq: u64, name: EventName, text: &str) {
        let index = self.index;
        sim.note(|| format!("listener {index} gets {seq}: {} {text}", name.wire()));
        if seq != self.seq + 1 {
            let before = self.seq;
            return self.violated(sim, &format!("gets event {seq} after {before}"));
        }
        self.seq = seq;
        let copies = |sim: &Sim, key| sim.oracles.sessions.copies(key);
        if let Some(known) = &mut self.session {
            let now = copies(sim, &known.key);
            if std::mem::replace(&mut known.copies, now) != now {
                for heard in known.topics.values_mut() {
                    heard.may_repeat = true;
                }
            }
        }
        match name {
            EventName::Ready => self.ready(sim, text),
            EventName::Resumed => {
                self.resumed += 1;
                self.lives(sim);
            }
            EventName::GuildCreate => {
                let (group, gseq) = text.split_once(' ').unwrap();
                self.pictured(sim, group.parse().unwrap(), gseq.parse().unwrap());
            }
            EventName::MessageCreate => {
                let (topic, gseq) = told_as(text);
                self.event(sim, topic, gseq);
            }
            other => panic!("nothing sends {}", other.wire()),
        }
    }

    fn lives(&mut self, sim: &mut Sim) {
        self.is_live = true;
        self.went = 0;
        let until = sim.random.between(1_000, 20_000);
        self.later(sim, until, Wake::Break);
    }

    fn ready(&mut self, sim: &mut Sim, text: &str) {
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap();
        let (node, number) = word().split_once('/').unwrap();
        let mut numbers = words.map(|word| word.parse::<u64>().unwrap());
        let mut next = || numbers.next().unwrap();
        let key = SessionKey {
            run: IncarnationId {
                node: node.to_owned(),
                number: number.parse().unwrap(),
            },
            lane: 0,
            slot: next() as u32,
            generation: next() as u32,
        };
        let heard = Heard {
            at: next(),
            may_repeat: false,
        };
        self.session = Some(Known {
            key,
            topics: BTreeMap::from([(self.user.into(), heard)]),
            copies: 0,
        });
        self.touched = sim.now;
        self.lives(sim);
    }

    /// A group is shown. From a copy of a time before it was, it is shown again as it is by then.
    fn pictured(&mut self, sim: &mut Sim, group: EntityRef, gseq: u64) {
        let Some(known) = &mut self.session else {
            return self.violated(sim, "is shown a group before READY");
        };
        let heard = known.topics.entry(group).or_insert(Heard {
            at: gseq,
            may_repeat: false,
        });
        let (at, may_repeat) = (heard.at, heard.may_repeat);
        if at != gseq && !may_repeat {
            self.violated(
                sim,
                &format!("is shown {group} at {gseq} and has heard {at}"),
            );
        } else {
            *heard = Heard {
                at: gseq,
                may_repeat: false,
            };
        }
    }

    fn event(&mut self, sim: &mut Sim, topic: EntityRef, gseq: u64) {
        self.events += 1;
        let heard = self.session.as_mut().and_then(|s| s.topics.get_mut(&topic));
        let Some(heard) = heard else {
            return self.violated(
                sim,
                &format!("gets {gseq} of {topic}, which it does not know"),
            );
        };
        let at = heard.at;
        let repeats = heard.may_repeat && gseq <= at;
        if gseq != at + 1 && !repeats {
            return self.violated(sim, &format!("gets {gseq} of {topic} after {at}"));
        }
        self.repeated += u64::from(repeats);
        *heard = Heard {
            at: gseq,
            may_repeat: false,
        };
    }

    /// Why it is not connected and up to date.
    pub(crate) fn is_behind(&self, sim: &Sim) -> Option<String> {
        let index = self.index;
        let Some(known) = self.session.as_ref().filter(|_| self.is_live) else {
            return Some(format!("listener {index} has no session: {self:?}"));
        };
        let groups = sim.plan.groups_of(self.user).map(EntityRef::from);
        for topic in groups.chain([self.user.into()]) {
            let durable = sim.oracles.logs.get(&topic).map_or(0, Vec::len) as u64;
            let heard = known.topics.get(&topic).map(|heard| heard.at);
            if heard != Some(durable) {
                return Some(format!(
                    "listener {index} has heard {heard:?} of {topic}, durable is {durable}"
                ));
            }
        }
        None
    }
}
