//! Slow mode.

use rookery_tests::harness::{Community, Node};
use serde_json::json;

#[tokio::test]
async fn slow_mode_says_how_long_to_wait_and_not_to_moderators() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let channel = format!("/channels/{}", community.channel);
    let form = json!({ "rate_limit_per_user": 21_600 });
    community.ada.http.patch(&channel, form).await.expect(200);
    let first = json!({ "content": "a", "nonce": 1, "enforce_nonce": true });
    let path = community.messages();
    let sent = community
        .ben
        .http
        .post(&path, first.clone())
        .await
        .expect(200);
    let again = community.ben.http.post(&path, first).await.expect(200);
    assert_eq!(again["id"], sent["id"]);
    for restart in [false, true] {
        if restart {
            node.terminate().await;
            node.restart().await;
            community.at(&node);
        }
        let refused = community
            .ben
            .http
            .post(&path, json!({ "content": "b" }))
            .await;
        refused.refused(429, 20016);
        let wait = refused.body["retry_after"].as_f64().unwrap();
        assert!(wait > 21_000.0 && wait <= 21_600.0, "{wait}");
        let header: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!(header as f64 >= wait, "{header}");
        assert_eq!(refused.header("via"), Some("1.1 rookery"));
    }
    for content in ["a", "b"] {
        community.ada.http.say(&community.channel, content).await;
    }
    let form = json!({ "rate_limit_per_user": 0 });
    community.ada.http.patch(&channel, form).await.expect(200);
    community.ben.http.say(&community.channel, "b").await;
}
