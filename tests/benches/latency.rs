//! From the post to the other client's socket, one message at a time and at a steady rate, on redb.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench reads clocks and prints figures"
)]

use std::time::{Duration, Instant};

use rookery_tests::bench::{Ours, Poster, Room, Table, pin_generator};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

const MESSAGES: usize = 1_000;

async fn run() {
    let mut table = Table::new(&[
        "members online",
        "messages",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "max ms",
    ]);
    for members in [2, 1_000] {
        let mut ours = Ours::start(members).await;
        ours.grow(members).await;
        let mut poster =
            Poster::connect(ours.node.address(), &ours.people[0].token, &ours.channel).await;
        let mut taken = Vec::with_capacity(MESSAGES);
        let content = "x".repeat(100);
        for n in 0..MESSAGES + 50 {
            let target = ours.readers.frames() + members as u64;
            let start = Instant::now();
            // The last of the members' sockets decides; the answer to the post is not waited for first.
            let ((), at) = tokio::join!(poster.post(&content), async {
                ours.readers.reach(target).await;
                start.elapsed()
            });
            if n >= 50 {
                taken.push(at);
            }
        }
        taken.sort();
        let at = |share: f64| -> String {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a rank of a short list"
            )]
            let rank = ((taken.len() - 1) as f64 * share) as usize;
            format!("{:.2}", taken[rank].as_secs_f64() * 1e3)
        };
        table.row([
            members.to_string(),
            MESSAGES.to_string(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
        ]);
        if members == 2 && taken[MESSAGES / 2] > Duration::from_millis(5) {
            println!("missed: the median is above 5 ms");
        }
    }
    table.print();
    println!(
        "goal: p50 < 5 ms to the other client's socket; with more members it is the last of all sockets"
    );
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
