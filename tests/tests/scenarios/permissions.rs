//! Who may do what: strangers nothing, members little, owners the rest; who is out hears nothing more.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::json;

#[tokio::test]
async fn a_stranger_can_do_nothing_in_a_group() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let sent = community
        .ada
        .http
        .say(&community.channel, "members only")
        .await;
    let stranger = Person::register(&node, "stranger").await;
    let mut stranger_sees = stranger.connect(&node).await;
    let http = &stranger.http;
    let (group, channel) = (&community.group, &community.channel);
    let message = format!("{}/{}", community.messages(), id(&sent));
    let answers = [
        http.patch(&format!("/guilds/{group}"), json!({ "name": "Mine" }))
            .await,
        http.delete(&format!("/guilds/{group}")).await,
        http.post(&format!("/guilds/{group}/channels"), json!({ "name": "x" }))
            .await,
        http.patch(&format!("/channels/{channel}"), json!({ "name": "x" }))
            .await,
        http.delete(&format!("/channels/{channel}")).await,
        http.post(&format!("/channels/{channel}/invites"), json!({}))
            .await,
        http.get(&format!("/guilds/{group}/invites")).await,
        http.get(&format!("/guilds/{group}/members/{}", community.ada.id))
            .await,
        http.delete(&format!("/guilds/{group}/members/{}", community.ben.id))
            .await,
        http.post(&community.messages(), json!({ "content": "hi" }))
            .await,
        http.post(&format!("/channels/{channel}/typing"), json!({}))
            .await,
        http.get(&message).await,
        http.patch(&message, json!({ "content": "x" })).await,
        http.delete(&message).await,
    ];
    for (n, answer) in answers.iter().enumerate() {
        assert!(matches!(answer.status, 403 | 404), "{n}: {}", answer.text);
        assert!(
            answer.body["code"].as_u64().is_some_and(|code| code > 0),
            "{n}: {}",
            answer.text
        );
    }
    // Nothing of it reached him either.
    let (own_group, own_channel) = stranger.create_group("Strangers").await;
    let created = stranger_sees.wait_for("GUILD_CREATE", |_| true).await;
    assert_eq!(created["id"], own_group);
    http.say(&own_channel, "marker").await;
    assert_eq!(stranger_sees.until_message("marker").await, []);
}

#[tokio::test]
async fn a_member_may_talk_and_not_govern() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let adas = community.ada.http.say(&community.channel, "ada's").await;
    let ben = &community.ben.http;
    let (group, channel) = (&community.group, &community.channel);
    let message = format!("{}/{}", community.messages(), id(&adas));
    ben.patch(&message, json!({ "content": "mine" }))
        .await
        .refused(403, 50005);
    ben.delete(&message).await.refused(403, 50013);
    ben.patch(&format!("/guilds/{group}"), json!({ "name": "Mine" }))
        .await
        .refused(403, 50013);
    assert_eq!(ben.delete(&format!("/guilds/{group}")).await.status, 403);
    ben.post(&format!("/guilds/{group}/channels"), json!({ "name": "x" }))
        .await
        .refused(403, 50013);
    ben.patch(&format!("/channels/{channel}"), json!({ "name": "x" }))
        .await
        .refused(403, 50013);
    ben.delete(&format!("/channels/{channel}"))
        .await
        .refused(403, 50013);
    ben.delete(&format!("/guilds/{group}/members/{}", community.ada.id))
        .await
        .refused(403, 50013);
    ben.patch(
        &format!("/guilds/{group}"),
        json!({ "owner_id": community.ben.id }),
    )
    .await
    .refused(403, 50013);
    // Members may invite, and the owner may delete what a member said.
    community.ben.invite(channel).await;
    let bens = ben.say(channel, "ben's").await;
    let message = format!("{}/{}", community.messages(), id(&bens));
    community
        .ada
        .http
        .patch(&message, json!({ "content": "x" }))
        .await
        .refused(403, 50005);
    community.ada.http.delete(&message).await.expect(204);
}

#[tokio::test]
async fn who_is_kicked_is_told_and_hears_nothing_more() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada_sees = community.ada.connect(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let path = format!("/guilds/{}/members/{}", community.group, community.ben.id);
    community.ada.http.delete(&path).await.expect(204);
    let left = ada_sees.wait_for("GUILD_MEMBER_REMOVE", |_| true).await;
    assert_eq!(left["user"]["id"], community.ben.id);
    let gone = ben_sees.wait_for("GUILD_DELETE", |_| true).await;
    assert_eq!(gone["id"], community.group);
    assert!(gone.get("unavailable").is_none_or(|u| u == false), "{gone}");

    community
        .ada
        .http
        .say(&community.channel, "among ourselves")
        .await;
    ada_sees.message("among ourselves").await;
    let (own_group, channel) = community.ben.create_group("Bens").await;
    ben_sees
        .wait_for("GUILD_CREATE", |group| group["id"] == own_group)
        .await;
    community.ben.http.say(&channel, "marker").await;
    for event in ben_sees.until_message("marker").await {
        assert!(
            matches!(event.name.as_str(), "GUILD_MEMBER_REMOVE" | "GUILD_CREATE"),
            "{event:?}"
        );
        assert_ne!(event.data["content"], "among ourselves");
    }
    let answer = community.ben.http.get(&community.messages()).await;
    assert!(matches!(answer.status, 403 | 404), "{}", answer.text);
    // A session that was away at the time is told when it resumes: see `resume`. He may come back.
    community
        .ben
        .accept(&community.ada.invite(&community.channel).await)
        .await;
    ben_sees
        .wait_for("GUILD_CREATE", |group| group["id"] == community.group)
        .await;
    community
        .ada
        .http
        .say(&community.channel, "welcome back")
        .await;
    ben_sees.message("welcome back").await;
}

#[tokio::test]
async fn who_is_kicked_while_away_learns_it_on_resuming() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let session = community.ben.connect(&node).await.cut();
    let path = format!("/guilds/{}/members/{}", community.group, community.ben.id);
    community
        .ada
        .http
        .say(&community.channel, "still here")
        .await;
    community.ada.http.delete(&path).await.expect(204);
    community
        .ada
        .http
        .say(&community.channel, "among ourselves")
        .await;
    let mut ben_sees = session.resume().await;
    ben_sees
        .wait_for("GUILD_DELETE", |group| group["id"] == community.group)
        .await;
    let heard: Vec<_> = ben_sees
        .take()
        .into_iter()
        .filter(|event| event.name == "MESSAGE_CREATE")
        .collect();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].data["content"], "still here");
}

#[tokio::test]
async fn the_owner_cannot_be_removed_and_hands_the_group_over() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let group = format!("/guilds/{}", community.group);
    let leave = format!("/users/@me/guilds/{}", community.group);
    community.ada.http.delete(&leave).await.refused(400, 50055);
    let (bot, _) = community.ada.create_bot("Rook").await;
    community
        .ada
        .authorize(&bot, &community.group, "0")
        .await
        .expect(200);
    let form = json!({ "owner_id": bot });
    let by_owner = community.ada.http.patch(&group, form.clone()).await;
    by_owner.refused(400, 50132);
    let by_member = community.ben.http.patch(&group, form).await;
    by_member.refused(403, 50013);
    let form = json!({ "owner_id": community.ben.id });
    let changed = community.ada.http.patch(&group, form).await.expect(200);
    assert_eq!(changed["owner_id"], community.ben.id);
    community.ada.http.delete(&leave).await.expect(204);
    assert!(matches!(
        community.ada.http.get(&group).await.status,
        403 | 404
    ));
    community.ben.http.delete(&group).await.expect(204);
}
