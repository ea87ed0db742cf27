//! Bots: an application, its token, being added to a group, intents, message content, shards.

use rookery_tests::harness::{Community, Event, Gateway, Node, id};
use serde_json::{Value, json};

const GUILDS: u64 = 1;
const MEMBERS: u64 = 1 << 1;
const MESSAGES: u64 = 1 << 9;
const TYPING: u64 = 1 << 11;
const CONTENT: u64 = 1 << 15;

fn named(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

#[tokio::test]
async fn a_bot_is_made_added_and_speaks() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let own = bot.get("/oauth2/applications/@me").await.expect(200);
    assert_eq!(own["id"], application);
    assert_eq!(own["owner"]["id"], community.ada.id);
    let me = bot.get("/users/@me").await.expect(200);
    assert_eq!(me["id"], application);
    assert_eq!(me["bot"], true);
    let start = bot.get("/gateway/bot").await.expect(200);
    assert!(
        start["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("ws") && !url.ends_with('/')),
        "{start}"
    );
    assert_eq!(start["shards"], 1);
    assert!(
        start["session_start_limit"]["remaining"].is_u64(),
        "{start}"
    );

    bot.post(&community.messages(), json!({ "content": "hello" }))
        .await
        .refused(403, 50001);
    community
        .ben
        .authorize(&application, &community.group, "0")
        .await
        .refused(403, 50013);
    let mut bot_sees = Gateway::identify(&node, &token).await;
    assert_eq!(bot_sees.ready["application"]["id"], application);
    assert_eq!(bot_sees.ready["guilds"], json!([]));
    let added = community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);
    bot_sees
        .wait_for("GUILD_CREATE", |group| group["id"] == community.group)
        .await;
    let joined = ada_sees.wait_for("GUILD_MEMBER_ADD", |_| true).await;
    assert_eq!(joined["user"]["id"], application);

    bot.say(&community.channel, "hello").await;
    let seen = ada_sees.message("hello").await;
    assert_eq!(seen["author"]["bot"], true);
    bot.post("/guilds", json!({ "name": "Bots only" }))
        .await
        .refused(403, 20001);
    assert_eq!(
        bot.post("/applications", json!({ "name": "Child" }))
            .await
            .status,
        403
    );
    assert_eq!(bot.get("/auth/sessions").await.status, 403);
}

#[tokio::test]
async fn intents_filter_events() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    let connect = async |intents: u64| {
        let fields = json!({ "token": format!("Bot {token}"), "intents": intents });
        Gateway::identify_with(&node, fields).await
    };
    let mut typing = connect(GUILDS | TYPING).await;
    let mut messages = connect(GUILDS | MESSAGES | CONTENT).await;
    let mut guilds = connect(GUILDS).await;
    let mut members = connect(GUILDS | MEMBERS).await;

    let path = format!("/channels/{}/typing", community.channel);
    community.ada.http.post(&path, json!({})).await.expect(204);
    community.ada.http.say(&community.channel, "words").await;
    community
        .ben
        .http
        .delete(&format!("/users/@me/guilds/{}", community.group))
        .await
        .expect(204);
    let channels = format!("/guilds/{}/channels", community.group);
    community
        .ada
        .http
        .post(&channels, json!({ "name": "last", "type": 0 }))
        .await
        .expect(201);
    let mut seen = Vec::new();
    for session in [&mut typing, &mut messages, &mut guilds, &mut members] {
        session
            .wait_for("CHANNEL_CREATE", |channel| channel["name"] == "last")
            .await;
        seen.push(session.take());
    }
    assert_eq!(named(&seen[0]), ["TYPING_START"]);
    assert_eq!(named(&seen[1]), ["MESSAGE_CREATE"]);
    assert_eq!(named(&seen[2]), Vec::<&str>::new());
    assert_eq!(named(&seen[3]), ["GUILD_MEMBER_REMOVE"]);
}

#[tokio::test]
async fn without_message_content_a_bot_reads_only_what_concerns_it() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    let fields = json!({ "token": token, "intents": GUILDS | MESSAGES });
    let mut blind = Gateway::identify_with(&node, fields).await;
    let fields = json!({ "token": token, "intents": GUILDS | MESSAGES | CONTENT });
    let mut sighted = Gateway::identify_with(&node, fields).await;

    let mention = format!("<@{application}> come here");
    let bot = node.http().with_token(&format!("Bot {token}"));
    let secret = community.ada.http.say(&community.channel, "a secret").await;
    community.ada.http.say(&community.channel, &mention).await;
    bot.say(&community.channel, "here I am").await;
    let reply = json!({ "content": "reply", "message_reference": { "message_id": id(&secret) } });
    community
        .ben
        .http
        .post(&community.messages(), reply)
        .await
        .expect(200);

    let contents = async |session: &mut Gateway| -> Vec<(Value, Value)> {
        let mut seen = Vec::new();
        for _ in 0..4 {
            let message = session.wait_for("MESSAGE_CREATE", |_| true).await;
            seen.push((
                message["content"].clone(),
                message["referenced_message"]["content"].clone(),
            ));
        }
        seen
    };
    let blind = contents(&mut blind).await;
    assert_eq!(blind[0].0, "");
    assert_eq!(blind[1].0, mention.as_str());
    assert_eq!(blind[2].0, "here I am");
    assert_eq!(blind[3], (json!(""), json!("")));
    let sighted = contents(&mut sighted).await;
    assert_eq!(sighted[0].0, "a secret");
    assert_eq!(sighted[3], (json!("reply"), json!("a secret")));
}

#[tokio::test]
async fn a_shard_gets_the_groups_that_are_its_own() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let mut groups = vec![(community.group.clone(), community.channel.clone())];
    for n in 0..5 {
        groups.push(community.ada.create_group(&format!("Group {n}")).await);
    }
    for (group, _) in &groups {
        community.ada.authorize(&application, group, "0").await;
    }
    let shard_of = |group: &str| (group.parse::<u64>().unwrap() >> 22) % 2;
    for shard in 0..2 {
        let fields =
            json!({ "token": token, "intents": GUILDS | MESSAGES | CONTENT, "shard": [shard, 2] });
        let session = Gateway::identify_with(&node, fields).await;
        assert_eq!(session.ready["shard"], json!([shard, 2]));
        let mut listed: Vec<String> = session.ready["guilds"]
            .as_array()
            .unwrap()
            .iter()
            .map(id)
            .collect();
        let mut own: Vec<String> = groups
            .iter()
            .map(|(group, _)| group.clone())
            .filter(|g| shard_of(g) == shard)
            .collect();
        listed.sort();
        own.sort();
        assert_eq!(listed, own);
    }
}
