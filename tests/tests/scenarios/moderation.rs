//! Who makes trouble is removed, and it is written down who did it and why.

use reqwest::Method;
use rookery_tests::harness::{Answer, Community, Http, Node, Person};
use serde_json::{Value, json};

/// A request with a reason.
async fn because(http: &Http, method: Method, path: &str, reason: &str, body: Value) -> Answer {
    let request = http.request(method, path);
    http.send(request.header("x-audit-log-reason", reason).json(&body))
        .await
}

async fn ban(http: &Http, group: &str, user: &str, body: Value) -> Answer {
    let path = format!("/guilds/{group}/bans/{user}");
    because(http, Method::PUT, &path, "b%C3%B6se", body).await
}

/// Entries of the audit log.
async fn entries(http: &Http, group: &str, query: &str) -> Vec<Value> {
    let log = http
        .get(&format!("/guilds/{group}/audit-logs{query}"))
        .await;
    let log = log.expect(200);
    log["audit_log_entries"]
        .as_array()
        .expect("entries")
        .clone()
}

#[tokio::test]
async fn the_banned_is_out_until_the_ban_ends() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (mut ada, mut ben) = (c.ada.connect(&node).await, c.ben.connect(&node).await);
    let code = c.ada.invite(&c.channel).await;
    let bans = format!("/guilds/{}/bans", c.group);
    let his = format!("{bans}/{}", c.ben.id);
    c.ada.http.get(&his).await.refused(404, 10026);

    ban(&c.ada.http, &c.group, &c.ben.id, json!({}))
        .await
        .expect(204);
    let shown = ada.wait_for("GUILD_BAN_ADD", |_| true).await;
    assert_eq!(shown["user"]["id"], c.ben.id);
    assert_eq!(shown["guild_id"], c.group);
    ada.wait_for("GUILD_MEMBER_REMOVE", |gone| gone["user"]["id"] == c.ben.id)
        .await;
    ben.wait_for("GUILD_DELETE", |group| group["id"] == c.group)
        .await;
    let kept = c.ada.http.get(&his).await.expect(200);
    assert_eq!(kept["reason"], "b\u{f6}se");
    assert_eq!(kept["user"]["username"], "ben");

    let back = c
        .ben
        .http
        .post(&format!("/invites/{code}"), json!({}))
        .await;
    back.refused(403, 40007);
    let again = because(&c.ada.http, Method::PUT, &his, "other", json!({})).await;
    again.expect(204);
    assert_eq!(
        c.ada.http.get(&his).await.expect(200)["reason"],
        "b\u{f6}se"
    );

    c.ada.http.delete(&his).await.expect(204);
    ada.wait_for("GUILD_BAN_REMOVE", |gone| gone["user"]["id"] == c.ben.id)
        .await;
    c.ada.http.delete(&his).await.refused(404, 10026);
    c.ben.accept(&code).await;
}

#[tokio::test]
async fn bans_are_listed_by_id_for_who_may_ban() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let mut users = vec![c.ben.id.clone()];
    for name in ["cid", "dan", "eve"] {
        users.push(Person::register(&node, name).await.id);
    }
    let form = json!({ "user_ids": [users[0], users[1], users[2], c.ada.id, "1"] });
    let path = format!("/guilds/{}/bulk-ban", c.group);
    c.ben
        .http
        .post(&path, form.clone())
        .await
        .refused(403, 50013);
    let done = c.ada.http.post(&path, form).await.expect(200);
    assert_eq!(done["banned_users"], json!(&users[..3]));
    assert_eq!(done["failed_users"], json!([c.ada.id, "1"]));
    let own = json!({ "user_ids": [c.ada.id] });
    c.ada.http.post(&path, own).await.refused(400, 500_000);

    let page = async |query: &str| -> Vec<String> {
        let path = format!("/guilds/{}/bans{query}", c.group);
        let list = c.ada.http.get(&path).await.expect(200);
        let list = list.as_array().expect("bans").iter();
        let id = |ban: &Value| ban["user"]["id"].as_str().expect("an id").to_owned();
        list.map(id).collect()
    };
    assert_eq!(page("").await, users[..3]);
    assert_eq!(page("?limit=2").await, users[..2]);
    assert_eq!(page(&format!("?after={}", users[0])).await, users[1..3]);
    assert_eq!(page("?after=0&limit=1").await, users[..1]);
    let before = format!("?before={}&limit=1", users[2]);
    assert_eq!(page(&before).await, users[1..2]);
    let eve = Person::login(&node, "eve").await;
    let denied = eve.http.get(&format!("/guilds/{}/bans", c.group)).await;
    denied.refused(403, 50001);
}

#[tokio::test]
async fn bad_bans_are_refused() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (ada, group) = (&c.ada, c.group.as_str());
    for (user, status, code) in [(ada.id.as_str(), 403, 50013), ("5", 404, 10013)] {
        let refused = ban(&ada.http, group, user, json!({})).await;
        refused.refused(status, code);
    }
    let refused = ban(&c.ben.http, group, &ada.id, json!({})).await;
    refused.refused(403, 50013);
    ban(&ada.http, group, "x", json!({}))
        .await
        .bad_field("user_id");
    for (key, value) in [
        ("delete_message_seconds", json!(604_801)),
        ("delete_message_seconds", json!(-1)),
        ("delete_message_seconds", json!("soon")),
        ("delete_message_days", json!(8)),
    ] {
        let refused = ban(&ada.http, group, &c.ben.id, json!({ key: value })).await;
        refused.bad_field(key);
    }
    let bulk = format!("/guilds/{group}/bulk-ban");
    for (body, field) in [
        (json!({}), "user_ids"),
        (json!({ "user_ids": [] }), "user_ids"),
        (json!({ "user_ids": vec!["7"; 201] }), "user_ids"),
        (json!({ "user_ids": ["7", "x"] }), "user_ids.1"),
    ] {
        ada.http.post(&bulk, body).await.bad_field(field);
    }
    let long = "x".repeat(513);
    let path = format!("/guilds/{group}/bans/{}", c.ben.id);
    because(&ada.http, Method::PUT, &path, &long, json!({}))
        .await
        .bad_field("reason");
    let none = ada.http.get(&format!("/guilds/{group}/bans")).await;
    assert_eq!(none.expect(200), json!([]));
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page_and_filtered() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (http, group) = (&c.ada.http, c.group.as_str());
    let mut gateway = c.ada.connect(&node).await;
    let path = format!("/guilds/{group}/members/{}", c.ben.id);
    let kick = because(http, Method::DELETE, &path, "noise", json!({})).await;
    kick.expect(204);
    let told = gateway
        .wait_for("GUILD_AUDIT_LOG_ENTRY_CREATE", |entry| {
            entry["action_type"] == 20
        })
        .await;
    assert_eq!(told["target_id"], c.ben.id);
    assert_eq!(told["reason"], "noise");
    ban(http, group, &c.ben.id, json!({})).await.expect(204);
    let code = c.ada.invite(&c.channel).await;
    http.delete(&format!("/invites/{code}")).await.expect(200);

    let all = entries(http, group, "").await;
    let kinds: Vec<_> = all.iter().map(|entry| &entry["action_type"]).collect();
    assert_eq!(
        kinds,
        [42, 22, 20, 40],
        "the newest first; the second invite is the first one again"
    );
    let revoked = all[0]["changes"].as_array().expect("changes");
    let code_gone = json!({ "key": "code", "old_value": code });
    assert!(revoked.contains(&code_gone), "{revoked:?}");
    let log = http.get(&format!("/guilds/{group}/audit-logs")).await;
    let log = log.expect(200);
    let mut names: Vec<_> = log["users"].as_array().expect("users").iter().collect();
    names.sort_by_key(|user| user["username"].to_string());
    assert_eq!(names.len(), 2);
    assert_eq!(names[0]["username"], "ada");
    assert_eq!(names[1]["id"], c.ben.id);

    let kicks = entries(http, group, "?action_type=20").await;
    assert_eq!(kicks, all[2..3]);
    assert_eq!(entries(http, group, "?action_type=99").await, all[..0]);
    let his = format!("?user_id={}", c.ben.id);
    assert_eq!(entries(http, group, &his).await, all[..0]);
    let hers = format!("?user_id={}&limit=2", c.ada.id);
    assert_eq!(entries(http, group, &hers).await, all[..2]);
    let id = |n: usize| all[n]["id"].as_str().expect("an id");
    let before = format!("?before={}&limit=1", id(1));
    assert_eq!(entries(http, group, &before).await, all[2..3]);
    let after = entries(http, group, &format!("?after={}", id(2))).await;
    assert_eq!(after, [all[1].clone(), all[0].clone()], "the oldest first");

    let path = format!("/guilds/{group}/audit-logs");
    c.ben.http.get(&path).await.refused(403, 50001);
    http.get(&format!("{path}?limit=101"))
        .await
        .bad_field("limit");
    let new = Person::register(&node, "cid").await;
    new.accept(&c.ada.invite(&c.channel).await).await;
    new.http.get(&path).await.refused(403, 50013);
}
