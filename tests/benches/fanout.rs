//! Fan-out to the members of one group, against a room on socket.io, in alternation in one run.
//!
//! `cargo bench -p rookery-tests --bench fanout -- [--sizes 100,1000,5000] [--seconds 4] [--rounds 3]`. Rookery does the
//! whole path for every message: HTTP request, token, permission, sequence, durable commit on redb, event log, numbered
//! dispatch; socket.io only passes it on. Rookery's frames are Discord's message objects, several times as long.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench reads clocks and prints figures"
)]

use std::time::Duration;

use rookery_tests::bench::{Ours, Room, SocketIo, Table, measure, median, option, pin_generator};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Messages under way when the server is saturated.
const SATURATED: u64 = 256;

async fn run() {
    let sizes: Vec<usize> = option("sizes", "100,1000,5000");
    let time = Duration::from_secs(option("seconds", "4")[0]);
    let rounds: usize = option("rounds", "3")[0];
    let largest = sizes.iter().copied().max().unwrap_or(100);
    println!("registering {largest} people");
    let mut ours = Ours::start(largest).await;
    let mut peer = SocketIo::start();
    let mut table = Table::new(&[
        "members",
        "in flight",
        "server",
        "deliveries",
        "s",
        "CPU-us/delivery",
        "deliveries/s/core",
        "ratio",
    ]);
    for members in sizes {
        ours.grow(members).await;
        peer.grow(members).await;
        println!("{members} members: warming up");
        measure(&mut peer, members, 16, Duration::from_secs(6)).await;
        measure(&mut ours, members, 16, Duration::from_secs(2)).await;
        for in_flight in [1, SATURATED] {
            let (mut our, mut their) = (Vec::new(), Vec::new());
            for round in 0..rounds {
                println!(
                    "{members} members, {in_flight} in flight, round {}",
                    round + 1
                );
                their.push(measure(&mut peer, members, in_flight, time).await);
                our.push(measure(&mut ours, members, in_flight, time).await);
            }
            let (our, their) = (median(our), median(their));
            let ratio = if in_flight == 1 {
                format!("{:.2}x the CPU", our.cost() / their.cost())
            } else {
                format!("{:.1}x the deliveries", our.per_core() / their.per_core())
            };
            for (name, figure, ratio) in [
                (peer.name(), their, String::new()),
                (ours.name(), our, ratio),
            ] {
                table.row([
                    members.to_string(),
                    in_flight.to_string(),
                    name.to_owned(),
                    format!("{:.0}", figure.deliveries),
                    format!("{:.1}", figure.seconds),
                    format!("{:.2}", figure.cost()),
                    format!("{:.0}", figure.per_core()),
                    ratio,
                ]);
            }
        }
    }
    table.print();
    println!(
        "goals: one in flight at 1000 <= 0.8x socket.io's CPU (aim 0.6x); saturated >= 20x its deliveries per core"
    );
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
