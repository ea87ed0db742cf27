//! A client that stops reading is closed resumably; the others and the server's memory are unaffected.

use rookery_tests::harness::{Community, Node};
use serde_json::json;

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_off_and_can_resume() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut attentive = community.ada.connect(&node).await;
    let stalled = community.ben.connect(&node).await;
    let before = node.resident_kb();
    // 8,000 characters a message: well over the outbox and whatever the kernel buffers.
    let content = "\u{1f600}".repeat(1_990);
    let mut posts = Vec::new();
    let (writers, each) = (8, 200);
    for writer in 0..writers {
        let (http, path, content) = (
            community.ada.http.clone(),
            community.messages(),
            content.clone(),
        );
        posts.push(tokio::spawn(async move {
            for n in 0..each {
                let content = format!("{writer}:{n} {content}");
                http.post(&path, json!({ "content": content }))
                    .await
                    .expect(200);
            }
        }));
    }
    let mut seen = 0;
    while seen < writers * each {
        attentive.wait_for("MESSAGE_CREATE", |_| true).await;
        seen += 1;
    }
    for post in posts {
        post.await.unwrap();
    }
    let grown = node.resident_kb().saturating_sub(before);
    assert!(grown < 300_000, "the server grew by {grown} kB");
    // The stalled client finds its connection ended, and resumes: the rest is either replayed or, if the log no longer
    // reaches back, refused with opcode 9. Everything it had not read is numbered on from what it had.
    let mut stalled = stalled;
    let mut read = 0;
    let code = loop {
        match stalled.receive().await {
            rookery_tests::harness::Received::Event(_) => read += 1,
            rookery_tests::harness::Received::Closed(code) => break code,
            rookery_tests::harness::Received::Control(..) => {}
        }
    };
    assert!(read < writers * each, "it was never cut off");
    assert!(code.is_none_or(|code| code >= 4000), "{code:?}");
    let mut resumed = stalled.cut().resume().await;
    let mut replayed = resumed.take();
    replayed.retain(|event| event.name == "MESSAGE_CREATE");
    assert_eq!(read + replayed.len(), writers * each);
    attentive.heartbeat().await;
}
