//! Links come back: after a crash, a cut, a new incarnation, and whoever starts first.

use rookery_tests::links::Authority;
use rookery_tests::servers::Proxy;

use super::{link, start, start_at};

#[tokio::test]
async fn both_start_at_once_and_are_linked_once() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 1).await;
    for number in 2..12 {
        tokio::join!(a.restart_as(number), b.restart_as(number));
        let (one, other) = (a.name.clone(), b.name.clone());
        let (at_a, at_b) = (a.address, b.address);
        let (to_a, to_b) = ([(other.as_str(), at_b)], [(one.as_str(), at_a)]);
        tokio::join!(a.learn(&to_a), b.learn(&to_b));
        let (up_a, up_b) = (format!("linked {other}"), format!("linked {one}"));
        tokio::join!(a.event(&up_a), b.event(&up_b));
        a.call(&other, 3).await;
        b.call(&one, 3).await;
        assert_eq!(a.counts().await.of("b.links"), 1);
    }
}

#[tokio::test]
async fn a_process_that_is_gone_is_noticed_on_either_side() {
    let authority = Authority::with(&["a", "b", "c"]);
    let mut a = start(&authority, "a", 1).await;
    let b = start(&authority, "b", 2).await;
    let mut c = start(&authority, "c", 3).await;
    let at = b.address;
    // `a` dials `b`, and `b` dials `c`.
    a.learn(&[("b.2", at)]).await;
    c.learn(&[("b.2", at)]).await;
    let mut b = b;
    b.learn(&[("a.1", a.address), ("c.3", c.address)]).await;
    a.event("linked b.2").await;
    c.event("linked b.2").await;
    b.kill().await;
    for node in [&mut a, &mut c] {
        node.event("unlinked b.2").await;
        node.event("refused b.2").await;
        node.event("refused b.2").await;
    }
    // Its next run is another incarnation, at the same place.
    let mut b = start_at(&authority, "b", 3, &at.to_string()).await;
    b.learn(&[("a.1", a.address), ("c.3", c.address)]).await;
    a.learn(&[("b.3", at)]).await;
    c.learn(&[("b.3", at)]).await;
    for node in [&mut a, &mut c] {
        node.event("linked b.3").await;
        node.call("b.3", 3).await;
    }
}

#[tokio::test]
async fn what_is_dialled_must_be_the_incarnation_that_was_meant() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 2).await;
    a.learn(&[("b.1", b.address)]).await;
    a.counted("old_incarnation", 1).await;
    link(&mut a, &mut b).await;
    assert_eq!(a.counts().await.of("b.links"), 1);
}

#[tokio::test]
async fn a_link_that_is_cut_comes_back_between_the_same_incarnations() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 2).await;
    let proxy = Proxy::to(b.address).await;
    a.learn(&[("b.2", proxy.address())]).await;
    b.learn(&[("a.1", a.address)]).await;
    a.event("linked b.2").await;
    b.event("linked a.1").await;
    for _ in 0..10 {
        proxy.cut();
        a.event("unlinked b.2").await;
        a.event("linked b.2").await;
        b.event("unlinked a.1").await;
        b.event("linked a.1").await;
        a.call("b.2", 3).await;
        b.call("a.1", 3).await;
    }
}

#[tokio::test]
async fn a_process_goes_on_as_another_incarnation() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 1).await;
    link(&mut a, &mut b).await;
    for number in 2..6 {
        let (old, stays) = if number % 2 == 0 {
            (&mut b, &mut a)
        } else {
            (&mut a, &mut b)
        };
        let was = old.name.clone();
        old.restart_as(number).await;
        stays.event(&format!("unlinked {was}")).await;
        let (at, name) = (stays.address, stays.name.clone());
        old.learn(&[(&name, at)]).await;
        let (at, now) = (old.address, old.name.clone());
        stays.learn(&[(&now, at)]).await;
        stays.event(&format!("linked {now}")).await;
        old.event(&format!("linked {name}")).await;
        old.call(&name, 3).await;
        stays.call(&now, 3).await;
    }
}

#[tokio::test]
async fn who_is_not_shown_any_more_is_dropped() {
    let authority = Authority::with(&["a", "b"]);
    let mut a = start(&authority, "a", 1).await;
    let mut b = start(&authority, "b", 2).await;
    link(&mut a, &mut b).await;
    a.learn(&[]).await;
    a.event("unlinked b.2").await;
    b.event("unlinked a.1").await;
    a.learn(&[("b.2", b.address)]).await;
    a.event("linked b.2").await;
    b.event("linked a.1").await;
}
