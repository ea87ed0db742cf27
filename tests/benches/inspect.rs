//! What it costs that every actor can be looked into: counting a message, marking and searching 100,000 actors. Goal: under 1% of
//! a core at 100,000 actors and 50,000 messages a second.
//!
//! `cargo bench -p rookery-tests --bench inspect -- [--actors 100000]`
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench measures time, prints figures and stops at the first surprise"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{
    AccountCache, Clock, Counters, Directory, Kinds, Kit, NoPeers, Publisher, Rooms, SharedMinter,
    World,
};
use rookery_actors::links::Links;
use rookery_actors::ownership::{Placement, Tenure};
use rookery_actors::store::LaneId;
use rookery_actors::store::memory::MemoryStore;
use rookery_node::clock::SystemClock;
use rookery_protocol::command::group::Authorize;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::event::Frame;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::inspect::{ActorKind, Sort};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;
use rookery_tests::bench::{Table, option};
use rookery_tests::memory::resident_kb;

const MESSAGES_A_SECOND: f64 = 50_000.0;
const BATCH: usize = 1_000;
const BATCHES: usize = 600;

/// Nobody listens.
struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: Arc<Frame>) {}
}

impl AccountCache for Nobody {
    fn invalidate(&self, _: UserId, _: u64) {}
}

impl Rooms for Nobody {
    fn nudge(&self, _: &IncarnationId, _: ChannelId) {}
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Nanoseconds of a call, of the median batch.
fn per_call(batch: usize, batches: usize, mut call: impl FnMut()) -> f64 {
    let batches = (0..batches).map(|_| {
        let start = Instant::now();
        (0..batch).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / batch as f64
    });
    median(batches.collect())
}

async fn directory(clock: &Arc<dyn Clock>) -> Directory {
    let store = Arc::new(MemoryStore::new());
    let lane = LaneId {
        node: "bench".to_owned(),
        incarnation: 1,
        index: 0,
    };
    let world = World {
        store: store.clone(),
        lane: CommitLane::open(store, lane).await.expect("a lane"),
        clock: Arc::clone(clock),
        publisher: Arc::new(Nobody),
        accounts: Arc::new(Nobody),
        rooms: Arc::new(Nobody),
        tenure: Tenure::endless(),
        placement: Placement::whole(),
        peers: Arc::new(NoPeers),
        kit: Kit {
            ids: SharedMinter::new(1, Millis(0)),
            links: Links::new("https://chat.example", [0; 32]),
        },
    };
    Directory::start(world).await.expect("a directory")
}

/// What anybody may ask of a group.
fn nothing() -> Authorize {
    Authorize {
        by: UserId(1),
        permissions: Permissions::NONE,
        channel: None,
    }
}

fn main() {
    let actors: u64 = option("actors", "100000")[0];
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let kinds = Kinds::default();
    let counters = Counters::new(Arc::clone(&clock));
    let waiting = counters.waiting();
    let counting = per_call(BATCH, BATCHES, || {
        let timed = counters.enqueue(&waiting, ());
        let taken = counters.now_ns();
        let handled = counters.handle(&waiting, "PostMessage", timed.at_ns(), taken);
        kinds.record(ActorKind::Group, "PostMessage", black_box(handled));
    });

    let before = resident_kb(std::process::id());
    let directory = runtime.block_on(async {
        let directory = directory(&clock).await;
        for group in 1..=actors {
            // There are no such groups; their actors say so, and stay for five minutes: a million is awake in one.
            let _ = directory.ask(GroupId(group), nothing()).await;
        }
        directory
    });
    assert_eq!(directory.active(), actors, "all of them are active");
    let resident = resident_kb(std::process::id()).saturating_sub(before);
    let searching = per_call(1, 50, || {
        black_box(directory.top(Sort::Busy, None, 50));
    });
    let marking = per_call(1, 50, || directory.mark());
    let census = per_call(1, 50, || {
        black_box(directory.census());
    });

    // Counting every message, and every five seconds a walk that marks all actors and looks at their mailboxes.
    let a_second = counting * MESSAGES_A_SECOND + marking / 5.0;
    let share = a_second / 1e9 * 100.0;
    let mut table = Table::new(&["what", "figure", "goal"]);
    let rows = [
        (
            "counting a message".to_owned(),
            format!("{counting:.0} ns"),
            "",
        ),
        (
            format!("marking {actors} actors, every 5 s"),
            format!("{:.2} ms", marking / 1e6),
            "",
        ),
        (
            format!("the 50 busiest of {actors} actors"),
            format!("{:.2} ms", searching / 1e6),
            "",
        ),
        (
            format!("a census of {actors} actors"),
            format!("{:.2} ms", census / 1e6),
            "",
        ),
        (
            "an actor in memory".to_owned(),
            format!("{:.1} kB", resident as f64 / actors as f64),
            "",
        ),
        (
            format!("of a core, at {actors} actors and 50,000 messages/s"),
            format!("{share:.2} %"),
            // Of 100,000.
            if actors == 100_000 { "< 1 %" } else { "" },
        ),
    ];
    for (what, figure, goal) in rows {
        table.row([what, figure, goal.to_owned()]);
    }
    table.print();
}
