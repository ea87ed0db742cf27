//! Floods: of connections, of messages nobody takes, of ractor's own messages.

use rookery_protocol::cluster::Verdict;
use rookery_protocol::limits::LINK_HANDSHAKES;
use rookery_tests::harness::soon;
use rookery_tests::links::{Authority, Stranger, hello, trusting_nobody};
use tokio::net::TcpStream;

use super::{link, start};

/// More memory than this, in kB, no flood is worth.
const WORTH_KB: u64 = 64 * 1_024;

#[tokio::test]
async fn a_flood_of_messages_is_cut_off() {
    let authority = Authority::with(&["a", "aa", "b"]);
    let mut b = start(&authority, "b", 2).await;
    let mut a = start(&authority, "a", 5).await;
    link(&mut a, &mut b).await;
    let before = b.resident_kb();
    // To an actor that is none, a mebibyte each; then small ones; then ractor's pings.
    for (round, kind) in ["large", "small", "control"].into_iter().enumerate() {
        let config = trusting_nobody(Some((&authority, "aa")));
        let mut flood = Stranger::dial(b.address, config).await.unwrap();
        let verdict = flood.greet(&hello("aa", 1)).await;
        assert_eq!(verdict, Some(Verdict::Welcome));
        assert!(flood.enter("aa.1@aa").await);
        b.event("linked aa.1").await;
        let bytes = vec![0; 1 << 20];
        let pour = async {
            loop {
                let taken = match kind {
                    "large" => flood.cast(1 << 40, &bytes).await,
                    "small" => flood.cast(1 << 40, b"x").await,
                    _ => flood.say(b"\x1a\x02\x1a\x00").await,
                };
                if !taken {
                    return;
                }
            }
        };
        soon("the end of the flood", pour).await;
        b.event("unlinked aa.1").await;
        b.counted("flood", round as u64 + 1).await;
    }
    let grown = b.resident_kb().saturating_sub(before);
    assert!(grown < WORTH_KB, "{grown} kB");
    a.call("b.2", 10).await;
    assert_eq!(b.counts().await.of("a.links"), 1);
}

#[tokio::test]
async fn a_flood_of_connections_leaves_links_alone() {
    let authority = Authority::with(&["a", "b"]);
    let mut b = start(&authority, "b", 2).await;
    let mut a = start(&authority, "a", 5).await;
    link(&mut a, &mut b).await;
    let mut open = Vec::new();
    for _ in 0..4 * LINK_HANDSHAKES {
        open.push(TcpStream::connect(b.address).await.unwrap());
    }
    b.counted("busy", 1).await;
    a.call("b.2", 100).await;
    // They are cut off, and then there is room again.
    b.counted("late", 1).await;
    drop(open);
    a.restart_as(6).await;
    a.learn(&[("b.2", b.address)]).await;
    a.event("linked b.2").await;
    b.event("unlinked a.5").await;
    b.event("linked a.6").await;
}
