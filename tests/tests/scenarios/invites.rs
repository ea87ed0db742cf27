//! Invites: made, read, taken, used up, revoked.

use rookery_tests::harness::{Community, Node, Person};
use serde_json::json;

#[tokio::test]
async fn an_invite_brings_somebody_in_and_he_sees_the_group() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let cleo = Person::register(&node, "cleo").await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut cleo_sees = cleo.connect(&node).await;
    let code = community.ben.invite(&community.channel).await;
    let made = ada_sees.wait_for("INVITE_CREATE", |_| true).await;
    assert_eq!(made["code"], code);
    let shown = cleo
        .http
        .get(&format!("/invites/{code}?with_counts=true"))
        .await
        .expect(200);
    assert_eq!(shown["guild"]["id"], community.group);
    assert_eq!(shown["channel"]["id"], community.channel);
    assert_eq!(shown["inviter"]["id"], community.ben.id);
    assert_eq!(shown["approximate_member_count"], 2);

    cleo.accept(&code).await;
    let joined = ada_sees.wait_for("GUILD_MEMBER_ADD", |_| true).await;
    assert_eq!(joined["user"]["id"], cleo.id);
    let group = cleo_sees.wait_for("GUILD_CREATE", |_| true).await;
    assert_eq!(
        (&group["id"], &group["member_count"]),
        (&json!(community.group), &json!(3))
    );
    community.ada.http.say(&community.channel, "welcome").await;
    cleo_sees.message("welcome").await;
    // Who is in already stays in, and uses nothing up.
    cleo.accept(&code).await;
    let list = community
        .ada
        .http
        .get(&format!("/guilds/{}/invites", community.group))
        .await
        .expect(200);
    let entry = list
        .as_array()
        .unwrap()
        .iter()
        .find(|invite| invite["code"] == code.as_str())
        .unwrap();
    assert_eq!(entry["uses"], 1);
}

#[tokio::test]
async fn an_invite_is_used_up_and_revoked() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let path = format!("/channels/{}/invites", community.channel);
    let once = community
        .ada
        .http
        .post(&path, json!({ "max_uses": 1, "unique": true }))
        .await
        .expect(200);
    let once = once["code"].as_str().unwrap().to_owned();
    let many = community
        .ada
        .http
        .post(&path, json!({ "max_uses": 5, "unique": true }))
        .await
        .expect(200);
    let many = many["code"].as_str().unwrap().to_owned();
    assert_ne!(once, many);
    let cleo = Person::register(&node, "cleo").await;
    let dora = Person::register(&node, "dora").await;
    cleo.accept(&once).await;
    dora.http
        .post(&format!("/invites/{once}"), json!({}))
        .await
        .refused(404, 10006);
    let revoked = format!("/invites/{many}");
    cleo.http.delete(&revoked).await.refused(403, 50013);
    community.ada.http.delete(&revoked).await.expect(200);
    dora.http.get(&revoked).await.refused(404, 10006);
    dora.http
        .post(&revoked, json!({}))
        .await
        .refused(404, 10006);
    assert_eq!(
        dora.http.get("/users/@me/guilds").await.expect(200),
        json!([])
    );
}

#[tokio::test]
async fn an_invite_for_one_admits_one_of_many_at_once() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let path = format!("/channels/{}/invites", community.channel);
    let invite = community
        .ada
        .http
        .post(&path, json!({ "max_uses": 1, "unique": true }))
        .await
        .expect(200);
    let code = invite["code"].as_str().unwrap();
    let mut people = Vec::new();
    for name in ["p1", "p2", "p3", "p4"] {
        people.push(Person::register(&node, name).await);
    }
    let take = async |person: &Person| {
        person
            .http
            .post(&format!("/invites/{code}"), json!({}))
            .await
            .status
    };
    let statuses = tokio::join!(
        take(&people[0]),
        take(&people[1]),
        take(&people[2]),
        take(&people[3])
    );
    let statuses = [statuses.0, statuses.1, statuses.2, statuses.3];
    assert_eq!(
        statuses.iter().filter(|&&status| status == 200).count(),
        1,
        "{statuses:?}"
    );
    let members = community
        .ada
        .http
        .get(&format!("/guilds/{}/members?limit=10", community.group))
        .await;
    assert_eq!(members.expect(200).as_array().unwrap().len(), 3);
}
