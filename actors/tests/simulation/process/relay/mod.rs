//! The sessions of a process: the real lane, and around it what a node's threads and tasks do.

mod clerk;
mod interests;
mod moves;

use std::collections::{BTreeMap, BTreeSet};

use rookery_actors::ownership::{Place as At, Standing};
use rookery_actors::relay::{
    Choice, Config, Control, Effect, Flush, Input, Keeper, Lane, Link, Names, Refusal, SessionRef,
};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::document::{IncarnationId, NodeState};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::RELEASE_MS;
use rookery_protocol::session::{Claim, SessionKey};

use self::clerk::{Kind, Question};
use self::moves::Looking;
use super::Hands;
use crate::broken::Broken;
use crate::packet::Timer;
use crate::tubes::{Down, Message, Up};

/// A client's socket.
#[derive(Debug, Default)]
struct Socket {
    link: Option<Link>,
    /// What its session is called, if it comes from elsewhere.
    arrival: Option<SessionKey>,
    /// What it wants to go on with.
    claim: Option<Claim>,
}

/// All that an incarnation has of sessions.
#[derive(Debug)]
pub(crate) struct Relay {
    me: IncarnationId,
    lane: Lane<u64>,
    sockets: BTreeMap<u64, Socket>,
    names: Names<SessionRef>,
    watched: BTreeSet<EntityRef>,
    /// What peers want to hear of.
    wanted: BTreeMap<EntityRef, BTreeSet<IncarnationId>>,
    choice: Choice,
    keeper: Keeper,
    /// The buddy that knows the lane.
    buddy: Option<u64>,
    /// Where shards were when it was last looked, and which have moved since.
    places: Vec<At>,
    moved: BTreeSet<u16>,
    questions: BTreeMap<u64, Question>,
    searches: BTreeMap<u64, Looking>,
    /// Who is asked for a session: the search, and the peer.
    calls: BTreeMap<u64, (u64, IncarnationId)>,
    /// Sockets are not admitted any more.
    is_released: bool,
    /// All sessions have ended, because the node does.
    is_over: bool,
}

impl Relay {
    pub(crate) fn new(me: IncarnationId) -> Self {
        Self {
            me,
            lane: Lane::new(Config::default()),
            sockets: BTreeMap::new(),
            names: Names::default(),
            watched: BTreeSet::new(),
            wanted: BTreeMap::new(),
            choice: Choice::default(),
            keeper: Keeper::default(),
            buddy: None,
            places: Vec::new(),
            moved: BTreeSet::new(),
            questions: BTreeMap::new(),
            searches: BTreeMap::new(),
            calls: BTreeMap::new(),
            is_released: false,
            is_over: false,
        }
    }

    /// A node is fenced, or has ended.
    pub(super) fn over(&mut self, node: &IncarnationId) {
        self.keeper.over(node);
    }

    /// What a session is called.
    fn key_of(&self, session: SessionRef) -> SessionKey {
        self.names.name(session).unwrap_or_else(|| SessionKey {
            run: self.me.clone(),
            lane: 0,
            slot: session.slot,
            generation: session.generation,
        })
    }
}

impl Hands<'_> {
    /// The lane takes an input, and all that follows is done and written.
    fn step_lane(&mut self, input: Input<u64>) {
        self.with_lane(|lane, now, effects| lane.step(now, input, effects));
    }

    fn with_lane<T>(
        &mut self,
        act: impl FnOnce(&mut Lane<u64>, rookery_protocol::time::Millis, &mut Vec<Effect<u64>>) -> T,
    ) -> Option<T> {
        let now = self.wall();
        let relay = self.process.relay.as_mut()?;
        let mut effects = Vec::new();
        let done = act(&mut relay.lane, now, &mut effects);
        self.lane_effects(effects);
        self.flush();
        Some(done)
    }

    fn flush(&mut self) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let mut effects = Vec::new();
        let mut written = Vec::new();
        relay
            .lane
            .flush(&mut effects, |_, tube, controls, deliveries| {
                for control in controls.drain(..) {
                    written.push((*tube, down(&control)));
                }
                for delivery in deliveries {
                    let dispatch = Down::Dispatch {
                        seq: delivery.seq,
                        name: delivery.name,
                        body: delivery.body.clone(),
                    };
                    written.push((*tube, dispatch));
                }
                Flush::Done
            });
        for (tube, down) in written {
            self.push(tube, Message::Down(down));
        }
        self.lane_effects(effects);
    }

    fn lane_effects(&mut self, effects: Vec<Effect<u64>>) {
        for effect in effects {
            if self.dies() {
                return;
            }
            self.lane_effect(effect);
        }
    }

    fn lane_effect(&mut self, effect: Effect<u64>) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        match effect {
            Effect::Watch(topic) => {
                relay.watched.insert(topic);
                self.watched(topic, true);
            }
            Effect::Unwatch(topic) => {
                relay.watched.remove(&topic);
                self.watched(topic, false);
            }
            Effect::Opened(link) => self.seated(link),
            Effect::Refused { wire, refusal } => match refusal {
                Refusal::Unknown => self.look_for(wire),
                refusal => self.refuse(wire, refusal),
            },
            Effect::Attach { session, identity } => {
                let kind = Kind::Attach { session, identity };
                self.question(identity.user.into(), kind);
            }
            Effect::Subscribe {
                session, groups, ..
            } => {
                for group in groups {
                    self.question(group.into(), Kind::Subscribe { session });
                }
            }
            Effect::Rejoin {
                session, topics, ..
            } => {
                for (topic, since) in topics {
                    self.question(topic, Kind::Rejoin { session, since });
                }
            }
            Effect::Heal { topic, since } => self.question(topic, Kind::Heal { since }),
            Effect::Close { wire, words, code } => {
                for word in words {
                    self.push(wire, Message::Down(down(&word)));
                }
                self.close(wire, code);
            }
            Effect::Ended { session, .. } => {
                let key = relay.key_of(session);
                relay.names.went(session);
                let end = self.end();
                self.sim.oracles.sessions.ended(&key, end);
            }
            // A login is never closed here, and nobody is present.
            Effect::Reattach { .. }
            | Effect::Entered { .. }
            | Effect::Left { .. }
            | Effect::Drained(_)
            | Effect::Unwritten(_) => {}
        }
    }

    fn seated(&mut self, link: Link) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let Some(tube) = relay.lane.wire_mut(link.session).copied() else {
            return;
        };
        match relay.sockets.get_mut(&tube) {
            Some(socket) => {
                socket.link = Some(link);
                if let Some(key) = socket.arrival.take()
                    && !self.sim.is(Broken::ForgetName)
                {
                    relay.names.came(key, link.session);
                }
                let key = relay.key_of(link.session);
                let end = self.end();
                self.sim.oracles.sessions.holds(key, end);
            }
            // Its client is gone by now.
            None => self.step_lane(Input::Hangup {
                link,
                end: false,
                answer: None,
                code: None,
            }),
        }
    }

    /// The client of a socket says something.
    pub(super) fn heard(&mut self, tube: u64, up: Up) {
        let is_up = self.process.member.standing() == Standing::In(NodeState::Up);
        let Some(relay) = &mut self.process.relay else {
            return self.close(tube, Some(CloseCode::UnknownError));
        };
        let link = relay.sockets.get(&tube).and_then(|socket| socket.link);
        match up {
            Up::Identify(_) | Up::Resume(_) if relay.is_released || !is_up => {
                self.close(tube, Some(CloseCode::UnknownError));
            }
            Up::Identify(identity) => {
                relay.sockets.insert(tube, Socket::default());
                self.step_lane(Input::Open {
                    identity,
                    wire: tube,
                });
            }
            Up::Resume(claim) => self.resume(tube, claim),
            Up::Heartbeat => {
                if let Some(link) = link {
                    let control = Control::HeartbeatAck;
                    self.step_lane(Input::Control { link, control });
                }
            }
            Up::Goodbye => {
                if let Some(link) = link {
                    self.step_lane(Input::Hangup {
                        link,
                        end: true,
                        answer: None,
                        code: None,
                    });
                }
            }
        }
    }

    fn resume(&mut self, tube: u64, claim: Claim) {
        let may_answer = self.may_hold();
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let place = relay
            .names
            .place_of(&claim.key, &relay.me, |_, session| Some(session));
        let socket = Socket {
            claim: Some(claim.clone()),
            ..Socket::default()
        };
        relay.sockets.insert(tube, socket);
        match place {
            Some(_) if !may_answer => self.refuse(tube, Refusal::NotNow),
            Some(session) => self.step_lane(Input::Resume {
                session,
                user: claim.user,
                secret: claim.secret,
                seq: claim.seq,
                wire: tube,
            }),
            None => self.look_for(tube),
        }
    }

    /// Whether sessions may go on here.
    fn may_hold(&self) -> bool {
        self.boot() < self.process.lease || self.sim.is(Broken::KeepSessions)
    }

    fn refuse(&mut self, tube: u64, refusal: Refusal) {
        match refusal {
            Refusal::Unknown | Refusal::InvalidSession => {
                self.push(tube, Message::Down(Down::Invalid));
                self.close(tube, None);
            }
            Refusal::InvalidSeq => self.close(tube, Some(CloseCode::InvalidSeq)),
            Refusal::NotNow => self.close(tube, Some(CloseCode::UnknownError)),
        }
    }

    fn close(&mut self, tube: u64, code: Option<CloseCode>) {
        self.push(tube, Message::Down(Down::Closed(code)));
        self.sim.shut(tube, self.end().place);
        if let Some(relay) = &mut self.process.relay {
            relay.sockets.remove(&tube);
        }
    }

    /// A socket is gone.
    pub(super) fn hung_up(&mut self, tube: u64) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let socket = relay.sockets.remove(&tube);
        if let Some(link) = socket.and_then(|socket| socket.link) {
            self.step_lane(Input::Hangup {
                link,
                end: false,
                answer: None,
                code: None,
            });
        }
    }

    pub(super) fn tick_lane(&mut self) {
        self.step_lane(Input::Tick);
        self.tell_buddy();
    }

    /// Clients are told to reconnect, and have some time to do it.
    pub(super) fn release(&mut self) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        relay.is_released = true;
        self.step_lane(Input::Release);
        self.remind(RELEASE_MS, Timer::Shutdown);
    }

    /// What has not been taken goes on from what the buddy is told now.
    pub(super) fn shut_lane(&mut self) {
        self.tell_buddy();
        if let Some(relay) = &mut self.process.relay {
            relay.is_over = true;
        }
        self.step_lane(Input::Shutdown);
        // The member looks whether all is quiet.
        let minted = self.process.minter.high_water();
        self.inputs
            .push_back(rookery_actors::ownership::Input::Tick { minted });
    }

    /// Whether no session is left here that an end would take by surprise.
    pub(super) fn is_shut(&self) -> bool {
        self.process
            .relay
            .as_ref()
            .is_none_or(|relay| relay.is_over)
    }

    /// The incarnation is over: every socket is closed, every link is cut.
    pub(super) fn stop_relay(&mut self) {
        let Some(relay) = self.process.relay.take() else {
            return;
        };
        for tube in relay.sockets.into_keys() {
            self.push(tube, Message::Down(Down::Reconnect));
            self.close(tube, Some(CloseCode::UnknownError));
        }
        for (_, peer) in std::mem::take(&mut self.process.links) {
            self.sim.shut(peer.tube, self.end().place);
        }
        let end = self.end();
        self.sim.oracles.sessions.stopped(end);
    }
}

fn down(control: &Control) -> Down {
    match control {
        Control::HeartbeatAck => Down::Ack,
        Control::Reconnect => Down::Reconnect,
        Control::InvalidSession { .. } => Down::Invalid,
        Control::Raw(_) => panic!("nothing raw is written here"),
    }
}
