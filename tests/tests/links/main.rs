//! Links between nodes: real processes, and strangers that try to be one. What must hold: nobody gets in who is not of the
//! cluster, what somebody does harms no other link, a link that is dead is noticed, and it comes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a panic in test code is the report, and tests read clocks"
)]

mod budget;
mod commands;
mod flood;
mod frames;
mod reconnect;
mod strangers;

use rookery_tests::links::{Authority, LinkPeer};

/// Starts a node.
async fn start(authority: &Authority, name: &str, number: u64) -> LinkPeer {
    start_at(authority, name, number, "127.0.0.1:0").await
}

async fn start_at(authority: &Authority, name: &str, number: u64, listen: &str) -> LinkPeer {
    let binary = env!("CARGO_BIN_EXE_link_peer");
    LinkPeer::start(binary, name, number, authority.folder(), listen).await
}

/// Shows two nodes to each other, and waits until they are linked.
async fn link(one: &mut LinkPeer, other: &mut LinkPeer) {
    let (a, b) = (one.name.clone(), other.name.clone());
    one.learn(&[(&b, other.address)]).await;
    other.learn(&[(&a, one.address)]).await;
    one.event(&format!("linked {b}")).await;
    other.event(&format!("linked {a}")).await;
}
