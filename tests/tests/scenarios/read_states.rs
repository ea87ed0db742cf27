//! Read states: what is unread, what mentions somebody, and what his other sessions see of it.

use rookery_tests::harness::{Community, Gateway, Node, Person, id};
use serde_json::{Value, json};

/// What READY says of a channel.
async fn entry(node: &Node, person: &Person, channel: &str) -> Value {
    let mut gateway = Gateway::connect(node).await;
    gateway
        .send_identify(json!({ "token": person.token }))
        .await;
    let ready = gateway.wait_for("READY", |_| true).await;
    let entries = ready["read_state"]["entries"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["id"] == channel);
    found.cloned().unwrap_or_default()
}

async fn mentions(person: &Person, query: &str) -> Vec<Value> {
    let path = format!("/users/@me/mentions{query}");
    let list = person.http.get(&path).await.expect(200);
    list.as_array()
        .unwrap()
        .iter()
        .map(|m| m["content"].clone())
        .collect()
}

#[tokio::test]
async fn mentions_wait_until_they_are_read() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut sees = ben.connect(&node).await;
    let say = async |n: u32| {
        let content = format!("<@{}> {n}", ben.id);
        id(&ada.http.say(&community.channel, &content).await)
    };
    let (first, second) = (say(1).await, say(2).await);
    // The intent travels to the account on its own.
    let told = async |count: usize| {
        for _ in 0..200 {
            if mentions(ben, "").await.len() == count {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("not {count} mentions");
    };
    told(2).await;
    let listed = mentions(ben, "?limit=1").await;
    assert_eq!(listed, [json!(format!("<@{}> 2", ben.id))]);
    assert_eq!(mentions(ben, &format!("?before={second}")).await.len(), 1);
    let unread = entry(&node, ben, &community.channel).await;
    assert_eq!(
        (&unread["mention_count"], &unread["last_message_id"]),
        (&json!(2), &json!("0"))
    );

    let ack = |message: &str| format!("{}/{message}/ack", community.messages());
    let answer = ben.http.post(&ack(&first), json!({ "token": null })).await;
    assert_eq!(answer.expect(200), json!({ "token": null }));
    let acked = sees.wait_for("MESSAGE_ACK", |_| true).await;
    assert_eq!(acked["channel_id"], community.channel);
    assert_eq!(
        (&acked["message_id"], &acked["mention_count"]),
        (&json!(first), &json!(1))
    );
    assert_eq!(acked["manual"], false);
    assert!(acked["version"].is_u64(), "{acked}");
    assert_eq!(mentions(ben, "").await.len(), 1);
    ben.http.post(&ack(&second), json!({})).await.expect(200);
    let unread = entry(&node, ben, &community.channel).await;
    assert_eq!(
        (&unread["mention_count"], &unread["last_message_id"]),
        (&json!(0), &json!(second))
    );
    assert_eq!(unread["read_state_type"], 0);
    assert_eq!(mentions(ben, "").await, Vec::<Value>::new());
    assert_eq!(mentions(ada, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn bad_acknowledgements_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let first = community.first_message().await;
    let (bot, token) = community.ada.create_bot("Polly").await;
    community
        .ada
        .authorize(&bot, &community.group, "0")
        .await
        .expect(200);
    let ack = format!("{}/{first}/ack", community.messages());
    let bot = node.http().with_token(&format!("Bot {token}"));
    bot.post(&ack, json!({})).await.refused(403, 20001);
    bot.get("/users/@me/mentions").await.refused(403, 20001);
    let stranger = Person::register(&node, "stranger").await;
    stranger
        .http
        .post(&ack, json!({}))
        .await
        .refused(403, 50001);
    let http = &community.ben.http;
    let bad = format!("{}/x/ack", community.messages());
    http.post(&bad, json!({})).await.bad_field("message_id");
    http.post("/channels/1/messages/1/ack", json!({}))
        .await
        .refused(404, 10003);
    http.get("/users/@me/mentions?limit=101")
        .await
        .bad_field("limit");
}
