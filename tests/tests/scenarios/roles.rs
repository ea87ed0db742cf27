//! Roles and members: who may give what to whom, and what is refused.

use reqwest::Method;
use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::{Value, json};

const SEND_MESSAGES: u64 = 1 << 11;
const MANAGE_ROLES: u64 = 1 << 28;
const MANAGE_NICKNAMES: u64 = 1 << 27;
const MODERATE_MEMBERS: u64 = 1 << 40;
const KICK_MEMBERS: u64 = 1 << 1;
const ADMINISTRATOR: u64 = 1 << 3;

/// A role made by the owner.
async fn role(community: &Community, name: &str, permissions: u64) -> String {
    let path = format!("/guilds/{}/roles", community.group);
    let form = json!({ "name": name, "permissions": permissions.to_string() });
    id(&community.ada.http.post(&path, form).await.expect(200))
}

/// Gives a member a role.
async fn give(community: &Community, user: &Person, role: &str) {
    let path = format!(
        "/guilds/{}/members/{}/roles/{role}",
        community.group, user.id
    );
    let http = &community.ada.http;
    let answer = http.send(http.request(Method::PUT, &path)).await;
    answer.expect(204);
}

async fn put(person: &Person, path: &str) -> rookery_tests::harness::Answer {
    person
        .http
        .send(person.http.request(Method::PUT, path))
        .await
}

#[tokio::test]
async fn a_role_is_made_changed_given_moved_and_removed_before_everybodys_eyes() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let ada = &community.ada.http;
    let roles = format!("/guilds/{}/roles", community.group);
    let form = json!({
        "name": "Keepers", "permissions": "2048", "hoist": true, "mentionable": true,
        "colors": { "primary_color": 255 },
    });
    let made = ada.post(&roles, form).await.expect(200);
    assert_eq!(
        (&made["color"], &made["position"]),
        (&json!(255), &json!(1))
    );
    let seen = ben_sees.wait_for("GUILD_ROLE_CREATE", |_| true).await;
    assert_eq!(
        (&seen["role"], &seen["guild_id"]),
        (&made, &json!(community.group))
    );
    let one = format!("{roles}/{}", id(&made));
    assert_eq!(ada.get(&one).await.expect(200), made);
    // Bits that mean nothing are left out; a number does as well as a text.
    let form =
        json!({ "name": "Wardens", "permissions": (1u64 << 60) + 2048 + 8192, "color": null });
    let changed = ada.patch(&one, form).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["permissions"]),
        (&json!("Wardens"), &json!("10240"))
    );
    let seen = ben_sees.wait_for("GUILD_ROLE_UPDATE", |_| true).await;
    assert_eq!(seen["role"], changed);

    give(&community, &community.ben, &id(&made)).await;
    let seen = ben_sees.wait_for("GUILD_MEMBER_UPDATE", |_| true).await;
    assert_eq!(
        (&seen["user"]["id"], &seen["roles"]),
        (&json!(community.ben.id), &json!([made["id"]]))
    );

    let lower = role(&community, "Low", 0).await;
    let form = json!([{ "id": lower, "position": 5 }, { "id": made["id"], "position": null }]);
    let listed = ada.patch(&roles, form).await.expect(200);
    let moved = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["id"] == json!(lower));
    assert_eq!(moved.unwrap()["position"], 5);
    ben_sees
        .wait_for("GUILD_ROLE_UPDATE", |event| event["role"]["position"] == 5)
        .await;

    ada.delete(&one).await.expect(204);
    let seen = ben_sees.wait_for("GUILD_ROLE_DELETE", |_| true).await;
    assert_eq!(seen["role_id"], made["id"]);
    let me = format!("/guilds/{}/members/{}", community.group, community.ben.id);
    assert_eq!(ada.get(&me).await.expect(200)["roles"], json!([]));
    ada.get(&one).await.refused(404, 10011);

    // The log tells who did it, and why.
    let request = ada
        .request(Method::PATCH, &roles)
        .header("x-audit-log-reason", "order");
    let answer = ada
        .send(request.json(&json!([{ "id": lower, "position": 2 }])))
        .await;
    answer.expect(200);
    let mut ada_sees = community.ada.connect(&node).await;
    let request = ada.request(Method::DELETE, &format!("{roles}/{lower}"));
    let answer = ada
        .send(request.header("x-audit-log-reason", "too%20low"))
        .await;
    answer.expect(204);
    let entry = ada_sees
        .wait_for("GUILD_AUDIT_LOG_ENTRY_CREATE", |_| true)
        .await;
    assert_eq!(entry["action_type"], 32);
    assert_eq!(
        (&entry["target_id"], &entry["reason"]),
        (&json!(lower), &json!("too low"))
    );
    assert_eq!(
        entry["changes"][0],
        json!({ "key": "name", "old_value": "Low" })
    );
    // Ben may not read it.
    community.ada.http.say(&community.channel, "marker").await;
    let heard = ben_sees.until_message("marker").await;
    assert!(
        heard
            .iter()
            .all(|event| event.name != "GUILD_AUDIT_LOG_ENTRY_CREATE")
    );
}

#[tokio::test]
async fn nobody_reaches_above_himself() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let cem = Person::register(&node, "cem").await;
    cem.accept(&community.ada.invite(&community.channel).await)
        .await;
    let group = format!("/guilds/{}", community.group);
    let held = MANAGE_ROLES | MANAGE_NICKNAMES | MODERATE_MEMBERS;
    let low = role(&community, "low", 0).await;
    let mid = role(&community, "mid", held).await;
    let top = role(&community, "top", KICK_MEMBERS).await;
    let order = json!([
        { "id": low, "position": 1 }, { "id": mid, "position": 2 }, { "id": top, "position": 3 },
    ]);
    community
        .ada
        .http
        .patch(&format!("{group}/roles"), order)
        .await
        .expect(200);
    give(&community, &community.ben, &mid).await;
    give(&community, &cem, &top).await;
    let ben = &community.ben;
    let (mine, his) = (
        format!("{group}/members/{}", ben.id),
        format!("{group}/members/{}", cem.id),
    );
    let role_path = |role: &str| format!("{group}/roles/{role}");

    // Neither his own role, nor a higher one, nor a permission that he does not have.
    for answer in [
        ben.http
            .patch(&role_path(&mid), json!({ "name": "x" }))
            .await,
        ben.http
            .patch(&role_path(&top), json!({ "name": "x" }))
            .await,
        ben.http.delete(&role_path(&top)).await,
        ben.http.delete(&role_path(&mid)).await,
        ben.http
            .patch(
                &role_path(&low),
                json!({ "permissions": KICK_MEMBERS.to_string() }),
            )
            .await,
        ben.http
            .post(
                &format!("{group}/roles"),
                json!({ "permissions": ADMINISTRATOR }),
            )
            .await,
        ben.http
            .patch(
                &format!("{group}/roles"),
                json!([{ "id": low, "position": 3 }]),
            )
            .await,
        ben.http
            .patch(
                &format!("{group}/roles"),
                json!([{ "id": top, "position": 1 }]),
            )
            .await,
        put(ben, &format!("{mine}/roles/{top}")).await,
        put(ben, &format!("{mine}/roles/{mid}")).await,
        ben.http.delete(&format!("{his}/roles/{top}")).await,
        ben.http.patch(&his, json!({ "roles": [] })).await,
        ben.http.patch(&his, json!({ "nick": "x" })).await,
        ben.http
            .patch(
                &his,
                json!({ "communication_disabled_until": "2099-01-01T00:00:00Z" }),
            )
            .await,
        cem.http.post(&format!("{group}/roles"), json!({})).await,
        cem.http.patch(&mine, json!({ "nick": "x" })).await,
        cem.http.patch(&mine, json!({ "roles": [] })).await,
    ] {
        answer.refused(403, 50013);
    }
    // What is below is his to give and take. Libraries list @everyone with the others.
    put(ben, &format!("{his}/roles/{low}")).await.expect(204);
    let member = ben
        .http
        .patch(&his, json!({ "roles": [community.group, top] }))
        .await
        .expect(200);
    assert_eq!(member["roles"], json!([top]));
    ben.http
        .patch(&role_path(&low), json!({ "name": "lower" }))
        .await
        .expect(200);
    ben.http.delete(&role_path(&low)).await.expect(204);
    // A role of the bot's own is nobody's to give.
    let (application, _) = community.ada.create_bot("Rook").await;
    let added = community
        .ada
        .authorize(&application, &community.group, "2048")
        .await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);
    let roles = community
        .ada
        .http
        .get(&format!("{group}/roles"))
        .await
        .expect(200);
    let own = roles
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["managed"] == true)
        .unwrap();
    let own = id(own);
    put(&community.ada, &format!("{mine}/roles/{own}"))
        .await
        .refused(400, 50028);
    community
        .ada
        .http
        .delete(&role_path(&own))
        .await
        .refused(400, 50028);
    community
        .ada
        .http
        .delete(&role_path(&community.group))
        .await
        .refused(400, 50028);
    put(&community.ada, &format!("{mine}/roles/{}", community.group))
        .await
        .refused(400, 50028);
}

#[tokio::test]
async fn members_are_named_and_sent_to_their_corner() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let group = format!("/guilds/{}", community.group);
    let (ada, ben) = (&community.ada.http, &community.ben.http);
    let own = ben
        .patch(
            &format!("{group}/members/@me"),
            json!({ "nick": " Big  Ben " }),
        )
        .await
        .expect(200);
    assert_eq!(own["nick"], "Big Ben");
    let seen = ada_sees.wait_for("GUILD_MEMBER_UPDATE", |_| true).await;
    assert_eq!(
        (&seen["nick"], &seen["guild_id"]),
        (&json!("Big Ben"), &json!(community.group))
    );
    let path = format!("{group}/members/{}", community.ben.id);
    assert_eq!(
        ada.patch(&path, json!({ "nick": "" })).await.expect(200)["nick"],
        Value::Null
    );

    let soon = |seconds: u64| {
        let at = std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
        let ms = at
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        rookery_protocol::time::Millis(ms as u64).iso8601()
    };
    let until = |at: Value| json!({ "communication_disabled_until": at });
    let timed = ada.patch(&path, until(json!(soon(600)))).await.expect(200);
    assert!(timed["communication_disabled_until"].is_string());
    ben.post(&community.messages(), json!({ "content": "hm" }))
        .await
        .refused(403, 50013);
    ben.patch(&format!("{group}/members/@me"), json!({ "nick": "x" }))
        .await
        .refused(403, 50013);
    ben.get(&community.messages()).await.expect(200);
    ada.patch(&path, until(Value::Null)).await.expect(200);
    ben.say(&community.channel, "free").await;
    ada.patch(&path, until(json!(soon(29 * 86_400))))
        .await
        .bad_field("communication_disabled_until");
    // Nobody times out an administrator.
    let admin = role(&community, "admin", ADMINISTRATOR).await;
    give(&community, &community.ben, &admin).await;
    ada.patch(&path, until(json!(soon(600))))
        .await
        .refused(403, 50013);
}

#[tokio::test]
async fn bad_forms_of_roles_and_members_are_refused_by_field() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    let group = format!("/guilds/{}", community.group);
    let roles = format!("{group}/roles");
    let made = role(&community, "some", SEND_MESSAGES).await;
    for (form, field) in [
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "color": 0x0100_0000 }), "color"),
        (json!({ "permissions": "lots" }), "permissions"),
        (json!({ "permissions": -1 }), "permissions"),
        (json!({ "hoist": "maybe" }), "hoist"),
        (json!({ "colors": 3 }), "colors"),
    ] {
        ada.post(&roles, form.clone()).await.bad_field(field);
        ada.patch(&format!("{roles}/{made}"), form)
            .await
            .bad_field(field);
    }
    ada.patch(&roles, json!([{ "id": "x", "position": 1 }]))
        .await
        .bad_field("0.id");
    ada.patch(&roles, json!([{ "id": made, "position": -1 }]))
        .await
        .bad_field("0.position");
    ada.patch(&roles, json!({ "id": made }))
        .await
        .refused(400, 50035);
    ada.patch(&roles, json!([1])).await.bad_field("0");
    let unknown = "999999999999999999";
    ada.patch(&roles, json!([{ "id": unknown, "position": 1 }]))
        .await
        .refused(404, 10011);
    ada.patch(&format!("{roles}/{unknown}"), json!({}))
        .await
        .refused(404, 10011);
    ada.delete(&format!("{roles}/{unknown}"))
        .await
        .refused(404, 10011);
    ada.patch(&format!("{roles}/x"), json!({}))
        .await
        .bad_field("role_id");
    let ben = format!("{group}/members/{}", community.ben.id);
    put(&community.ada, &format!("{ben}/roles/{unknown}"))
        .await
        .refused(404, 10011);
    ada.patch(&ben, json!({ "roles": [unknown] }))
        .await
        .refused(404, 10011);
    ada.patch(&ben, json!({ "roles": ["x"] }))
        .await
        .bad_field("roles.0");
    ada.patch(&ben, json!({ "roles": 7 }))
        .await
        .bad_field("roles");
    ada.patch(&ben, json!({ "nick": "x".repeat(33) }))
        .await
        .bad_field("nick");
    let form = json!({ "communication_disabled_until": "tomorrow" });
    ada.patch(&ben, form)
        .await
        .bad_field("communication_disabled_until");
    let outsider = Person::register(&node, "cem").await;
    let path = format!("{group}/members/{}", outsider.id);
    ada.patch(&path, json!({ "nick": "x" }))
        .await
        .refused(404, 10007);
    put(&community.ada, &format!("{path}/roles/{made}"))
        .await
        .refused(404, 10007);
}
