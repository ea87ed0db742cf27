//! What a link between two nodes costs: the time of a call, envelopes per second, and the memory of an idle link. Goals: a
//! call under 1 ms, idle links of a node far under 20 MB.
//!
//! `cargo bench -p rookery-tests --bench links [-- --calls 5000 --envelopes 2000000]`
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench prints figures and stops at the first surprise"
)]

use rookery_tests::bench::option;
use rookery_tests::links::{Authority, LinkPeer};

/// Idle links whose memory is measured, all of one node.
const IDLE: usize = 16;

async fn start(authority: &Authority, name: &str) -> LinkPeer {
    let binary = env!("CARGO_BIN_EXE_link_peer");
    LinkPeer::start(binary, name, 1, authority.folder(), "127.0.0.1:0").await
}

fn name(n: usize) -> String {
    format!("n{n:02}")
}

#[tokio::main]
async fn main() {
    let calls = option::<usize>("calls", "5000")[0];
    let envelopes = option::<usize>("envelopes", "2000000")[0];
    let names: Vec<String> = (0..=IDLE).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let authority = Authority::with(&names);
    let mut a = start(&authority, names[0]).await;
    let mut peers = Vec::new();
    for name in &names[1..] {
        peers.push(start(&authority, name).await);
    }

    let to = peers[0].name.clone();
    link(&mut a, &mut peers, 0..1).await;
    a.call(&to, 500).await;
    let (median, late) = a.call(&to, calls).await;
    println!("links: call p50 {median} us, p99 {late} us");
    let rates = [("empty", 0), ("100-byte", 100), ("64-KiB", 64 * 1_024)];
    for (what, bytes) in rates {
        let count = if bytes > 1_000 { 20_000 } else { envelopes };
        let us = a.blast(&to, bytes, count).await as f64;
        let (rate, mb) = (count as f64 / us, bytes as f64 * count as f64 / us);
        println!("links: {what} envelopes: {rate:.2} M/s, {mb:.0} MB/s");
    }

    // A fresh node, so that nothing of the above is counted.
    let mut a = {
        drop(a);
        start(&authority, names[0]).await
    };
    link(&mut a, &mut peers, 0..1).await;
    a.call(&to, 10).await;
    let before = a.resident_kb();
    link(&mut a, &mut peers, 1..IDLE).await;
    let each = a.resident_kb().saturating_sub(before) as f64 / (IDLE - 1) as f64;
    println!("links: an idle link takes {each:.0} kB of resident memory");
}

/// Links a node with some of its peers, and keeps it linked with those before.
async fn link(a: &mut LinkPeer, peers: &mut [LinkPeer], new: std::ops::Range<usize>) {
    let shown = |peer: &LinkPeer| (peer.name.clone(), peer.address);
    let all: Vec<_> = peers[..new.end].iter().map(shown).collect();
    let all: Vec<_> = all.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    a.learn(&all).await;
    for peer in &mut peers[new] {
        peer.learn(&[(a.name.as_str(), a.address)]).await;
        peer.event(&format!("linked {}", a.name)).await;
        peer.call(&a.name, 1).await;
    }
}
