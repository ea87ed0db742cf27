//! The directory: finds the entity of an address, activates it on demand, passivates the idle, starts the crashed again
//! after a pause. Callers `ask` by address and never know where an entity lives.

#![allow(
    clippy::disallowed_methods,
    reason = "the directory's timers: deadline of an ask, pause of a crashed entity, sweep of the idle"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorId, ActorRef, SpawnErr};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{Key, Part, TableId};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::limits;
use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::counters::{Counters, CountersView, Timed};
use super::incidents::{Incidents, Trouble};
use super::kinds::Kinds;
use super::mailbox::{Mailbox, Message, post};
use super::registry::Registry;
use super::roster::{self, Roster};
use super::shell::{Birth, RESTARTED};
use super::spawn::{Spawner, spawn_by_kind};
use super::supervisor::{self, Supervisor};
use super::tap::Taps;
use super::world::World;
use crate::store::StoreError;

/// Units below the lane's limit at which entities start to refuse commands, so that those under way still fit.
const LANE_RESERVE: u64 = 1_024;

/// Milliseconds between two marks of all counters, of which what happened lately is counted from the second-last.
const MARK_MS: u64 = 5_000;

/// Marks between two looks for idle entities.
const MARKS_A_SWEEP: u64 = 2;

/// Rows of one page when senders with undelivered notices are looked for.
const PAGE: usize = 1_000;

/// A handle to the entities of a node; cheap to clone.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

/// A handle that does not keep the entities alive.
pub(super) struct WeakDirectory(Weak<Inner>);

struct Inner {
    world: World,
    spawner: Spawner,
    entities: Registry<Entry>,
    supervisor: OnceLock<ActorRef<supervisor::Message>>,
    is_closed: AtomicBool,
    roster: Roster,
    kinds: Kinds,
    taps: Taps,
    incidents: Incidents,
    /// Those for whom much waited at the last mark.
    crowded: Mutex<Vec<(EntityRef, u64)>>,
}

/// Why a message was not put into a mailbox.
#[derive(Debug)]
pub(super) enum Turned {
    /// The entity is not this node's.
    Elsewhere,
    /// Nothing was done.
    Refused(ApiError),
}

impl From<ErrorCode> for Turned {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<ApiError> for Turned {
    fn from(refusal: ApiError) -> Self {
        Self::Refused(refusal)
    }
}

struct Entry {
    counters: Arc<Counters>,
    place: roster::Place,
    backoff: Backoff,
    /// None while it is down after a crash.
    actor: Option<Mailbox>,
    /// Kept until it has ended, for who waits for that.
    exit: Option<mpsc::Sender<Infallible>>,
}

impl WeakDirectory {
    pub(super) fn upgrade(&self) -> Option<Directory> {
        self.0.upgrade().map(Directory)
    }
}

impl Directory {
    /// Starts the supervisor and the sweep of idle entities. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The supervisor could not be started.
    pub async fn start(world: World) -> Result<Self, SpawnErr> {
        Self::start_with(world, spawn_by_kind).await
    }

    pub(super) async fn start_with(world: World, spawner: Spawner) -> Result<Self, SpawnErr> {
        let directory = Self(Arc::new(Inner {
            world,
            spawner,
            entities: Registry::default(),
            supervisor: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            roster: Roster::default(),
            kinds: Kinds::default(),
            taps: Taps::default(),
            incidents: Incidents::default(),
            crowded: Mutex::default(),
        }));
        let (supervisor, _) = Supervisor::spawn(None, Supervisor, directory.downgrade()).await?;
        // The only set: a second one cannot happen.
        let _ = directory.0.supervisor.set(supervisor);
        let weak = directory.downgrade();
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(MARK_MS));
            for mark in 0_u64.. {
                beat.tick().await;
                let Some(directory) = weak.upgrade() else {
                    return;
                };
                // Beside the workers: a walk through a million entities takes a tenth of a second.
                let looked = tokio::task::spawn_blocking(move || {
                    directory.mark();
                    directory.0.taps.sweep(directory.world().clock.now());
                    if mark % MARKS_A_SWEEP == 0 {
                        directory.sweep();
                    }
                });
                if looked.await.is_err() {
                    return;
                }
            }
        });
        Ok(directory)
    }

    fn downgrade(&self) -> WeakDirectory {
        WeakDirectory(Arc::downgrade(&self.0))
    }

    /// Activates every entity whose outbox holds undelivered notices. Returns how many there were.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let mut senders = 0;
        let mut after: Option<Key> = None;
        loop {
            let rows = self
                .0
                .world
                .store
                .walk(TableId::Outbox, after.as_ref(), PAGE)
                .await?;
            let Some((last, _)) = rows.last() else {
                return Ok(senders);
            };
            after = Some(last.clone());
            for (key, _) in rows {
                let Part::Text(sender) = key.partition else {
                    continue;
                };
                if let Ok(sender) = sender.parse()
                    && self.activate(sender).is_ok_and(|is_new| is_new)
                {
                    senders += 1;
                }
            }
        }
    }

    /// Stops taking commands, lets what is committed be answered, and ends every entity.
    pub async fn shutdown(&self) {
        self.0.is_closed.store(true, Relaxed);
        self.0.world.lane.drain().await;
        if let Some(supervisor) = self.0.supervisor.get() {
            supervisor
                .drain_children_and_wait(Some(ractor::concurrency::Duration::from_secs(2)))
                .await;
            supervisor.stop(None);
        }
    }

    /// The counters of the active entities.
    pub fn counters(&self) -> Vec<(EntityRef, CountersView)> {
        let mut views = Vec::new();
        self.0
            .roster
            .each(|entity, counters| views.push((entity, counters.view())));
        views
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.0.roster
    }

    pub(super) fn kinds_of_messages(&self) -> &Kinds {
        &self.0.kinds
    }

    pub(super) fn taps(&self) -> &Taps {
        &self.0.taps
    }

    pub(super) fn incidents(&self) -> &Incidents {
        &self.0.incidents
    }

    pub(super) fn crowd(&self) -> &Mutex<Vec<(EntityRef, u64)>> {
        &self.0.crowded
    }

    /// The counters of an entity that is active here.
    pub(super) fn counters_of(&self, entity: EntityRef) -> Option<Arc<Counters>> {
        let entities = self.0.entities.of(entity).read();
        Some(Arc::clone(&entities.get(&entity)?.counters))
    }

    /// Tells an entity that runs something that is not counted; whether it runs.
    pub(super) fn tell(&self, entity: EntityRef, message: Message) -> bool {
        let entities = self.0.entities.of(entity).read();
        let entry = entities.get(&entity);
        entry.is_some_and(|entry| entry.tell(message))
    }

    /// The node around the entities.
    pub(super) fn world(&self) -> &World {
        &self.0.world
    }

    /// Whether so much waits for the commit lane that commands are refused.
    pub(super) fn is_lane_full(&self) -> bool {
        self.0.world.lane.counters().outstanding + LANE_RESERVE >= limits::COMMIT_QUEUE as u64
    }

    /// Passivates entities that did nothing for as long as their kind may; their mailboxes decide.
    pub(super) fn sweep(&self) {
        let now_ns = self.0.world.clock.monotonic_ns();
        let mut idle = Vec::new();
        self.0.roster.each(|entity, counters| {
            let idle_ms = match entity.kind {
                EntityKind::User => limits::USER_IDLE_MS,
                EntityKind::Group => limits::GROUP_IDLE_MS,
            };
            if counters.depth() == 0 && counters.idle_ms(now_ns) >= idle_ms {
                idle.push(entity);
            }
        });
        for entity in idle {
            self.tell(entity, Message::Passivate(None));
        }
    }

    /// Puts a message into the mailbox of an entity that is here, starting it if it sleeps.
    pub(super) fn send(&self, to: EntityRef, message: Message) -> Result<(), Turned> {
        // Without a lease nothing is begun that could not be answered.
        if !self.0.world.may_answer() {
            return Err(ErrorCode::Unavailable.into());
        }
        {
            let entities = self.0.entities.of(to).read();
            self.is_here(to)?;
            if let Some(entry) = entities.get(&to) {
                return enqueue(entry, message);
            }
        }
        self.activate(to)?;
        match self.0.entities.of(to).read().get(&to) {
            Some(entry) => enqueue(entry, message),
            None => Err(ErrorCode::Busy.into()),
        }
    }

    /// Called with the entities locked, so that nothing slips in behind [`Directory::evacuate`].
    fn is_here(&self, entity: EntityRef) -> Result<(), Turned> {
        if self.0.world.placement.is_here(entity) {
            Ok(())
        } else {
            Err(Turned::Elsewhere)
        }
    }

    /// Lets the entities of a shard go that is not here any more, and waits until the last one has ended. What they wrote is on
    /// the lane then, and nothing will be written for them after it.
    pub async fn evacuate(&self, shard: u16) {
        // Nothing is ever sent: it is closed once no entity has its end any more.
        let (exit, mut exits) = mpsc::channel(1);
        self.0
            .entities
            .shard(shard)
            .write()
            .retain(|_, entry| match &entry.actor {
                Some(_) => {
                    entry.exit = Some(exit.clone());
                    entry.tell(Message::Leave);
                    true
                }
                // Crashed: it is not started again here.
                None => {
                    self.0.roster.remove(entry.place);
                    false
                }
            });
        drop(exit);
        let _ = exits.recv().await;
    }

    /// Starts an entity for what its outbox holds; if it cannot be, the next message does.
    pub(super) fn wake(&self, entity: EntityRef) {
        let _ = self.activate(entity);
    }

    /// Starts the entity unless it runs or is down; whether it was started.
    fn activate(&self, entity: EntityRef) -> Result<bool, Turned> {
        if self.0.is_closed.load(Relaxed) {
            return Err(ErrorCode::Busy.into());
        }
        let mut entities = self.0.entities.of(entity).write();
        self.is_here(entity)?;
        if entities.contains_key(&entity) {
            return Ok(false);
        }
        let counters = Arc::new(Counters::new(Arc::clone(&self.0.world.clock)));
        let mut entry = Entry {
            place: self.0.roster.add(entity, &counters),
            counters,
            backoff: Backoff::default(),
            actor: None,
            exit: None,
        };
        if let Err(refusal) = self.start_life(entity, &mut entry) {
            self.0.roster.remove(entry.place);
            return Err(refusal.into());
        }
        entities.insert(entity, entry);
        Ok(true)
    }

    fn start_life(&self, entity: EntityRef, entry: &mut Entry) -> Answer<()> {
        let now = self.0.world.clock.now();
        entry.counters.touch();
        entry.backoff.started(now);
        let birth = Birth {
            entity,
            world: self.0.world.clone(),
            directory: self.clone(),
            counters: Arc::clone(&entry.counters),
            waiting: entry.counters.begin(),
        };
        let supervisor = self.0.supervisor.get().ok_or(ErrorCode::Busy)?;
        let actor = (self.0.spawner)(birth, supervisor.get_cell()).map_err(|error| {
            tracing::error!(%entity, %error, "entity could not be started");
            ErrorCode::Busy
        })?;
        let _ = supervisor.cast(supervisor::Message::Started(actor.get_id(), entity));
        entry.actor = Some(actor);
        Ok(())
    }

    /// Takes an idle entity out, unless a message came in between; whether it may stop.
    pub(super) fn retire(&self, entity: EntityRef, actor: ActorId) -> bool {
        let mut entities = self.0.entities.of(entity).write();
        let may_stop = entities
            .get(&entity)
            .is_some_and(|entry| entry.is(actor) && entry.counters.depth() == 0);
        if may_stop {
            self.take_out(&mut entities, entity);
        }
        may_stop
    }

    /// Takes out an entity whose actor ended.
    pub(super) fn forget(&self, entity: EntityRef, actor: ActorId) {
        let mut entities = self.0.entities.of(entity).write();
        if entities.get(&entity).is_some_and(|entry| entry.is(actor)) {
            self.take_out(&mut entities, entity);
        }
    }

    fn take_out(&self, entities: &mut HashMap<EntityRef, Entry>, entity: EntityRef) {
        if let Some(entry) = entities.remove(&entity) {
            self.0.roster.remove(entry.place);
        }
    }

    /// Starts a crashed entity again after a pause; until then it answers busy.
    pub(super) fn crashed(&self, entity: EntityRef, actor: ActorId, error: &str) {
        let mut entities = self.0.entities.of(entity).write();
        let Some(entry) = entities.get_mut(&entity).filter(|entry| entry.is(actor)) else {
            return;
        };
        entry.actor = None;
        entry.exit = None;
        entry.counters.crash(error);
        let trouble = Trouble::Crashed {
            error: error.to_owned(),
            restarts: entry.counters.restarts(),
        };
        self.0.incidents.add(entity, trouble);
        if error == RESTARTED {
            tracing::info!(%entity, "entity is restarted by an operator");
            drop(entities);
            return self.revive(entity);
        }
        let pause_ms = entry.backoff.crashed(self.0.world.clock.now());
        tracing::error!(%entity, error, pause_ms, "entity crashed; it is restarted from its last durable state");
        let weak = self.downgrade();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            if let Some(directory) = weak.upgrade() {
                directory.revive(entity);
            }
        });
    }

    fn revive(&self, entity: EntityRef) {
        if self.0.is_closed.load(Relaxed) {
            return;
        }
        let mut entities = self.0.entities.of(entity).write();
        let Some(entry) = entities
            .get_mut(&entity)
            .filter(|entry| entry.actor.is_none())
        else {
            return;
        };
        if self.is_here(entity).is_err() || self.start_life(entity, entry).is_err() {
            // Nothing to hold on to: the next message tries again.
            self.take_out(&mut entities, entity);
        }
    }
}

impl Entry {
    fn is(&self, actor: ActorId) -> bool {
        self.actor
            .as_ref()
            .is_some_and(|running| running.get_id() == actor)
    }

    /// Tells it something that is not counted: it does not make the entity busy. Whether it runs.
    fn tell(&self, message: Message) -> bool {
        let uncounted = || Timed::uncounted(message);
        let actor = self.actor.as_ref();
        actor.is_some_and(|actor| actor.cast(uncounted()).is_ok())
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("entities", &self.0.roster.len())
            .finish_non_exhaustive()
    }
}

/// Puts a message into a mailbox, or answers busy. Called under the lock, so that an entity is not retired in between.
fn enqueue(entry: &Entry, message: Message) -> Result<(), Turned> {
    match &entry.actor {
        Some(actor) if entry.counters.depth() < limits::MAILBOX => {
            let waiting = entry.counters.waiting();
            post(actor, &entry.counters, &waiting, message);
            Ok(())
        }
        _ => Err(ErrorCode::Busy.into()),
    }
}
