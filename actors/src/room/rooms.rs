//! The rooms of a node: started when a client comes that is admitted, supervised, and forgotten when they are over.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use parking_lot::Mutex;
use ractor::{
    Actor, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr, SupervisionEvent,
};
use rookery_protocol::command::group::BeatRoom;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::inspect::ActorKind;
use rookery_protocol::limits;
use rookery_protocol::voice::{RoomId, RoomOrders};

use super::core::{Input, PeerView, Served};
use super::ports::{MediaMaker, SocketId, VoicePort};
use super::shell::{Birth, Message, Posted, Shell, post};
use crate::entity::{Clock, Counters, CountersView, Kinds, Timed, Waiting};

/// What rooms need of their node.
#[async_trait]
pub trait RoomWorld: Send + Sync + 'static {
    /// Which run of which node this is.
    fn node(&self) -> &IncarnationId;

    /// The clock.
    fn clock(&self) -> &Arc<dyn Clock>;

    /// The media workers; none: the node ends.
    fn media(&self) -> Option<Arc<dyn MediaMaker>>;

    /// Asks a group about its room, wherever it is; none: it could not be asked.
    async fn ask(&self, group: GroupId, request: BeatRoom) -> Option<RoomOrders>;
}

/// No more clients, or rooms, can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wait")]
pub struct Busy;

/// Nanoseconds between two marks of a room's counters.
const MARK_NS: u64 = 5_000_000_000;

/// What is counted of a room.
#[derive(Debug)]
pub(super) struct Tally {
    counters: Counters,
    waiting: Arc<Waiting>,
    kinds: Arc<Kinds>,
    people: AtomicUsize,
    cameras: AtomicUsize,
    screens: AtomicUsize,
    peers: Mutex<Vec<PeerView>>,
}

impl Tally {
    fn new(clock: Arc<dyn Clock>, kinds: Arc<Kinds>) -> Self {
        let counters = Counters::new(clock);
        Self {
            waiting: counters.waiting(),
            counters,
            kinds,
            people: AtomicUsize::new(0),
            cameras: AtomicUsize::new(0),
            screens: AtomicUsize::new(0),
            peers: Mutex::default(),
        }
    }

    pub(super) fn enqueue(&self, message: Message) -> Timed<Message> {
        self.counters.enqueue(&self.waiting, message)
    }

    pub(super) fn depth(&self) -> u64 {
        self.counters.depth()
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.counters.now_ns()
    }

    pub(super) fn handle(&self, kind: &'static str, put_ns: u64, taken_ns: u64) {
        let handled = self.counters.handle(&self.waiting, kind, put_ns, taken_ns);
        self.kinds.record(ActorKind::Room, kind, handled);
    }

    /// Notes what there is to see from time to time.
    pub(super) fn look(&self, peers: Vec<PeerView>) {
        *self.peers.lock() = peers;
        if self.counters.since_mark_ns() >= MARK_NS {
            self.counters.mark(self.counters.now_ns());
        }
    }

    pub(super) fn serve(&self, served: Served) {
        self.people.store(served.people, Relaxed);
        self.cameras.store(served.cameras, Relaxed);
        self.screens.store(served.screens, Relaxed);
    }

    fn served(&self) -> Served {
        Served {
            people: self.people.load(Relaxed),
            cameras: self.cameras.load(Relaxed),
            screens: self.screens.load(Relaxed),
        }
    }
}

/// A room as an operator sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomView {
    /// Which.
    pub id: RoomId,
    /// Who is in it.
    pub served: Served,
    /// Each of them whose media has told something of itself.
    pub peers: Vec<PeerView>,
    /// Its actor.
    pub counters: CountersView,
}

struct Entry {
    actor: ActorRef<Timed<Message>>,
    tally: Arc<Tally>,
}

struct Inner {
    world: Arc<dyn RoomWorld>,
    rooms: Mutex<HashMap<RoomId, Entry>>,
    supervisor: OnceLock<ActorRef<Never>>,
    kinds: Arc<Kinds>,
}

/// A handle to the rooms of a node; cheap to clone.
#[derive(Clone)]
pub struct Rooms(Arc<Inner>);

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.0.rooms.lock().len();
        f.debug_struct("Rooms").field("count", &count).finish()
    }
}

impl Rooms {
    /// No rooms yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The supervisor could not be started.
    pub async fn start(world: Arc<dyn RoomWorld>) -> Result<Self, SpawnErr> {
        let rooms = Self(Arc::new(Inner {
            world,
            rooms: Mutex::default(),
            supervisor: OnceLock::new(),
            kinds: Arc::default(),
        }));
        let weak = Arc::downgrade(&rooms.0);
        let (supervisor, _) = Supervisor::spawn(None, Supervisor, weak).await?;
        // The only set: a second one cannot happen.
        let _ = rooms.0.supervisor.set(supervisor);
        Ok(rooms)
    }

    /// A client that is admitted to a room: the room is started if it is not here yet.
    ///
    /// # Errors
    /// The node has too many rooms, or the room too much to do.
    pub fn open(
        &self,
        id: RoomId,
        socket: SocketId,
        port: Arc<dyn VoicePort>,
        first: Input,
    ) -> Result<(), Busy> {
        let mut rooms = self.0.rooms.lock();
        if !rooms.contains_key(&id) {
            if rooms.len() >= limits::ROOMS {
                return Err(Busy);
            }
            rooms.insert(id, self.spawn(id)?);
        }
        let entry = &rooms[&id];
        for message in [Message::Opened(socket, port), Message::Input(first)] {
            if post(&entry.actor, &entry.tally, message) != Posted::Taken {
                return Err(Busy);
            }
        }
        Ok(())
    }

    /// Something of a client that has opened.
    ///
    /// # Errors
    /// The room has too much to do, or is over.
    pub fn tell(&self, id: &RoomId, input: Input) -> Result<(), Busy> {
        let rooms = self.0.rooms.lock();
        let entry = rooms.get(id).ok_or(Busy)?;
        match post(&entry.actor, &entry.tally, Message::Input(input)) {
            Posted::Taken => Ok(()),
            Posted::Full | Posted::Gone => Err(Busy),
        }
    }

    /// Has the rooms of a channel ask their group.
    pub fn nudge(&self, channel: ChannelId) {
        let rooms = self.0.rooms.lock();
        let of_channel = rooms.iter().filter(|(id, _)| id.channel == channel);
        for (_, entry) in of_channel {
            let _ = post(&entry.actor, &entry.tally, Message::Input(Input::Nudge));
        }
    }

    /// The rooms that are here.
    pub fn list(&self) -> Vec<RoomView> {
        let rooms = self.0.rooms.lock();
        let views = rooms.iter().map(|(&id, entry)| RoomView {
            id,
            served: entry.tally.served(),
            peers: entry.tally.peers.lock().clone(),
            counters: entry.tally.counters.view(),
        });
        views.collect()
    }

    /// The channels whose rooms are here.
    pub fn channels(&self) -> HashSet<ChannelId> {
        let rooms = self.0.rooms.lock();
        rooms.keys().map(|id| id.channel).collect()
    }

    /// How many rooms are here, and people in them.
    pub fn count(&self) -> (usize, usize) {
        let rooms = self.0.rooms.lock();
        let people = rooms.values().map(|entry| entry.tally.served().people);
        (rooms.len(), people.sum())
    }

    /// Their messages by kind.
    pub fn kinds(&self) -> &Kinds {
        &self.0.kinds
    }

    /// Ends the rooms of a channel; whether there was one.
    pub fn end(&self, channel: ChannelId) -> bool {
        let rooms = self.0.rooms.lock();
        let of_channel = rooms.iter().filter(|(id, _)| id.channel == channel);
        let ended =
            of_channel.map(|(_, entry)| entry.actor.stop(Some("by an operator".to_owned())));
        ended.count() > 0
    }

    /// Ends all rooms.
    pub fn stop(&self) {
        if let Some(supervisor) = self.0.supervisor.get() {
            supervisor.stop_children(None);
            supervisor.stop(None);
        }
        self.0.rooms.lock().clear();
    }

    fn spawn(&self, id: RoomId) -> Result<Entry, Busy> {
        let (clock, kinds) = (Arc::clone(self.clock()), Arc::clone(&self.0.kinds));
        let tally = Arc::new(Tally::new(clock, kinds));
        let birth = Birth {
            id,
            rooms: self.clone(),
            tally: Arc::clone(&tally),
        };
        let supervisor = self.0.supervisor.get().ok_or(Busy)?;
        let spawned = ActorRuntime::spawn_linked_instant(None, Shell, birth, supervisor.get_cell());
        let (actor, _) = spawned.map_err(|error| {
            tracing::error!(channel = %id.channel, %error, "room could not be started");
            Busy
        })?;
        Ok(Entry { actor, tally })
    }

    /// A room is over.
    pub(super) fn forget(&self, id: &RoomId, actor: ActorId) {
        let mut rooms = self.0.rooms.lock();
        if rooms
            .get(id)
            .is_some_and(|entry| entry.actor.get_id() == actor)
        {
            rooms.remove(id);
        }
    }

    pub(super) fn media(&self) -> Option<Arc<dyn MediaMaker>> {
        self.0.world.media()
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        self.0.world.clock()
    }

    pub(super) fn node(&self) -> &IncarnationId {
        self.0.world.node()
    }

    pub(super) async fn ask(&self, group: GroupId, request: BeatRoom) -> Option<RoomOrders> {
        self.0.world.ask(group, request).await
    }
}

/// Hears of rooms that end. One that crashed is not started again by itself: its sockets close, its clients come back
/// and identify, and the room is made anew of what they and the group say.
struct Supervisor;

/// The supervisor is told nothing.
enum Never {}

impl ractor::Message for Never {}

impl Actor for Supervisor {
    type Msg = Never;
    type State = Weak<Inner>;
    type Arguments = Weak<Inner>;

    async fn pre_start(
        &self,
        _: ActorRef<Never>,
        rooms: Weak<Inner>,
    ) -> Result<Weak<Inner>, ActorProcessingErr> {
        Ok(rooms)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Never>,
        event: SupervisionEvent,
        rooms: &mut Weak<Inner>,
    ) -> Result<(), ActorProcessingErr> {
        let who = match &event {
            SupervisionEvent::ActorTerminated(who, _, _) => who.get_id(),
            SupervisionEvent::ActorFailed(who, error) => {
                tracing::error!(%error, "a room crashed");
                who.get_id()
            }
            _ => return Ok(()),
        };
        if let Some(rooms) = rooms.upgrade() {
            let mut rooms = rooms.rooms.lock();
            rooms.retain(|_, entry| entry.actor.get_id() != who);
        }
        Ok(())
    }
}
