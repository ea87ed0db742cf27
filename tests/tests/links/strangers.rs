//! Who is not a node of the cluster gets no session, and is counted by what was wrong with him.

use std::time::Duration;

use rookery_protocol::cluster::Verdict;
use rookery_tests::harness::soon;
use rookery_tests::links::{Authority, Stranger, expired, hello, plain, trusting_nobody};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{link, start};

#[tokio::test]
async fn strangers_are_refused_and_counted_and_harm_nobody() {
    let authority = Authority::with(&["a", "b", "c", "d"]);
    let foreign = Authority::with(&["a"]);
    expired(&authority, "old");
    let mut b = start(&authority, "b", 2).await;
    let mut a = start(&authority, "a", 5).await;
    link(&mut a, &mut b).await;
    let at = b.address;
    let dial = async |config| Stranger::dial(at, config).await;

    // With TLS 1.3 the handshake may end before the node has looked at the certificate; then it answers no greeting.
    let refused = [
        ("foreign_certificate", Some((&foreign, "a"))),
        ("no_certificate", None),
        ("expired_certificate", Some((&authority, "old"))),
    ];
    for (reason, certificate) in refused {
        if let Some(mut stranger) = dial(trusting_nobody(certificate)).await {
            assert_eq!(stranger.greet(&hello("a", 9)).await, None, "{reason}");
        }
        b.counted(reason, 1).await;
    }

    let own = || trusting_nobody(Some((&authority, "a")));
    let greetings = [
        ("wrong_name", hello("aa", 9), Verdict::Name),
        ("old_incarnation", hello("a", 4), Verdict::Old),
    ];
    for (reason, greeting, verdict) in greetings {
        let mut stranger = dial(own()).await.unwrap();
        assert_eq!(stranger.greet(&greeting).await, Some(verdict));
        b.counted(reason, 1).await;
    }
    let mut larger = dial(trusting_nobody(Some((&authority, "c"))))
        .await
        .unwrap();
    assert_eq!(larger.greet(&hello("c", 1)).await, Some(Verdict::Direction));
    let mut junk = dial(own()).await.unwrap();
    assert_eq!(junk.greet(&[b'x'; 64]).await, None);
    b.counted("bad_greeting", 1).await;
    plain(at, b"GET / HTTP/1.1\r\n\r\n").await;
    b.counted("tls", 1).await;
    drop(TcpStream::connect(at).await.unwrap());
    b.counted("closed", 1).await;
    // Silence is ended by the node.
    let mut silent = TcpStream::connect(at).await.unwrap();
    let end = async { silent.read_to_end(&mut Vec::new()).await };
    let _ = soon("the end of a silent connection", end).await;
    b.counted("late", 1).await;

    a.call("b.2", 10).await;
    b.call("a.5", 10).await;
    let counts = b.counts().await;
    assert_eq!((counts.of("a.up"), counts.of("a.links")), (1, 1));
}

#[tokio::test]
async fn another_name_in_ractors_handshake_evicts_nobody() {
    let authority = Authority::with(&["a", "aa", "b"]);
    let mut b = start(&authority, "b", 2).await;
    let mut a = start(&authority, "a", 5).await;
    link(&mut a, &mut b).await;
    for round in 1..=3 {
        // It is `aa`, greets as such, and then tells ractor that it is `a`.
        let config = trusting_nobody(Some((&authority, "aa")));
        let mut liar = Stranger::dial(b.address, config).await.unwrap();
        assert_eq!(liar.greet(&hello("aa", 1)).await, Some(Verdict::Welcome));
        assert!(!liar.enter("a.5@a").await);
        b.counted("wrong_name", round).await;
    }
    a.call("b.2", 10).await;
    assert_eq!(b.counts().await.of("a.links"), 1);
    // Under its own name it is let in, so the test is one.
    let config = trusting_nobody(Some((&authority, "aa")));
    let mut honest = Stranger::dial(b.address, config).await.unwrap();
    assert_eq!(honest.greet(&hello("aa", 1)).await, Some(Verdict::Welcome));
    assert!(honest.enter("aa.1@aa").await);
    b.event("linked aa.1").await;
    assert_ne!(honest.switchboard, 0);
    drop(honest);
    b.event("unlinked aa.1").await;
}

#[tokio::test]
async fn who_stops_in_the_middle_of_a_handshake_is_dropped() {
    let authority = Authority::with(&["a", "b"]);
    let mut b = start(&authority, "b", 2).await;
    let config = trusting_nobody(Some((&authority, "a")));
    let mut slow = Stranger::dial(b.address, config.clone()).await.unwrap();
    // Greets and says nothing more: ractor would wait for ever.
    assert_eq!(slow.greet(&hello("a", 1)).await, Some(Verdict::Welcome));
    soon("the end", slow.end()).await;
    // It makes room for the real one.
    let mut a = start(&authority, "a", 1).await;
    link(&mut a, &mut b).await;
    assert!(
        b.event_within("unlinked", Duration::from_millis(500))
            .await
            .is_none()
    );
}
