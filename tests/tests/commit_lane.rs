//! The commit lane over a store that loses answers, commits late, is away or fences it: every unit takes effect once and
//! its submitter is told what became of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a panic in a test is the report"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use proptest::prelude::*;
use rookery_actors::commit::core::{Grouping, Next, Settled};
use rookery_actors::commit::{CommitLane, Outcome, QueueFull};
use rookery_actors::store::memory::{CommitFault, Disk, Faults, MemoryStore};
use rookery_actors::store::{LaneId, Store, Unit, Write};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::ids::GroupId;
use rookery_protocol::limits::{COMMIT_QUEUE, COMMIT_UNITS};

const TABLE: TableId = TableId::Usernames;

fn lane() -> LaneId {
    LaneId {
        node: "node-1".to_owned(),
        incarnation: 1,
        index: 0,
    }
}

/// Takes the name `n`, if it is free, and says that it was the last one to write. Applied twice it would be refused;
/// applied late it would say so although others came after.
fn take(n: u64) -> Unit {
    let name = Key::single(n);
    let put = |key: Key| Write::Put {
        table: TABLE,
        key,
        row: n.to_be_bytes().to_vec(),
    };
    Unit {
        entity: GroupId(1).into(),
        absent: vec![(TABLE, name.clone())],
        writes: vec![put(name), put(Key::single("last"))],
    }
}

async fn last(store: &MemoryStore) -> Option<u64> {
    let row = store.get(TABLE, &Key::single("last")).await.unwrap();
    row.map(|row| u64::from_be_bytes(row.try_into().unwrap()))
}

/// Outcomes in the order they were told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(u64, Outcome)>>>);

impl Told {
    fn submit(&self, lane: &CommitLane, n: u64) -> Result<(), QueueFull> {
        let told = Arc::clone(&self.0);
        let done = move |outcome| told.lock().unwrap().push((n, outcome));
        lane.submit(take(n), Box::new(done))
    }

    fn all(&self) -> Vec<(u64, Outcome)> {
        self.0.lock().unwrap().clone()
    }
}

fn each(range: std::ops::Range<u64>, outcome: Outcome) -> Vec<(u64, Outcome)> {
    range.map(|n| (n, outcome)).collect()
}

const KINDS: [CommitFault; 5] = [
    CommitFault::Lost,
    CommitFault::Unacknowledged,
    CommitFault::Late { calls: 1 },
    CommitFault::Late { calls: 2 },
    CommitFault::Late { calls: 3 },
];

#[tokio::test]
async fn with_a_fault_at_every_position_each_unit_takes_effect_once() {
    for kind in KINDS {
        for position in 1..=4 {
            let faults = Faults::default().commit(position, kind);
            let store = Arc::new(MemoryStore::with_faults(Disk::default(), faults));
            let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
            for n in 0..4 {
                let outcome = lane.submit_and_wait(take(n)).await;
                assert_eq!(outcome, Ok(Outcome::Committed), "{kind:?} at {position}");
                assert_eq!(last(&store).await, Some(n), "{kind:?} at {position}");
                let taken = lane.submit_and_wait(take(0)).await;
                assert_eq!(taken, Ok(Outcome::Refused), "{kind:?} at {position}");
            }
            let counters = lane.counters();
            assert_eq!((counters.unknown, counters.commits), (1, 8));
            assert_eq!(store.commits(), 9);
        }
    }
}

#[tokio::test]
async fn units_that_arrive_during_a_commit_share_the_next() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
    let told = Told::default();
    store.hold_commits();
    told.submit(&lane, 0).unwrap();
    store.commit_is_held().await;
    for n in 1..100 {
        told.submit(&lane, n).unwrap();
    }
    assert_eq!(lane.counters().outstanding, 100);
    assert_eq!(told.all(), [], "nothing is told before it is durable");
    store.release_commits();
    lane.drain().await;
    assert_eq!(told.all(), each(0..100, Outcome::Committed));
    let counters = lane.counters();
    assert_eq!(
        (counters.commits, counters.units, counters.last_batch),
        (2, 100, 99)
    );
    assert_eq!(counters.outstanding, 0);
    assert!(counters.slowest_ns > 0);
}

#[tokio::test]
async fn a_full_queue_refuses_and_recovers() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
    let told = Told::default();
    store.hold_commits();
    told.submit(&lane, 0).unwrap();
    store.commit_is_held().await;
    let full = COMMIT_QUEUE as u64 + 1;
    for n in 1..full {
        told.submit(&lane, n).unwrap();
    }
    assert_eq!(told.submit(&lane, full), Err(QueueFull));
    assert_eq!(lane.submit_and_wait(take(full)).await, Err(QueueFull));
    store.release_commits();
    lane.drain().await;
    assert_eq!(told.all(), each(0..full, Outcome::Committed));
    let batches = COMMIT_QUEUE.div_ceil(COMMIT_UNITS) as u64 + 1;
    assert_eq!(lane.counters().commits, batches);
    let next = lane.submit_and_wait(take(full)).await;
    assert_eq!(next, Ok(Outcome::Committed));
}

#[tokio::test]
async fn behind_a_fence_everything_fails_in_order() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
    let told = Told::default();
    told.submit(&lane, 0).unwrap();
    lane.drain().await;
    store.hold_commits();
    told.submit(&lane, 1).unwrap();
    store.commit_is_held().await;
    told.submit(&lane, 2).unwrap();
    store.fence(&self::lane()).await.unwrap();
    store.release_commits();
    lane.drain().await;
    told.submit(&lane, 3).unwrap();
    lane.drain().await;
    let mut expected = each(0..1, Outcome::Committed);
    expected.extend(each(1..4, Outcome::Fenced));
    assert_eq!(told.all(), expected);
    assert_eq!(last(&store).await, Some(0));
}

#[tokio::test]
async fn a_lane_waits_for_a_store_that_is_away() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
    store.set_unavailable(true);
    let told = Told::default();
    told.submit(&lane, 0).unwrap();
    while lane.counters().unknown < 2 {
        tokio::task::yield_now().await;
    }
    told.submit(&lane, 1).unwrap();
    assert_eq!(told.all(), []);
    store.set_unavailable(false);
    lane.drain().await;
    assert_eq!(told.all(), each(0..2, Outcome::Committed));
}

#[tokio::test]
async fn a_lane_that_was_fenced_before_does_not_open() {
    let store = Arc::new(MemoryStore::new());
    store.fence(&lane()).await.unwrap();
    assert!(CommitLane::open(store, lane()).await.is_err());
}

#[tokio::test]
async fn a_receiver_that_panics_harms_nobody_else() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store, lane()).await.unwrap();
    lane.submit(take(0), Box::new(|_| panic!("as the test wants")))
        .unwrap();
    let outcome = lane.submit_and_wait(take(1)).await;
    assert_eq!(outcome, Ok(Outcome::Committed));
    lane.drain().await;
    assert_eq!(lane.counters().outstanding, 0);
}

#[tokio::test]
async fn what_is_queued_when_the_last_handle_goes_is_still_committed() {
    let store = Arc::new(MemoryStore::new());
    let lane = CommitLane::open(store.clone(), lane()).await.unwrap();
    let told = Told::default();
    store.hold_commits();
    told.submit(&lane, 0).unwrap();
    store.commit_is_held().await;
    told.submit(&lane, 1).unwrap();
    let (tell, at_the_end) = tokio::sync::oneshot::channel();
    lane.submit(
        take(2),
        Box::new(move |outcome| tell.send(outcome).unwrap()),
    )
    .unwrap();
    drop(lane);
    store.release_commits();
    assert_eq!(at_the_end.await.unwrap(), Outcome::Committed);
    assert_eq!(told.all(), each(0..2, Outcome::Committed));
}

/// What happens next in a simulated life of a lane.
#[derive(Debug, Clone)]
enum Event {
    Submit(u8),
    Commit,
    Fence,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => (1..4u8).prop_map(Event::Submit),
        30 => Just(Event::Commit),
        1 => Just(Event::Fence),
    ]
}

fn faults() -> impl Strategy<Value = Faults> {
    let fault = (1..30u64, 0..KINDS.len());
    proptest::collection::vec(fault, 0..12).prop_map(|faults| {
        let add = |script: Faults, (n, kind)| script.commit(n, KINDS[kind]);
        faults.into_iter().fold(Faults::default(), add)
    })
}

/// Hands the commit of a grouping to a store; the pause before a repetition takes no time here.
fn commit_once(grouping: &mut Grouping<u64>, store: &MemoryStore, told: &mut Vec<(u64, Outcome)>) {
    match grouping.begin() {
        Next::Nothing => {}
        Next::Fail(waiting) => told.extend(waiting.into_iter().map(|n| (n, Outcome::Fenced))),
        Next::Commit(commit) => {
            let result = store.commit(&commit).now_or_never().unwrap();
            if let Settled::Outcomes(outcomes) = grouping.settle(result) {
                told.extend(outcomes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever fails and whenever the lane is fenced: outcomes come in order, once each; what was told to be committed
    /// is there, and what was told to be refused was there before.
    #[test]
    fn every_outcome_is_true(events in proptest::collection::vec(event(), 1..60), faults in faults()) {
        let store = MemoryStore::with_faults(Disk::default(), faults);
        let at = store.open_lane(&lane()).now_or_never().unwrap().unwrap();
        let mut grouping = Grouping::new(lane(), at);
        let (mut submitted, mut told) = (0, Vec::new());
        let mut fenced = false;
        for event in events {
            match event {
                Event::Submit(count) => {
                    for _ in 0..count {
                        // Every fifth name is taken already.
                        let name = if submitted % 5 == 4 { submitted - 4 } else { submitted };
                        grouping.submit(take(name), submitted).unwrap();
                        submitted += 1;
                    }
                }
                Event::Commit => commit_once(&mut grouping, &store, &mut told),
                Event::Fence => {
                    store.fence(&lane()).now_or_never().unwrap().unwrap();
                    fenced = true;
                }
            }
        }
        for _ in 0..200 {
            commit_once(&mut grouping, &store, &mut told);
        }
        let order: Vec<u64> = told.iter().map(|(n, _)| *n).collect();
        prop_assert_eq!(order, (0..submitted).collect::<Vec<_>>());

        let mut durable = VecDeque::new();
        for &(n, outcome) in &told {
            let taken_before = n % 5 == 4;
            let name = Key::single(n);
            let there = store.get(TABLE, &name).now_or_never().unwrap().unwrap().is_some();
            match outcome {
                Outcome::Committed => prop_assert!(there && !taken_before),
                Outcome::Refused => prop_assert!(taken_before),
                Outcome::Fenced => prop_assert!(fenced),
            }
            if there {
                durable.push_back(n);
            }
        }
        // What is there was written in order, nothing of it late: the last write is that of the last name.
        let last = last(&store).now_or_never().unwrap();
        prop_assert_eq!(last, durable.back().copied());
        // Without a gap: whoever is fenced comes after all that are durable.
        let expected: Vec<u64> = (0..submitted).filter(|n| n % 5 != 4).take(durable.len()).collect();
        prop_assert_eq!(durable, expected);
    }
}
