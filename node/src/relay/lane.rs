//! A lane's thread: drains the inbox into the core, runs its effects, writes what is ready of each session in one call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use rookery_actors::entity::Clock;
use rookery_actors::relay::{
    Config, Control, Deliveries, Effect, Flush, Identity, Input, Lane, Link, Refusal, SessionRef,
    SessionView,
};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::client::presence::{Platform, Said};
use rookery_protocol::ids::UserId;
use rookery_protocol::session::{Claim, SessionKey, Taken};
use rookery_protocol::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::clerk::Clerk;
use super::counters::CountersView;
use super::encode::Encoder;
use super::hub::Hub;
use super::outbox::{Outbox, Progress};
use crate::presence::At;

/// Messages taken per wake. What came meanwhile is written in the same call.
const BATCH: usize = 512;
/// Bytes handed to a socket at once.
const PIECE_BYTES: usize = 256 * 1_024;
/// Milliseconds a socket may take for its last words.
const LAST_WORDS_MS: u64 = 5_000;

/// What comes into a lane's inbox.
pub(super) enum Message {
    Input(Input<Box<End>>),
    /// Something waits at the lane's door.
    Nudge,
    /// Another node takes a session over.
    Take {
        session: SessionRef,
        claim: Claim,
        answer: oneshot::Sender<Taken>,
    },
    /// An operator wants to see the sessions of a user.
    Look(UserId, oneshot::Sender<Vec<SessionView>>),
    /// Every socket is told to reconnect; answered when another node has taken the last session.
    Release(oneshot::Sender<()>),
    /// Every socket is told to reconnect; answered when all last words are written.
    Drain(oneshot::Sender<()>),
    /// The thread ends.
    Stop,
}

/// The answer to a client that wants a session: its socket's link and what it identified as, or its write side back.
pub type Admission = Result<(Link, Identity), (Outbox, Refusal)>;

/// A session's end of its socket, as the lane keeps it.
pub struct End {
    /// The write side.
    pub outbox: Outbox,
    /// Told once whether the session was opened or resumed.
    pub admission: Option<oneshot::Sender<Admission>>,
    /// Where the client reached us: what `resume_gateway_url` says.
    pub origin: Box<str>,
    /// What a new session says of its user, and on what; taken once.
    pub said: Option<Box<(Said, Platform)>>,
    /// Of a session that comes from another node, until it is here.
    pub arrival: Option<Box<Arrival>>,
}

/// What the lane's core does not need of a session that comes from another node.
#[derive(Debug)]
pub struct Arrival {
    /// What it is called.
    pub key: SessionKey,
    /// What its client said of its user.
    pub presence: Bytes,
}

/// Wakes a lane when a socket takes bytes again.
struct Ready {
    hub: Arc<Hub>,
    lane: usize,
    session: SessionRef,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        if let Some(door) = self.hub.doors.get(self.lane) {
            door.writable(self.session);
        }
    }
}

/// A socket whose session has let go of it and whose last words are not yet written.
struct Closing {
    outbox: Outbox,
    since: Millis,
}

pub(super) struct Thread {
    pub(super) index: usize,
    pub(super) core: Lane<Box<End>>,
    pub(super) hub: Arc<Hub>,
    pub(super) clerk: Arc<Clerk>,
    /// The buddy that knows this lane.
    pub(super) buddy: Option<u64>,
    /// Sessions end because the node does: the buddy keeps them.
    pub(super) is_over: bool,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    encoder: Encoder,
    pub(super) effects: Vec<Effect<Box<End>>>,
    closing: Vec<Closing>,
    released: Option<oneshot::Sender<()>>,
    drained: Option<oneshot::Sender<()>>,
    count: CountersView,
}

impl Thread {
    pub(super) fn new(
        index: usize,
        hub: &Arc<Hub>,
        clerk: &Arc<Clerk>,
        clock: &Arc<dyn Clock>,
        config: Config,
    ) -> Self {
        Self {
            index,
            core: Lane::new(config),
            hub: hub.clone(),
            clerk: clerk.clone(),
            buddy: None,
            is_over: false,
            clock: clock.clone(),
            runtime: Handle::current(),
            encoder: Encoder::default(),
            effects: Vec::new(),
            closing: Vec::new(),
            released: None,
            drained: None,
            count: CountersView::default(),
        }
    }

    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH);
        while inbox.blocking_recv_many(&mut batch, BATCH) > 0 {
            let now = self.clock.now();
            for message in batch.drain(..) {
                match message {
                    Message::Input(Input::Tick) => {
                        self.step(now, Input::Tick);
                        self.tell_buddy();
                    }
                    Message::Input(input) => self.step(now, input),
                    Message::Nudge => {}
                    Message::Take {
                        session,
                        claim,
                        answer,
                    } => {
                        // Who asked and is gone has been told that there is none.
                        let _ = answer.send(self.take(now, session, &claim));
                    }
                    Message::Look(user, answer) => {
                        let _ = answer.send(self.core.sessions_of(user));
                    }
                    Message::Release(done) => {
                        // What came before is still delivered.
                        self.finish(now);
                        self.released = Some(done);
                        self.step(now, Input::Release);
                    }
                    Message::Drain(done) => {
                        // What came before is still delivered.
                        self.finish(now);
                        // Who has not come back at another node yet goes on from this.
                        self.tell_buddy();
                        self.is_over = true;
                        self.drained = Some(done);
                        self.step(now, Input::Shutdown);
                    }
                    Message::Stop => return,
                }
            }
            self.finish(now);
        }
    }

    fn step(&mut self, now: Millis, input: Input<Box<End>>) {
        if matches!(input, Input::Frame(_)) {
            self.count.frames += 1;
        }
        self.core.step(now, input, &mut self.effects);
        // Before the next input: what is watched and who is told must not lag behind.
        self.run_effects(now);
    }

    /// Takes what waits at the door, writes what is ready and counts it.
    fn finish(&mut self, now: Millis) {
        if let Some(door) = self.hub.doors.get(self.index) {
            let (behind, writable) = (door.take_behind(), door.take_writable());
            for (topic, how) in behind {
                self.step(
                    now,
                    Input::Behind {
                        topic,
                        gseq: how.gseq,
                        announced: how.announced,
                    },
                );
            }
            for session in writable {
                self.step(now, Input::Writable(session));
            }
        }
        self.flush();
        self.run_effects(now);
        self.close(now);
        self.publish_counters();
    }

    fn flush(&mut self) {
        let Self {
            core,
            encoder,
            count,
            effects,
            hub,
            index,
            ..
        } = self;
        core.flush(effects, |session, end, controls, deliveries| {
            let outbox = &mut end.outbox;
            match write(outbox, encoder, count, controls, deliveries, || {
                let ready = Ready {
                    hub: hub.clone(),
                    lane: *index,
                    session,
                };
                Waker::from(Arc::new(ready))
            }) {
                Ok(Progress::Done) => Flush::Done,
                Ok(Progress::Blocked) => Flush::Blocked,
                Err(error) => {
                    tracing::debug!(%error, "socket broke while writing");
                    Flush::Failed
                }
            }
        });
        self.encoder.clear();
    }

    pub(super) fn run_effects(&mut self, now: Millis) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.run_effect(now, effect);
        }
        self.effects = effects;
    }

    fn run_effect(&mut self, now: Millis, effect: Effect<Box<End>>) {
        let lane = u16::try_from(self.index).unwrap_or_default();
        match effect {
            Effect::Watch(topic) => self.hub.watch(self.index, topic),
            Effect::Unwatch(topic) => self.hub.unwatch(self.index, topic),
            Effect::Opened(link) => {
                self.count.resumed += u64::from(link.attach > 1);
                self.count.opened += u64::from(link.attach == 1);
                let identity = self.core.identity(link.session);
                let end = self.core.wire_mut(link.session);
                let (admission, arrival) = end.map_or((None, None), |end| {
                    (end.admission.take(), end.arrival.take())
                });
                if let (Some(arrival), Some(identity)) = (arrival, identity) {
                    let session = link.session;
                    self.arrived(At { lane, session }, &identity, *arrival);
                }
                if let (Some(admission), Some(identity)) = (admission, identity) {
                    // A reader that is gone says so with a hang-up of its own, or its wire breaks.
                    let _ = admission.send(Ok((link, identity)));
                }
            }
            Effect::Refused { wire, refusal } => {
                self.count.refused += 1;
                let End {
                    outbox, admission, ..
                } = *wire;
                if let Some(admission) = admission {
                    let _ = admission.send(Err((outbox, refusal)));
                }
            }
            Effect::Attach { session, identity } => {
                let end = self.core.wire_mut(session);
                let (origin, said) = end.map_or_else(Default::default, |end| {
                    (end.origin.clone(), end.said.take())
                });
                let clerk = self.clerk.clone();
                if let Some(said) = said {
                    let (said, platform) = *said;
                    let registry = clerk.world().registry();
                    registry.open(At { lane, session }, identity.user, said, platform);
                }
                self.runtime
                    .spawn(clerk.attach(lane, session, identity, origin));
            }
            Effect::Reattach { session, identity } => {
                self.runtime
                    .spawn(self.clerk.clone().reattach(lane, session, identity));
            }
            Effect::Subscribe {
                session,
                identity,
                groups,
            } => {
                let subscribing = self
                    .clerk
                    .clone()
                    .subscribe(lane, session, identity, groups);
                self.runtime.spawn(subscribing);
            }
            Effect::Rejoin {
                session,
                identity,
                topics,
            } => {
                let rejoining = self.clerk.clone().rejoin(lane, session, identity, topics);
                self.runtime.spawn(rejoining);
            }
            Effect::Entered {
                session,
                user,
                group,
            } => {
                let registry = self.clerk.world().registry();
                registry.enter(At { lane, session }, user, group);
            }
            Effect::Left {
                session,
                user,
                group,
            } => self.clerk.left(At { lane, session }, user, group),
            Effect::Drained(session) => self.clerk.pace().drained(At { lane, session }),
            Effect::Unwritten(session) => self.clerk.pace().unwritten(At { lane, session }),
            Effect::Heal { topic, since } => {
                self.count.heals += 1;
                self.runtime
                    .spawn(self.clerk.clone().heal(lane, topic, since));
            }
            Effect::Close { wire, words, code } => self.let_go(now, *wire, &words, code),
            Effect::Ended {
                session,
                user,
                code,
            } => {
                if self.drained.is_none() {
                    let call = self.clerk.ended(At { lane, session }, user);
                    // Who is only lost goes on talking, and may come back.
                    if code == Some(CloseCode::AuthenticationFailed)
                        && let Some(call) = call
                    {
                        self.runtime.spawn(self.clerk.clone().hang_up(user, call));
                    }
                    self.runtime
                        .spawn(self.clerk.clone().detach(lane, session, user));
                }
            }
        }
    }

    /// Writes a socket's last words, as far as they go, and tells its reader.
    fn let_go(&mut self, now: Millis, end: End, words: &[Control], code: Option<CloseCode>) {
        let End { mut outbox, .. } = end;
        self.encoder.clear();
        for word in words {
            self.encoder.control(outbox.deflate(), word);
        }
        if let Some(code) = code {
            self.encoder.close(code);
        }
        let sent = outbox.send(self.encoder.frames(), &mut self.count);
        let is_slow = matches!(sent, Ok(Progress::Blocked));
        self.count.slow_closes += u64::from(is_slow && code.is_some());
        outbox.wire().let_go();
        match sent {
            Ok(Progress::Blocked) => self.closing.push(Closing { outbox, since: now }),
            Ok(Progress::Done) => outbox.wire().finish(),
            Err(_) => {}
        }
    }

    /// Goes on with sockets whose last words are not yet written.
    fn close(&mut self, now: Millis) {
        let count = &mut self.count;
        self.closing.retain_mut(|closing| {
            let is_late = now.since(closing.since) > LAST_WORDS_MS;
            match closing.outbox.push(count) {
                Ok(Progress::Blocked) => !is_late,
                Ok(Progress::Done) => {
                    closing.outbox.wire().finish();
                    false
                }
                Err(_) => false,
            }
        });
        if self.closing.is_empty()
            && let Some(drained) = self.drained.take()
        {
            let _ = drained.send(());
        }
    }

    fn publish_counters(&mut self) {
        let census = self.core.census();
        if census.sessions == 0
            && let Some(released) = self.released.take()
        {
            // Who waited for it has gone on.
            let _ = released.send(());
        }
        let Some(door) = self.hub.doors.get(self.index) else {
            return;
        };
        door.counters.add(&std::mem::take(&mut self.count));
        let counters = &door.counters;
        counters.sessions.store(census.sessions as u64, Relaxed);
        counters.topics.store(census.topics as u64, Relaxed);
        counters.log_bytes.store(census.log_bytes as u64, Relaxed);
    }
}

/// Writes all that is ready of one session. When the socket is full, the waker is armed.
fn write(
    outbox: &mut Outbox,
    encoder: &mut Encoder,
    count: &mut CountersView,
    controls: &mut Vec<Control>,
    mut deliveries: Deliveries<'_>,
    waker: impl Fn() -> Waker,
) -> io::Result<Progress> {
    let mut progress = outbox.push(count)?;
    loop {
        while progress == Progress::Done {
            encoder.clear();
            for control in controls.drain(..) {
                encoder.control(outbox.deflate(), &control);
            }
            for delivery in deliveries.by_ref() {
                encoder.dispatch(outbox.deflate(), &delivery);
                count.deliveries += 1;
                if encoder.frames().len() >= PIECE_BYTES {
                    break;
                }
            }
            if encoder.frames().is_empty() {
                return Ok(Progress::Done);
            }
            progress = outbox.send(encoder.frames(), count)?;
        }
        let waker = waker();
        match outbox.poll_writable(&mut Context::from_waker(&waker)) {
            Poll::Pending => return Ok(Progress::Blocked),
            Poll::Ready(ready) => ready?,
        }
        progress = outbox.push(count)?;
    }
}
