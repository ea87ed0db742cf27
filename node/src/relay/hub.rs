//! The hub: which lanes want a topic's frames, and the lanes' inboxes. Handing a frame over never waits: when an inbox is
//! full the hub remembers how far the topic has come, and the lane reads the rest from the event log.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use rookery_actors::entity::Publisher;
use rookery_actors::relay::{Input, SessionRef, SessionView};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Act, Frame, FrameSeq};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::session::{Claim, SessionKey, Taken};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::counters::{Counters, CountersView};
use super::elsewhere::Buddies;
use super::lane::{End, Message};
use super::moves::Moves;
use crate::presence::At;

/// Lanes of a node: one bit each.
const MAX_LANES: usize = 64;

/// Topics are spread over so many locks.
const SHARDS: usize = 32;

/// How far a topic came while a lane's inbox was full.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Behind {
    pub(super) gseq: u64,
    pub(super) announced: bool,
}

/// What others reach a lane by.
pub(super) struct Door {
    inbox: mpsc::Sender<Message>,
    behind: Mutex<HashMap<EntityRef, Behind>>,
    writable: Mutex<Vec<SessionRef>>,
    pub(super) counters: Counters,
}

impl Door {
    /// Wakes the lane. When its inbox is full it is awake.
    pub(super) fn nudge(&self) {
        let _ = self.inbox.try_send(Message::Nudge);
    }

    /// A session's socket takes bytes again.
    pub(super) fn writable(&self, session: SessionRef) {
        self.writable.lock().push(session);
        self.nudge();
    }

    pub(super) fn take_writable(&self) -> Vec<SessionRef> {
        std::mem::take(&mut self.writable.lock())
    }

    pub(super) fn take_behind(&self) -> HashMap<EntityRef, Behind> {
        std::mem::take(&mut self.behind.lock())
    }

    fn overflowed(&self, frame: &Frame) {
        self.counters.overflows.fetch_add(1, Relaxed);
        let announced = frame.event.act == Act::Announce;
        let (FrameSeq::Logged(gseq) | FrameSeq::Value(gseq)) = frame.seq;
        self.fell_behind(frame.topic, gseq, announced);
    }

    fn fell_behind(&self, topic: EntityRef, gseq: u64, announced: bool) {
        let mut behind = self.behind.lock();
        let entry = behind.entry(topic).or_default();
        entry.gseq = entry.gseq.max(gseq);
        entry.announced |= announced;
        drop(behind);
        self.nudge();
    }
}

/// The receiving ends of the lanes' inboxes.
pub struct Inboxes(pub(super) Vec<mpsc::Receiver<Message>>);

/// The hub.
pub struct Hub {
    pub(super) doors: Vec<Door>,
    topics: Vec<RwLock<HashMap<EntityRef, u64>>>,
    hasher: RandomState,
    watcher: OnceLock<Arc<dyn Watcher>>,
    /// Sessions that came from other nodes.
    pub(super) moves: Moves,
    buddies: OnceLock<Arc<dyn Buddies>>,
}

/// Hears which topics this node's lanes watch.
pub trait Watcher: Send + Sync {
    /// A topic is watched by the first lane, or not any more by the last. Must not wait.
    fn watched(&self, topic: EntityRef, is_watched: bool);
}

impl Hub {
    /// A hub over `lanes` lanes (1 to 64), which are started with the inboxes.
    pub fn new(lanes: usize) -> (Arc<Self>, Inboxes) {
        let lanes = lanes.clamp(1, MAX_LANES);
        let (doors, inboxes) = (0..lanes)
            .map(|_| {
                let (inbox, receiver) = mpsc::channel(limits::LANE_INBOX);
                let door = Door {
                    inbox,
                    behind: Mutex::default(),
                    writable: Mutex::default(),
                    counters: Counters::default(),
                };
                (door, receiver)
            })
            .unzip();
        let hub = Self {
            doors,
            topics: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            watcher: OnceLock::new(),
            moves: Moves::default(),
            buddies: OnceLock::new(),
        };
        (Arc::new(hub), Inboxes(inboxes))
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.doors.len()
    }

    /// The counters of each lane.
    pub fn counters(&self) -> Vec<CountersView> {
        self.doors.iter().map(|door| door.counters.view()).collect()
    }

    /// The lane of a user's sessions: all of them on one, so that their number can be bounded.
    pub fn lane_of(&self, user: UserId) -> u16 {
        let lane = self.hasher.hash_one(user) % self.doors.len() as u64;
        u16::try_from(lane).unwrap_or_default()
    }

    /// Puts something into a lane's inbox, waiting for room. False when there is no such lane, or it has stopped.
    pub async fn send(&self, lane: u16, input: Input<Box<End>>) -> bool {
        match self.doors.get(usize::from(lane)) {
            Some(door) => door.inbox.send(Message::Input(input)).await.is_ok(),
            None => false,
        }
    }

    /// Sessions that came from other nodes.
    pub fn moves(&self) -> &Moves {
        &self.moves
    }

    /// Where a session is, if it is at this node, which is `me`: it came from another node, or it has always been here. A
    /// session that is here no more may be found, too.
    pub fn place_of(&self, key: &SessionKey, me: &IncarnationId) -> Option<At> {
        self.moves.place_of(key, me, self.lanes())
    }

    /// Takes a session out of its lane, for another node.
    pub async fn take(&self, at: At, claim: Claim) -> Taken {
        let (answer, taken) = oneshot::channel();
        let message = Message::Take {
            session: at.session,
            claim,
            answer,
        };
        if !self.tell(usize::from(at.lane), message).await {
            return Taken::Unknown;
        }
        taken.await.unwrap_or(Taken::Unknown)
    }

    /// The sessions of a user that are here, oldest first.
    pub async fn sessions_of(&self, user: UserId) -> Vec<SessionView> {
        let (answer, told) = oneshot::channel();
        let lane = usize::from(self.lane_of(user));
        if !self.tell(lane, Message::Look(user, answer)).await {
            return Vec::new();
        }
        told.await.unwrap_or_default()
    }

    pub(super) async fn tell(&self, lane: usize, message: Message) -> bool {
        match self.doors.get(lane) {
            Some(door) => door.inbox.send(message).await.is_ok(),
            None => false,
        }
    }

    /// Puts a tick into every inbox that has room.
    pub(super) fn tick(&self) {
        for door in &self.doors {
            let _ = door.inbox.try_send(Message::Input(Input::Tick));
        }
    }

    fn shard(&self, topic: EntityRef) -> &RwLock<HashMap<EntityRef, u64>> {
        let shard = self.hasher.hash_one(topic) % SHARDS as u64;
        &self.topics[usize::try_from(shard).unwrap_or_default()]
    }

    pub(super) fn watch(&self, lane: usize, topic: EntityRef) {
        let mut topics = self.shard(topic).write();
        let lanes = topics.entry(topic).or_default();
        let is_new = *lanes == 0;
        *lanes |= 1 << lane;
        if is_new {
            self.report(topic, true);
        }
    }

    pub(super) fn unwatch(&self, lane: usize, topic: EntityRef) {
        let mut topics = self.shard(topic).write();
        if let Some(lanes) = topics.get_mut(&topic) {
            *lanes &= !(1 << lane);
            if *lanes == 0 {
                topics.remove(&topic);
                self.report(topic, false);
            }
        }
    }

    /// Told with the topic locked, so that the watcher hears of its changes in their order.
    fn report(&self, topic: EntityRef, is_watched: bool) {
        if let Some(watcher) = self.watcher.get() {
            watcher.watched(topic, is_watched);
        }
    }

    /// From now on hears which topics are watched; once.
    pub fn set_watcher(&self, watcher: Arc<dyn Watcher>) {
        let _ = self.watcher.set(watcher);
    }

    /// From now on says who keeps copies of the lanes' sessions; once.
    pub fn set_buddies(&self, buddies: Arc<dyn Buddies>) {
        let _ = self.buddies.set(buddies);
    }

    pub(super) fn buddies(&self) -> Option<&Arc<dyn Buddies>> {
        self.buddies.get()
    }

    /// The topics that are watched.
    pub fn topics(&self) -> Vec<EntityRef> {
        let topics = self.topics.iter();
        topics
            .flat_map(|topics| topics.read().keys().copied().collect::<Vec<_>>())
            .collect()
    }

    /// A topic has come as far as `gseq`: lanes that are behind read the rest from the event log.
    pub fn behind(&self, topic: EntityRef, gseq: u64) {
        let lanes = self.shard(topic).read().get(&topic).copied();
        for door in self.of(lanes.unwrap_or(0)) {
            door.fell_behind(topic, gseq, false);
        }
    }

    /// The lanes of a mask.
    fn of(&self, lanes: u64) -> impl Iterator<Item = &Door> {
        let doors = (0..).zip(&self.doors);
        doors
            .filter(move |(lane, _)| lanes & (1u64 << lane) != 0)
            .map(|(_, door)| door)
    }
}

impl Publisher for Hub {
    fn publish(&self, frame: Arc<Frame>) {
        let lanes = self.shard(frame.topic).read().get(&frame.topic).copied();
        for door in self.of(lanes.unwrap_or(0)) {
            let input = Message::Input(Input::Frame(frame.clone()));
            if let Err(TrySendError::Full(_)) = door.inbox.try_send(input) {
                door.overflowed(&frame);
            }
        }
    }
}
