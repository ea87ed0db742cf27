//! Direct messages of two people, and of people and bots.

use rookery_tests::harness::{Community, Gateway, Node, Person, id};
use serde_json::{Value, json};

const MINE: &str = "/users/@me/channels";

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn friends_write_to_each_other_and_find_it_after_a_restart() {
    let mut node = Node::start().await;
    let mut ada = Person::register(&node, "ada").await;
    let mut ben = Person::register(&node, "ben").await;
    ada.befriend(&ben).await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;

    let form = json!({ "recipient_id": ben.id });
    let made = ada.http.post(MINE, form.clone()).await.expect(200);
    let channel = id(&made);
    assert_eq!(
        (&made["type"], &made["last_message_id"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(made["recipients"][0]["id"], ben.id);
    assert!(made.get("guild_id").is_none(), "{made}");
    let seen = ada_sees.wait_for("CHANNEL_CREATE", |_| true).await;
    assert_eq!(seen, made);
    assert_eq!(ada.http.post(MINE, form).await.expect(200)["id"], channel);
    assert_eq!(ben.http.get(MINE).await.expect(200), json!([]));

    // What is written opens the channel for the other, before he sees it.
    ada.http.say(&channel, "hello").await;
    let before = ben_sees.until_message("hello").await;
    let opened = before.iter().find(|event| event.name == "CHANNEL_CREATE");
    let opened = &opened.expect("the channel first").data;
    assert_eq!(
        (&opened["id"], &opened["recipients"][0]["id"]),
        (&json!(channel), &json!(ada.id))
    );
    let said = ada_sees.message("hello").await;
    assert!(
        said.get("guild_id").is_none() && said.get("member").is_none(),
        "{said}"
    );
    let path = format!("/channels/{channel}/messages");
    let answer = json!({ "content": "hi", "message_reference": { "message_id": id(&said) } });
    let reply = ben.http.post(&path, answer).await.expect(200);
    assert_eq!(reply["type"], 19);
    ada_sees.message("hi").await;
    let edited = format!("{path}/{}", id(&reply));
    ben.http
        .patch(&edited, json!({ "content": "hey" }))
        .await
        .expect(200);
    ada_sees
        .wait_for("MESSAGE_UPDATE", |one| one["content"] == "hey")
        .await;
    ada.http.delete(&edited).await.refused(403, 50003);
    ben.http
        .post(&format!("/channels/{channel}/typing"), json!({}))
        .await
        .expect(204);
    let typing = ada_sees
        .wait_for("TYPING_START", |one| one["user_id"] == ben.id)
        .await;
    assert_eq!(typing["channel_id"], channel);

    node.kill();
    node.restart().await;
    ada.at(&node);
    ben.at(&node);
    let history = ben.http.get(&path).await.expect(200);
    assert_eq!(ids(&history), [id(&reply), id(&said)]);
    let ben_sees = ben.connect(&node).await;
    let listed = &ben_sees.ready["private_channels"];
    assert_eq!(ids(listed), [channel.clone()]);
    assert_eq!(listed[0]["last_message_id"], id(&reply));
    assert_eq!(listed[0]["recipients"][0]["username"], "ada");
    let read = ada
        .http
        .get(&format!("/channels/{channel}"))
        .await
        .expect(200);
    assert_eq!(read["last_message_id"], id(&reply));
    ben.http.say(&channel, "and on").await;
}

#[tokio::test]
async fn a_closed_channel_is_out_of_ones_own_list_until_somebody_writes() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let ben = Person::register(&node, "ben").await;
    ada.befriend(&ben).await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;
    let channel = ada.open_direct(&ben.id).await;
    ada.http.say(&channel, "hello").await;
    // By then both know of the channel.
    ada_sees.until_message("hello").await;
    ben_sees.until_message("hello").await;
    let path = format!("/channels/{channel}");
    let closed = ada.http.delete(&path).await.expect(200);
    assert_eq!(closed["id"], channel);
    let gone = ada_sees.wait_for("CHANNEL_DELETE", |_| true).await;
    assert_eq!(gone["id"], channel);
    assert_eq!(ada.http.get(MINE).await.expect(200), json!([]));
    assert_eq!(
        ids(&ben.http.get(MINE).await.expect(200)),
        [channel.clone()]
    );
    // Ben's next message brings it back, with what was said before.
    ben.http.say(&channel, "are you there?").await;
    let before = ada_sees.until_message("are you there?").await;
    assert!(before.iter().any(|event| event.name == "CHANNEL_CREATE"));
    let events = ben_sees.until_message("are you there?").await;
    assert!(
        events
            .iter()
            .all(|event| !event.name.starts_with("CHANNEL_"))
    );
    let history = ada.http.get(&format!("{path}/messages")).await.expect(200);
    assert_eq!(history.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_writes_to_friends_and_to_those_of_ones_groups_only() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let cy = Person::register(&node, "cy").await;
    let (ada, ben) = (&community.ada, &community.ben);
    let shared = ada.open_direct(&ben.id).await;
    ada.http.say(&shared, "from the same group").await;
    let strange = cy.open_direct(&ada.id).await;
    let path = format!("/channels/{strange}/messages");
    let form = json!({ "content": "buy my things" });
    cy.http.post(&path, form.clone()).await.refused(403, 50007);
    assert_eq!(ids(&ada.http.get(MINE).await.expect(200)), [shared.clone()]);
    ada.befriend(&cy).await;
    cy.http.post(&path, form).await.expect(200);

    // Who left the group is a stranger again.
    let leave = format!("/users/@me/guilds/{}", community.group);
    ben.http.delete(&leave).await.expect(204);
    let path = format!("/channels/{shared}/messages");
    let form = json!({ "content": "wait" });
    ada.http.post(&path, form).await.refused(403, 50007);
    ben.http.get(&path).await.expect(200);

    // Nobody else gets in.
    for answer in [
        cy.http.get(&path).await,
        cy.http.get(&format!("/channels/{shared}")).await,
        cy.http.delete(&format!("/channels/{shared}")).await,
        cy.http.post(&path, json!({ "content": "me too" })).await,
    ] {
        answer.refused(403, 50001);
    }
}

#[tokio::test]
async fn a_direct_channel_is_no_community() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let ben = Person::register(&node, "ben").await;
    ada.befriend(&ben).await;
    let channel = ada.open_direct(&ben.id).await;
    ada.http.say(&channel, "hello").await;
    let http = &ada.http;
    http.get(&format!("/guilds/{channel}"))
        .await
        .refused(404, 10004);
    http.get(&format!("/guilds/{channel}/channels"))
        .await
        .refused(404, 10004);
    http.delete(&format!("/guilds/{channel}"))
        .await
        .refused(404, 10004);
    http.delete(&format!("/users/@me/guilds/{channel}"))
        .await
        .refused(404, 10004);
    let members = format!("/guilds/{channel}/members?limit=10");
    http.get(&members).await.refused(404, 10004);
    let invites = format!("/channels/{channel}/invites");
    http.post(&invites, json!({})).await.refused(403, 50003);
    let path = format!("/channels/{channel}");
    let renamed = http.patch(&path, json!({ "name": "us" })).await;
    renamed.refused(403, 50003);
    let add = format!("/channels/{channel}/recipients/{}", ben.id);
    http.put(&add, json!({})).await.refused(403, 50003);
    http.delete(&add).await.refused(403, 50003);
    assert_eq!(http.get("/users/@me/guilds").await.expect(200), json!([]));
    let sees = ada.connect(&node).await;
    assert_eq!(sees.ready["guilds"], json!([]));
    ada.http.say(&channel, "still here").await;
}

#[tokio::test]
async fn a_bot_and_a_member_of_its_group_write_to_each_other() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let ben = &community.ben;
    let open = async || {
        let form = json!({ "recipient_id": ben.id });
        id(&bot.post(MINE, form).await.expect(200))
    };
    let channel = open().await;
    let path = format!("/channels/{channel}/messages");
    let hello = json!({ "content": "hello" });
    bot.post(&path, hello.clone()).await.refused(403, 50007);
    let added = community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);

    let shard = |n: u64| {
        let fields =
            json!({ "token": format!("Bot {token}"), "intents": 1 << 12, "shard": [n, 2] });
        let node = &node;
        async move {
            let mut gateway = Gateway::connect(node).await;
            gateway.send_identify(fields).await;
            gateway
        }
    };
    let mut first = shard(0).await;
    let mut second = shard(1).await;
    for gateway in [&mut first, &mut second] {
        gateway
            .wait_for("READY", |ready| ready["private_channels"] == json!([]))
            .await;
    }
    let mut ben_sees = ben.connect(&node).await;
    bot.post(&path, hello).await.expect(200);
    ben_sees.message("hello").await;
    ben.http.say(&channel, "hello, bot").await;
    // Without MESSAGE_CONTENT it reads what is written to it alone, on its first shard, and sees no channel.
    let events = first.until_message("hello, bot").await;
    assert!(
        events.iter().all(|event| event.name != "CHANNEL_CREATE"),
        "{events:?}"
    );
    second.heartbeat().await;
    let events = second.take();
    assert!(
        events.iter().all(|event| event.name != "MESSAGE_CREATE"),
        "{events:?}"
    );
    assert_eq!(open().await, channel);
    assert_eq!(bot.get(MINE).await.expect(200), json!([]));
}

#[tokio::test]
async fn channels_that_cannot_be_are_refused() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let post = async |form: Value| ada.http.post(MINE, form).await;
    post(json!({})).await.refused(400, 50033);
    post(json!({ "recipients": [] })).await.refused(400, 50033);
    post(json!({ "recipient_id": ada.id }))
        .await
        .refused(400, 50033);
    post(json!({ "recipient_id": "999999999999999999" }))
        .await
        .refused(404, 10013);
    post(json!({ "recipient_id": "ben" }))
        .await
        .bad_field("recipient_id");
    post(json!({ "recipients": "ben" }))
        .await
        .bad_field("recipients");
    post(json!({ "recipients": ["ben"] }))
        .await
        .bad_field("recipients");
    ada.http
        .get("/channels/999999999999999999")
        .await
        .refused(404, 10003);
}
