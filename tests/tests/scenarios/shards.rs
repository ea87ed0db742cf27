//! A bot in two shards: each gets its own groups and nothing of the other's; how many shards are advised.

use rookery_tests::harness::{Community, Gateway, Node};
use serde_json::json;

const ALL: u64 = 0x0331_ffff;

#[tokio::test]
async fn two_shards_share_a_bots_groups() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let shard_of = |group: &str| (group.parse::<u64>().unwrap() >> 22) % 2;
    // Groups until each shard has one.
    let mut of_shard = [None, None];
    while of_shard.iter().any(Option::is_none) {
        let (group, channel) = community.ada.create_group("Group").await;
        community.ada.authorize(&application, &group, "0").await;
        let shard = shard_of(&group) as usize;
        of_shard[shard] = Some((group, channel));
    }
    let advice = node
        .http()
        .with_token(&format!("Bot {token}"))
        .get("/gateway/bot")
        .await
        .expect(200);
    assert_eq!(advice["shards"], 1);
    assert!(advice["session_start_limit"]["max_concurrency"].as_u64() >= Some(1));
    let mut shards = Vec::new();
    for index in 0..2 {
        let fields = json!({ "token": token, "intents": ALL, "shard": [index, 2] });
        shards.push(Gateway::identify_with(&node, fields).await);
    }
    for (index, place) in of_shard.iter().enumerate() {
        let (_, channel) = place.as_ref().unwrap();
        community
            .ada
            .http
            .say(channel, &format!("to {index}"))
            .await;
    }
    for (index, shard) in shards.iter_mut().enumerate() {
        let own = format!("to {index}");
        let other = format!("to {}", 1 - index);
        let before = shard.until_message(&own).await;
        let heard_other = |event: &rookery_tests::harness::Event| event.data["content"] == *other;
        assert!(!before.iter().any(heard_other));
        shard.heartbeat().await;
        assert!(!shard.take().iter().any(heard_other));
    }
    // A group that is joined while both are there comes to the one it belongs to.
    let mut joined = Vec::new();
    while joined.len() < 2 {
        let (group, _) = community.ada.create_group("Late").await;
        if joined
            .iter()
            .any(|known: &String| shard_of(known) == shard_of(&group))
        {
            continue;
        }
        community.ada.authorize(&application, &group, "0").await;
        joined.push(group);
    }
    for group in &joined {
        let shard = &mut shards[shard_of(group) as usize];
        shard
            .wait_for("GUILD_CREATE", |created| created["id"] == *group)
            .await;
    }
    for (index, shard) in shards.iter_mut().enumerate() {
        shard.heartbeat().await;
        let rest = shard.take();
        let mut created = rest.iter().filter(|event| event.name == "GUILD_CREATE");
        assert!(created.all(|event| shard_of(event.data["id"].as_str().unwrap()) == index as u64));
    }
    // Direct messages belong to the first shard.
    let bot = node.http().with_token(&format!("Bot {token}"));
    let form = json!({ "recipient_id": community.ada.id });
    let direct = bot.post("/users/@me/channels", form).await.expect(200);
    let direct = direct["id"].as_str().unwrap();
    community.ada.http.say(direct, "only you").await;
    shards[0].message("only you").await;
    shards[1].heartbeat().await;
    assert!(
        shards[1]
            .take()
            .iter()
            .all(|event| event.name != "MESSAGE_CREATE")
    );
}
