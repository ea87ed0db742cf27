//! What a session sees of a group follows the permissions at once: channels disappear, appear, and are silent in between.

use reqwest::Method;
use rookery_tests::harness::{Answer, Community, Event, Gateway, Node, Person, id};
use serde_json::{Value, json};

const VIEW: u64 = 1 << 10;

async fn put(person: &Person, path: &str, body: Value) -> Answer {
    let request = person.http.request(Method::PUT, path);
    person.http.send(request.json(&body)).await
}

/// The owner's hand over a channel: what a role or member may do in it.
async fn overwrite(
    community: &Community,
    channel: &str,
    target: &str,
    kind: u8,
    allow: u64,
    deny: u64,
) {
    let path = format!("/channels/{channel}/permissions/{target}");
    let form = json!({ "type": kind, "allow": allow.to_string(), "deny": deny.to_string() });
    put(&community.ada, &path, form).await.expect(204);
}

async fn make(community: &Community, form: Value) -> Value {
    let path = format!("/guilds/{}/channels", community.group);
    community.ada.http.post(&path, form).await.expect(201)
}

fn named(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn listed(person: &Person, group: &str) -> Vec<String> {
    let channels = person
        .http
        .get(&format!("/guilds/{group}/channels"))
        .await
        .expect(200);
    channels.as_array().unwrap().iter().map(id).collect()
}

/// The channels of a fresh session's GUILD_CREATE.
async fn shown(person: &Person, node: &Node) -> Vec<String> {
    let mut gateway = Gateway::connect(node).await;
    gateway
        .send_identify(json!({ "token": person.token, "intents": 1 }))
        .await;
    let group = gateway.wait_for("GUILD_CREATE", |_| true).await;
    group["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(id)
        .collect()
}

#[tokio::test]
async fn a_hidden_channel_disappears_at_once_and_comes_back_with_a_role() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let secret = id(&make(&community, json!({ "name": "secret" })).await);
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let ada = &community.ada.http;

    overwrite(&community, &secret, &community.group, 0, 0, VIEW).await;
    let updated = ada_sees.wait_for("CHANNEL_UPDATE", |_| true).await;
    assert_eq!(
        updated["permission_overwrites"],
        json!([{ "id": community.group, "type": 0, "allow": "0", "deny": "1024" }])
    );
    ada.say(&secret, "psst").await;
    ada.patch(&format!("/channels/{secret}"), json!({ "topic": "hush" }))
        .await
        .expect(200);
    let path = format!("/channels/{secret}/typing");
    ada.post(&path, json!({})).await.expect(204);
    ada.say(&community.channel, "in the open").await;
    let heard = ben_sees.until_message("in the open").await;
    assert_eq!(named(&heard), ["CHANNEL_DELETE"]);
    assert_eq!(heard[0].data["id"], secret);
    community
        .ben
        .http
        .get(&format!("/channels/{secret}/messages"))
        .await
        .refused(403, 50001);
    community
        .ben
        .http
        .get(&format!("/channels/{secret}"))
        .await
        .refused(403, 50001);
    assert!(
        !listed(&community.ben, &community.group)
            .await
            .contains(&secret)
    );
    assert!(
        listed(&community.ada, &community.group)
            .await
            .contains(&secret)
    );
    assert!(!shown(&community.ben, &node).await.contains(&secret));
    assert!(shown(&community.ada, &node).await.contains(&secret));
    ada_sees.message("psst").await;

    let roles = format!("/guilds/{}/roles", community.group);
    let role = id(&ada
        .post(&roles, json!({ "name": "in the know" }))
        .await
        .expect(200));
    overwrite(&community, &secret, &role, 0, VIEW, 0).await;
    let path = format!(
        "/guilds/{}/members/{}/roles/{role}",
        community.group, community.ben.id
    );
    put(&community.ada, &path, json!({})).await.expect(204);
    ada.say(&secret, "welcome").await;
    let heard = ben_sees.until_message("welcome").await;
    let names = named(&heard);
    assert_eq!(
        names,
        ["GUILD_ROLE_CREATE", "GUILD_MEMBER_UPDATE", "CHANNEL_CREATE"]
    );
    assert_eq!(
        (&heard[2].data["id"], &heard[2].data["topic"]),
        (&json!(secret), &json!("hush"))
    );
    community.ben.http.say(&secret, "thanks").await;
    ada_sees.message("thanks").await;

    // The role goes, and the channel with it; the overwrite goes too.
    ada.delete(&format!("{roles}/{role}")).await.expect(204);
    ada.say(&secret, "alone again").await;
    ada.say(&community.channel, "marker").await;
    ben_sees.message("thanks").await;
    let heard = ben_sees.until_message("marker").await;
    assert_eq!(named(&heard), ["GUILD_ROLE_DELETE", "CHANNEL_DELETE"]);
    let left = ada.get(&format!("/channels/{secret}")).await.expect(200);
    assert_eq!(left["permission_overwrites"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_resumed_session_gets_what_was_visible_when_it_passed() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let secret = id(&make(&community, json!({ "name": "secret" })).await);
    let away = community.ben.connect(&node).await.cut();
    let ada = &community.ada.http;
    ada.say(&secret, "first").await;
    overwrite(&community, &secret, &community.ben.id, 1, 0, VIEW).await;
    ada.say(&secret, "second").await;
    let path = format!("/channels/{secret}/permissions/{}", community.ben.id);
    ada.delete(&path).await.expect(204);
    ada.say(&secret, "third").await;
    let mut ben_sees = away.resume().await;
    let heard = ben_sees.until_message("third").await;
    assert_eq!(
        named(&heard),
        ["MESSAGE_CREATE", "CHANNEL_DELETE", "CHANNEL_CREATE"]
    );
    assert_eq!(heard[0].data["content"], "first");
    // Again from the start: the same again.
    let mut session = ben_sees.cut();
    session.seq -= 5;
    let again = session.resume().await.take();
    assert_eq!(
        named(&again),
        [
            "MESSAGE_CREATE",
            "CHANNEL_DELETE",
            "CHANNEL_CREATE",
            "MESSAGE_CREATE"
        ]
    );
}

#[tokio::test]
async fn a_new_channel_is_shown_only_to_who_sees_it_and_so_is_its_end() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let hidden = json!([{ "id": community.group, "type": 0, "deny": VIEW.to_string() }]);
    let form = json!({ "name": "plans", "permission_overwrites": hidden });
    let made = make(&community, form).await;
    let path = format!("/channels/{}", id(&made));
    ada_sees
        .wait_for("CHANNEL_CREATE", |channel| channel["id"] == made["id"])
        .await;
    community.ada.http.delete(&path).await.expect(200);
    ada_sees
        .wait_for("CHANNEL_DELETE", |channel| channel["id"] == made["id"])
        .await;
    community.ada.http.say(&community.channel, "marker").await;
    assert_eq!(named(&ben_sees.until_message("marker").await), [""; 0]);
}

#[tokio::test]
async fn channels_follow_their_category() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let ada = &community.ada.http;
    let category = id(&make(&community, json!({ "name": "staff", "type": 4 })).await);
    let child = id(&make(&community, json!({ "name": "desk", "parent_id": category })).await);
    let other = id(&make(&community, json!({ "name": "hall", "parent_id": category })).await);
    overwrite(&community, &other, &community.ben.id, 1, 1 << 6, 0).await;
    overwrite(&community, &category, &community.group, 0, 0, VIEW).await;
    ada.say(&other, "marker").await;
    let gone: Vec<Value> = ben_sees
        .until_message("marker")
        .await
        .iter()
        .filter(|event| event.name == "CHANNEL_DELETE")
        .map(|event| event.data["id"].clone())
        .collect();
    // The hall has its own overwrites: it does not follow.
    assert_eq!(gone, [json!(category), json!(child)]);
    // A new channel begins with what its category has.
    let late = make(&community, json!({ "name": "late", "parent_id": category })).await;
    assert_eq!(late["permission_overwrites"].as_array().unwrap().len(), 1);
    // So does one of a library that says that there are none.
    for none in [json!([]), Value::Null] {
        let form = json!({ "name": "later", "parent_id": category, "permission_overwrites": none });
        let later = make(&community, form).await;
        assert_eq!(
            later["permission_overwrites"],
            late["permission_overwrites"]
        );
    }
    // Moved there and locked, a channel takes over what the category has.
    let path = format!("/guilds/{}/channels", community.group);
    let form =
        json!([{ "id": other, "parent_id": category, "lock_permissions": true, "position": 9 }]);
    ada.patch(&path, form).await.expect(204);
    let moved = ada.get(&format!("/channels/{other}")).await.expect(200);
    assert_eq!(
        moved["permission_overwrites"],
        late["permission_overwrites"]
    );
    assert_eq!(moved["position"], 9);
    ben_sees
        .wait_for("CHANNEL_DELETE", |channel| channel["id"] == json!(other))
        .await;
}

#[tokio::test]
async fn only_managers_of_a_channel_hear_of_its_invites() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let path = format!("/channels/{}/invites", community.channel);
    let form = json!({ "unique": true });
    let invite = community.ada.http.post(&path, form).await.expect(200);
    let code = invite["code"].as_str().expect("a code");
    let seen = ada_sees.wait_for("INVITE_CREATE", |_| true).await;
    assert_eq!(seen["code"], code);
    community
        .ada
        .http
        .delete(&format!("/invites/{code}"))
        .await
        .expect(200);
    ada_sees.wait_for("INVITE_DELETE", |_| true).await;
    community.ada.http.say(&community.channel, "marker").await;
    assert_eq!(named(&ben_sees.until_message("marker").await), [""; 0]);
}

#[tokio::test]
async fn overwrites_take_what_one_has_and_bad_ones_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let roles = format!("/guilds/{}/roles", community.group);
    let path = |target: &str| format!("/channels/{}/permissions/{target}", community.channel);
    let mine = path(&ben.id);
    let form = json!({ "type": 1, "allow": "64", "deny": "0" });
    put(ben, &mine, form.clone()).await.refused(403, 50013);
    ben.http.delete(&mine).await.refused(403, 50013);
    let held = ((1u64 << 28) | (1 << 4)).to_string();
    let role = ada
        .http
        .post(&roles, json!({ "permissions": held }))
        .await
        .expect(200);
    let give = format!(
        "/guilds/{}/members/{}/roles/{}",
        community.group,
        ben.id,
        id(&role)
    );
    put(ada, &give, json!({})).await.expect(204);
    // He holds ADD_REACTIONS and not MANAGE_MESSAGES.
    put(ben, &mine, form).await.expect(204);
    let more = json!({ "type": 1, "allow": (64 | 8192).to_string() });
    put(ben, &mine, more.clone()).await.refused(403, 50013);
    let listed = json!({ "permission_overwrites": [{ "id": ben.id, "type": 1, "allow": "8192" }] });
    ben.http
        .patch(&format!("/channels/{}", community.channel), listed)
        .await
        .refused(403, 50013);
    let hers = path(&ada.id);
    put(ada, &hers, more).await.expect(204);
    ben.http.delete(&hers).await.refused(403, 50013);
    ada.http.delete(&hers).await.expect(204);
    ada.http.delete(&hers).await.refused(404, 10009);
    ben.http.delete(&mine).await.expect(204);

    let unknown = "999999999999999999";
    put(ada, &path(unknown), json!({ "type": 0 }))
        .await
        .refused(404, 10011);
    put(ada, &path(unknown), json!({ "type": 1 }))
        .await
        .refused(404, 10007);
    put(ada, &path("x"), json!({ "type": 1 }))
        .await
        .bad_field("overwrite_id");
    put(ada, &mine, json!({})).await.bad_field("type");
    put(ada, &mine, json!({ "type": 2 }))
        .await
        .bad_field("type");
    put(ada, &mine, json!({ "type": 1, "allow": "all" }))
        .await
        .bad_field("allow");
    put(ada, &mine, json!({ "type": 1, "deny": -5 }))
        .await
        .bad_field("deny");
    let channel = format!("/channels/{}", community.channel);
    let list = |item: Value| json!({ "permission_overwrites": [item] });
    ada.http
        .patch(&channel, list(json!({ "type": 0 })))
        .await
        .bad_field("permission_overwrites.0.id");
    ada.http
        .patch(&channel, list(json!(5)))
        .await
        .bad_field("permission_overwrites.0");
    ada.http
        .patch(&channel, json!({ "permission_overwrites": 5 }))
        .await
        .bad_field("permission_overwrites");
    let arranged = format!("/guilds/{}/channels", community.group);
    ada.http
        .patch(&arranged, json!([{ "id": unknown, "position": 1 }]))
        .await
        .refused(404, 10003);
    ada.http
        .patch(&arranged, json!([{ "position": 1 }]))
        .await
        .bad_field("0.id");
    let form = json!([{ "id": community.channel, "parent_id": community.channel }]);
    ada.http.patch(&arranged, form).await.bad_field("parent_id");
}
