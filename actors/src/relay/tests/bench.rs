//! A lane with its world: it runs the lane's effects, and answers its questions when the test says so.
#![allow(
    clippy::cast_possible_truncation,
    reason = "the numbers of a test are small"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{Dispatch, EventName, SharedFrame};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;
use serde_json::{Value, json};

use super::groups::Community;
use crate::relay::{
    Config, Control, Effect, Identity, Input, Lane, Link, Lost, Refusal, SessionRef, Viewpoint,
};

pub(super) const AUTHOR: UserId = UserId(1);

/// A question of the lane; `seen` is the entity's number when it was answered.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) what: What,
    pub(super) seen: Option<u64>,
    refused: bool,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Attach(SessionRef, UserId),
    Subscribe(SessionRef, UserId, GroupId),
    Heal(EntityRef, u64),
    Rejoin(SessionRef, UserId, EntityRef, u64),
}

#[derive(Debug, Default)]
pub(super) struct Socket {
    pub(super) client: usize,
    pub(super) link: Option<Link>,
    pub(super) refused: Option<Refusal>,
    pub(super) closed: Option<Option<CloseCode>>,
    pub(super) words: Vec<Control>,
    pub(super) is_full: bool,
}

/// A client: what it received, by number.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) identity: Identity,
    pub(super) session: Option<SessionRef>,
    pub(super) socket: Option<usize>,
    pub(super) received: Vec<(EventName, Value)>,
    /// What it received before, and says it did not.
    pub(super) replay: VecDeque<(EventName, Value)>,
    pub(super) is_over: bool,
    pub(super) has_moved: bool,
}

pub(super) struct Bench {
    pub(super) lane: Lane<usize>,
    pub(super) now: Millis,
    pub(super) logs: BTreeMap<EntityRef, Vec<SharedFrame>>,
    /// How groups were after each of their events, the first before any.
    pub(super) past: BTreeMap<GroupId, Vec<Community>>,
    /// Events up to here are not in the event log any more.
    pub(super) trimmed: BTreeMap<EntityRef, u64>,
    pub(super) members: BTreeSet<(GroupId, UserId)>,
    pub(super) notices: Vec<(UserId, GroupId)>,
    pub(super) questions: Vec<Question>,
    pub(super) sockets: Vec<Socket>,
    pub(super) clients: Vec<Client>,
    pub(super) watched: HashSet<EntityRef>,
    pub(super) reattached: Vec<SessionRef>,
    /// Which session is on which group's topic, as told.
    pub(super) inside: BTreeSet<(SessionRef, GroupId)>,
    pub(super) drained: Vec<SessionRef>,
    pub(super) unwritten: Vec<SessionRef>,
    /// Sessions that are over, and why.
    pub(super) ended: Vec<(SessionRef, Option<CloseCode>)>,
}

pub(super) fn text(name: EventName, id: &str, intents: Intents, secret: bool) -> Dispatch {
    let content = if secret { "words" } else { "" };
    let body = json!({ "id": id, "content": content });
    Dispatch {
        name,
        body: Bytes::from(body.to_string()),
        intents,
        content_for: secret.then(|| vec![AUTHOR]),
        about: None,
    }
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        Self {
            lane: Lane::new(config),
            now: Millis(1_000_000),
            logs: BTreeMap::new(),
            past: BTreeMap::new(),
            trimmed: BTreeMap::new(),
            members: BTreeSet::new(),
            notices: Vec::new(),
            questions: Vec::new(),
            sockets: Vec::new(),
            clients: Vec::new(),
            watched: HashSet::new(),
            reattached: Vec::new(),
            inside: BTreeSet::new(),
            drained: Vec::new(),
            unwritten: Vec::new(),
            ended: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, input: Input<usize>) {
        let mut effects = Vec::new();
        self.lane.step(self.now, input, &mut effects);
        self.run(effects);
    }

    pub(super) fn run(&mut self, effects: Vec<Effect<usize>>) {
        for effect in effects {
            match effect {
                Effect::Watch(topic) => assert!(self.watched.insert(topic)),
                Effect::Unwatch(topic) => assert!(self.watched.remove(&topic)),
                Effect::Opened(link) => {
                    let socket = *self.lane.wire_mut(link.session).unwrap();
                    self.sockets[socket].link = Some(link);
                    let client = self.sockets[socket].client;
                    self.clients[client].session = Some(link.session);
                    self.clients[client].socket = Some(socket);
                }
                Effect::Refused { wire, refusal } => self.sockets[wire].refused = Some(refusal),
                Effect::Attach { session, identity } => {
                    self.question(What::Attach(session, identity.user));
                }
                Effect::Reattach { session, .. } => self.reattached.push(session),
                Effect::Drained(session) => self.drained.push(session),
                Effect::Unwritten(session) => self.unwritten.push(session),
                Effect::Entered { session, group, .. } => {
                    assert!(self.inside.insert((session, group)), "entered twice");
                }
                Effect::Left { session, group, .. } => {
                    assert!(self.inside.remove(&(session, group)), "was not inside");
                }
                Effect::Subscribe {
                    session,
                    identity,
                    groups,
                } => {
                    for group in groups {
                        self.question(What::Subscribe(session, identity.user, group));
                    }
                }
                Effect::Rejoin {
                    session,
                    identity,
                    topics,
                } => {
                    for (topic, since) in topics {
                        self.question(What::Rejoin(session, identity.user, topic, since));
                    }
                }
                Effect::Heal { topic, since } => self.question(What::Heal(topic, since)),
                Effect::Close { wire, words, code } => {
                    let socket = &mut self.sockets[wire];
                    assert!(socket.closed.is_none(), "closed twice");
                    socket.closed = Some(code);
                    socket.words.extend(words);
                    let client = &mut self.clients[socket.client];
                    if client.socket == Some(wire) {
                        client.socket = None;
                    }
                }
                Effect::Ended {
                    session,
                    user,
                    code,
                } => {
                    self.ended.push((session, code));
                    self.inside.retain(|(inside, _)| *inside != session);
                    for client in &mut self.clients {
                        if client.session == Some(session) {
                            assert_eq!(client.identity.user, user);
                            assert!(!client.is_over, "ended twice");
                            client.is_over = true;
                            client.socket = None;
                        }
                    }
                }
            }
        }
    }

    fn question(&mut self, what: What) {
        self.questions.push(Question {
            what,
            seen: None,
            refused: false,
        });
    }

    /// First call: the entity answers. Second call: the lane hears it.
    pub(super) fn answer(&mut self, index: usize) {
        let members = &self.members;
        let topic = match self.questions[index].what {
            What::Attach(_, user) => user.into(),
            What::Subscribe(_, _, group) => group.into(),
            What::Heal(topic, _) | What::Rejoin(_, _, topic, _) => topic,
        };
        let gseq = self.gseq(topic);
        let question = &mut self.questions[index];
        let Some(seen) = question.seen else {
            question.seen = Some(gseq);
            question.refused = match question.what {
                What::Subscribe(_, user, group) => !members.contains(&(group, user)),
                What::Rejoin(_, user, topic, _) if topic.kind == EntityKind::Group => {
                    !members.contains(&(GroupId(topic.id), user))
                }
                _ => false,
            };
            return;
        };
        let Question { what, refused, .. } = self.questions.remove(index);
        match what {
            What::Attach(session, user) => {
                let groups = self.members.iter();
                let groups = groups
                    .filter(|(_, u)| *u == user)
                    .map(|(g, _)| *g)
                    .collect();
                let body = text(
                    EventName::Ready,
                    &format!("{user}:{seen}"),
                    Intents::NONE,
                    false,
                );
                self.step(Input::Joined {
                    session,
                    topic,
                    gseq: seen,
                    body: Box::new(body),
                    groups,
                    view: None,
                });
            }
            What::Subscribe(session, ..) | What::Rejoin(session, ..) if refused => {
                let bye = text(
                    EventName::GuildDelete,
                    &format!("gone:{}", topic.id),
                    Intents::NONE,
                    false,
                );
                self.step(Input::NotJoined {
                    session,
                    topic,
                    farewell: Box::new(bye),
                    again: matches!(what, What::Rejoin(..)),
                });
            }
            What::Subscribe(session, user, group) => {
                let id = format!("{group}:{seen}");
                let body = text(EventName::GuildCreate, &id, Intents::NONE, false);
                let then = self.past(group, seen);
                let view = Viewpoint {
                    access: Arc::new(then.picture()),
                    roles: then.holders.get(&user).cloned().unwrap_or_default(),
                };
                self.step(Input::Joined {
                    session,
                    topic,
                    gseq: seen,
                    body: Box::new(body),
                    groups: Vec::new(),
                    view: Some(view),
                });
            }
            What::Rejoin(session, user, topic, since) => {
                self.answer_rejoin(session, user, topic, since, seen);
            }
            What::Heal(topic, since) => {
                let trimmed = self.trimmed.get(&topic).copied().unwrap_or(0);
                let log = self.logs.get(&topic).map_or(&[][..], Vec::as_slice);
                // A page of at most three: longer gaps take several.
                let page = log[since as usize..].iter().take(3).cloned().collect();
                let events = if since < trimmed { Err(Lost) } else { Ok(page) };
                self.step(Input::Healed {
                    topic,
                    since,
                    events,
                });
            }
        }
    }

    /// Answers everything until nothing is asked.
    pub(super) fn answer_all(&mut self) {
        for _ in 0..10_000 {
            if self.questions.is_empty() {
                return;
            }
            self.answer(0);
        }
        panic!("the lane asks for ever");
    }
}
