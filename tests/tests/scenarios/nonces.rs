//! A client that does not know whether its message arrived sends it again with the same nonce.

use rookery_tests::harness::{Community, Node, id};
use serde_json::{Value, json};

#[tokio::test]
async fn an_enforced_nonce_makes_a_message_once() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let ada = &community.ada.http;
    let post = async |content: &str, nonce: Value, enforce: bool| {
        let body = json!({ "content": content, "nonce": nonce, "enforce_nonce": enforce });
        ada.post(&community.messages(), body).await.expect(200)
    };
    let first = post("once", json!("n-1"), true).await;
    assert_eq!(first["nonce"], "n-1");
    let again = post("once", json!("n-1"), true).await;
    assert_eq!(id(&again), id(&first));
    let changed = post("something else", json!("n-1"), true).await;
    assert_eq!(
        (id(&changed), &changed["content"]),
        (id(&first), &json!("once"))
    );

    // Without enforcing, and under another nonce or of another author, it is a new message.
    assert_ne!(id(&post("once", json!("n-1"), false).await), id(&first));
    assert_ne!(id(&post("once", json!("n-2"), true).await), id(&first));
    let number = post("number", json!(17), true).await;
    assert_eq!(number["nonce"], 17);
    assert_eq!(id(&post("number", json!(17), true).await), id(&number));
    let body = json!({ "content": "ben's", "nonce": "n-1", "enforce_nonce": true });
    let bens = community
        .ben
        .http
        .post(&community.messages(), body)
        .await
        .expect(200);
    assert_ne!(id(&bens), id(&first));

    ada.say(&community.channel, "end").await;
    let seen = ben_sees.until_message("end").await;
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(seen[0].data["nonce"], "n-1");
}

#[tokio::test]
async fn an_enforced_nonce_holds_across_a_crash() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let body = json!({ "content": "once", "nonce": "n-1", "enforce_nonce": true });
    let first = community
        .ada
        .http
        .post(&community.messages(), body.clone())
        .await
        .expect(200);
    node.kill();
    node.restart().await;
    community.at(&node);
    let again = community
        .ada
        .http
        .post(&community.messages(), body)
        .await
        .expect(200);
    assert_eq!(id(&again), id(&first));
    let history = community
        .ada
        .http
        .get(&community.messages())
        .await
        .expect(200);
    let copies = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["content"] == "once");
    assert_eq!(copies.count(), 1);
}

#[tokio::test]
async fn the_same_nonce_at_the_same_time_makes_one_message() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let post = async || {
        let body = json!({ "content": "once", "nonce": "race", "enforce_nonce": true });
        id(&community
            .ada
            .http
            .post(&community.messages(), body)
            .await
            .expect(200))
    };
    let ids = tokio::join!(post(), post(), post(), post());
    assert!(
        ids.0 == ids.1 && ids.1 == ids.2 && ids.2 == ids.3,
        "{ids:?}"
    );
}
