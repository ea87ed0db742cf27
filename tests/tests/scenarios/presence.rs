//! Presence: who is online and what he says of himself, in groups, READY, GUILD_CREATE and counts.

use reqwest::Method;
use rookery_tests::harness::{Community, Gateway, Node, Person, Received};
use serde_json::{Value, json};

const ALL: u64 = 0x0331_ffff;
const PRESENCES: u64 = 1 << 8;

/// Connects with a presence and waits for the groups.
async fn connect(node: &Node, token: &str, presence: Value) -> Gateway {
    let fields = json!({ "token": token, "intents": ALL, "presence": presence });
    Gateway::identify_with(node, fields).await
}

fn status(status: &str) -> Value {
    json!({ "status": status, "since": null, "activities": [], "afk": false })
}

async fn presence_of(session: &mut Gateway, user: &str, wanted: &str) -> Value {
    session
        .wait_for("PRESENCE_UPDATE", |presence| {
            presence["user"]["id"] == user && presence["status"] == wanted
        })
        .await
}

/// The presences of the group in GUILD_CREATE, as a new session of `token` sees them.
async fn picture(node: &Node, token: &str, intents: u64) -> Value {
    let mut session = Gateway::connect(node).await;
    session
        .send_identify(json!({ "token": token, "intents": intents }))
        .await;
    session.wait_for("READY", |_| true).await;
    let group = session.wait_for("GUILD_CREATE", |_| true).await;
    group["presences"].clone()
}

#[tokio::test]
async fn members_see_who_comes_changes_and_goes() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ada_sees = ada.connect(&node).await;
    let mut first = connect(&node, &ben.token, status("idle")).await;
    let seen = presence_of(&mut ada_sees, &ben.id, "idle").await;
    assert_eq!(seen["guild_id"], community.group);
    assert_eq!(seen["client_status"], json!({ "web": "idle" }));
    assert_eq!(seen["activities"], json!([]));

    let custom = json!({ "name": "Custom Status", "type": 4, "state": "at lunch",
        "emoji": { "name": "\u{1f35c}" } });
    let presence = json!({ "status": "dnd", "since": 0, "activities": [custom], "afk": false });
    first.send(3, presence).await;
    let seen = presence_of(&mut ada_sees, &ben.id, "dnd").await;
    assert_eq!(seen["activities"][0]["state"], "at lunch");
    assert_eq!(seen["activities"][0]["emoji"]["name"], "\u{1f35c}");

    // The most active session counts.
    let second = connect(&node, &ben.token, status("online")).await;
    presence_of(&mut ada_sees, &ben.id, "online").await;
    second.close(1000).await;
    presence_of(&mut ada_sees, &ben.id, "dnd").await;

    // Invisible is offline to others.
    first.send(3, status("invisible")).await;
    presence_of(&mut ada_sees, &ben.id, "offline").await;
    let counted = format!("/guilds/{}?with_counts=true", community.group);
    let counts = ada.http.get(&counted).await.expect(200);
    assert_eq!(counts["approximate_presence_count"], 1);
    first.send(3, status("online")).await;
    presence_of(&mut ada_sees, &ben.id, "online").await;
    let counts = ada.http.get(&counted).await.expect(200);
    assert_eq!(counts["approximate_presence_count"], 2);
    first.close(1000).await;
    presence_of(&mut ada_sees, &ben.id, "offline").await;
}

#[tokio::test]
async fn who_may_still_resume_is_still_there() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ada_sees = ada.connect(&node).await;
    let session = connect(&node, &ben.token, status("dnd")).await;
    presence_of(&mut ada_sees, &ben.id, "dnd").await;
    let cut = session.cut();
    // Somebody else comes meanwhile: a second has passed, and nothing was said of Ben.
    let (application, token) = ada.create_bot("Rook").await;
    ada.authorize(&application, &community.group, "0").await;
    let bot = Gateway::identify(&node, &token).await;
    presence_of(&mut ada_sees, &application, "online").await;
    let of_ben = |event: &rookery_tests::harness::Event| {
        event.name == "PRESENCE_UPDATE" && event.data["user"]["id"] == ben.id
    };
    assert!(!ada_sees.take().iter().any(of_ben));
    let pictured = picture(&node, &ada.token, ALL).await;
    let shown = pictured.as_array().unwrap().iter();
    let of_ben = shown.filter(|p| p["user"]["id"] == ben.id);
    assert_eq!(of_ben.map(|p| &p["status"]).collect::<Vec<_>>(), ["dnd"]);
    let mut resumed = cut.resume().await;
    resumed.send(3, status("idle")).await;
    presence_of(&mut ada_sees, &ben.id, "idle").await;
    drop(bot);
}

#[tokio::test]
async fn guild_create_carries_presences_for_who_asked_for_them() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben = connect(&node, &community.ben.token, status("idle")).await;
    let mut ada = community.ada.connect(&node).await;
    presence_of(&mut ben, &community.ada.id, "online").await;
    ada.heartbeat().await;
    let (application, token) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    let seen = picture(&node, &token, 1 | PRESENCES).await;
    let ben_there = seen
        .as_array()
        .unwrap()
        .iter()
        .find(|presence| presence["user"]["id"] == community.ben.id)
        .unwrap();
    assert_eq!(ben_there["status"], "idle");
    assert_eq!(picture(&node, &token, 1).await, json!([]));
}

#[tokio::test]
async fn bad_presences_close_the_socket_and_too_many_are_not_taken() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let bad = [
        json!({}),
        json!({ "status": "away" }),
        json!({ "status": "online", "activities": [{ "type": 0 }] }),
        json!({ "status": "online", "activities": [{ "name": "x", "type": 7 }] }),
        json!({ "status": "online", "activities": vec![json!({ "name": "x", "type": 0 }); 6] }),
        json!({ "status": "online", "activities": [{ "name": "x", "type": 4, "state": "x".repeat(129) }] }),
    ];
    for presence in bad {
        let mut session = ben.connect(&node).await;
        session.send(3, presence.clone()).await;
        assert_eq!(session.closed().await, Some(4002), "{presence}");
        if presence != json!({}) {
            let mut session = Gateway::connect(&node).await;
            let fields = json!({ "token": ben.token, "intents": 1, "presence": presence });
            session.send_identify(fields).await;
            assert_eq!(session.closed().await, Some(4002), "{presence}");
        }
    }
    let mut ada_sees = ada.connect(&node).await;
    let mut session = connect(&node, &ben.token, status("online")).await;
    for n in 1..=6 {
        let presence =
            json!({ "status": "dnd", "activities": [{ "name": format!("game {n}"), "type": 0 }] });
        session.send(3, presence).await;
    }
    session.heartbeat().await;
    let playing = |presence: &Value| presence["activities"][0]["name"] == "game 5";
    ada_sees.wait_for("PRESENCE_UPDATE", playing).await;
    assert!(!matches!(session.receive().await, Received::Closed(_)));
}

#[tokio::test]
async fn friends_see_each_other_and_blocks_end_it() {
    let node = Node::start().await;
    // No group in common.
    let ada = Person::register(&node, "ada").await;
    let ben = Person::register(&node, "ben").await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = connect(&node, &ben.token, status("idle")).await;
    let form = json!({ "username": "ben" });
    ada.http
        .post("/users/@me/relationships", form)
        .await
        .expect(204);
    let accept = ben
        .http
        .request(Method::PUT, &format!("/users/@me/relationships/{}", ada.id))
        .json(&json!({}));
    ben.http.send(accept).await.expect(204);
    let seen = presence_of(&mut ada_sees, &ben.id, "idle").await;
    assert!(seen.get("guild_id").is_none(), "{seen}");
    presence_of(&mut ben_sees, &ada.id, "online").await;
    ben_sees.send(3, status("dnd")).await;
    presence_of(&mut ada_sees, &ben.id, "dnd").await;
    let again = ada.connect(&node).await;
    let there = again.ready["presences"].as_array().unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&there[0]["user"]["id"], &there[0]["status"]),
        (&json!(ben.id), &json!("dnd"))
    );

    // Who is blocked sees nothing in a group, either.
    let (group, channel) = ada.create_group("Rooks").await;
    let carl = Person::register(&node, "carl").await;
    let code = ada.invite(&channel).await;
    ben.accept(&code).await;
    carl.accept(&code).await;
    let mut carl_sees = carl.connect(&node).await;
    let block = ben
        .http
        .request(Method::PUT, &format!("/users/@me/relationships/{}", ada.id))
        .json(&json!({ "type": 2 }));
    ben.http.send(block).await.expect(204);
    ada_sees.wait_for("RELATIONSHIP_REMOVE", |_| true).await;
    let is_block = |relation: &Value| relation["type"] == 2;
    ben_sees.wait_for("RELATIONSHIP_ADD", is_block).await;
    // What is shown from now on knows of the block.
    ada_sees.heartbeat().await;
    ada_sees.take();
    ben_sees.send(3, status("online")).await;
    presence_of(&mut carl_sees, &ben.id, "online").await;
    ada_sees.heartbeat().await;
    let of_ben = |event: &rookery_tests::harness::Event| {
        event.name == "PRESENCE_UPDATE" && event.data["user"]["id"] == ben.id
    };
    assert!(!ada_sees.take().iter().any(of_ben));
    let pictured = picture(&node, &ada.token, ALL).await;
    assert!(
        !pictured
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["user"]["id"] == ben.id)
    );
    let path = format!("/guilds/{group}?with_counts=true");
    let counts = ada.http.get(&path).await.expect(200);
    assert_eq!(counts["approximate_presence_count"], 3);
}
