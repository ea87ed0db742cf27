//! A peer that hangs: it is dropped in time, costs no more than its budget, and is linked again when it wakes up.

use std::time::{Duration, Instant};

use rookery_protocol::limits::{LINK_BUDGET_BYTES, LINK_IDLE_MS};
use rookery_tests::links::Authority;

use super::{link, start};

#[tokio::test]
async fn a_hung_peer_is_dropped_in_time_and_costs_no_more_than_its_budget() {
    let authority = Authority::with(&["a", "b", "c"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 2).await;
    let mut c = start(&authority, "c", 3).await;
    a.learn(&[("b.2", b.address)]).await;
    b.learn(&[("a.1", a.address)]).await;
    a.event("linked b.2").await;
    b.event("linked a.1").await;
    a.learn(&[("b.2", b.address), ("c.3", c.address)]).await;
    c.learn(&[("a.1", a.address)]).await;
    a.event("linked c.3").await;
    c.event("linked a.1").await;
    a.call("c.3", 10).await;
    let before = a.resident_kb();

    let start = Instant::now();
    b.signal("STOP");
    // What may be lost gives way first, and when the budget is used up everything does.
    let [sent, full, down] = a.send("b.2", "may", 64 * 1_024, 1_000).await;
    assert!(sent > 0 && full > 0 && down == 0, "{sent} {full} {down}");
    assert!(sent as usize * 64 * 1_024 <= LINK_BUDGET_BYTES / 2 + (1 << 20));
    let [sent, full, down] = a.send("b.2", "must", 64 * 1_024, 1_000).await;
    assert!(sent > 0 && full > 0 && down == 0, "{sent} {full} {down}");
    let counts = a.counts().await;
    assert!(counts.of("b.queued") <= LINK_BUDGET_BYTES as u64 + (1 << 20));
    assert!(counts.of("b.dropped") > 0 && counts.of("b.refused") > 0);
    let _ = a.send("b.2", "must", 100, 100_000).await;
    let grown = a.resident_kb().saturating_sub(before);
    assert!(grown < 3 * LINK_BUDGET_BYTES as u64 / 1_024, "{grown} kB");
    // Others are not slowed down.
    let (median, _) = a.call("c.3", 200).await;
    assert!(median < 20_000, "{median} us");

    a.event("unlinked b.2").await;
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(LINK_IDLE_MS + 1_500),
        "{took:?}"
    );
    let [sent, _, down] = a.send("b.2", "must", 100, 10).await;
    assert_eq!((sent, down), (0, 10));

    b.signal("CONT");
    a.event("linked b.2").await;
    a.call("b.2", 10).await;
    b.event("unlinked a.1").await;
    b.event("linked a.1").await;
    b.call("a.1", 10).await;
}

#[tokio::test]
async fn much_arrives_whole_and_in_bounded_memory() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 2).await;
    link(&mut a, &mut b).await;
    a.blast("b.2", 0, 100_000).await;
    a.blast("b.2", 1_000, 100_000).await;
    a.blast("b.2", 300_000, 300).await;
    a.blast("b.2", 7 << 20, 10).await;
    assert_eq!(b.received().await, 200_310);
    // What was taken is acknowledged, without anything that would carry it.
    let settled = async { while a.counts().await.of("b.queued") > 0 {} };
    rookery_tests::harness::soon("everything acknowledged", settled).await;
    let counts = a.counts().await;
    assert_eq!((counts.of("b.dropped"), counts.of("b.links")), (0, 1));
}
