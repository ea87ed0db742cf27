//! The lane's sessions: slots and sockets.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Dispatch, EventName};
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::log::{Entry, Log, Source};
use super::session::Session;
use super::telling::Teller;
use super::topic::{Join, Start, Topic};
use super::wire::{Control, Effect, Identity, Input, Link, Refusal, Secret, SessionRef};

/// What a lane holds for others at most.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Milliseconds a session without a socket can be resumed, and that the log reaches back.
    pub resume_ms: u64,
    /// Bytes of the log.
    pub log_bytes: usize,
    /// Unsent bytes of a session.
    pub outbox_bytes: usize,
    /// Sessions of one user.
    pub sessions_per_user: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            resume_ms: limits::RESUME_MS,
            log_bytes: limits::REPLAY_LOG_BYTES,
            outbox_bytes: limits::OUTBOX_BYTES,
            sessions_per_user: limits::SESSIONS_PER_USER,
        }
    }
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Sessions, detached ones included.
    pub sessions: usize,
    /// Topics that are followed.
    pub topics: usize,
    /// Entries of the log.
    pub log_entries: usize,
    /// Bytes of the log.
    pub log_bytes: usize,
}

/// A session as an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionView {
    /// Which.
    pub session: SessionRef,
    /// Who identified.
    pub identity: Identity,
    /// Whether it has a socket.
    pub is_connected: bool,
    /// The number of its last event.
    pub seq: u64,
    /// Topics that it is on.
    pub topics: usize,
    /// Bytes of events that wait for its socket.
    pub pending_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Slot<W> {
    pub(super) generation: u32,
    pub(super) session: Option<Session<W>>,
}

/// A relay lane. `W` is a session's write side.
#[derive(Debug)]
pub struct Lane<W> {
    pub(super) config: Config,
    pub(super) now: Millis,
    pub(super) slots: Vec<Slot<W>>,
    pub(super) free: Vec<u32>,
    /// Slots by user, oldest session first.
    pub(super) users: HashMap<UserId, Vec<u32>>,
    pub(super) topics: HashMap<EntityRef, Topic>,
    pub(super) log: Log,
    /// Slots that have something to flush.
    pub(super) dirty: Vec<u32>,
    /// Slots that hold more than they may.
    pub(super) slow: Vec<u32>,
    pub(super) nobody: Arc<[u32]>,
    pub(super) teller: Teller,
}

impl<W> Lane<W> {
    /// An empty lane.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: Millis(0),
            slots: Vec::new(),
            free: Vec::new(),
            users: HashMap::new(),
            topics: HashMap::new(),
            log: Log::default(),
            dirty: Vec::new(),
            slow: Vec::new(),
            nobody: Arc::from([]),
            teller: Teller::default(),
        }
    }

    /// How much there is of everything.
    pub fn census(&self) -> Census {
        Census {
            sessions: self.slots.len() - self.free.len(),
            topics: self.topics.len(),
            log_entries: self.log.len(),
            log_bytes: self.log.bytes(),
        }
    }

    /// The sessions of a user, the oldest first.
    pub fn sessions_of(&self, user: UserId) -> Vec<SessionView> {
        let indices = self.users.get(&user).into_iter().flatten();
        let views = indices.filter_map(|&index| {
            let slot = self.slots.get(index as usize)?;
            let session = slot.session.as_ref()?;
            Some(SessionView {
                session: SessionRef {
                    slot: index,
                    generation: slot.generation,
                },
                identity: session.identity,
                is_connected: session.wire.is_some(),
                seq: session.seq,
                topics: session.topics.len(),
                pending_bytes: session.pending_bytes,
            })
        });
        views.collect()
    }

    /// The write side of a session that has a socket.
    pub fn wire_mut(&mut self, session: SessionRef) -> Option<&mut W> {
        self.session_mut(session)?.wire.as_mut()
    }

    /// Who a session identified as.
    pub fn identity(&self, session: SessionRef) -> Option<Identity> {
        let slot = self.slots.get(session.slot as usize)?;
        let found = slot.session.as_ref()?;
        (slot.generation == session.generation).then_some(found.identity)
    }

    /// Takes one input.
    pub fn step(&mut self, now: Millis, input: Input<W>, out: &mut Vec<Effect<W>>) {
        self.now = self.now.max(now);
        match input {
            Input::Frame(frame) => self.frame(frame, out),
            Input::Control { link, control } => self.control(link, control),
            Input::Writable(session) => self.writable(session),
            Input::Open { identity, wire } => self.open(identity, wire, out),
            Input::Resume {
                session,
                user,
                secret,
                seq,
                wire,
            } => match self.resume(session, user, &secret, seq) {
                Err(refusal) => out.push(Effect::Refused { wire, refusal }),
                Ok(missed) => self.attach(session.slot, missed, wire, out),
            },
            Input::Adopt { parcel, wire } => self.adopt(*parcel, wire, out),
            Input::Hangup {
                link,
                end,
                answer,
                code,
            } => {
                let last_words = answer.into_iter().collect();
                self.hangup(link, end, last_words, code, out);
            }
            Input::Behind {
                topic,
                gseq,
                announced,
            } => self.behind(topic, gseq, announced, out),
            Input::Healed {
                topic,
                since,
                events,
            } => self.healed(topic, since, events, out),
            Input::Joined {
                session,
                topic,
                gseq,
                body,
                groups,
                view,
            } => self.joined(
                Join {
                    session,
                    topic,
                    gseq,
                    start: Start::Picture { body, groups },
                    view,
                },
                out,
            ),
            Input::Rejoined {
                session,
                topic,
                since,
                events,
                again,
            } => self.rejoined(session, topic, since, events, again, out),
            Input::NotJoined {
                session,
                topic,
                farewell,
                again,
            } => self.not_joined(session, topic, farewell, again, out),
            Input::Give {
                session,
                dispatch,
                paced,
            } => self.given(session, dispatch, paced, out),
            Input::Expel { session, code } => {
                if self.session_mut(session).is_some() {
                    self.end(session.slot, Vec::new(), Some(code), out);
                }
            }
            Input::Tick => self.tick(out),
            Input::Release => self.release(out),
            Input::Shutdown => self.shutdown(out),
        }
        while let Some(slot) = self.slow.pop() {
            self.detach(slot, Vec::new(), Some(CloseCode::UnknownError), out);
        }
    }

    pub(super) fn session_mut(&mut self, session: SessionRef) -> Option<&mut Session<W>> {
        let slot = self.slots.get_mut(session.slot as usize)?;
        (slot.generation == session.generation)
            .then_some(slot.session.as_mut())
            .flatten()
    }

    /// The session of a link, if the link is still the session's socket.
    fn linked(&mut self, link: Link) -> Option<&mut Session<W>> {
        self.session_mut(link.session)
            .filter(|session| session.attach == link.attach && session.wire.is_some())
    }

    pub(super) fn at(&mut self, slot: u32) -> Option<&mut Session<W>> {
        self.slots.get_mut(slot as usize)?.session.as_mut()
    }

    pub(super) fn session_ref(&self, slot: u32) -> SessionRef {
        let generation = self.slots.get(slot as usize).map_or(0, |s| s.generation);
        SessionRef { slot, generation }
    }

    fn open(&mut self, identity: Identity, wire: W, out: &mut Vec<Effect<W>>) {
        let slot = self.seat(identity, wire, out);
        let session = self.session_ref(slot);
        out.push(Effect::Opened(Link { session, attach: 1 }));
        self.ask(slot, identity.user.into(), out);
        out.push(Effect::Attach { session, identity });
    }

    /// A place for a session; if its user has too many his oldest one ends. Answers its slot.
    pub(super) fn seat(&mut self, identity: Identity, wire: W, out: &mut Vec<Effect<W>>) -> u32 {
        let mine = self
            .users
            .get(&identity.user)
            .map_or(&[][..], Vec::as_slice);
        if mine.len() >= self.config.sessions_per_user
            && let Some(&oldest) = mine.first()
        {
            self.invalidate(oldest, out);
        }
        let session = Session::new(identity, self.log.next(), wire);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                session: None,
            });
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize].session = Some(session);
        self.users.entry(identity.user).or_default().push(slot);
        slot
    }

    /// Checks a resume, and finds the positions of what the client has missed.
    pub(super) fn resume(
        &mut self,
        session: SessionRef,
        user: UserId,
        secret: &Secret,
        seq: u64,
    ) -> Result<VecDeque<u64>, Refusal> {
        let slot = session.slot;
        let Some(session) = self.session_mut(session) else {
            return Err(Refusal::Unknown);
        };
        if !session.ready
            || session.identity.user != user
            || !session.identity.secret.matches(secret)
        {
            return Err(Refusal::InvalidSession);
        }
        let missing = session.seq.checked_sub(seq).ok_or(Refusal::InvalidSeq)?;
        let Some(Some(session)) = self.slots.get(slot as usize).map(|s| s.session.as_ref()) else {
            return Err(Refusal::InvalidSession);
        };
        let missed = self.log.missed(slot, session, missing);
        let Some(mut missed) = missed else {
            tracing::debug!(missing, "resume beyond the replay log");
            return Err(Refusal::InvalidSession);
        };
        // An earlier RESUMED would end the client's replay too early: it is taken out as if it had never been.
        let before = missed.len();
        missed.retain(|&position| !self.log.take_out_resumed(position));
        if let Some(session) = self.at(slot) {
            session.seq -= (before - missed.len()) as u64;
        }
        Ok(missed)
    }

    /// Gives a session its next socket, on which what was missed comes first.
    fn attach(&mut self, slot: u32, missed: VecDeque<u64>, wire: W, out: &mut Vec<Effect<W>>) {
        self.detach(slot, Vec::new(), Some(CloseCode::UnknownError), out);
        let reference = self.session_ref(slot);
        let Some(session) = self.at(slot) else { return };
        session.attach += 1;
        session.wire = Some(wire);
        session.pending = missed;
        let link = Link {
            session: reference,
            attach: session.attach,
        };
        out.push(Effect::Opened(link));
        self.say_resumed(slot);
    }

    /// RESUMED, behind what was missed.
    pub(super) fn say_resumed(&mut self, slot: u32) {
        let resumed = Dispatch {
            name: EventName::Resumed,
            body: Bytes::from_static(br#"{"_trace":[]}"#),
            intents: Intents::NONE,
            content_for: None,
            about: None,
        };
        self.give(slot, Box::new(resumed));
    }

    /// Appends an event that is only this session's.
    pub(super) fn give(&mut self, slot: u32, dispatch: Box<Dispatch>) {
        self.deliver(Entry {
            at: self.now,
            source: Source::Own(dispatch),
            redacted: None,
            recipients: Arc::from([slot]),
        });
    }

    /// Gives a session what only it is told.
    fn given(
        &mut self,
        session: SessionRef,
        dispatch: Box<Dispatch>,
        paced: bool,
        out: &mut Vec<Effect<W>>,
    ) {
        let mut has_wire = false;
        if let Some(found) = self.session_mut(session).filter(|found| found.ready) {
            has_wire = found.wire.is_some();
            found.paced |= paced && has_wire;
            self.give(session.slot, dispatch);
        }
        if paced && !has_wire {
            out.push(Effect::Unwritten(session));
        }
    }

    fn control(&mut self, link: Link, control: Control) {
        /// More than this many unwritten answers: the client does not read.
        const WAITING_CONTROLS: usize = 64;
        let slot = link.session.slot;
        let Some(session) = self.linked(link) else {
            return;
        };
        session.controls.push(control);
        if session.blocked && session.controls.len() > WAITING_CONTROLS {
            self.slow.push(slot);
        } else {
            self.mark(slot);
        }
    }

    fn writable(&mut self, session: SessionRef) {
        if let Some(found) = self.session_mut(session) {
            found.blocked = false;
            self.mark(session.slot);
        }
    }

    /// Puts a session on the list to flush.
    fn mark(&mut self, slot: u32) {
        if let Some(session) = self.at(slot)
            && !session.dirty
            && !session.blocked
        {
            session.dirty = true;
            self.dirty.push(slot);
        }
    }

    fn hangup(
        &mut self,
        link: Link,
        end: bool,
        last_words: Vec<Control>,
        code: Option<CloseCode>,
        out: &mut Vec<Effect<W>>,
    ) {
        let Some(session) = self.linked(link) else {
            return;
        };
        if end || !session.ready {
            self.end(link.session.slot, last_words, code, out);
        } else {
            self.detach(link.session.slot, last_words, code, out);
        }
    }

    /// Takes a session's socket away; it can be resumed.
    pub(super) fn detach(
        &mut self,
        slot: u32,
        last_words: Vec<Control>,
        code: Option<CloseCode>,
        out: &mut Vec<Effect<W>>,
    ) {
        let (reference, now) = (self.session_ref(slot), self.now);
        if let Some(session) = self.at(slot) {
            session.detach(reference, now, last_words, code, out);
        }
    }
}
