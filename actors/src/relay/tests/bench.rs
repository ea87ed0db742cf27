//! A lane with its world: entities with event logs, questions that are answered when the test says so, clients that check
//! every number.
#![allow(
    clippy::cast_possible_truncation,
    reason = "the numbers of a test are small"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::user::Proof;
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{
    Act, Audience, Dispatch, Event, EventName, Frame, FrameSeq, SharedFrame,
};
use rookery_protocol::ids::{GroupId, LoginId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;
use serde_json::{Value, json};

use crate::relay::{
    Config, Control, Effect, Flush, Identity, Input, Lane, Link, Lost, Refusal, Secret, SessionRef,
    Viewpoint,
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
}

pub(super) struct Bench {
    pub(super) lane: Lane<usize>,
    pub(super) now: Millis,
    pub(super) logs: BTreeMap<EntityRef, Vec<SharedFrame>>,
    /// Events up to here are not in the event log any more.
    pub(super) trimmed: BTreeMap<EntityRef, u64>,
    pub(super) members: BTreeSet<(GroupId, UserId)>,
    pub(super) notices: Vec<(UserId, GroupId)>,
    pub(super) questions: Vec<Question>,
    pub(super) sockets: Vec<Socket>,
    pub(super) clients: Vec<Client>,
    pub(super) watched: HashSet<EntityRef>,
    pub(super) reattached: Vec<SessionRef>,
}

pub(super) fn text(name: EventName, id: &str, intents: Intents, secret: bool) -> Dispatch {
    let content = if secret { "words" } else { "" };
    let body = json!({ "id": id, "content": content });
    Dispatch {
        name,
        body: Bytes::from(body.to_string()),
        intents,
        content_for: secret.then(|| vec![AUTHOR]),
    }
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        Self {
            lane: Lane::new(config),
            now: Millis(1_000_000),
            logs: BTreeMap::new(),
            trimmed: BTreeMap::new(),
            members: BTreeSet::new(),
            notices: Vec::new(),
            questions: Vec::new(),
            sockets: Vec::new(),
            clients: Vec::new(),
            watched: HashSet::new(),
            reattached: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, input: Input<usize>) {
        let mut effects = Vec::new();
        self.lane.step(self.now, input, &mut effects);
        self.run(effects);
    }

    fn run(&mut self, effects: Vec<Effect<usize>>) {
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
                Effect::Subscribe {
                    session,
                    user,
                    groups,
                } => {
                    for group in groups {
                        self.question(What::Subscribe(session, user, group));
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
                Effect::Ended { session, user } => {
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

    pub(super) fn gseq(&self, topic: EntityRef) -> u64 {
        self.logs.get(&topic).map_or(0, |log| log.len() as u64)
    }

    /// An entity decides an event; `lost`: the lane's inbox was full.
    pub(super) fn emit(&mut self, topic: EntityRef, audience: Audience, act: Act, lost: bool) {
        let log = self.logs.entry(topic).or_default();
        let frame = Arc::new(Frame {
            topic,
            seq: FrameSeq::Logged(log.len() as u64 + 1),
            event: Event {
                audience,
                act,
                access: None,
            },
        });
        log.push(frame.clone());
        if !lost && self.watched.contains(&topic) {
            self.step(Input::Frame(frame));
        }
    }

    pub(super) fn value(&mut self, topic: EntityRef, act: Act) {
        let frame = Arc::new(Frame {
            topic,
            seq: FrameSeq::Value(self.gseq(topic)),
            event: Event {
                access: None,
                audience: Audience::Everyone,
                act,
            },
        });
        if self.watched.contains(&topic) {
            self.step(Input::Frame(frame));
        }
    }

    pub(super) fn message(&mut self, group: GroupId, lost: bool) {
        let id = format!("{}", self.gseq(group.into()) + 1);
        let dispatch = text(
            EventName::MessageCreate,
            &format!("{group}:{id}"),
            Intents::GUILD_MESSAGES,
            true,
        );
        self.emit(
            group.into(),
            Audience::Everyone,
            Act::Dispatch(dispatch),
            lost,
        );
    }

    pub(super) fn join_group(&mut self, user: UserId, group: GroupId, lost: bool) {
        if self.members.insert((group, user)) {
            let id = format!("{group}:{}", self.gseq(group.into()) + 1);
            let dispatch = text(EventName::GuildMemberAdd, &id, Intents::NONE, false);
            self.emit(
                group.into(),
                Audience::Everyone,
                Act::Dispatch(dispatch),
                lost,
            );
            self.notices.push((user, group));
        }
    }

    pub(super) fn notify(&mut self, index: usize, lost: bool) {
        let (user, group) = self.notices.remove(index);
        self.emit(user.into(), Audience::Everyone, Act::Enter(group), lost);
    }

    pub(super) fn leave_group(&mut self, user: UserId, group: GroupId, lost: bool) {
        if self.members.remove(&(group, user)) {
            let id = format!("{group}:{}", self.gseq(group.into()) + 1);
            let bye = text(EventName::GuildDelete, &id, Intents::NONE, false);
            self.emit(group.into(), Audience::User(user), Act::Farewell(bye), lost);
        }
    }

    /// First call: the entity answers. Second call: the lane hears it.
    pub(super) fn answer(&mut self, index: usize) {
        let members = &self.members;
        let topic = match self.questions[index].what {
            What::Attach(_, user) => user.into(),
            What::Subscribe(_, _, group) => group.into(),
            What::Heal(topic, _) => topic,
        };
        let gseq = self.gseq(topic);
        let question = &mut self.questions[index];
        let Some(seen) = question.seen else {
            question.seen = Some(gseq);
            if let What::Subscribe(_, user, group) = question.what {
                question.refused = !members.contains(&(group, user));
            }
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
            What::Subscribe(session, _, group) if refused => {
                let bye = text(
                    EventName::GuildDelete,
                    &format!("gone:{group}"),
                    Intents::NONE,
                    false,
                );
                self.step(Input::NotJoined {
                    session,
                    topic,
                    farewell: Box::new(bye),
                });
            }
            What::Subscribe(session, _, group) => {
                let id = format!("{group}:{seen}");
                let body = text(EventName::GuildCreate, &id, Intents::NONE, false);
                self.step(Input::Joined {
                    session,
                    topic,
                    gseq: seen,
                    body: Box::new(body),
                    groups: Vec::new(),
                    view: Some(Viewpoint {
                        access: Arc::default(),
                        roles: Vec::new(),
                    }),
                });
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

    pub(super) fn client(&mut self, user: u64, intents: Intents) -> usize {
        let n = self.clients.len();
        let identity = Identity {
            user: UserId(user),
            proof: Proof::Login(LoginId(n as u64 + 1)),
            intents,
            shard: None,
            secret: Secret([n as u8; 16]),
        };
        self.open(identity)
    }

    pub(super) fn open(&mut self, identity: Identity) -> usize {
        let client = self.clients.len();
        self.clients.push(Client {
            identity,
            session: None,
            socket: None,
            received: Vec::new(),
            replay: VecDeque::new(),
            is_over: false,
        });
        let wire = self.socket(client);
        self.step(Input::Open { identity, wire });
        client
    }

    fn socket(&mut self, client: usize) -> usize {
        self.sockets.push(Socket {
            client,
            ..Socket::default()
        });
        self.sockets.len() - 1
    }

    /// Cuts or ends a client's socket.
    pub(super) fn hangup(&mut self, client: usize, end: bool) {
        if let Some(socket) = self.clients[client].socket {
            let link = self.sockets[socket].link.unwrap();
            self.step(Input::Hangup {
                link,
                end,
                code: None,
            });
        }
    }

    /// Resumes as if the last `back` events had not arrived.
    pub(super) fn resume(&mut self, client: usize, back: usize) -> Option<Refusal> {
        let session = self.clients[client].session?;
        let identity = self.clients[client].identity;
        let cursor = self.clients[client].received.len().saturating_sub(back);
        let wire = self.socket(client);
        self.step(Input::Resume {
            session,
            user: identity.user,
            secret: identity.secret,
            seq: cursor as u64,
            wire,
        });
        // A refused resume leaves a socket that is still there as it is.
        if self.sockets[wire].refused.is_none() {
            let client = &mut self.clients[client];
            let mut again = client.received.split_off(cursor);
            again.extend(std::mem::take(&mut client.replay));
            again.retain(|(name, _)| *name != EventName::Resumed);
            client.replay = again.into();
        }
        self.sockets[wire].refused
    }

    pub(super) fn flush(&mut self) {
        let mut effects = Vec::new();
        let (sockets, clients) = (&mut self.sockets, &mut self.clients);
        self.lane
            .flush(&mut effects, |session, wire, controls, mut deliveries| {
                let socket = &mut sockets[*wire];
                if socket.is_full {
                    return Flush::Blocked;
                }
                socket.words.append(controls);
                let client = &mut clients[socket.client];
                assert_eq!(client.session, Some(session));
                for delivery in deliveries.by_ref() {
                    let body: Value = serde_json::from_slice(delivery.body).unwrap();
                    let item = (delivery.name, body);
                    if let Some(before) = client.replay.pop_front() {
                        assert_eq!(before, item, "a replay is what was sent");
                    }
                    client.received.push(item);
                    let seq = client.received.len() as u64;
                    assert_eq!(delivery.seq, seq, "numbers are dense");
                }
                Flush::Done
            });
        self.run(effects);
    }

    /// Tells the lane how far every topic has come, as nudges and announcements do.
    pub(super) fn reveal(&mut self) {
        let topics: Vec<_> = self.logs.keys().copied().collect();
        for topic in topics {
            let gseq = self.gseq(topic);
            self.step(Input::Behind {
                topic,
                gseq,
                announced: false,
            });
        }
    }

    /// What a client received of one topic since it last joined: names and numbers.
    pub(super) fn names(&self, client: usize) -> Vec<(EventName, String)> {
        let received = self.clients[client].received.iter();
        received
            .map(|(name, body)| (*name, body["id"].as_str().unwrap_or("").to_owned()))
            .collect()
    }

    /// Every live client has got exactly what its topics said since it joined them, and is where its user is a member.
    pub(super) fn check(&self) {
        for (n, client) in self.clients.iter().enumerate() {
            if client.is_over {
                continue;
            }
            let user = client.identity.user;
            for (&topic, log) in &self.logs {
                if topic.kind == EntityKind::Group {
                    self.check_topic(n, client, topic, log);
                }
            }
            let ready = client
                .received
                .iter()
                .filter(|(name, _)| *name == EventName::Ready);
            assert_eq!(ready.count(), 1, "client {n} of {user}");
        }
    }

    fn check_topic(&self, n: usize, client: &Client, topic: EntityRef, log: &[SharedFrame]) {
        let user = client.identity.user;
        let group = GroupId(topic.id);
        let prefix = format!("{group}:");
        let mut joined_at = None;
        // What must come next, while the client is on the topic.
        let mut expected: Vec<(u64, bool)> = Vec::new();
        for (name, body) in &client.received {
            let Some(gseq) = body["id"].as_str().and_then(|id| id.strip_prefix(&prefix)) else {
                continue;
            };
            let gseq: u64 = gseq.parse().unwrap();
            if *name == EventName::Ready {
                continue;
            }
            if *name == EventName::GuildCreate {
                assert_eq!(joined_at, None, "client {n} joined {topic} twice");
                joined_at = Some(gseq);
                expected = log[gseq as usize..]
                    .iter()
                    .filter_map(|frame| wanted(client, frame))
                    .rev()
                    .collect();
                continue;
            }
            assert!(joined_at.is_some(), "client {n} is not on {topic}");
            let next = expected.pop();
            assert_eq!(next.map(|(g, _)| g), Some(gseq), "client {n} on {topic}");
            if *name == EventName::MessageCreate {
                let sees =
                    user == AUTHOR || client.identity.intents.contains(Intents::MESSAGE_CONTENT);
                assert_eq!(body["content"], if sees { "words" } else { "" });
            }
            if next.is_some_and(|(_, is_farewell)| is_farewell) {
                joined_at = None;
                expected.clear();
            }
        }
        assert!(
            expected.is_empty(),
            "client {n} misses {expected:?} of {topic}"
        );
        assert_eq!(
            joined_at.is_some(),
            self.members.contains(&(group, user)),
            "client {n} of {user} on {topic}"
        );
    }
}

/// The number of a frame that goes to a client, and whether it is the last one of its membership.
fn wanted(client: &Client, frame: &Frame) -> Option<(u64, bool)> {
    let FrameSeq::Logged(gseq) = frame.seq else {
        return None;
    };
    let is_meant = match frame.event.audience {
        Audience::Everyone | Audience::Channel(_) | Audience::Holders { .. } => true,
        Audience::User(user) => user == client.identity.user,
    };
    let (dispatch, is_farewell) = match &frame.event.act {
        Act::Dispatch(dispatch) => (dispatch, false),
        Act::Farewell(dispatch) => (dispatch, true),
        _ => return None,
    };
    (is_meant && client.identity.intents.admit(dispatch.intents)).then_some((gseq, is_farewell))
}
