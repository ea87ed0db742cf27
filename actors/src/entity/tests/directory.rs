//! The directory with real actors: activation, passivation, crashes, bounds.

#![allow(
    clippy::disallowed_methods,
    reason = "tests ask from several tasks at once"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use ractor::{ActorCell, ActorRef, SpawnErr};
use rookery_protocol::command::user::GetCredentials;
use rookery_protocol::document::{Outbox, OutboxRow};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Frame, FrameSeq};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use tokio::sync::mpsc;

use super::toy::{Toy, address, counter, script};
use crate::commit::CommitLane;
use crate::entity::directory::spawn;
use crate::entity::shell::{Birth, Message};
use crate::entity::{AccountCache, Clock, Directory, Publisher, World};
use crate::store::memory::MemoryStore;
use crate::store::{self, LaneId};

/// A clock that the test moves.
#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Relaxed))
    }

    fn monotonic_ns(&self) -> u64 {
        self.now().0 * 1_000_000
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

struct Fixture {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
    directory: Directory,
    frames: mpsc::UnboundedReceiver<Arc<Frame>>,
}

fn spawn_toy(birth: Birth, supervisor: ActorCell) -> Result<ActorRef<Message>, SpawnErr> {
    spawn::<Toy>(birth, supervisor)
}

impl Fixture {
    async fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()), 1).await
    }

    async fn on(store: Arc<MemoryStore>, incarnation: u64) -> Self {
        let lane = LaneId {
            node: "n".into(),
            incarnation,
            index: 0,
        };
        let (frames, receiver) = mpsc::unbounded_channel();
        let clock = Arc::new(TestClock::default());
        let world = World {
            store: store.clone(),
            lane: CommitLane::open(store.clone(), lane).await.unwrap(),
            clock: clock.clone(),
            publisher: Arc::new(TestPublisher(Mutex::new(frames))),
            accounts: Arc::new(NoCache),
            kit: crate::testkit::kit(0),
        };
        let directory = Directory::start_with(world, spawn_toy).await.unwrap();
        Self {
            store,
            clock,
            directory,
            frames: receiver,
        }
    }

    async fn run(&self, id: u64, text: &str) -> Result<(), ErrorCode> {
        self.directory
            .ask(UserId(id), script(text))
            .await
            .map_err(|error| error.code)
    }

    async fn count(&self, id: u64) -> Result<u64, ErrorCode> {
        let reply = self.directory.ask(UserId(id), GetCredentials).await;
        reply
            .map(|reply| counter(&reply))
            .map_err(|error| error.code)
    }

    /// The next announcement that a life of this entity has begun.
    async fn announced(&mut self, entity: EntityRef) -> u64 {
        loop {
            let frame = self.frames.recv().await.unwrap();
            if let (true, Act::Announce, FrameSeq::Value(gseq)) =
                (frame.topic == entity, &frame.event.act, frame.seq)
            {
                return gseq;
            }
        }
    }

    fn restarts(&self, entity: EntityRef) -> u64 {
        let counters = self.directory.counters();
        counters
            .into_iter()
            .find(|(known, _)| *known == entity)
            .map_or(0, |(_, view)| view.restarts)
    }

    fn is_active(&self, id: u64) -> bool {
        self.directory
            .counters()
            .iter()
            .any(|(known, _)| *known == address(id))
    }
}

#[tokio::test]
async fn an_entity_is_activated_by_its_first_message_and_remembers() {
    let fixture = Fixture::new().await;
    assert!(!fixture.is_active(1));
    fixture.run(1, "add").await.unwrap();
    fixture.run(1, "add").await.unwrap();
    assert_eq!(fixture.count(1).await, Ok(2));
    assert_eq!(fixture.count(2).await, Ok(0));
    let second = Fixture::on(fixture.store.clone(), 2).await;
    assert_eq!(second.count(1).await, Ok(2));
}

#[tokio::test]
async fn a_crashed_entity_comes_back_with_its_last_durable_state() {
    let mut fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    assert_eq!(fixture.announced(address(1)).await, 0);
    assert_eq!(fixture.run(1, "boom").await, Err(ErrorCode::Unavailable));
    assert_eq!(
        fixture.announced(address(1)).await,
        1,
        "the new life says where the log stands"
    );
    assert_eq!(fixture.count(1).await, Ok(1));
    assert_eq!(fixture.restarts(address(1)), 1);
}

#[tokio::test]
async fn an_entity_that_is_down_answers_busy_and_others_do_not_notice() {
    let mut fixture = Fixture::new().await;
    fixture.run(2, "add").await.unwrap();
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    for n in 0..3 {
        if n > 0 {
            fixture.announced(address(1)).await;
        }
        assert_eq!(fixture.run(1, "boom").await, Err(ErrorCode::Unavailable));
    }
    // The third pause is 200 ms long; the crash is known when the mailbox is gone.
    let refusal = loop {
        match fixture.run(1, "add").await {
            Err(ErrorCode::Unavailable) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(refusal, Err(ErrorCode::Busy));
    assert_eq!(fixture.count(2).await, Ok(1));
}

#[tokio::test]
async fn a_crash_between_commit_and_answer_loses_nothing_durable() {
    let mut fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.announced(address(1)).await;
    fixture.store.hold_commits();
    let directory = fixture.directory.clone();
    let waiting = tokio::spawn(async move { directory.ask(UserId(1), script("add")).await });
    fixture.store.commit_is_held().await;
    let directory = fixture.directory.clone();
    let crash = tokio::spawn(async move { directory.ask(UserId(1), script("boom")).await });
    assert!(waiting.await.unwrap().is_err(), "its outcome is unknown");
    assert!(crash.await.unwrap().is_err());
    fixture.store.release_commits();
    assert_eq!(
        fixture.announced(address(1)).await,
        2,
        "the next life waits for the lane, then sees the event"
    );
    assert_eq!(fixture.count(1).await, Ok(2));
}

#[tokio::test]
async fn the_idle_are_passivated_but_not_those_in_use() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.run(2, "hold").await.unwrap();
    fixture.clock.0.store(limits::USER_IDLE_MS, Relaxed);
    fixture.directory.sweep();
    // An answer of 2 comes after its Passivate; 1 is watched until it is gone.
    fixture.count(2).await.unwrap();
    while fixture.is_active(1) {
        tokio::task::yield_now().await;
    }
    assert!(fixture.is_active(2));
    assert_eq!(fixture.count(1).await, Ok(1), "it comes back when asked");
}

#[tokio::test]
async fn a_full_mailbox_answers_busy() {
    let fixture = Fixture::new().await;
    fixture.store.hold_commits();
    let mut asks = tokio::task::JoinSet::new();
    for _ in 0..limits::MAILBOX + 10 {
        let directory = fixture.directory.clone();
        asks.spawn(async move {
            directory
                .ask(UserId(1), script("add"))
                .await
                .map_err(|error| error.code)
        });
    }
    let first = asks.join_next().await.unwrap().unwrap();
    assert_eq!(first, Err(ErrorCode::Busy));
    fixture.store.release_commits();
    let mut done = 0;
    while let Some(answer) = asks.join_next().await {
        done += u64::from(answer.unwrap().is_ok());
    }
    assert_eq!(fixture.count(1).await, Ok(done));
    assert!(done >= limits::MAILBOX / 2);
}

#[tokio::test]
async fn a_refused_precondition_is_answered_and_the_entity_is_forgotten() {
    let fixture = Fixture::new().await;
    fixture.run(1, "claim").await.unwrap();
    assert_eq!(fixture.run(2, "claim").await, Err(ErrorCode::UnknownInvite));
    while fixture.is_active(2) {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.count(2).await, Ok(0));
}

#[tokio::test]
async fn intents_are_delivered_and_leave_the_outbox() {
    let mut fixture = Fixture::new().await;
    for _ in 0..5 {
        fixture.run(1, "send/2").await.unwrap();
    }
    // The receiver's events say that it took them.
    let mut taken = 0;
    while taken < 5 {
        let frame = fixture.frames.recv().await.unwrap();
        taken += u64::from(frame.topic == address(2) && matches!(frame.seq, FrameSeq::Logged(_)));
    }
    assert_eq!(fixture.count(2).await, Ok(5));
    while !store::scan_all::<Outbox>(fixture.store.as_ref(), address(1), 10)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_dead_process_left_in_an_outbox_is_delivered_at_the_next_start() {
    let store = Arc::new(MemoryStore::new());
    let lane = LaneId {
        node: "n".into(),
        incarnation: 1,
        index: 0,
    };
    let lane = CommitLane::open(store.clone(), lane).await.unwrap();
    let row = OutboxRow {
        to: address(2),
        notice: rookery_protocol::command::Notice::Joined(rookery_protocol::ids::GroupId(7)),
    };
    let key = rookery_protocol::document::Key::new(address(1), 1);
    let writes = vec![store::put::<Outbox>(key, &row)];
    lane.submit_and_wait(store::Unit {
        entity: address(1),
        absent: Vec::new(),
        writes,
    })
    .await
    .unwrap();
    let mut fixture = Fixture::on(store, 2).await;
    assert_eq!(fixture.directory.recover().await.unwrap(), 1);
    loop {
        let frame = fixture.frames.recv().await.unwrap();
        if frame.topic == address(2) && matches!(frame.seq, FrameSeq::Logged(1)) {
            break;
        }
    }
    assert_eq!(fixture.count(2).await, Ok(1));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unknown_now_and_loads_later() {
    let fixture = Fixture::new().await;
    fixture.run(1, "add").await.unwrap();
    fixture.clock.0.store(limits::USER_IDLE_MS, Relaxed);
    fixture.directory.sweep();
    while fixture.is_active(1) {
        tokio::task::yield_now().await;
    }
    fixture.store.set_unavailable(true);
    assert_eq!(fixture.count(1).await, Err(ErrorCode::Unavailable));
    fixture.store.set_unavailable(false);
    let count = loop {
        match fixture.count(1).await {
            Err(ErrorCode::Busy | ErrorCode::Unavailable) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert_eq!(count, Ok(1));
}
