//! Groups, their channels and members, and what members see of each change.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_group_has_a_text_and_a_voice_channel_and_is_seen_at_once() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let mut sees = ada.connect(&node).await;
    let (group, channel) = ada.create_group("  The   Rooks ").await;
    let created = sees.wait_for("GUILD_CREATE", |_| true).await;
    assert_eq!(created["id"], group);
    assert_eq!(created["name"], "The Rooks");
    assert_eq!(created["owner_id"], ada.id);
    assert_eq!(created["member_count"], 1);
    assert_eq!(created["members"][0]["user"]["id"], ada.id);
    assert_eq!(created["roles"][0]["id"], group);
    let kinds: Vec<&Value> = created["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["type"])
        .collect();
    assert!(
        kinds.contains(&&json!(0)) && kinds.contains(&&json!(2)),
        "{kinds:?}"
    );
    let read = ada.http.get(&format!("/guilds/{group}")).await.expect(200);
    assert_eq!(read["name"], "The Rooks");
    let own = ada.http.get("/users/@me/guilds").await.expect(200);
    assert_eq!(own.as_array().unwrap().len(), 1);
    assert_eq!(
        (&own[0]["id"], &own[0]["owner"]),
        (&json!(group), &json!(true))
    );
    let one = ada
        .http
        .get(&format!("/channels/{channel}"))
        .await
        .expect(200);
    assert_eq!(one["guild_id"], group);
}

#[tokio::test]
async fn channels_are_made_changed_and_removed_before_everybodys_eyes() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let ada = &community.ada.http;
    let channels = format!("/guilds/{}/channels", community.group);
    let form = json!({ "name": "plans", "type": 0, "topic": "what next" });
    let made = ada.post(&channels, form).await.expect(201);
    let seen = ben_sees.wait_for("CHANNEL_CREATE", |_| true).await;
    assert_eq!(
        (&seen["id"], &seen["topic"]),
        (&made["id"], &json!("what next"))
    );
    let path = format!("/channels/{}", id(&made));
    ada.patch(&path, json!({ "name": "old plans", "topic": null }))
        .await
        .expect(200);
    let seen = ben_sees.wait_for("CHANNEL_UPDATE", |_| true).await;
    assert_eq!(
        (&seen["name"], &seen["topic"]),
        (&json!("old plans"), &Value::Null)
    );
    community.ben.http.say(&id(&made), "first and last").await;
    ada.delete(&path).await.expect(200);
    let seen = ben_sees.wait_for("CHANNEL_DELETE", |_| true).await;
    assert_eq!(seen["id"], made["id"]);
    ada.get(&path).await.refused(404, 10003);
    community
        .ben
        .http
        .get(&format!("{path}/messages"))
        .await
        .refused(404, 10003);
    let left = ada.get(&channels).await.expect(200);
    assert!(
        left.as_array()
            .unwrap()
            .iter()
            .all(|channel| channel["id"] != made["id"])
    );

    let voice = ada
        .post(&channels, json!({ "name": "talk", "type": 2 }))
        .await
        .expect(201);
    let path = format!("/channels/{}/messages", id(&voice));
    let answer = ada.post(&path, json!({ "content": "hi" })).await;
    assert!(matches!(answer.status, 200 | 400), "{}", answer.text);
}

#[tokio::test]
async fn settings_change_and_the_group_ends() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let path = format!("/guilds/{}", community.group);
    let form = json!({ "name": "Ravens", "description": "blacker" });
    community.ada.http.patch(&path, form).await.expect(200);
    let seen = ben_sees.wait_for("GUILD_UPDATE", |_| true).await;
    assert_eq!(
        (&seen["name"], &seen["description"]),
        (&json!("Ravens"), &json!("blacker"))
    );
    community.ada.http.delete(&path).await.expect(204);
    let seen = ben_sees.wait_for("GUILD_DELETE", |_| true).await;
    assert_eq!(seen["id"], community.group);
    for person in [&community.ada, &community.ben] {
        assert_eq!(
            person.http.get("/users/@me/guilds").await.expect(200),
            json!([])
        );
        assert!(matches!(person.http.get(&path).await.status, 403 | 404));
        person
            .http
            .get(&community.messages())
            .await
            .refused(404, 10003);
    }
}

#[tokio::test]
async fn members_are_listed_and_leave() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let path = format!("/guilds/{}/members", community.group);
    let list = async |query: &str| -> Vec<String> {
        let page = community
            .ada
            .http
            .get(&format!("{path}?{query}"))
            .await
            .expect(200);
        page.as_array()
            .unwrap()
            .iter()
            .map(|member| id(&member["user"]))
            .collect()
    };
    assert_eq!(
        list("limit=10").await,
        [community.ada.id.clone(), community.ben.id.clone()]
    );
    assert_eq!(
        list("limit=1").await,
        std::slice::from_ref(&community.ada.id)
    );
    let after = format!("limit=10&after={}", community.ada.id);
    assert_eq!(list(&after).await, std::slice::from_ref(&community.ben.id));
    let one = community
        .ada
        .http
        .get(&format!("{path}/{}", community.ben.id))
        .await
        .expect(200);
    assert_eq!(one["user"]["username"], "ben");
    let nobody = community
        .ada
        .http
        .get(&format!("{path}/999999999999999999"))
        .await;
    assert_eq!(nobody.status, 404, "{}", nobody.text);

    community
        .ben
        .http
        .delete(&format!("/users/@me/guilds/{}", community.group))
        .await
        .expect(204);
    let left = ada_sees.wait_for("GUILD_MEMBER_REMOVE", |_| true).await;
    assert_eq!(left["user"]["id"], community.ben.id);
    ben_sees
        .wait_for("GUILD_DELETE", |group| group["id"] == community.group)
        .await;
    assert_eq!(list("limit=10").await.len(), 1);
    community
        .ada
        .http
        .get(&format!("{path}/{}", community.ben.id))
        .await
        .refused(404, 10007);
}

#[tokio::test]
async fn a_new_display_name_reaches_groups_and_histories() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let sent = community.ben.http.say(&community.channel, "mine").await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    community
        .ben
        .http
        .patch("/users/@me", json!({ "global_name": "Benjamin" }))
        .await
        .expect(200);
    let own = ben_sees.wait_for("USER_UPDATE", |_| true).await;
    assert_eq!(own["global_name"], "Benjamin");
    let member = ada_sees.wait_for("GUILD_MEMBER_UPDATE", |_| true).await;
    assert_eq!(member["user"]["global_name"], "Benjamin");
    let path = format!("{}/{}", community.messages(), id(&sent));
    let read = community.ada.http.get(&path).await.expect(200);
    assert_eq!(read["author"]["global_name"], "Benjamin");
}
