//! The ractor shell of an entity: carries out what its machine decides and brings back what became of it. A handler
//! never waits: commits, reads and deliveries come back as messages.

#![allow(
    clippy::disallowed_methods,
    reason = "the shell is where reads and deliveries become tasks; each ends by itself or with its actor"
)]

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorStatus};
use rookery_protocol::command::{Answer, Notice, Reply};
use rookery_protocol::document::{self, Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::{ActorId, TraceLine};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use tokio::sync::oneshot;

use super::core::{LoadError, ReplyTo};
use super::counters::{Counters, Handled, Timed, Waiting};
use super::directory::Directory;
use super::incidents::Trouble;
use super::inspect::Figures;
use super::kind::Kind;
use super::log::Log;
use super::machine::Machine;
use super::mailbox::{Letterbox, Mailbox, Message};
use super::origin::Origin;
use super::stimulus::{AckTo, Action, Stimulus};
use super::world::World;
use crate::store::{StoreError, Unit};

/// Milliseconds before a delivery that failed is repeated; doubles up to [`REDELIVER_MAX_MS`].
const REDELIVER_MS: u64 = 100;

/// What an entity crashes of when an operator restarts it.
pub(super) const RESTARTED: &str = "restarted by an operator";

/// The longest pause between repetitions, in milliseconds.
const REDELIVER_MAX_MS: u64 = 10_000;

/// What an actor is started with.
pub(super) struct Birth {
    pub(super) entity: EntityRef,
    pub(super) world: World,
    pub(super) directory: Directory,
    pub(super) counters: Arc<Counters>,
    /// What waits for this life.
    pub(super) waiting: Arc<Waiting>,
}

/// An entity's life.
pub(super) struct Life<C: Kind> {
    birth: Birth,
    /// Set once loaded, before the first message; unless it could not be.
    machine: Option<Machine<C>>,
    spoiled: Option<Spoiled>,
    ports: HashMap<ReplyTo, oneshot::Sender<Answer<Reply>>>,
    acks: HashMap<AckTo, oneshot::Sender<()>>,
    next_port: u64,
    is_leaving: bool,
    /// What the message that is handled belongs to.
    origin: Option<Origin>,
    /// What it wrote, if somebody looks on.
    written: Written,
    actions: Vec<Action<C::Reply>>,
}

/// What a message wrote.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    rows: u32,
    events: u32,
}

/// An entity whose rows cannot be read: it answers with the incident that the log tells of, and is loaded anew after a
/// while, in case somebody has put them right.
struct Spoiled {
    since: Millis,
    refusal: ApiError,
}

/// The actor; its state is [`Life`].
pub(super) struct Shell<C>(PhantomData<C>);

impl<C> Shell<C> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<C: Kind> Actor for Shell<C> {
    type Msg = Timed<Message>;
    type State = Life<C>;
    type Arguments = Birth;

    async fn pre_start(&self, _: Mailbox, birth: Birth) -> Result<Life<C>, ActorProcessingErr> {
        let (ports, acks) = (HashMap::new(), HashMap::new());
        Ok(Life {
            birth,
            machine: None,
            spoiled: None,
            ports,
            acks,
            next_port: 0,
            is_leaving: false,
            origin: None,
            written: Written::default(),
            actions: Vec::new(),
        })
    }

    /// Loads. Here rather than in `pre_start`, so that the supervisor hears of a failure. Messages wait meanwhile.
    async fn post_start(&self, me: Mailbox, life: &mut Life<C>) -> Result<(), ActorProcessingErr> {
        let Birth { entity, world, .. } = &life.birth;
        let entity = *entity;
        // A crashed or passivated life may have left units on the lane: they must not land after this read.
        world.lane.drain().await;
        match load::<C>(entity, world).await {
            Ok((core, log)) => {
                let mut machine = Machine::new(entity, core, log, world.clock.now());
                machine.start(&mut life.actions);
                life.machine = Some(machine);
                life.carry_out(&me)
            }
            Err(error) if error.is_lasting() => {
                let incident = world.incident();
                tracing::error!(%entity, %error, incident, "entity cannot be read");
                life.spoiled = Some(Spoiled {
                    since: world.clock.now(),
                    refusal: ApiError::incident(incident),
                });
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn handle(
        &self,
        me: Mailbox,
        timed: Timed<Message>,
        life: &mut Life<C>,
    ) -> Result<(), ActorProcessingErr> {
        let put_ns = timed.at_ns();
        let message = match timed.message {
            Message::Passivate(told) => {
                let is_idle = life.passivate(&me, told.is_none())?;
                if let Some(told) = told {
                    // Who does not wait any more has been told nothing.
                    let _ = told.send(is_idle);
                }
                return Ok(());
            }
            Message::Leave => {
                life.is_leaving = true;
                life.leave(&me);
                return Ok(());
            }
            Message::Restart => return Err(RESTARTED.into()),
            Message::Describe(port) => {
                let _ = port.send(life.figures());
                return Ok(());
            }
            message => message,
        };
        let counters = Arc::clone(&life.birth.counters);
        let (kind, taken_ns) = (message.name(), counters.now_ns());
        life.origin = match &message {
            Message::Command { origin, .. } => *origin,
            _ => None,
        };
        let result = life.take(&me, message);
        let handled = counters.handle(&life.birth.waiting, kind, put_ns, taken_ns);
        life.handled(kind, handled);
        life.leave(&me);
        result
    }
}

impl<C: Kind> Life<C> {
    /// Notes how a message was handled.
    fn handled(&mut self, kind: &'static str, handled: Handled) {
        let Birth {
            entity,
            directory,
            counters,
            world,
            ..
        } = &self.birth;
        directory
            .kinds()
            .record(ActorId::from(*entity).kind, kind, handled);
        if handled.busy_ns > limits::SLOW_HANDLER_NS {
            let ns = handled.busy_ns;
            directory
                .incidents()
                .add(*entity, Trouble::Slow { kind, ns });
        }
        if let Some(request) = self.origin {
            tracing::debug!(%entity, kind, %request, us = handled.busy_ns / 1_000, "handled");
        }
        let written = std::mem::take(&mut self.written);
        if counters.is_tapped() {
            let line = TraceLine {
                at_ms: world.clock.now().0,
                kind: kind.to_owned(),
                request: self.origin.map(|origin| origin.to_string()),
                wait_us: handled.wait_ns / 1_000,
                handle_us: handled.busy_ns / 1_000,
                writes: written.rows,
                events: written.events,
                depth: counters.depth(),
            };
            directory.taps().show(*entity, &line);
        }
    }

    /// Figures of the state, for an operator.
    fn figures(&self) -> Figures {
        let mut figures = vec![("waiting_for_an_answer", self.ports.len() as u64)];
        if let Some(machine) = &self.machine {
            machine.figures(&mut figures);
        }
        figures
    }

    fn take(&mut self, me: &Mailbox, message: Message) -> Result<(), ActorProcessingErr> {
        if let Some(spoiled) = &self.spoiled {
            // Notices are not taken, so they come again.
            if let Message::Command { port, .. } = message {
                answer(port, Err(spoiled.refusal.clone()));
            }
            if self.birth.world.clock.now().since(spoiled.since) >= limits::SPOILED_MS {
                self.birth.directory.forget(self.birth.entity, me.get_id());
                me.stop(Some("to be loaded anew".to_owned()));
            }
            return Ok(());
        }
        let Some(stimulus) = self.stimulus(message) else {
            return Ok(());
        };
        let now = self.birth.world.clock.now();
        let Some(machine) = &mut self.machine else {
            return Ok(());
        };
        machine.step(now, stimulus, &mut self.actions);
        self.carry_out(me)
    }

    /// The message as the machine takes it, its ports put aside; `None` when it was answered here.
    fn stimulus(&mut self, message: Message) -> Option<Stimulus<C::Command>> {
        Some(match message {
            Message::Command {
                command,
                request,
                origin: _,
                port,
            } => {
                if port.is_closed() {
                    // The asker has given up: nothing was done, and it was told that it cannot know.
                    return None;
                }
                if self.ports.len() as u64 >= limits::MAILBOX || self.is_short() {
                    answer(port, Err(ErrorCode::Busy.into()));
                    return None;
                }
                let Some(command) = C::command(command) else {
                    answer(port, Err(ErrorCode::Internal.into()));
                    return None;
                };
                let reply = ReplyTo(self.next_port());
                self.ports.insert(reply, port);
                Stimulus::Command {
                    command,
                    reply,
                    request,
                }
            }
            Message::Notice {
                from,
                seq,
                notice,
                port,
            } => {
                if self.is_short() {
                    // Dropping the port says "not taken"; the sender repeats it.
                    return None;
                }
                let ack = AckTo(self.next_port());
                self.acks.insert(ack, port);
                Stimulus::Notice {
                    from,
                    seq,
                    notice,
                    ack,
                }
            }
            Message::Fetched { table, key, row } => Stimulus::Fetched { table, key, row },
            Message::Settled { ticket, outcome } => Stimulus::Settled { ticket, outcome },
            Message::Delivered { seq } => Stimulus::Delivered { seq },
            Message::Passivate(_) | Message::Leave | Message::Restart | Message::Describe(_) => {
                return None;
            }
        })
    }

    /// Whether the lane has no room for what would be written, or the minter none for ids.
    fn is_short(&self) -> bool {
        self.birth.directory.is_lane_full() || !self.birth.world.kit.ids.has_room()
    }

    fn next_port(&mut self) -> u64 {
        self.next_port += 1;
        self.next_port
    }

    fn carry_out(&mut self, me: &Mailbox) -> Result<(), ActorProcessingErr> {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::Submit { ticket, unit } => {
                    let letterbox = self.letterbox(me);
                    if self.birth.counters.is_tapped() {
                        self.written.add(&unit);
                    }
                    let (entity, origin) = (self.birth.entity, self.origin);
                    let done = move |outcome| {
                        if let Some(request) = origin {
                            tracing::debug!(%entity, %request, ?outcome, "settled");
                        }
                        letterbox.post(Message::Settled { ticket, outcome });
                    };
                    // Commands are refused well before the lane is full, so this is a fault: start over.
                    self.birth.world.lane.submit(unit, Box::new(done))?;
                }
                Action::Publish(frame) => self.birth.world.publisher.publish(Arc::new(frame)),
                Action::Reply { to, answer: reply } => {
                    if let Some(port) = self.ports.remove(&to) {
                        // Looked at now, after the store has answered: a state that another node may have changed by
                        // now is shown to nobody.
                        let may_answer = self.birth.world.may_answer();
                        let unknown = || Err(ErrorCode::Unavailable.into());
                        answer(
                            port,
                            if may_answer {
                                reply.map(C::reply)
                            } else {
                                unknown()
                            },
                        );
                    }
                }
                Action::Fetch { table, key } => self.fetch(me, table, key),
                Action::Nudge { node, channel } => {
                    self.birth.world.rooms.nudge(&node, channel);
                }
                Action::Invalidate { version } => {
                    self.birth
                        .world
                        .accounts
                        .invalidate(UserId(self.birth.entity.id), version);
                }
                Action::Deliver { seq, to, notice } => self.deliver(me, seq, to, notice),
                Action::Acknowledge(ack) => {
                    if let Some(port) = self.acks.remove(&ack) {
                        // Who no longer waits will deliver again, and be acknowledged then.
                        let _ = port.send(());
                    }
                }
                Action::Discard { is_owed } => {
                    let Birth {
                        directory, entity, ..
                    } = &self.birth;
                    directory.forget(*entity, me.get_id());
                    me.stop(Some("state discarded".to_owned()));
                    if is_owed {
                        directory.wake(*entity);
                    }
                }
            }
        }
        self.actions = actions;
        Ok(())
    }

    fn letterbox(&self, me: &Mailbox) -> Letterbox {
        Letterbox {
            mailbox: me.clone(),
            counters: Arc::clone(&self.birth.counters),
            waiting: Arc::clone(&self.birth.waiting),
        }
    }

    fn fetch(&self, me: &Mailbox, table: TableId, key: Key) {
        let letterbox = self.letterbox(me);
        let (entity, world) = (self.birth.entity, self.birth.world.clone());
        tokio::spawn(async move {
            let row = world.store.get(table, &key).await.and_then(|row| {
                let checked = row
                    .as_deref()
                    .map_or(Ok(()), |row| document::check(table, row));
                checked.map_err(StoreError::from).map(|()| row)
            });
            let row = row.map_err(|error| match error {
                StoreError::Unavailable(reason) => {
                    tracing::warn!(%entity, %table, reason, "row could not be read");
                    ErrorCode::Unavailable.into()
                }
                StoreError::Corrupt(error) => {
                    let incident = world.incident();
                    tracing::error!(%entity, %error, incident, "corrupt row");
                    ApiError::incident(incident)
                }
            });
            letterbox.post(Message::Fetched { table, key, row });
        });
    }

    /// Delivers until it was taken, or this life is over: the next life does it again.
    fn deliver(&self, me: &Mailbox, seq: u64, to: EntityRef, notice: Notice) {
        let letterbox = self.letterbox(me);
        let directory = self.birth.directory.clone();
        let from = self.birth.entity;
        tokio::spawn(async move {
            let mut pause = REDELIVER_MS;
            while !matches!(
                letterbox.mailbox.get_status(),
                ActorStatus::Stopping | ActorStatus::Stopped
            ) {
                if directory.deliver(to, from, seq, notice.clone()).await {
                    letterbox.post(Message::Delivered { seq });
                    return;
                }
                tokio::time::sleep(Duration::from_millis(pause)).await;
                pause = (pause * 2).min(REDELIVER_MAX_MS);
            }
        });
    }

    /// Ends an entity that goes elsewhere once nothing of it is under way. What it wrote is on the lane by then.
    fn leave(&self, me: &Mailbox) {
        let is_settled = self.ports.is_empty()
            && self.birth.counters.depth() == 0
            && self.machine.as_ref().is_none_or(Machine::is_settled);
        if self.is_leaving && is_settled {
            self.birth.directory.forget(self.birth.entity, me.get_id());
            me.stop(Some("it goes elsewhere".to_owned()));
        }
    }

    /// Ends this life if nothing is under way. `is_swept`: the directory saw that nothing came for long.
    fn passivate(&mut self, me: &Mailbox, is_swept: bool) -> Result<bool, ActorProcessingErr> {
        // One that is spoiled has no machine.
        let idle = self.ports.is_empty() && self.machine.as_ref().is_none_or(Machine::is_idle);
        // Something may have come and been done since the directory looked.
        let idle_ms = self.birth.counters.idle_ms(self.birth.counters.now_ns());
        if idle
            && is_swept
            && let Some(machine) = &mut self.machine
            && machine.forget_requests(idle_ms, &mut self.actions)
        {
            // The next sweep finds it again.
            self.carry_out(me)?;
            return Ok(false);
        }
        let is_idle = idle && self.birth.directory.retire(self.birth.entity, me.get_id());
        if is_idle {
            me.stop(Some("idle".to_owned()));
        }
        Ok(is_idle)
    }
}

impl Written {
    fn add(&mut self, unit: &Unit) {
        for write in &unit.writes {
            self.rows += 1;
            self.events += u32::from(write.table() == TableId::Events);
        }
    }
}

/// Answers; an asker that no longer waits has been told that the outcome is unknown.
fn answer(port: oneshot::Sender<Answer<Reply>>, reply: Answer<Reply>) {
    let _ = port.send(reply);
}

/// An entity's core, and what surrounds it.
async fn load<C: Kind>(entity: EntityRef, world: &World) -> Result<(C, Log), LoadError> {
    let core = C::load(entity.id, &world.kit, world.store.as_ref()).await?;
    let log = Log::load(entity, world.store.as_ref(), world.clock.now()).await?;
    Ok((core, log))
}
