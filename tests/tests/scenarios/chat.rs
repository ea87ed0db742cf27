//! Two people chat: what one does, the other sees, and the history keeps.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::{Value, json};

#[tokio::test]
async fn two_people_see_each_others_messages_edits_deletions_and_typing() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;

    let path = format!("/channels/{}/typing", community.channel);
    ada.http.post(&path, json!({})).await.expect(204);
    let typing = ben_sees.wait_for("TYPING_START", |_| true).await;
    assert_eq!(typing["user_id"], ada.id);
    assert_eq!(typing["channel_id"], community.channel);

    let sent = ada.http.say(&community.channel, "good morning").await;
    assert_eq!(sent["author"]["id"], ada.id);
    assert_eq!(sent["edited_timestamp"], Value::Null);
    let seen = ben_sees.message("good morning").await;
    for field in ["id", "channel_id", "content", "timestamp", "author", "type"] {
        assert_eq!(seen[field], sent[field], "{field}");
    }
    assert_eq!(seen["guild_id"], community.group);
    assert!(seen["member"]["joined_at"].is_string(), "{seen}");
    ada_sees.message("good morning").await;

    let path = format!("{}/{}", community.messages(), id(&sent));
    let edited = ada
        .http
        .patch(&path, json!({ "content": "good evening" }))
        .await;
    let edited = edited.expect(200);
    assert!(edited["edited_timestamp"].is_string());
    let update = ben_sees.wait_for("MESSAGE_UPDATE", |_| true).await;
    assert_eq!(update["id"], sent["id"]);
    assert_eq!(update["content"], "good evening");
    assert_eq!(
        ben.http.get(&path).await.expect(200)["content"],
        "good evening"
    );

    let answer =
        json!({ "content": "and to you", "message_reference": { "message_id": sent["id"] } });
    let answer = ben
        .http
        .post(&community.messages(), answer)
        .await
        .expect(200);
    assert_eq!(answer["type"], 19);
    assert_eq!(answer["referenced_message"]["content"], "good evening");
    let seen = ada_sees.message("and to you").await;
    assert_eq!(seen["message_reference"]["message_id"], sent["id"]);
    assert_eq!(seen["referenced_message"]["id"], sent["id"]);

    ada.http.delete(&path).await.expect(204);
    let gone = ben_sees.wait_for("MESSAGE_DELETE", |_| true).await;
    assert_eq!(gone["id"], sent["id"]);
    assert_eq!(gone["channel_id"], community.channel);
    ben.http.get(&path).await.refused(404, 10008);
    let history = ben.http.get(&community.messages()).await.expect(200);
    assert_eq!(history.as_array().expect("messages").len(), 2);
    assert_eq!(history[0]["id"], answer["id"]);
    assert_eq!(history[0]["referenced_message"], Value::Null);
}

#[tokio::test]
async fn mentions_name_members_only() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let stranger = Person::register(&node, "stranger").await;
    let content = format!("<@{}> <@{}>", community.ben.id, stranger.id);
    let sent = community.ada.http.say(&community.channel, &content).await;
    let mentioned: Vec<&Value> = sent["mentions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["id"])
        .collect();
    assert_eq!(mentioned, [&json!(community.ben.id)]);
}

#[tokio::test]
async fn history_is_paged_before_after_and_around() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ids = vec![community.first_message().await];
    for n in 1..120 {
        let sent = community
            .ada
            .http
            .say(&community.channel, &format!("message {n}"))
            .await;
        ids.push(id(&sent));
    }
    let page = async |query: &str| -> Vec<String> {
        let path = format!("{}?{query}", community.messages());
        let page = community.ben.http.get(&path).await.expect(200);
        page.as_array().expect("a list").iter().map(id).collect()
    };
    let newest_first = |range: std::ops::Range<usize>| -> Vec<String> {
        ids[range].iter().rev().cloned().collect()
    };
    assert_eq!(page("").await, newest_first(70..120));
    assert_eq!(page("limit=100").await, newest_first(20..120));
    assert_eq!(page("limit=1").await, newest_first(119..120));
    assert_eq!(
        page(&format!("before={}&limit=10", ids[20])).await,
        newest_first(10..20)
    );
    assert_eq!(
        page(&format!("before={}", ids[0])).await,
        Vec::<String>::new()
    );
    assert_eq!(
        page(&format!("after={}&limit=10", ids[20])).await,
        newest_first(21..31)
    );
    assert_eq!(
        page(&format!("after={}", ids[119])).await,
        Vec::<String>::new()
    );
    let around = page(&format!("around={}&limit=11", ids[60])).await;
    assert!(around.contains(&ids[60]), "{around:?}");
    assert!((10..=12).contains(&around.len()), "{around:?}");
    let at = |wanted: &String| {
        ids.iter()
            .position(|id| id == wanted)
            .expect("a known message")
    };
    let places: Vec<usize> = around.iter().map(at).collect();
    assert!(
        places.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "{places:?}"
    );

    // Ids rise with time, and a whole walk backwards finds each message once.
    let mut walked: Vec<String> = Vec::new();
    loop {
        let before = walked
            .last()
            .map(|id| format!("&before={id}"))
            .unwrap_or_default();
        let next = page(&format!("limit=37{before}")).await;
        if next.is_empty() {
            break;
        }
        walked.extend(next);
    }
    assert_eq!(walked, newest_first(0..120));
    let numbers: Vec<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn content_is_cleaned_and_bounded() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let sent = community
        .ada
        .http
        .say(&community.channel, "  a\u{0}b\u{1b}\n\u{e9} \u{1f600}  ")
        .await;
    assert_eq!(sent["content"], "ab\n\u{e9} \u{1f600}");
    let longest = "\u{1f600}".repeat(2_000);
    let sent = community.ada.http.say(&community.channel, &longest).await;
    assert_eq!(sent["content"], longest);
    let post = async |content: String| {
        let body = json!({ "content": content });
        community.ada.http.post(&community.messages(), body).await
    };
    post("x".repeat(2_001)).await.bad_field("content");
    post(String::new()).await.refused(400, 50006);
    post(" \u{0} \n".to_owned()).await.refused(400, 50006);
}
