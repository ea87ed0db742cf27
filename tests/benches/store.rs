//! Figures of the stores, redb's and MongoDB's side by side: commits of 1 to 512 messages, the commit lane with as many in
//! flight, and reads beside a busy lane. `cargo bench -p rookery-tests --bench store [SECONDS]`; mongod runs on this machine
//! too, and takes its share of the cores.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench reads the clock and prints what it finds"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rookery_actors::commit::{CommitLane, Outcome};
use rookery_actors::store::{Commit, LaneId, Order, Scan, SharedStore, Unit, Write};
use rookery_node::store::mongo::MongoStore;
use rookery_node::store::redb::RedbStore;
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::ids::GroupId;
use rookery_tests::servers::Mongod;

/// Groups that messages are spread over.
const GROUPS: u64 = 64;

/// Events after which a group trims its log.
const TRIM_EVERY: u64 = 256;

/// What a message writes: its row, its event, and now and then the end of the log is trimmed.
fn message(n: u64) -> Unit {
    let entity = EntityRef::from(GroupId(1 + n % GROUPS));
    let gseq = n / GROUPS;
    let mut writes = vec![
        Write::Insert {
            table: TableId::Messages,
            key: Key::new(entity.id, n),
            row: document(300),
        },
        Write::Insert {
            table: TableId::Events,
            key: Key::new(entity, gseq),
            row: document(800),
        },
    ];
    if gseq % TRIM_EVERY == entity.id % TRIM_EVERY {
        writes.push(Write::DeleteUpTo {
            table: TableId::Events,
            partition: entity.into(),
            last: gseq.saturating_sub(100).into(),
        });
    }
    Unit {
        entity,
        absent: Vec::new(),
        writes,
    }
}

/// A row of about so many bytes.
fn document(bytes: usize) -> Vec<u8> {
    mongodb::bson::serialize_to_vec(&mongodb::bson::doc! { "content": "m".repeat(bytes) }).unwrap()
}

fn lane(incarnation: u64) -> LaneId {
    LaneId {
        node: "bench".to_owned(),
        incarnation,
        index: 0,
    }
}

struct Latencies(Vec<Duration>);

impl Latencies {
    fn ms(&mut self, quantile: f64) -> f64 {
        self.0.sort_unstable();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "an index"
        )]
        let index = ((self.0.len() - 1) as f64 * quantile) as usize;
        self.0[index].as_secs_f64() * 1_000.0
    }

    fn print(&mut self, what: &str, units: u64, took: Duration) {
        #[allow(clippy::cast_precision_loss, reason = "a figure to read")]
        let per_second = |n: u64| n as f64 / took.as_secs_f64();
        println!(
            "{what:<34} {:>7.0}/s {:>8.0} units/s   p50 {:>7.3} ms   p99 {:>7.3} ms   max {:>7.3} ms",
            per_second(self.0.len() as u64),
            per_second(units),
            self.ms(0.5),
            self.ms(0.99),
            self.ms(1.0),
        );
    }
}

/// Commits straight into the store, one after the other.
async fn commits(store: &SharedStore, incarnation: u64, batch: u64, time: Duration) {
    let lane = lane(incarnation);
    let mut seq = store.open_lane(&lane).await.unwrap();
    let (mut n, mut latencies) = (0, Latencies(Vec::new()));
    let began = Instant::now();
    while began.elapsed() < time {
        seq += 1;
        let commit = Commit {
            lane: lane.clone(),
            seq,
            units: (n..n + batch).map(message).collect(),
        };
        n += batch;
        let started = Instant::now();
        assert_eq!(store.commit(&commit).await.unwrap().refused.len(), 0);
        latencies.0.push(started.elapsed());
    }
    latencies.print(&format!("commit of {batch}"), n, began.elapsed());
}

/// Through the lane, so many units in flight, each followed by the next when it is acknowledged.
async fn through_lane(store: &SharedStore, incarnation: u64, in_flight: u64, time: Duration) {
    let lane = CommitLane::open(store.clone(), lane(incarnation))
        .await
        .unwrap();
    let began = Instant::now();
    let senders = (0..in_flight).map(|sender| {
        let lane = lane.clone();
        tokio::spawn(async move {
            let (mut n, mut latencies) = (sender, Vec::new());
            while began.elapsed() < time {
                let started = Instant::now();
                let outcome = lane.submit_and_wait(message(n)).await.unwrap();
                assert_eq!(outcome, Outcome::Committed);
                latencies.push(started.elapsed());
                n += in_flight;
            }
            latencies
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut latencies = Latencies(Vec::new());
    for sender in senders {
        latencies.0.extend(sender.await.unwrap());
    }
    let took = began.elapsed();
    let units = latencies.0.len() as u64;
    latencies.print(&format!("lane, {in_flight} in flight"), units, took);
    let counters = lane.counters();
    println!(
        "{:<34} {} commits, {} units each, slowest {} ms",
        "",
        counters.commits,
        counters.units / counters.commits,
        counters.slowest_ns / 1_000_000
    );
}

/// Pages of a history, while the lane is idle or busy.
async fn reads(store: &SharedStore, what: &str, time: Duration) {
    let mut latencies = Latencies(Vec::new());
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < time {
        n += 1;
        let started = Instant::now();
        let scan = Scan {
            table: TableId::Messages,
            partition: (1 + n % GROUPS).into(),
            above: None,
            below: None,
            order: Order::Descending,
            limit: 50,
        };
        assert!(!store.scan(&scan).await.unwrap().is_empty());
        latencies.0.push(started.elapsed());
    }
    latencies.print(what, n * 50, began.elapsed());
}

/// Everything about one store.
async fn measure(name: &str, store: &SharedStore, time: Duration) {
    println!("--- {name}");
    let mut incarnation = 0;
    for batch in [1, 64, 128, 256, 512] {
        incarnation += 1;
        commits(store, incarnation, batch, time).await;
    }
    for in_flight in [1, 64, 256, 1_024] {
        incarnation += 1;
        through_lane(store, incarnation, in_flight, time).await;
    }
    reads(store, "page of 50, lane idle", time).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || {
            while !stop.load(Relaxed) {
                incarnation += 1;
                let second = Duration::from_millis(500);
                runtime.block_on(commits(&store, incarnation, 64, second));
            }
        })
    };
    reads(store, "page of 50, lane busy", time).await;
    stop.store(true, Relaxed);
    writer.join().unwrap();
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(3));
    let mongod = Mongod::start().await;
    let store = MongoStore::connect(&mongod.url("bench")).await.unwrap();
    measure("MongoDB", &(Arc::new(store) as SharedStore), time).await;
    drop(mongod);

    let folder = tempfile::tempdir().unwrap();
    let redb = RedbStore::open(folder.path()).unwrap();
    let store: SharedStore = Arc::new(redb.clone());
    measure("redb", &store, time).await;

    let size = folder.path().join("rookery.redb").metadata().unwrap().len();
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    let file = "rookery.redb";
    std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    let started = Instant::now();
    drop(RedbStore::open(copy.path()).unwrap());
    println!(
        "file of {} MB, opened after a kill in {:?}",
        size >> 20,
        started.elapsed()
    );
    redb.close();
    let started = Instant::now();
    drop(RedbStore::open(folder.path()).unwrap());
    println!("opened after a close in {:?}", started.elapsed());
}
