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

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus};
use rookery_protocol::command::{Answer, Command, Notice, Reply};
use rookery_protocol::document::{Events, Key, Marks, Outbox, Part, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use tokio::sync::oneshot;

use super::core::{LoadError, ReplyTo};
use super::counters::Counters;
use super::directory::Directory;
use super::kind::Kind;
use super::machine::{Log, Machine};
use super::stimulus::{AckTo, Action, Stimulus};
use super::world::World;
use crate::commit::Outcome;
use crate::store::{self, Order, Scan, Store};

/// Rows of one page when an entity is loaded.
const PAGE: usize = 1_000;

/// Milliseconds before a delivery that failed is repeated; doubles up to [`REDELIVER_MAX_MS`].
const REDELIVER_MS: u64 = 100;

/// The longest pause between repetitions, in milliseconds.
const REDELIVER_MAX_MS: u64 = 10_000;

/// What an entity's mailbox holds.
pub(super) enum Message {
    /// Somebody asks.
    Command {
        command: Command,
        port: oneshot::Sender<Answer<Reply>>,
    },
    /// Another entity's outbox delivers.
    Notice {
        from: EntityRef,
        seq: u64,
        notice: Notice,
        port: oneshot::Sender<()>,
    },
    /// A row that was asked for.
    Fetched {
        table: TableId,
        key: Key,
        row: Result<Option<Vec<u8>>, ()>,
    },
    /// The commit lane is done with a unit.
    Settled { ticket: u64, outcome: Outcome },
    /// A notice of the outbox was taken.
    Delivered { seq: u64 },
    /// Stop if nothing is under way. Not counted: it does not make the entity busy.
    Passivate,
}

impl Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Command { command, .. } => command.name(),
            Self::Notice { .. } => "Notice",
            Self::Fetched { .. } => "Fetched",
            Self::Settled { .. } => "Settled",
            Self::Delivered { .. } => "Delivered",
            Self::Passivate => "Passivate",
        }
    }
}

/// What an actor is started with.
pub(super) struct Birth {
    pub(super) entity: EntityRef,
    pub(super) world: World,
    pub(super) directory: Directory,
    pub(super) counters: Arc<Counters>,
}

/// An entity's life.
pub(super) struct Life<C: Kind> {
    birth: Birth,
    /// Set once loaded, before the first message.
    machine: Option<Machine<C>>,
    ports: HashMap<ReplyTo, oneshot::Sender<Answer<Reply>>>,
    acks: HashMap<AckTo, oneshot::Sender<()>>,
    next_port: u64,
    actions: Vec<Action<C::Reply>>,
}

/// The actor; its state is [`Life`].
pub(super) struct Shell<C>(PhantomData<C>);

impl<C> Shell<C> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<C: Kind> Actor for Shell<C> {
    type Msg = Message;
    type State = Life<C>;
    type Arguments = Birth;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        birth: Birth,
    ) -> Result<Life<C>, ActorProcessingErr> {
        let (ports, acks) = (HashMap::new(), HashMap::new());
        Ok(Life {
            birth,
            machine: None,
            ports,
            acks,
            next_port: 0,
            actions: Vec::new(),
        })
    }

    /// Loads. Here rather than in `pre_start`, so that the supervisor hears of a failure. Messages wait meanwhile.
    async fn post_start(
        &self,
        me: ActorRef<Message>,
        life: &mut Life<C>,
    ) -> Result<(), ActorProcessingErr> {
        let Birth { entity, world, .. } = &life.birth;
        let entity = *entity;
        // A crashed or passivated life may have left units on the lane: they must not land after this read.
        world.lane.drain().await;
        let core = C::load(entity.id, &world.kit, world.store.as_ref()).await?;
        let log = load_log(entity, world.store.as_ref()).await?;
        let mut machine = Machine::new(entity, core, log, world.clock.now());
        machine.start(&mut life.actions);
        life.machine = Some(machine);
        life.carry_out(&me)
    }

    async fn handle(
        &self,
        me: ActorRef<Message>,
        message: Message,
        life: &mut Life<C>,
    ) -> Result<(), ActorProcessingErr> {
        if let Message::Passivate = message {
            life.passivate(&me);
            return Ok(());
        }
        let clock = Arc::clone(&life.birth.world.clock);
        let (kind, started) = (message.name(), clock.monotonic_ns());
        let result = life.take(&me, message);
        life.birth.counters.handle(
            kind,
            clock.monotonic_ns().saturating_sub(started),
            clock.now().0,
        );
        result
    }
}

impl<C: Kind> Life<C> {
    fn take(&mut self, me: &ActorRef<Message>, message: Message) -> Result<(), ActorProcessingErr> {
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
            Message::Command { command, port } => {
                if port.is_closed() {
                    // The asker has given up: nothing was done, and it was told that it cannot know.
                    return None;
                }
                if self.ports.len() as u64 >= limits::MAILBOX || self.birth.directory.is_lane_full()
                {
                    answer(port, Err(ErrorCode::Busy.into()));
                    return None;
                }
                let Some(command) = C::command(command) else {
                    answer(port, Err(ErrorCode::Internal.into()));
                    return None;
                };
                let reply = ReplyTo(self.next_port());
                self.ports.insert(reply, port);
                Stimulus::Command { command, reply }
            }
            Message::Notice {
                from,
                seq,
                notice,
                port,
            } => {
                if self.birth.directory.is_lane_full() {
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
            Message::Passivate => return None,
        })
    }

    fn next_port(&mut self) -> u64 {
        self.next_port += 1;
        self.next_port
    }

    fn carry_out(&mut self, me: &ActorRef<Message>) -> Result<(), ActorProcessingErr> {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::Submit { ticket, unit } => {
                    let (mailbox, counters) = (me.clone(), Arc::clone(&self.birth.counters));
                    let done = move |outcome| {
                        post(&mailbox, &counters, Message::Settled { ticket, outcome })
                    };
                    // Commands are refused well before the lane is full, so this is a fault: start over.
                    self.birth.world.lane.submit(unit, Box::new(done))?;
                }
                Action::Publish(frame) => self.birth.world.publisher.publish(Arc::new(frame)),
                Action::Reply { to, answer: reply } => {
                    if let Some(port) = self.ports.remove(&to) {
                        answer(port, reply.map(C::reply));
                    }
                }
                Action::Fetch { table, key } => self.fetch(me, table, key),
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
                Action::Discard => {
                    self.birth.directory.forget(self.birth.entity, me.get_id());
                    me.stop(Some("state discarded".to_owned()));
                }
            }
        }
        self.actions = actions;
        Ok(())
    }

    fn fetch(&self, me: &ActorRef<Message>, table: TableId, key: Key) {
        let (mailbox, counters) = (me.clone(), Arc::clone(&self.birth.counters));
        let store = Arc::clone(&self.birth.world.store);
        tokio::spawn(async move {
            let row = store.get(table, &key).await.map_err(|error| {
                tracing::warn!(%table, %error, "row could not be read");
            });
            post(&mailbox, &counters, Message::Fetched { table, key, row });
        });
    }

    /// Delivers until it was taken, or this life is over: the next life does it again.
    fn deliver(&self, me: &ActorRef<Message>, seq: u64, to: EntityRef, notice: Notice) {
        let (mailbox, counters) = (me.clone(), Arc::clone(&self.birth.counters));
        let directory = self.birth.directory.clone();
        let from = self.birth.entity;
        tokio::spawn(async move {
            let mut pause = REDELIVER_MS;
            while !matches!(
                mailbox.get_status(),
                ActorStatus::Stopping | ActorStatus::Stopped
            ) {
                if directory.deliver(to, from, seq, notice.clone()).await {
                    post(&mailbox, &counters, Message::Delivered { seq });
                    return;
                }
                tokio::time::sleep(Duration::from_millis(pause)).await;
                pause = (pause * 2).min(REDELIVER_MAX_MS);
            }
        });
    }

    fn passivate(&mut self, me: &ActorRef<Message>) {
        let idle = self.ports.is_empty() && self.machine.as_ref().is_some_and(Machine::is_idle);
        if idle && self.birth.directory.retire(self.birth.entity, me.get_id()) {
            me.stop(Some("idle".to_owned()));
        }
    }
}

/// Counts a message and puts it into a mailbox; a stopped actor's messages are of no use to anybody.
pub(super) fn post(mailbox: &ActorRef<Message>, counters: &Counters, message: Message) {
    counters.enqueue();
    let _ = mailbox.cast(message);
}

/// Answers; an asker that no longer waits has been told that the outcome is unknown.
fn answer(port: oneshot::Sender<Answer<Reply>>, reply: Answer<Reply>) {
    let _ = port.send(reply);
}

/// The log, the outbox and the marks of an entity.
pub(super) async fn load_log(entity: EntityRef, store: &dyn Store) -> Result<Log, LoadError> {
    let newest = Scan {
        table: TableId::Events,
        partition: entity.into(),
        above: None,
        below: None,
        order: Order::Descending,
        limit: 1,
    };
    let mut log = Log::default();
    if let Some((key, _)) = store::scan::<Events>(store, newest).await?.pop() {
        log.gseq = number(&key);
    }
    for (key, row) in store::scan_all::<Outbox>(store, entity, PAGE).await? {
        log.outbox.insert(number(&key), row);
    }
    for (_, row) in store::scan_all::<Marks>(store, entity, PAGE).await? {
        log.marks.insert(row.sender, row.seq);
    }
    Ok(log)
}

/// The number a row of an entity's own partitions is placed at.
fn number(key: &Key) -> u64 {
    match key.sort {
        Part::Num(n) => n,
        Part::Text(_) => 0,
    }
}
