//! Reactions: who reacted with what, and who is told.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::{Value, json};

const THUMB: &str = "\u{1f44d}";
const HEART: &str = "\u{2764}\u{fe0f}";

#[tokio::test]
async fn reactions_are_counted_listed_and_taken_back() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ben_sees = ben.connect(&node).await;
    let sent = ada.http.say(&community.channel, "hello").await;
    let path = format!("{}/{}", community.messages(), id(&sent));
    let reactions = format!("{path}/reactions");
    let mine = |emoji: &str| format!("{reactions}/{emoji}/@me");

    ada.http.put_empty(&mine(THUMB)).await.expect(204);
    let seen = ben_sees.wait_for("MESSAGE_REACTION_ADD", |_| true).await;
    assert_eq!(seen["user_id"], ada.id);
    assert_eq!(seen["message_id"], sent["id"]);
    assert_eq!(seen["guild_id"], community.group);
    assert_eq!(seen["member"]["user"]["id"], ada.id);
    assert_eq!(seen["message_author_id"], ada.id);
    assert_eq!(seen["emoji"], json!({ "id": null, "name": THUMB }));
    assert_eq!((&seen["burst"], &seen["type"]), (&json!(false), &json!(0)));
    // Twice is once; without its variation selector it is the same heart.
    for emoji in [THUMB, "\u{2764}", HEART] {
        ben.http.put_empty(&mine(emoji)).await.expect(204);
    }
    ada.http.put_empty(&mine(THUMB)).await.expect(204);

    let shown = ada.http.get(&path).await.expect(200);
    let counts: Vec<_> = shown["reactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                r["emoji"]["name"].clone(),
                r["count"].clone(),
                r["me"].clone(),
            )
        })
        .collect();
    let wanted = [
        (json!(THUMB), json!(2), json!(true)),
        (json!(HEART), json!(1), json!(false)),
    ];
    assert_eq!(counts, wanted);
    let listed = ben.http.get(&community.messages()).await.expect(200);
    assert_eq!(listed[0]["reactions"][1]["me"], true);

    let users = async |query: &str| -> Vec<Value> {
        let path = format!("{reactions}/{THUMB}{query}");
        let list = ada.http.get(&path).await.expect(200);
        list.as_array()
            .unwrap()
            .iter()
            .map(|user| user["id"].clone())
            .collect()
    };
    assert_eq!(users("").await, [json!(ada.id), json!(ben.id)]);
    assert_eq!(users("?limit=1").await, [json!(ada.id)]);
    assert_eq!(users(&format!("?after={}", ada.id)).await, [json!(ben.id)]);
    assert_eq!(users("?type=1").await, Vec::<Value>::new());

    ben.http.delete(&mine(THUMB)).await.expect(204);
    let gone = ben_sees.wait_for("MESSAGE_REACTION_REMOVE", |_| true).await;
    assert_eq!(
        (&gone["user_id"], &gone["emoji"]["name"]),
        (&json!(ben.id), &json!(THUMB))
    );
    // Somebody else's only a moderator takes back.
    let of_ada = format!("{reactions}/{THUMB}/{}", ada.id);
    ben.http.delete(&of_ada).await.refused(403, 50013);
    let of_ben = format!("{reactions}/{HEART}/{}", ben.id);
    ada.http.delete(&of_ben).await.expect(204);
    ben.http.delete(&reactions).await.refused(403, 50013);
    ben.http.put_empty(&mine(HEART)).await.expect(204);
    ada.http
        .delete(&format!("{reactions}/{HEART}"))
        .await
        .expect(204);
    let gone = ben_sees
        .wait_for("MESSAGE_REACTION_REMOVE_EMOJI", |_| true)
        .await;
    assert_eq!(gone["emoji"]["name"], HEART);
    assert!(gone.get("user_id").is_none(), "{gone}");
    ada.http.delete(&reactions).await.expect(204);
    ben_sees
        .wait_for("MESSAGE_REACTION_REMOVE_ALL", |_| true)
        .await;
    let shown = ada.http.get(&path).await.expect(200);
    assert!(shown.get("reactions").is_none(), "{shown}");
}

#[tokio::test]
async fn what_is_no_reaction_is_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let http = &community.ada.http;
    let sent = http.say(&community.channel, "hello").await;
    let path = format!("{}/{}/reactions", community.messages(), id(&sent));
    for emoji in [
        "a",
        "%20",
        "name:1234567890",
        "%F0%9F%91%8D%F0%9F%91%8D",
        "%2F",
        "1",
    ] {
        let answer = http.put_empty(&format!("{path}/{emoji}/@me")).await;
        answer.refused(400, 10014);
    }
    let list = format!("{path}/{THUMB}");
    http.get(&format!("{list}?limit=0"))
        .await
        .bad_field("limit");
    http.get(&format!("{list}?limit=101"))
        .await
        .bad_field("limit");
    http.get(&format!("{list}?after=x"))
        .await
        .bad_field("after");
    http.delete(&format!("{list}/nobody"))
        .await
        .bad_field("user_id");
    let nowhere = format!("{}/1/reactions/{THUMB}", community.messages());
    http.put_empty(&format!("{nowhere}/@me"))
        .await
        .refused(404, 10008);
    http.get(&nowhere).await.refused(404, 10008);
    let stranger = Person::register(&node, "stranger").await;
    let answer = stranger.http.put_empty(&format!("{list}/@me")).await;
    answer.refused(403, 50001);
    stranger.http.get(&list).await.refused(403, 50001);
    for n in 0..20u32 {
        let emoji = char::from_u32(0x1f600 + n).unwrap();
        http.put_empty(&format!("{path}/{emoji}/@me"))
            .await
            .expect(204);
    }
    let answer = http.put_empty(&format!("{path}/{THUMB}/@me")).await;
    answer.refused(400, 30010);
}

#[tokio::test]
async fn two_people_react_to_each_other_in_private() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let form = json!({ "recipient_id": ben.id });
    let channel = ada.http.post("/users/@me/channels", form).await.expect(200);
    let channel = id(&channel);
    let mut ben_sees = ben.connect(&node).await;
    let sent = ada.http.say(&channel, "psst").await;
    let seen = ben_sees.message("psst").await;
    assert!(
        seen.get("guild_id").is_none() && seen.get("member").is_none(),
        "{seen}"
    );
    let path = format!("/channels/{channel}/messages/{}", id(&sent));
    let thumb = format!("{path}/reactions/{THUMB}");
    ada.http
        .put_empty(&format!("{thumb}/@me"))
        .await
        .expect(204);
    let seen = ben_sees.wait_for("MESSAGE_REACTION_ADD", |_| true).await;
    assert!(
        seen.get("guild_id").is_none() && seen.get("member").is_none(),
        "{seen}"
    );
    let answer = ben.http.delete(&format!("{thumb}/{}", ada.id)).await;
    answer.refused(403, 50003);
    ben.http.delete(&thumb).await.refused(403, 50003);
    ben.http.delete(&path).await.refused(403, 50003);
    // Everybody pins here.
    let pins = format!("/channels/{channel}/pins");
    ben.http
        .put_empty(&format!("{pins}/{}", id(&sent)))
        .await
        .expect(204);
    let pinned = ben_sees.wait_for("CHANNEL_PINS_UPDATE", |_| true).await;
    assert_eq!(pinned["channel_id"], channel);
    let list = ada.http.get(&pins).await.expect(200);
    assert_eq!(list[0]["id"], sent["id"]);
}
