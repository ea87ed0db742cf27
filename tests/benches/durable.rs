//! Durable messages: acknowledged a second with many in flight, the tail at a steady rate, and what each costs the server
//! and its database. The peer is a small server on socket.io that inserts into MongoDB before it broadcasts.
//!
//! The whole path is measured: ours over HTTP keep-alive with token, permission, nonce, commit, event and reply, rate
//! limits off; the peer over its WebSocket, without any of that. One member of the group listens to either.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads clocks and prints figures"
)]

use std::time::{Duration, Instant};

use rookery_tests::bench::{
    Cpu, Ours, Peer, Poster, Room, Speaker, Table, Writer, at_rate, option, pin_generator,
    quantile_ms, release_node_with, saturate,
};
use rookery_tests::harness::NodeOptions;
use rookery_tests::servers::Mongod;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Connections, each with one message in flight.
const IN_FLIGHT: usize = 256;
/// Connections for the steady rate.
const STEADY: usize = 64;
/// Messages a second of the steady rate.
const RATE: u32 = 1_500;
/// What is not measured: caches fill, and Node compiles.
const WARM_UP: Duration = Duration::from_secs(6);

/// One run of one server.
struct Figures {
    acks: f64,
    p50: f64,
    p99: f64,
    /// CPU-microseconds of an acknowledged message: the server's and the database's.
    cost: (f64, f64),
    steady: (f64, f64),
}

/// Measures a server with its connections.
async fn measure<W: Writer>(
    writers: &mut Vec<W>,
    time: Duration,
    cpu: impl Fn() -> (Cpu, Cpu),
) -> Figures {
    saturate(writers, 0, WARM_UP).await;
    let (before, start) = (cpu(), Instant::now());
    let taken = saturate(writers, 1 << 32, time).await;
    let (after, seconds) = (cpu(), start.elapsed().as_secs_f64());
    let count = taken.len() as f64;
    let mut rest = writers.split_off(STEADY);
    let steady = at_rate(writers, 1 << 33, RATE, time).await;
    writers.append(&mut rest);
    Figures {
        acks: count / seconds,
        p50: quantile_ms(&taken, 0.5),
        p99: quantile_ms(&taken, 0.99),
        cost: (
            (after.0 - before.0).micros() / count,
            (after.1 - before.1).micros() / count,
        ),
        steady: (quantile_ms(&steady, 0.5), quantile_ms(&steady, 0.99)),
    }
}

async fn rookery(mongod: Option<&Mongod>, time: Duration) -> Figures {
    let mut options = NodeOptions::default();
    if let Some(mongod) = mongod {
        let url = mongod.url("rookery");
        options.env.push(("ROOKERY_STORE_URL".to_owned(), url));
    }
    let mut ours = Ours::with_node(release_node_with(options).await, 2).await;
    ours.grow(1).await;
    let mut writers = Vec::new();
    for _ in 0..IN_FLIGHT {
        let token = &ours.people[1].token;
        writers.push(Poster::connect(ours.node.address(), token, &ours.channel).await);
    }
    let database = || mongod.map_or_else(Cpu::default, |mongod| Cpu::of(mongod.process().pid()));
    measure(&mut writers, time, || (ours.cpu(), database())).await
}

async fn peer(mongod: &Mongod, time: Duration) -> Figures {
    let peer = Peer::start("socketio-mongodb", &[&mongod.url("peer")]);
    tokio::task::spawn_local(Speaker::connect(peer.address(), true).await.listen());
    let mut writers = Vec::new();
    for _ in 0..IN_FLIGHT {
        writers.push(Speaker::connect(peer.address(), false).await);
    }
    measure(&mut writers, time, || {
        (peer.cpu(), Cpu::of(mongod.process().pid()))
    })
    .await
}

async fn run() {
    let seconds = option::<u64>("seconds", "10")[0];
    let rounds = option::<usize>("rounds", "3")[0];
    let time = Duration::from_secs(seconds);
    let mut table = Table::new(&[
        "server",
        "acknowledged/s",
        "p50 ms",
        "p99 ms",
        "server us",
        "database us",
        "p50 at 1,500/s",
        "p99 at 1,500/s",
    ]);
    let mut ratios = Vec::new();
    let mut add = |name: &str, figures: &Figures| {
        table.row([
            name.to_owned(),
            format!("{:.0}", figures.acks),
            format!("{:.1}", figures.p50),
            format!("{:.1}", figures.p99),
            format!("{:.0}", figures.cost.0),
            format!("{:.0}", figures.cost.1),
            format!("{:.1}", figures.steady.0),
            format!("{:.1}", figures.steady.1),
        ]);
    };
    for _ in 0..rounds {
        // Each on a database of its own that nobody has written to.
        let theirs = peer(&Mongod::start().await, time).await;
        let ours = rookery(Some(&Mongod::start().await), time).await;
        add("socket.io + insertOne", &theirs);
        add("rookery on MongoDB", &ours);
        let cost = |figures: &Figures| figures.cost.0 + figures.cost.1;
        ratios.push((
            ours.acks / theirs.acks,
            cost(&ours) / cost(&theirs),
            ours.steady.1,
        ));
    }
    add("rookery on redb", &rookery(None, time).await);
    table.print();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (acks, cost, p99) = ratios[ratios.len() / 2];
    println!("{IN_FLIGHT} in flight: {acks:.1}x the acknowledged messages (goal: 8x)");
    println!("CPU of an acknowledged message, database included: {cost:.3}x (goal: 0.167x)");
    println!("p99 at {RATE} messages a second: {p99:.1} ms (goal: 15 ms)");
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
