//! The clerk: asks entities and the event log on the lane's behalf, as `node/src/relay/{clerk, rejoin}` do it.

use std::sync::Arc;

use bytes::Bytes;
use rookery_actors::ownership::Boot;
use rookery_actors::relay::{
    Again, Identity, Input, Lost, Reading, SessionRef, Since, Viewpoint, is_shown_anew, page_above,
};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::RequestId;
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{AccessPicture, Dispatch, EventName, Frame, SharedFrame};
use rookery_protocol::ids::GroupId;
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;

use super::Hands;
use crate::broken::Broken;
use crate::database::Call;
use crate::entity::{Command, Reply};
use crate::network::Place;
use crate::packet::{Packet, Timer, Told};
use crate::process::calls::Purpose;

/// Milliseconds before an entity that does not answer is asked again.
const ANSWER_MS: u64 = 1_500;
/// Milliseconds after which the clerk gives up.
const PATIENCE_MS: u64 = 50_000;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Attach {
        session: SessionRef,
        identity: Identity,
    },
    Subscribe {
        session: SessionRef,
    },
    Rejoin {
        session: SessionRef,
        since: u64,
    },
    Heal {
        since: u64,
    },
    /// How far has the event log come?
    Look,
}

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    entity: EntityRef,
    kind: Kind,
    began: Boot,
    attempt: u64,
    /// What the entity has answered, and how much of its log is read.
    answered: Option<(u64, Since)>,
}

impl Hands<'_> {
    pub(super) fn question(&mut self, entity: EntityRef, kind: Kind) {
        let id = self.process.number * 1_000_000 + self.number();
        let question = Question {
            entity,
            kind,
            began: self.boot(),
            attempt: 0,
            answered: None,
        };
        if let Some(relay) = &mut self.process.relay {
            relay.questions.insert(id, question);
            self.put(id);
        }
    }

    fn open(&mut self, id: u64) -> Option<&mut Question> {
        self.process.relay.as_mut()?.questions.get_mut(&id)
    }

    /// Asks, or asks again.
    fn put(&mut self, id: u64) {
        let now = self.boot();
        let Some(question) = self.open(id) else {
            return;
        };
        let entity = question.entity;
        if now.since(question.began) > PATIENCE_MS {
            return self.give_up(id);
        }
        match (question.kind, &mut question.answered) {
            (Kind::Heal { since }, _) => self.call(Purpose::Ask(id), Call::Events(entity, since)),
            (Kind::Look, _) => self.call(Purpose::Ask(id), Call::Newest(entity)),
            (_, Some((_, reading))) => {
                let next = reading.go_on();
                self.go_on(id, next);
            }
            (_, None) => self.ask_entity(id, entity),
        }
    }

    fn ask_entity(&mut self, id: u64, entity: EntityRef) {
        let caller = 1_000 + self.node.index as u64;
        let attempt = self.open(id).map_or(0, |question| {
            question.attempt += 1;
            question.attempt
        });
        let owner = self.process.member.owner(self.sim.oracles.shard(entity));
        let node = owner.and_then(|row| self.sim.index_of(&row.owner.node));
        if let Some(node) = node {
            let packet = Packet::Ask {
                op: id,
                entity,
                command: Command::Read,
                request: RequestId { caller, number: id },
            };
            self.send(Place::Node(node), packet);
        }
        self.remind(ANSWER_MS, Timer::Ask(id, attempt));
    }

    /// The `attempt`-th time was in vain.
    pub(in crate::process) fn ask_again(&mut self, id: u64, attempt: u64) {
        if self
            .open(id)
            .is_some_and(|question| question.attempt == attempt && question.answered.is_none())
        {
            self.put(id);
        }
    }

    /// An entity answers, or a node for it.
    pub(in crate::process) fn told(&mut self, id: u64, told: &Told) {
        let Some(question) = self.open(id).filter(|question| question.answered.is_none()) else {
            return;
        };
        let attempt = question.attempt;
        let Told::Reply(Reply::At(gseq)) = *told else {
            let pause = 50 << attempt.min(6);
            return self.remind(pause, Timer::Ask(id, attempt));
        };
        match question.kind {
            Kind::Rejoin { since, .. } => {
                question.answered = Some((gseq, Since::new(since, gseq)));
                self.put(id);
            }
            _ => self.pictured(id, gseq),
        }
    }

    /// READY, or GUILD_CREATE.
    fn pictured(&mut self, id: u64, gseq: u64) {
        let Some(question) = self.close_question(id) else {
            return;
        };
        let topic = question.entity;
        let input = match question.kind {
            Kind::Attach { session, identity } => {
                let groups: Vec<_> = self.sim.plan.groups_of(identity.user).collect();
                let key = match &self.process.relay {
                    Some(relay) => relay.key_of(session),
                    None => return,
                };
                let (run, slot, generation) = (key.run, key.slot, key.generation);
                let text = format!("{}/{} {slot} {generation} {gseq}", run.node, run.number);
                Input::Joined {
                    session,
                    topic,
                    gseq,
                    body: dispatch(EventName::Ready, text),
                    groups,
                    view: None,
                }
            }
            Kind::Subscribe { session } => Input::Joined {
                session,
                topic,
                gseq,
                body: picture(topic, gseq),
                groups: Vec::new(),
                view: Some(view(topic)),
            },
            _ => return,
        };
        self.step_lane(input);
    }

    fn close_question(&mut self, id: u64) -> Option<Question> {
        self.process.relay.as_mut()?.questions.remove(&id)
    }

    /// A page of the event log.
    pub(in crate::process) fn read(&mut self, id: u64, page: Vec<Frame>) {
        let is_empty = page.is_empty();
        let Some(question) = self.open(id) else {
            return;
        };
        match (question.kind, &mut question.answered) {
            (Kind::Heal { since }, _) => self.healed(id, since, page_above(since, page)),
            // What the entity has told of is in the log.
            (_, Some(_)) if is_empty => self.remind(100, Timer::Read(id)),
            (_, Some((_, reading))) => {
                let next = reading.page(page);
                self.go_on(id, next);
            }
            _ => {}
        }
    }

    pub(in crate::process) fn read_again(&mut self, id: u64) {
        self.put(id);
    }

    fn go_on(&mut self, id: u64, next: Reading) {
        let Some(question) = self.open(id) else {
            return;
        };
        let entity = question.entity;
        match next {
            Reading::Above(_) if self.sim.is(Broken::RejoinWithoutLog) => {
                self.rejoined(id, Ok(Vec::new()));
            }
            Reading::Above(above) => self.call(Purpose::Ask(id), Call::Events(entity, above)),
            Reading::Whole(events) => self.rejoined(id, events),
        }
    }

    fn rejoined(&mut self, id: u64, events: Result<Vec<SharedFrame>, Lost>) {
        let Some(question) = self.close_question(id) else {
            return;
        };
        let (Kind::Rejoin { session, since }, Some((gseq, _))) = (question.kind, question.answered)
        else {
            return;
        };
        let topic = question.entity;
        let since =
            if self.sim.is(Broken::RejoinWithoutLog) && events.as_ref().is_ok_and(Vec::is_empty) {
                gseq
            } else {
                since
            };
        let again = (topic.kind == EntityKind::Group).then(|| Again {
            gseq,
            view: view(topic),
            body: events
                .as_ref()
                .is_ok_and(|events| is_shown_anew(events, gseq))
                .then(|| picture(topic, gseq)),
        });
        self.step_lane(Input::Rejoined {
            session,
            topic,
            since,
            events,
            again,
        });
    }

    fn healed(&mut self, id: u64, since: u64, events: Result<Vec<SharedFrame>, Lost>) {
        let Some(question) = self.close_question(id) else {
            return;
        };
        self.step_lane(Input::Healed {
            topic: question.entity,
            since,
            events,
        });
    }

    pub(in crate::process) fn newest(&mut self, id: u64, gseq: u64) {
        if let Some(question) = self.close_question(id) {
            self.looked(question.entity, gseq);
        }
    }

    /// The database does not answer.
    pub(in crate::process) fn unread(&mut self, id: u64) {
        let Some(question) = self.open(id) else {
            return;
        };
        if let Kind::Look = question.kind {
            let topic = question.entity;
            self.close_question(id);
            return self.look_again(topic);
        }
        self.remind(200, Timer::Read(id));
    }

    fn give_up(&mut self, id: u64) {
        let Some(question) = self.close_question(id) else {
            return;
        };
        let code = CloseCode::UnknownError;
        match question.kind {
            Kind::Attach { session, .. }
            | Kind::Subscribe { session }
            | Kind::Rejoin { session, .. } => self.step_lane(Input::Expel { session, code }),
            Kind::Heal { since } => self.step_lane(Input::Healed {
                topic: question.entity,
                since,
                events: Err(Lost),
            }),
            Kind::Look => self.look_again(question.entity),
        }
    }
}

fn dispatch(name: EventName, text: String) -> Box<Dispatch> {
    Box::new(Dispatch {
        name,
        body: Bytes::from(text),
        intents: Intents::NONE,
        content_for: None,
        about: None,
    })
}

fn picture(group: EntityRef, gseq: u64) -> Box<Dispatch> {
    dispatch(EventName::GuildCreate, format!("{group} {gseq}"))
}

/// Everybody sees everything.
fn view(group: EntityRef) -> Viewpoint {
    let everyone = GroupId(group.id).everyone();
    Viewpoint {
        access: Arc::new(AccessPicture {
            owner: None,
            roles: vec![(everyone, Permissions::ALL)],
            channels: Vec::new(),
        }),
        roles: Vec::new(),
    }
}
