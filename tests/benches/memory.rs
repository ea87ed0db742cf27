//! Memory of idle identified sessions without compression, everything included that they make the server hold: once their
//! first events can no longer be replayed and their accounts have gone to sleep.
//!
//! `cargo bench -p rookery-tests --bench memory -- [SESSIONS]`
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints figures"
)]

use std::time::Duration;

use rookery_protocol::limits;
use rookery_tests::bench::{Ours, Room, Table, pin_generator};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Sessions of the first reading: code pages, caches and lanes have warmed up.
const WARM: usize = 500;

/// Milliseconds after the replay window until what it held is given back.
const SETTLE_MS: u64 = 20_000;

async fn run() {
    let sessions = std::env::args().find_map(|word| word.parse().ok());
    let sessions: usize = sessions.unwrap_or(5_000);
    println!("registering {sessions} people");
    let mut ours = Ours::start(sessions).await;
    // Registering hashed passwords, which takes 19 MB each; a fresh process has none of that.
    ours.restart().await;
    let mut table = Table::new(&["sessions", "resident kB", "kB per session"]);
    let empty = ours.node.resident_kb();
    table.row(["0".to_owned(), empty.to_string(), String::new()]);
    let mut settled = Vec::new();
    for count in [WARM, sessions] {
        ours.grow(count).await;
        let busy = ours.node.resident_kb();
        table.row([
            format!("{count}, just identified"),
            busy.to_string(),
            String::new(),
        ]);
        ours.idle(Duration::from_millis(limits::RESUME_MS + SETTLE_MS))
            .await;
        settled.push(ours.node.resident_kb());
    }
    let (warm, full) = (settled[0], settled[1]);
    table.row([format!("{WARM}, idle"), warm.to_string(), String::new()]);
    let each = full.saturating_sub(warm) as f64 / (sessions - WARM) as f64;
    table.row([
        format!("{sessions}, idle"),
        full.to_string(),
        format!("{each:.1}"),
    ]);
    table.print();
    println!(
        "goal: <= 20 kB per idle identified session (aim 10); each is another person's, in one group"
    );
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
