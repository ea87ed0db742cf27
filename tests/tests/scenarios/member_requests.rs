//! Finding members: opcode 8 in all its forms, and search over HTTP.

use rookery_tests::harness::{Community, Gateway, Node, Person};
use serde_json::{Value, json};

const GUILDS: u64 = 1;
const MEMBERS: u64 = 1 << 1;
const PRESENCES: u64 = 1 << 8;

async fn ask(session: &mut Gateway, request: Value) -> Value {
    session.send(8, request).await;
    session.wait_for("GUILD_MEMBERS_CHUNK", |_| true).await
}

fn users(chunk: &Value) -> Vec<&str> {
    let members = chunk["members"].as_array().expect("members");
    let mut names: Vec<&str> = members
        .iter()
        .map(|member| member["user"]["username"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_session_asks_for_members_by_name_by_id_and_for_all() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let code = community.ada.invite(&community.channel).await;
    for name in ["benedikt", "carl"] {
        Person::register(&node, name).await.accept(&code).await;
    }
    let (ada, group) = (&community.ada, &community.group);
    let mut session = ada.connect(&node).await;
    let chunk = ask(
        &mut session,
        json!({ "guild_id": group, "query": "", "limit": 0, "nonce": "all" }),
    )
    .await;
    assert_eq!(users(&chunk), ["ada", "ben", "benedikt", "carl"]);
    assert_eq!(chunk["guild_id"], *group);
    assert_eq!(
        (&chunk["chunk_index"], &chunk["chunk_count"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(chunk["nonce"], "all");
    assert!(chunk.get("presences").is_none());

    let query = json!({ "guild_id": [group], "query": "BEN", "limit": 10, "presences": true });
    let chunk = ask(&mut session, query).await;
    assert_eq!(users(&chunk), ["ben", "benedikt"]);
    assert_eq!(chunk["presences"], json!([]));
    let query = json!({ "guild_id": group, "query": "ben", "limit": 1 });
    assert_eq!(users(&ask(&mut session, query).await).len(), 1);
    let query = json!({ "guild_id": group, "query": "nobody", "limit": 0 });
    assert_eq!(ask(&mut session, query).await["members"], json!([]));

    let ids = json!({ "guild_id": group, "user_ids": [ada.id, "7", community.ben.id, "7"],
        "presences": true, "nonce": "x".repeat(33) });
    let chunk = ask(&mut session, ids).await;
    assert_eq!(users(&chunk), ["ada", "ben"]);
    assert_eq!(chunk["not_found"], json!(["7"]));
    assert_eq!(chunk["presences"][0]["user"]["id"], ada.id);
    assert_eq!(chunk["presences"][0]["status"], "online");
    assert!(chunk.get("nonce").is_none(), "{chunk}");
}

#[tokio::test]
async fn all_members_again_are_refused_for_a_while() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut session = community.ada.connect(&node).await;
    let all = json!({ "guild_id": community.group, "query": "", "limit": 0, "nonce": "n" });
    ask(&mut session, all.clone()).await;
    session.send(8, all).await;
    let refused = session.wait_for("RATE_LIMITED", |_| true).await;
    assert_eq!(refused["opcode"], 8);
    assert_eq!(
        refused["meta"],
        json!({ "guild_id": community.group, "nonce": "n" })
    );
    assert!(
        refused["retry_after"]
            .as_f64()
            .is_some_and(|s| s > 0.0 && s <= 30.0)
    );
    // Others are not refused.
    let one = json!({ "guild_id": community.group, "user_ids": community.ben.id });
    assert_eq!(users(&ask(&mut session, one).await), ["ben"]);
}

#[tokio::test]
async fn who_asks_too_early_is_answered_when_he_asks_again() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut session = Gateway::connect(&node).await;
    let fields = json!({ "token": community.ada.token, "intents": GUILDS | MEMBERS });
    session.send_identify(fields).await;
    let one = json!({ "guild_id": community.group, "user_ids": community.ben.id });
    session.send(8, one.clone()).await;
    session.become_ready().await;
    assert_eq!(users(&ask(&mut session, one).await), ["ben"]);
}

#[tokio::test]
async fn a_bot_sees_all_only_with_the_intent() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    let connect = async |intents: u64| {
        let fields = json!({ "token": token, "intents": intents });
        Gateway::identify_with(&node, fields).await
    };
    let all = json!({ "guild_id": community.group, "query": "", "limit": 0, "presences": true });
    let mut blind = connect(GUILDS).await;
    let chunk = ask(&mut blind, all.clone()).await;
    assert_eq!(users(&chunk), ["Rook"]);
    assert!(chunk.get("presences").is_none());
    let query = json!({ "guild_id": community.group, "query": "a", "limit": 5 });
    assert_eq!(users(&ask(&mut blind, query).await), ["ada"]);
    let mut sighted = connect(GUILDS | MEMBERS | PRESENCES).await;
    let chunk = ask(&mut sighted, all).await;
    assert_eq!(users(&chunk), ["Rook", "ada", "ben"]);
    let there = chunk["presences"].as_array().unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0]["user"]["id"], application);
}

#[tokio::test]
async fn bad_requests_close_the_socket_and_those_for_other_groups_are_not_answered() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let group = &community.group;
    let many: Vec<String> = (1..=101).map(|n| n.to_string()).collect();
    for request in [
        json!({}),
        json!({ "guild_id": group }),
        json!({ "guild_id": "x", "query": "" }),
        json!({ "guild_id": [group, group], "query": "" }),
        json!({ "guild_id": group, "query": "", "user_ids": ["1"] }),
        json!({ "guild_id": group, "query": 7 }),
        json!({ "guild_id": group, "query": "", "limit": -1 }),
        json!({ "guild_id": group, "user_ids": many }),
    ] {
        let mut session = community.ada.connect(&node).await;
        session.send(8, request.clone()).await;
        assert_eq!(session.closed().await, Some(4002), "{request}");
    }
    let stranger = Person::register(&node, "carl").await;
    let mut session = stranger.connect(&node).await;
    session
        .send(8, json!({ "guild_id": group, "query": "", "limit": 0 }))
        .await;
    let (own, _) = stranger.create_group("Own").await;
    session.wait_for("GUILD_CREATE", |_| true).await;
    // Requests are answered in their order: the first one was not.
    let chunk = ask(
        &mut session,
        json!({ "guild_id": own, "query": "", "limit": 0 }),
    )
    .await;
    assert_eq!(chunk["guild_id"], own);
}

#[tokio::test]
async fn members_are_searched_over_http() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let path = format!("/guilds/{}/members/search", community.group);
    let search = async |query: &str| community.ada.http.get(&format!("{path}?{query}")).await;
    let found = search("query=BE&limit=10").await.expect(200);
    assert_eq!(found[0]["user"]["id"], community.ben.id);
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(search("query=zz").await.expect(200), json!([]));
    for bad in [
        "",
        "limit=10",
        "query=b&limit=0",
        "query=b&limit=1001",
        "query=",
    ] {
        search(bad).await.refused(400, 50035);
    }
    let stranger = Person::register(&node, "carl").await;
    stranger
        .http
        .get(&format!("{path}?query=a"))
        .await
        .refused(403, 50001);
}
