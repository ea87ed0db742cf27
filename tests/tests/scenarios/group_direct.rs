//! Direct channels of a few people: who is in them, what they are called, and how they end.

use rookery_tests::harness::{Node, Person, id};
use serde_json::{Value, json};

const MINE: &str = "/users/@me/channels";

/// Ada with her friends Ben and Cy, and the form of a channel with both.
async fn friends(node: &Node) -> (Person, Person, Person, Value) {
    let ada = Person::register(node, "ada").await;
    let ben = Person::register(node, "ben").await;
    let cy = Person::register(node, "cy").await;
    ada.befriend(&ben).await;
    ada.befriend(&cy).await;
    let form = json!({ "recipients": [ben.id, cy.id] });
    (ada, ben, cy, form)
}

fn recipients(channel: &Value) -> Vec<String> {
    let list = channel["recipients"].as_array().unwrap();
    list.iter().map(id).collect()
}

#[tokio::test]
async fn a_few_friends_talk_rename_come_and_go() {
    let mut node = Node::start().await;
    let (mut ada, mut ben, cy, form) = friends(&node).await;
    let dan = Person::register(&node, "dan").await;
    ben.befriend(&dan).await;
    let mut ben_sees = ben.connect(&node).await;
    let mut cy_sees = cy.connect(&node).await;
    let mut dan_sees = dan.connect(&node).await;

    let made = ada.http.post(MINE, form).await.expect(200);
    let channel = id(&made);
    assert_eq!(made["type"], 3);
    assert_eq!((&made["name"], &made["icon"]), (&Value::Null, &Value::Null));
    assert_eq!(made["owner_id"], ada.id);
    assert_eq!(recipients(&made), [ben.id.clone(), cy.id.clone()]);
    let seen = ben_sees.wait_for("CHANNEL_CREATE", |_| true).await;
    assert_eq!(recipients(&seen), [ada.id.clone(), cy.id.clone()]);
    cy_sees.wait_for("CHANNEL_CREATE", |_| true).await;
    // Ben and Cy are no friends; in here they talk.
    cy.http.say(&channel, "hello").await;
    ben_sees.message("hello").await;

    let path = format!("/channels/{channel}");
    let renamed = ben
        .http
        .patch(&path, json!({ "name": "  The   Few " }))
        .await
        .expect(200);
    assert_eq!(renamed["name"], "The Few");
    cy_sees
        .wait_for("CHANNEL_UPDATE", |one| one["name"] == "The Few")
        .await;
    let notice = cy_sees
        .wait_for("MESSAGE_CREATE", |one| one["type"] == 4)
        .await;
    assert_eq!(
        (&notice["content"], &notice["author"]["id"]),
        (&json!("The Few"), &json!(ben.id))
    );

    // Ben brings a friend of his, whom Ada does not know.
    let add = format!("{path}/recipients/{}", dan.id);
    ada.http.put(&add, json!({})).await.refused(400, 50033);
    ben.http.put(&add, json!({})).await.expect(204);
    let came = cy_sees.wait_for("CHANNEL_RECIPIENT_ADD", |_| true).await;
    assert_eq!(
        (&came["channel_id"], &came["user"]["id"]),
        (&json!(channel), &json!(dan.id))
    );
    let seen = dan_sees.wait_for("CHANNEL_CREATE", |_| true).await;
    assert_eq!(recipients(&seen).len(), 3);
    let notice = dan_sees
        .wait_for("MESSAGE_CREATE", |one| one["type"] == 1)
        .await;
    assert_eq!(notice["mentions"][0]["id"], dan.id);
    dan.http.get(&format!("{path}/messages")).await.expect(200);

    ben.http.delete(&add).await.refused(403, 50013);
    ada.http.delete(&add).await.expect(204);
    dan_sees
        .wait_for("CHANNEL_DELETE", |one| one["id"] == channel)
        .await;
    cy_sees
        .wait_for("CHANNEL_RECIPIENT_REMOVE", |one| {
            one["user"]["id"] == dan.id
        })
        .await;
    cy_sees
        .wait_for("MESSAGE_CREATE", |one| one["type"] == 2)
        .await;
    dan.http.get(&path).await.refused(403, 50001);

    ada.http.delete(&path).await.expect(200);
    let passed = cy_sees
        .wait_for("CHANNEL_UPDATE", |one| one["owner_id"] != ada.id)
        .await;
    assert_eq!(passed["owner_id"], ben.id);
    ada.http.get(&path).await.refused(403, 50001);
    node.kill();
    node.restart().await;
    ada.at(&node);
    ben.at(&node);
    let cy = Person::login(&node, "cy").await;
    let listed = ben.http.get(MINE).await.expect(200);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["owner_id"]),
        (&json!("The Few"), &json!(ben.id))
    );
    assert_eq!(recipients(&listed[0]), std::slice::from_ref(&cy.id));
    assert_eq!(ada.http.get(MINE).await.expect(200), json!([]));
    cy.http.delete(&path).await.expect(200);
    ben.http.delete(&path).await.expect(200);
    assert_eq!(ben.http.get(MINE).await.expect(200), json!([]));
    assert!(matches!(ben.http.get(&path).await.status, 403 | 404));
}

#[tokio::test]
async fn only_friends_are_brought_together() {
    let node = Node::start().await;
    let (ada, ben, cy, form) = friends(&node).await;
    let dan = Person::register(&node, "dan").await;
    let post = async |who: &Person, others: &[&str]| {
        who.http.post(MINE, json!({ "recipients": others })).await
    };
    post(&ada, &[&ben.id, &dan.id]).await.refused(400, 50033);
    post(&ada, &[&ben.id, "999999999999999999"])
        .await
        .refused(404, 10013);
    post(&ada, &[&ben.id, &ada.id]).await.refused(400, 50033);
    let many: Vec<String> = (1..12).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    post(&ada, &many).await.refused(400, 30004);
    // A block ends the friendship, and with it this.
    let block = format!("/users/@me/relationships/{}", ada.id);
    cy.http.put(&block, json!({ "type": 2 })).await.expect(204);
    ada.http.post(MINE, form).await.refused(400, 50033);
    // One other is the channel of two.
    let pair = post(&ada, &[&ben.id]).await.expect(200);
    assert_eq!(pair["type"], 1);
    assert_eq!(id(&pair), ada.open_direct(&ben.id).await);
    let (_, token) = ada.create_bot("Rook").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let form = json!({ "recipients": [ada.id, ben.id] });
    bot.post(MINE, form).await.refused(403, 20001);
}

#[tokio::test]
async fn a_channel_of_a_few_takes_no_nonsense() {
    let node = Node::start().await;
    let (ada, ben, _, form) = friends(&node).await;
    let channel = id(&ada.http.post(MINE, form).await.expect(200));
    let path = format!("/channels/{channel}");
    let long = "x".repeat(101);
    ada.http
        .patch(&path, json!({ "name": long }))
        .await
        .bad_field("name");
    ada.http
        .patch(&path, json!({ "name": 7 }))
        .await
        .bad_field("name");
    let cleared = ada
        .http
        .patch(&path, json!({ "name": "" }))
        .await
        .expect(200);
    assert_eq!(cleared["name"], Value::Null);
    let person = |user: &str| format!("{path}/recipients/{user}");
    ada.http
        .put(&person("999999999999999999"), json!({}))
        .await
        .refused(404, 10013);
    ada.http
        .put(&person("x"), json!({}))
        .await
        .bad_field("user_id");
    ada.http.put(&person(&ben.id), json!({})).await.expect(204);
    ada.http
        .delete(&person("999999999999999999"))
        .await
        .refused(404, 10013);
    let (_, text) = ada.create_group("Rooks").await;
    let elsewhere = format!("/channels/{text}/recipients/{}", ben.id);
    ada.http
        .put(&elsewhere, json!({}))
        .await
        .refused(400, 50024);
    ada.http.delete(&elsewhere).await.refused(400, 50024);
}
