//! What an admitted peer sends is read with suspicion all the same.

use rookery_protocol::cluster::{Batch, Envelope, Verdict};
use rookery_tests::harness::soon;
use rookery_tests::links::{Authority, LinkPeer, Stranger, hello, trusting_nobody};

use super::{link, start};

/// A stranger that has become the node `aa`.
async fn enter(authority: &Authority, b: &mut LinkPeer, number: u64) -> Stranger {
    let config = trusting_nobody(Some((authority, "aa")));
    let mut stranger = Stranger::dial(b.address, config).await.unwrap();
    let verdict = stranger.greet(&hello("aa", number)).await;
    assert_eq!(verdict, Some(Verdict::Welcome));
    assert!(stranger.enter(&format!("aa.{number}@aa")).await);
    b.event(&format!("linked aa.{number}")).await;
    stranger
}

fn frame(link: u64, envelopes: &[Envelope]) -> Vec<u8> {
    let mut batch = Batch::default();
    for envelope in envelopes {
        batch.push(envelope, usize::MAX).unwrap();
    }
    batch.seal(link, 0)
}

#[tokio::test]
async fn junk_in_frames_ends_the_link_that_brought_it() {
    let authority = Authority::with(&["a", "aa", "b"]);
    let mut b = start(&authority, "b", 2).await;
    let mut a = start(&authority, "a", 5).await;
    link(&mut a, &mut b).await;

    let mut good = enter(&authority, &mut b, 1).await;
    let bytes = frame(good.link, &[Envelope::Hint, Envelope::Hint]);
    assert!(good.cast(good.switchboard, &bytes).await);
    b.counted("aa.received", 2).await;
    // A frame of another link, which it cannot know, is dropped.
    let stray = frame(good.link ^ 1, &[Envelope::Hint]);
    assert!(good.cast(good.switchboard, &stray).await);
    b.counted("stray_frame", 1).await;
    // Junk behind the header.
    let mut junk = frame(good.link, &[Envelope::Hint]);
    junk.extend([0xff; 30]);
    good.cast(good.switchboard, &junk).await;
    b.event("unlinked aa.1").await;
    b.counted("junk_frame", 1).await;

    // A message that says to be larger than any.
    let mut huge = enter(&authority, &mut b, 1).await;
    huge.raw(&(64_u64 << 20).to_be_bytes()).await;
    b.event("unlinked aa.1").await;
    b.counted("too_long", 1).await;

    // What is no message of ractor's.
    let mut odd = enter(&authority, &mut b, 1).await;
    odd.say(b"\x22\x00").await;
    b.event("unlinked aa.1").await;
    b.counted("bad_protocol", 1).await;

    // A newer incarnation takes the place of an older one, which is told nothing and gets nothing any more.
    let mut before = enter(&authority, &mut b, 1).await;
    let _after = enter(&authority, &mut b, 2).await;
    soon("the end of the older one", before.end()).await;

    a.call("b.2", 10).await;
    assert_eq!(b.counts().await.of("a.links"), 1);
}
