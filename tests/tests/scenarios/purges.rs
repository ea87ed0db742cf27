//! A ban deletes what the banned has written lately, in every channel, also when the node is killed halfway.

use rookery_tests::harness::{Community, Http, Node, NodeOptions, Person, id};
use serde_json::{Value, json};

/// What of a history somebody wrote, newest first; messages of the system left out.
async fn said_by(http: &Http, channel: &str, user: &str) -> Vec<String> {
    let path = format!("/channels/{channel}/messages?limit=100");
    let history = http.get(&path).await.expect(200);
    let all = history.as_array().expect("messages").iter();
    let his = all.filter(|message| message["author"]["id"] == user && message["type"] == 0);
    his.map(id).collect()
}

async fn ban(c: &Community, form: Value) {
    let path = format!("/guilds/{}/bans/{}", c.group, c.ben.id);
    c.ada.http.put(&path, form).await.expect(204);
}

#[tokio::test]
async fn a_ban_deletes_what_he_wrote_in_every_channel_and_nobody_elses() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let path = format!("/guilds/{}/channels", c.group);
    let hidden = json!({
        "name": "hidden",
        "permission_overwrites": [{ "id": c.ben.id, "type": 1, "allow": "1024" }],
    });
    let other = id(&c.ada.http.post(&path, hidden).await.expect(201));
    let mine = c.ada.http.say(&c.channel, "mine").await;
    let first = c.ben.http.say(&c.channel, "spam").await;
    let second = c.ben.http.say(&other, "spam").await;
    let mut ada = c.ada.connect(&node).await;

    ban(&c, json!({ "delete_message_seconds": 3_600 })).await;
    let mut gone = Vec::new();
    for _ in 0..2 {
        let bulk = ada.wait_for("MESSAGE_DELETE_BULK", |_| true).await;
        assert_eq!(bulk["guild_id"], c.group);
        gone.extend(bulk["ids"].as_array().expect("ids").clone());
    }
    let ids = [&first, &second].map(|message| json!(id(message)));
    assert!(ids.iter().all(|id| gone.contains(id)), "{gone:?}");
    assert!(!gone.contains(&json!(id(&mine))));
    for channel in [&c.channel, &other] {
        assert_eq!(said_by(&c.ada.http, channel, &c.ben.id).await, [""; 0]);
    }
    assert_eq!(
        said_by(&c.ada.http, &c.channel, &c.ada.id).await,
        [id(&mine)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_node_did_not_delete_goes_at_its_next_start() {
    const MESSAGES: usize = 600;
    let options = NodeOptions {
        config: "[limits]\nenabled = false\n".to_owned(),
        ..NodeOptions::default()
    };
    let mut node = Node::start_with(options).await;
    let mut c = Community::new(&node).await;
    for n in 0..MESSAGES {
        c.ben.http.say(&c.channel, &format!("spam {n}")).await;
    }
    let mut ada = c.ada.connect(&node).await;
    ban(&c, json!({ "delete_message_seconds": 3_600 })).await;
    ada.wait_for("MESSAGE_DELETE_BULK", |_| true).await;
    node.kill();
    node.restart().await;
    c.at(&node);
    node.logged("deleted what somebody banned wrote", 1).await;
    assert_eq!(said_by(&c.ada.http, &c.channel, &c.ben.id).await, [""; 0]);
    let done = node
        .log()
        .matches("deleted what somebody banned wrote")
        .count();
    assert_eq!(done, 1, "it is not begun again");
}

#[tokio::test]
async fn a_ban_without_a_span_deletes_nothing_and_a_bad_span_is_refused() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    c.ben.http.say(&c.channel, "stays").await;
    let path = format!("/guilds/{}/bans/{}", c.group, c.ben.id);
    for form in [
        json!({ "delete_message_seconds": 604_801 }),
        json!({ "delete_message_seconds": -1 }),
        json!({ "delete_message_days": 8 }),
    ] {
        let field = form.as_object().and_then(|form| form.keys().next());
        let field = field.expect("a field").clone();
        c.ada.http.put(&path, form).await.bad_field(&field);
    }
    ban(&c, json!({})).await;
    assert_eq!(said_by(&c.ada.http, &c.channel, &c.ben.id).await.len(), 1);
    let cid = Person::register(&node, "cid").await;
    cid.accept(&c.ada.invite(&c.channel).await).await;
}
