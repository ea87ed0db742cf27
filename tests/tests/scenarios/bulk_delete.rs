//! Deleting several messages at once.

use rookery_tests::harness::{Community, Node, id};
use serde_json::{Value, json};

#[tokio::test]
async fn several_messages_go_in_one_event() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut sees = community.ben.connect(&node).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let sent = community
            .ben
            .http
            .say(&community.channel, &n.to_string())
            .await;
        ids.push(id(&sent));
    }
    let path = format!("{}/bulk-delete", community.messages());
    let delete = |ids: &[String]| json!({ "messages": ids });
    let ben = &community.ben.http;
    ben.post(&path, delete(&ids)).await.refused(403, 50013);
    let ada = &community.ada.http;
    let mut named = ids[1..].to_vec();
    named.push(ids[1].clone());
    ada.post(&path, delete(&named)).await.expect(204);
    let gone = sees.wait_for("MESSAGE_DELETE_BULK", |_| true).await;
    assert_eq!(gone["ids"], json!(ids[1..]));
    assert_eq!(gone["channel_id"], community.channel);
    assert_eq!(gone["guild_id"], community.group);
    let history = ada.get(&community.messages()).await.expect(200);
    let left: Vec<Value> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].clone())
        .collect();
    assert_eq!(left[0], ids[0]);
    assert_eq!(left.len(), 2, "and that Ben joined");

    let form = json!({ "messages": [ids[0]] });
    ada.post(&path, form).await.refused(400, 50016);
    ada.post(&path, json!({ "messages": [ids[0], ids[0]] }))
        .await
        .refused(400, 50016);
    ada.post(&path, json!({ "messages": [ids[0], "1"] }))
        .await
        .refused(400, 50034);
    let many: Vec<u64> = (0..101)
        .map(|n| ids[0].parse::<u64>().unwrap() + n)
        .collect();
    let many: Vec<String> = many.iter().map(u64::to_string).collect();
    ada.post(&path, delete(&many)).await.refused(400, 50016);
    ada.post(&path, json!({ "messages": ["x"] }))
        .await
        .bad_field("messages.0");
    ada.post(&path, json!({ "messages": "x" }))
        .await
        .bad_field("messages");
    ada.post(&path, json!({})).await.bad_field("messages");
}
