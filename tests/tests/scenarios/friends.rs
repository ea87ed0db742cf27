//! Friends: asking, accepting, ending it, and blocks, as both sides see them.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::{Value, json};

const MINE: &str = "/users/@me/relationships";

fn with(other: &Person) -> String {
    format!("{MINE}/{}", other.id)
}

/// Whom somebody knows, as `(id, type)`.
fn types(list: &Value) -> Vec<(String, u64)> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| (id(one), one["type"].as_u64().unwrap()))
        .collect()
}

async fn list(of: &Person) -> Vec<(String, u64)> {
    types(&of.http.get(MINE).await.expect(200))
}

#[tokio::test]
async fn a_request_is_sent_seen_and_accepted() {
    let mut node = Node::start().await;
    let mut ada = Person::register(&node, "ada").await;
    let mut ben = Person::register(&node, "ben").await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;
    assert_eq!(ben_sees.ready["relationships"], json!([]));

    let form = json!({ "username": "Ben", "discriminator": null });
    ada.http.post(MINE, form).await.expect(204);
    let sent = ada_sees.wait_for("RELATIONSHIP_ADD", |_| true).await;
    assert_eq!((&sent["id"], &sent["type"]), (&json!(ben.id), &json!(4)));
    let came = ben_sees.wait_for("RELATIONSHIP_ADD", |_| true).await;
    assert_eq!((&came["id"], &came["type"]), (&json!(ada.id), &json!(3)));
    assert_eq!(came["user"]["username"], "ada");
    assert!(came["since"].is_string(), "{came}");
    assert_eq!(list(&ada).await, [(ben.id.clone(), 4)]);
    assert_eq!(list(&ben).await, [(ada.id.clone(), 3)]);

    ben.http.put(&with(&ada), json!({})).await.expect(204);
    for sees in [&mut ada_sees, &mut ben_sees] {
        sees.wait_for("RELATIONSHIP_ADD", |one| one["type"] == 1)
            .await;
    }
    ada.http
        .put(&with(&ben), json!({ "type": 1 }))
        .await
        .refused(400, 80008);

    node.kill();
    node.restart().await;
    ada.at(&node);
    ben.at(&node);
    assert_eq!(list(&ada).await, [(ben.id.clone(), 1)]);
    let mut ada_sees = ada.connect(&node).await;
    assert_eq!(
        types(&ada_sees.ready["relationships"]),
        [(ben.id.clone(), 1)]
    );
    assert_eq!(ada_sees.ready["users"][0]["username"], "ben");
    assert_eq!(ada_sees.ready["private_channels"], json!([]));

    ben.http.delete(&with(&ada)).await.expect(204);
    let over = ada_sees.wait_for("RELATIONSHIP_REMOVE", |_| true).await;
    assert_eq!((&over["id"], &over["type"]), (&json!(ben.id), &json!(1)));
    assert!(list(&ada).await.is_empty() && list(&ben).await.is_empty());
    ben.http.delete(&with(&ada)).await.expect(204);
}

#[tokio::test]
async fn a_request_is_withdrawn_or_declined() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let ben = Person::register(&node, "ben").await;
    let mut ben_sees = ben.connect(&node).await;
    for who in [&ada, &ben] {
        ada.http.put(&with(&ben), json!({})).await.expect(204);
        ben_sees.wait_for("RELATIONSHIP_ADD", |_| true).await;
        let other = if who.id == ada.id { &ben } else { &ada };
        who.http.delete(&with(other)).await.expect(204);
        let over = ben_sees.wait_for("RELATIONSHIP_REMOVE", |_| true).await;
        assert_eq!(over["type"], 3);
        assert!(list(&ada).await.is_empty());
    }
}

#[tokio::test]
async fn a_block_holds_for_requests_messages_and_typing() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let (ada, ben) = (community.ada.clone(), community.ben.clone());
    ada.befriend(&ben).await;
    let channel = ada.open_direct(&ben.id).await;
    ada.http.say(&channel, "hello").await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;

    ben.http
        .put(&with(&ada), json!({ "type": 2 }))
        .await
        .expect(204);
    // That they became friends may be told late.
    let is_block = |one: &Value| one["type"] == 2;
    ben_sees.wait_for("RELATIONSHIP_ADD", is_block).await;
    ada_sees
        .wait_for("RELATIONSHIP_REMOVE", |one| one["type"] == 1)
        .await;
    assert!(
        list(&ada).await.is_empty(),
        "she is not told that he blocks her"
    );
    assert_eq!(list(&ben).await, [(ada.id.clone(), 2)]);

    let messages = format!("/channels/{channel}/messages");
    node.kill();
    node.restart().await;
    community.at(&node);
    let (ada, ben) = (&community.ada, &community.ben);
    for person in [ada, ben] {
        person
            .http
            .post(&messages, json!({ "content": "?" }))
            .await
            .refused(403, 50007);
        let typing = format!("/channels/{channel}/typing");
        person
            .http
            .post(&typing, json!({}))
            .await
            .refused(403, 50007);
    }
    ada.http
        .put(&with(ben), json!({}))
        .await
        .refused(403, 80001);
    ada.http
        .post(MINE, json!({ "username": "ben" }))
        .await
        .refused(403, 80001);
    // The history stays, and in the group they share each goes on as before.
    ada.http.get(&messages).await.expect(200);
    ada.http.say(&community.channel, "still here").await;

    ben.http.delete(&with(ada)).await.expect(204);
    ada.http.say(&channel, "friends again?").await;
    assert!(list(ben).await.is_empty());
}

#[tokio::test]
async fn two_who_ask_each_other_at_once_become_friends_in_one_pair() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let ben = Person::register(&node, "ben").await;
    let ask = async |who: &Person, whom: &Person| {
        who.http.put(&with(whom), json!({})).await.expect(204);
    };
    tokio::join!(ask(&ada, &ben), ask(&ben, &ada));
    assert_eq!(list(&ada).await, [(ben.id.clone(), 1)]);
    assert_eq!(list(&ben).await, [(ada.id.clone(), 1)]);
    assert_eq!(
        ada.open_direct(&ben.id).await,
        ben.open_direct(&ada.id).await
    );
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let ask = async |name: Value| ada.http.post(MINE, json!({ "username": name })).await;
    for nobody in ["nobody", "", "no such name!", "x\u{0}y"] {
        ask(json!(nobody)).await.refused(400, 80004);
    }
    ask(json!(7)).await.bad_field("username");
    ada.http.post(MINE, json!({})).await.bad_field("username");
    ask(json!("ada")).await.refused(403, 80007);
    ada.http
        .put(&with(&ada), json!({ "type": 2 }))
        .await
        .refused(403, 80007);
    let nobody = format!("{MINE}/999999999999999999");
    ada.http.put(&nobody, json!({})).await.refused(404, 10013);
    ada.http.delete(&nobody).await.refused(404, 10013);
    let nonsense = format!("{MINE}/ben");
    ada.http
        .put(&nonsense, json!({}))
        .await
        .bad_field("user_id");

    let ben = Person::register(&node, "ben").await;
    for kind in [json!(0), json!(3), json!("x"), json!(-1)] {
        let answer = ada.http.put(&with(&ben), json!({ "type": kind })).await;
        answer.bad_field("type");
    }
    let (bot, token) = ada.create_bot("Rook").await;
    let path = format!("{MINE}/{bot}");
    ada.http.put(&path, json!({})).await.refused(403, 80002);
    ada.http.put(&path, json!({ "type": 2 })).await.expect(204);
    let bot = node.http().with_token(&format!("Bot {token}"));
    bot.get(MINE).await.refused(403, 20001);
    bot.put(&with(&ada), json!({})).await.refused(403, 20001);
    bot.post(MINE, json!({ "username": "ada" }))
        .await
        .refused(403, 20001);
    bot.delete(&with(&ada)).await.refused(403, 20001);
}
