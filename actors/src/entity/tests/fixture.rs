//! A directory of toys on the memory store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use ractor::{ActorCell, SpawnErr};
use rookery_protocol::command::user::GetCredentials;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Frame, FrameSeq};
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::time::Millis;
use tokio::sync::mpsc;

use super::toy::{Toy, address, counter, script};
use crate::commit::CommitLane;
use crate::entity::mailbox::Mailbox;
use crate::entity::shell::Birth;
use crate::entity::spawn::spawn;
use crate::entity::{AccountCache, Clock, Directory, Kit, NoPeers, Peers, Publisher, Rooms, World};
use crate::ownership::{Boot, Placement, Tenure};
use crate::store::LaneId;
use crate::store::memory::MemoryStore;

/// A clock that the test moves.
#[derive(Default)]
pub(super) struct TestClock(pub(super) AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Relaxed))
    }

    fn monotonic_ns(&self) -> u64 {
        self.now().0 * 1_000_000
    }

    fn boot(&self) -> Boot {
        Boot(self.now().0)
    }
}

/// Hands frames to the test.
struct TestPublisher(Mutex<mpsc::UnboundedSender<Arc<Frame>>>);

impl Publisher for TestPublisher {
    fn publish(&self, frame: Arc<Frame>) {
        let _ = self.0.lock().send(frame);
    }
}

struct NoCache;

impl AccountCache for NoCache {
    fn invalidate(&self, _: UserId, _: u64) {}
}

struct NoRooms;

impl Rooms for NoRooms {
    fn nudge(&self, _: &IncarnationId, _: ChannelId) {}
}

pub(super) struct Fixture {
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<TestClock>,
    pub(super) tenure: Tenure,
    pub(super) directory: Directory,
    pub(super) kit: Kit,
    pub(super) frames: mpsc::UnboundedReceiver<Arc<Frame>>,
}

fn spawn_toy(birth: Birth, supervisor: ActorCell) -> Result<Mailbox, SpawnErr> {
    spawn::<Toy>(birth, supervisor)
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()), 1).await
    }

    pub(super) async fn on(store: Arc<MemoryStore>, incarnation: u64) -> Self {
        Self::with(store, incarnation, Placement::whole(), Arc::new(NoPeers)).await
    }

    pub(super) async fn with(
        store: Arc<MemoryStore>,
        incarnation: u64,
        placement: Placement,
        peers: Arc<dyn Peers>,
    ) -> Self {
        let lane = LaneId {
            node: "n".into(),
            incarnation,
            index: 0,
        };
        let (frames, receiver) = mpsc::unbounded_channel();
        let clock = Arc::new(TestClock::default());
        let tenure = Tenure::endless();
        let kit = crate::testkit::kit(0);
        let world = World {
            store: store.clone(),
            lane: CommitLane::open(store.clone(), lane).await.unwrap(),
            clock: clock.clone(),
            publisher: Arc::new(TestPublisher(Mutex::new(frames))),
            accounts: Arc::new(NoCache),
            rooms: Arc::new(NoRooms),
            tenure: tenure.clone(),
            placement,
            peers,
            kit: kit.clone(),
        };
        let directory = Directory::start_with(world, spawn_toy).await.unwrap();
        Self {
            store,
            clock,
            tenure,
            directory,
            kit,
            frames: receiver,
        }
    }

    pub(super) async fn run(&self, id: u64, text: &str) -> Result<(), ErrorCode> {
        self.directory
            .ask(UserId(id), script(text))
            .await
            .map_err(|error| error.code)
    }

    pub(super) async fn count(&self, id: u64) -> Result<u64, ErrorCode> {
        let reply = self.directory.ask(UserId(id), GetCredentials).await;
        reply
            .map(|reply| counter(&reply))
            .map_err(|error| error.code)
    }

    /// The next announcement that a life of this entity has begun.
    pub(super) async fn announced(&mut self, entity: EntityRef) -> u64 {
        loop {
            let frame = self.frames.recv().await.unwrap();
            if let (true, Act::Announce, FrameSeq::Value(gseq)) =
                (frame.topic == entity, &frame.event.act, frame.seq)
            {
                return gseq;
            }
        }
    }

    pub(super) fn restarts(&self, entity: EntityRef) -> u64 {
        let counters = self.directory.counters();
        counters
            .into_iter()
            .find(|(known, _)| *known == entity)
            .map_or(0, |(_, view)| view.restarts)
    }

    pub(super) fn is_active(&self, id: u64) -> bool {
        self.directory
            .counters()
            .iter()
            .any(|(known, _)| *known == address(id))
    }
}
