//! Privileged intents: a bot has those that its owner granted, and nobody else can grant them.

use rookery_tests::harness::{Community, Gateway, Node};
use serde_json::{Value, json};

const GUILDS: u64 = 1;
const MEMBERS: u64 = 1 << 1;
const PRESENCES: u64 = 1 << 8;
const CONTENT: u64 = 1 << 15;

#[tokio::test]
async fn privileged_intents_are_granted_and_taken_back() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let (application, token) = ada.create_bot_with("Rook", &[]).await;
    ada.authorize(&application, &community.group, "0").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let refused = async |intents: u64| {
        let mut session = Gateway::connect(&node).await;
        session
            .send_identify(json!({ "token": token, "intents": intents }))
            .await;
        session.closed().await
    };
    for intents in [MEMBERS, PRESENCES, CONTENT, GUILDS | MEMBERS | CONTENT] {
        assert_eq!(refused(intents).await, Some(4014), "{intents}");
    }
    let members = format!("/guilds/{}/members?limit=10", community.group);
    bot.get(&members).await.refused(403, 50001);

    // The owner grants, by name or by Discord's flags; nobody else does.
    let path = format!("/applications/{application}");
    let grant = json!({ "privileged_intents": ["GUILD_MEMBERS"] });
    ben.http
        .patch(&path, grant.clone())
        .await
        .refused(403, 50001);
    bot.patch("/applications/@me", json!({ "flags": 1 << 15 }))
        .await
        .refused(403, 50013);
    let changed = ada.http.patch(&path, grant).await.expect(200);
    assert_eq!(changed["flags"], 1 << 14);
    let fields = json!({ "token": token, "intents": GUILDS | MEMBERS });
    let mut session = Gateway::identify_with(&node, fields.clone()).await;
    assert_eq!(session.ready["application"]["flags"], 1 << 14);
    assert_eq!(refused(CONTENT).await, Some(4014));
    bot.get(&members).await.expect(200);
    let both = json!({ "flags": (1 << 14) | (1 << 19) });
    let changed = ada.http.patch(&path, both).await.expect(200);
    assert_eq!(changed["flags"], (1 << 14) | (1 << 18));
    session.heartbeat().await;

    // What is taken back ends the sessions that may use it.
    let described = json!({ "description": "moves in straight lines", "flags": 1 << 19 });
    let changed = bot.patch("/applications/@me", described).await.expect(200);
    assert_eq!(changed["description"], "moves in straight lines");
    assert_eq!(changed["flags"], 1 << 18);
    assert_eq!(session.closed().await, Some(4014));
    assert_eq!(refused(MEMBERS).await, Some(4014));
}

#[tokio::test]
async fn a_bot_without_message_content_reads_none_over_http_either() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (application, token) = c.ada.create_bot_with("Rook", &[]).await;
    c.ada
        .authorize(&application, &c.group, "0")
        .await
        .expect(200);
    let bot = node.http().with_token(&format!("Bot {token}"));
    let secret = c.ada.http.say(&c.channel, "for people").await;
    let called = c
        .ada
        .http
        .say(&c.channel, &format!("<@{application}>!"))
        .await;
    let answer = json!({ "content": "yes", "message_reference": { "message_id": secret["id"] } });
    let own = bot.post(&c.messages(), answer).await.expect(200);
    assert_eq!(own["content"], "yes");
    assert_eq!(own["referenced_message"]["content"], "");
    let list = bot.get(&c.messages()).await.expect(200);
    let content = |message: &Value| {
        let all = list.as_array().expect("messages").iter();
        let found = all.clone().find(|one| one["id"] == message["id"]);
        found.expect("the message")["content"].clone()
    };
    assert_eq!(content(&secret), "");
    assert_eq!(content(&called), called["content"]);
    assert_eq!(content(&own), "yes");
    let one = format!("{}/{}", c.messages(), secret["id"].as_str().expect("an id"));
    assert_eq!(bot.get(&one).await.expect(200)["content"], "");
    assert_eq!(
        c.ben.http.get(&one).await.expect(200)["content"],
        "for people"
    );
}

#[tokio::test]
async fn a_bot_sees_itself_change_whatever_it_asked_for() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (application, token) = c.ada.create_bot_with("Rook", &[]).await;
    c.ada
        .authorize(&application, &c.group, "0")
        .await
        .expect(200);
    let fields = json!({ "token": token, "intents": GUILDS });
    let mut bot = Gateway::identify_with(&node, fields).await;
    for (user, nick) in [(&c.ben.id, "B"), (&application, "R")] {
        let path = format!("/guilds/{}/members/{user}", c.group);
        let form = json!({ "nick": nick });
        c.ada.http.patch(&path, form).await.expect(200);
    }
    let own = bot.wait_for("GUILD_MEMBER_UPDATE", |_| true).await;
    assert_eq!(
        (&own["user"]["id"], &own["nick"]),
        (&json!(application), &json!("R"))
    );
}

#[tokio::test]
async fn application_info_is_complete() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    for path in ["/applications/@me", "/oauth2/applications/@me"] {
        let own = bot.get(path).await.expect(200);
        assert_eq!(own["id"], application);
        assert_eq!(own["owner"]["id"], community.ada.id);
        assert_eq!(own["flags"], (1 << 12) | (1 << 14) | (1 << 18));
        assert_eq!(own["approximate_guild_count"], 1);
        for key in ["team", "icon"] {
            assert!(own[key].is_null() && own.get(key).is_some(), "{key}: {own}");
        }
        for key in [
            "name",
            "description",
            "bot_public",
            "bot_require_code_grant",
            "verify_key",
            "tags",
        ] {
            assert!(
                own.get(key).is_some_and(|value| !value.is_null()),
                "{key}: {own}"
            );
        }
    }
    community
        .ada
        .http
        .get("/applications/@me")
        .await
        .refused(403, 20002);
}

#[tokio::test]
async fn bad_forms_of_applications_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let path = format!("/applications/{application}");
    for form in [
        json!({ "privileged_intents": ["ALL"] }),
        json!({ "privileged_intents": "GUILD_MEMBERS" }),
        json!({ "privileged_intents": ["GUILD_MEMBERS", "GUILD_MEMBERS", "GUILD_MEMBERS", "GUILD_MEMBERS"] }),
        json!({ "flags": -1 }),
        json!({ "name": "" }),
        json!({ "description": "x".repeat(401) }),
    ] {
        community
            .ada
            .http
            .patch(&path, form.clone())
            .await
            .refused(400, 50035);
    }
    let unknown = "/applications/175928847299117063";
    community
        .ada
        .http
        .patch(unknown, json!({}))
        .await
        .refused(404, 10002);
    // A person is no application.
    let person = format!("/applications/{}", community.ada.id);
    community
        .ada
        .http
        .patch(&person, json!({}))
        .await
        .refused(404, 10002);
    let bot = node.http().with_token(&format!("Bot {token}"));
    assert_eq!(bot.patch(&path, json!({})).await.status, 403);
}
