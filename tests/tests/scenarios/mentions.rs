//! Mentions: of people, roles and everybody, and what senders allow.

use rookery_tests::harness::{Community, Gateway, Node, Person, id};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn a_sender_says_whom_a_message_may_mention() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let roles = format!("/guilds/{}/roles", community.group);
    let role = ada
        .http
        .post(&roles, json!({ "name": "rooks", "mentionable": true }))
        .await;
    let role = id(&role.expect(200));
    let content = format!("<@{}> <@&{role}> @everyone `<@{}>`", ben.id, ada.id);
    let post = async |allowed: Value| {
        let mut body = json!({ "content": content });
        if !allowed.is_null() {
            body["allowed_mentions"] = allowed;
        }
        ada.http.post(&community.messages(), body).await
    };
    let all = post(Value::Null).await.expect(200);
    assert_eq!(ids(&all["mentions"]), [ben.id.clone()]);
    assert_eq!(all["mention_roles"], json!([role]));
    assert_eq!(all["mention_everyone"], true);
    let none = post(json!({ "parse": [] })).await.expect(200);
    assert_eq!(
        (&none["mentions"], &none["mention_roles"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(none["mention_everyone"], false);
    let some = post(json!({ "parse": ["roles"], "users": [ben.id] }))
        .await
        .expect(200);
    assert_eq!(ids(&some["mentions"]), [ben.id.clone()]);
    assert_eq!(
        (&some["mention_roles"], &some["mention_everyone"]),
        (&json!([role]), &json!(false))
    );
    post(json!({ "parse": ["users"], "users": [ben.id] }))
        .await
        .bad_field("allowed_mentions");
    post(json!({ "parse": ["here"] }))
        .await
        .bad_field("allowed_mentions.parse.0");
    post(json!({ "users": ["x"] }))
        .await
        .bad_field("allowed_mentions.users.0");
    post(json!({ "roles": vec!["1"; 101] }))
        .await
        .bad_field("allowed_mentions.roles");

    let reply = async |allowed: Value| {
        let reference = json!({ "message_id": all["id"] });
        let body = json!({ "content": "yes", "message_reference": reference, "allowed_mentions": allowed });
        let answer = ben.http.post(&community.messages(), body).await.expect(200);
        ids(&answer["mentions"])
    };
    assert_eq!(reply(Value::Null).await, [ada.id.clone()]);
    assert_eq!(
        reply(json!({ "parse": ["users"] })).await,
        Vec::<String>::new()
    );
    assert_eq!(
        reply(json!({ "replied_user": true })).await,
        [ada.id.clone()]
    );
}

#[tokio::test]
async fn a_bot_without_the_intent_reads_what_mentions_it() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (bot, token) = community.ada.create_bot("Polly").await;
    community
        .ada
        .authorize(&bot, &community.group, "0")
        .await
        .expect(200);
    let fields = json!({ "token": token, "intents": 1 | 1 << 9 });
    let mut sees = Gateway::identify_with(&node, fields).await;
    community.ben.http.say(&community.channel, "secret").await;
    let calling = format!("hey <@{bot}>");
    community.ben.http.say(&community.channel, &calling).await;
    let hidden = sees.wait_for("MESSAGE_CREATE", |m| m["author"]["id"] == community.ben.id);
    assert_eq!(hidden.await["content"], "");
    assert_eq!(sees.message(&calling).await["mentions"][0]["id"], bot);
}

#[tokio::test]
async fn everybody_is_called_only_by_who_may() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let everyone = format!("/guilds/{0}/roles/{0}", community.group);
    // VIEW_CHANNEL, SEND_MESSAGES, READ_MESSAGE_HISTORY.
    let form = json!({ "permissions": (1u64 << 10 | 1 << 11 | 1 << 16).to_string() });
    community.ada.http.patch(&everyone, form).await.expect(200);
    let said = community
        .ben
        .http
        .say(&community.channel, "@everyone")
        .await;
    assert_eq!(said["mention_everyone"], false);
    let said = community.ada.http.say(&community.channel, "@here").await;
    assert_eq!(said["mention_everyone"], true);
    let stranger = Person::register(&node, "stranger").await;
    let content = format!("<@{}>", stranger.id);
    let said = community.ada.http.say(&community.channel, &content).await;
    assert_eq!(said["mentions"], json!([]));
}

#[tokio::test]
async fn a_changed_reply_goes_on_mentioning_whom_it_answers() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ada_sees = ada.connect(&node).await;
    let asked = ada.http.say(&community.channel, "tea?").await;
    let reference = json!({ "message_id": asked["id"] });
    let form = json!({ "content": "yes", "message_reference": reference });
    let reply = ben.http.post(&community.messages(), form).await;
    let path = format!("{}/{}", community.messages(), id(&reply.expect(200)));
    let change = async |form: Value| {
        let answer = ben.http.patch(&path, form).await.expect(200);
        ids(&answer["mentions"])
    };
    assert_eq!(change(json!({ "content": "no" })).await, [ada.id.clone()]);
    let seen = ada_sees.wait_for("MESSAGE_UPDATE", |_| true).await;
    assert_eq!(ids(&seen["mentions"]), [ada.id.clone()]);
    let silent = json!({ "content": "well", "allowed_mentions": { "parse": [] } });
    assert_eq!(change(silent).await, Vec::<String>::new());
    let loud = json!({ "content": "yes", "allowed_mentions": { "replied_user": true } });
    assert_eq!(change(loud).await, [ada.id.clone()]);
}
