//! Rate limits as Discord's libraries know them: headers on every answer, a 429 that says when to come back.

use rookery_tests::harness::{Community, Node, NodeOptions, Person};
use serde_json::json;

async fn limited_node() -> Node {
    Node::start_with(NodeOptions {
        config: String::new(),
        ..NodeOptions::default()
    })
    .await
}

#[tokio::test]
async fn a_limit_counts_down_and_then_says_when_to_come_back() {
    let node = limited_node().await;
    let community = Community::new(&node).await;
    let body = json!({ "content": "hello" });
    let number = |answer: &rookery_tests::harness::Answer, name: &str| -> f64 {
        let text = answer
            .header(name)
            .unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers));
        text.parse().unwrap()
    };
    let mut limited = None;
    let mut last = f64::INFINITY;
    for _ in 0..100 {
        let answer = community
            .ada
            .http
            .post(&community.messages(), body.clone())
            .await;
        let remaining = number(&answer, "x-ratelimit-remaining");
        assert!(number(&answer, "x-ratelimit-limit") >= 1.0);
        assert!(number(&answer, "x-ratelimit-reset") > 1.7e9);
        assert!(number(&answer, "x-ratelimit-reset-after") >= 0.0);
        assert!(
            answer
                .header("x-ratelimit-bucket")
                .is_some_and(|bucket| !bucket.is_empty())
        );
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(remaining < last || remaining > 0.0);
        last = remaining;
    }
    let limited = limited.expect("no limit within 100 messages");
    assert_eq!(limited.header("x-ratelimit-remaining"), Some("0"));
    assert!(number(&limited, "retry-after") >= 1.0 || number(&limited, "retry-after") > 0.0);
    assert!(limited.header("x-ratelimit-scope").is_some());
    // discord.py waits only if it is there.
    assert_eq!(limited.header("via"), Some("1.1 rookery"));
    assert_eq!(limited.body["global"], false);
    assert!(limited.body["message"].is_string());
    let wait = limited.body["retry_after"].as_f64().expect("seconds");
    assert!(wait > 0.0 && wait < 60.0, "{wait}");
    // Another person, and another route, are not concerned.
    community
        .ben
        .http
        .post(&community.messages(), body.clone())
        .await
        .expect(200);
    community.ada.http.get("/users/@me").await.expect(200);
    // This is the interval the server asked for.
    tokio::time::sleep(std::time::Duration::from_secs_f64(wait + 0.1)).await;
    community
        .ada
        .http
        .post(&community.messages(), body)
        .await
        .expect(200);
}

#[tokio::test]
async fn buckets_of_two_channels_are_apart() {
    let node = limited_node().await;
    let community = Community::new(&node).await;
    let (_, other) = community.ada.create_group("Other").await;
    let body = json!({ "content": "hello" });
    for _ in 0..100 {
        if community
            .ada
            .http
            .post(&community.messages(), body.clone())
            .await
            .status
            == 429
        {
            let path = format!("/channels/{other}/messages");
            community
                .ada
                .http
                .post(&path, body.clone())
                .await
                .expect(200);
            return;
        }
    }
    panic!("no limit within 100 messages");
}

#[tokio::test]
async fn a_token_brings_no_quota_of_accounts_with_it() {
    const ACCOUNTS: usize = 3;
    let node = Node::start_with(NodeOptions {
        config: format!("[limits]\naccounts = \"{ACCOUNTS}/1h\"\n"),
        ..NodeOptions::default()
    })
    .await;
    let ada = Person::register(&node, "ada").await;
    for path in ["/auth/register", "/auth/refresh"] {
        for _ in 0..ACCOUNTS {
            node.http().post(path, json!({})).await;
        }
        let refused = ada.http.post(path, json!({})).await;
        assert_eq!(refused.status, 429, "{path}: {}", refused.text);
    }
    ada.http.get("/users/@me").await.expect(200);
}
