//! Pins.

use rookery_tests::harness::{Community, Node, id};
use serde_json::{Value, json};

#[tokio::test]
async fn a_pin_is_shown_listed_and_taken_off() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut ben_sees = ben.connect(&node).await;
    let sent = ben.http.say(&community.channel, "rules").await;
    let other = ada.http.say(&community.channel, "more rules").await;
    let old = format!("/channels/{}/pins", community.channel);
    let new = format!("{}/pins", community.messages());
    let answer = ben.http.put_empty(&format!("{new}/{}", id(&sent))).await;
    answer.refused(403, 50013);
    ada.http
        .put_empty(&format!("{new}/{}", id(&sent)))
        .await
        .expect(204);
    let update = ben_sees.wait_for("CHANNEL_PINS_UPDATE", |_| true).await;
    assert_eq!(update["guild_id"], community.group);
    assert!(update["last_pin_timestamp"].is_string(), "{update}");
    let update = ben_sees.wait_for("MESSAGE_UPDATE", |_| true).await;
    assert_eq!(
        (&update["pinned"], &update["author"]["id"]),
        (&json!(true), &json!(ben.id))
    );
    let told = ben_sees
        .wait_for("MESSAGE_CREATE", |m| m["type"] == 6)
        .await;
    assert_eq!(told["author"]["id"], ada.id);
    assert_eq!(told["message_reference"]["message_id"], sent["id"]);
    ada.http
        .put_empty(&format!("{old}/{}", id(&other)))
        .await
        .expect(204);

    let list = ben.http.get(&old).await.expect(200);
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].clone())
            .collect()
    };
    assert_eq!(ids(&list), [other["id"].clone(), sent["id"].clone()]);
    let page = ben.http.get(&format!("{new}?limit=1")).await.expect(200);
    assert_eq!(page["has_more"], true);
    assert_eq!(page["items"][0]["message"]["id"], other["id"]);
    let before = page["items"][0]["pinned_at"]
        .as_str()
        .unwrap()
        .replace('+', "%2B");
    let page = ben
        .http
        .get(&format!("{new}?before={before}"))
        .await
        .expect(200);
    assert_eq!(page["has_more"], false);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["message"]["id"], sent["id"]);

    let channel = format!("/channels/{}", community.channel);
    let shown = ben.http.get(&channel).await.expect(200);
    assert!(shown["last_pin_timestamp"].is_string(), "{shown}");
    ada.http
        .delete(&format!("{old}/{}", id(&sent)))
        .await
        .expect(204);
    ada.http
        .delete(&format!("{}/{}", community.messages(), id(&other)))
        .await
        .expect(204);
    assert_eq!(
        ids(&ben.http.get(&old).await.expect(200)),
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn bad_pins_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let http = &community.ada.http;
    let joined = community.first_message().await;
    let pins = format!("{}/pins", community.messages());
    http.put_empty(&format!("{pins}/{joined}"))
        .await
        .refused(403, 50021);
    http.put_empty(&format!("{pins}/1"))
        .await
        .refused(404, 10008);
    http.put_empty(&format!("{pins}/x"))
        .await
        .bad_field("message_id");
    http.get(&format!("{pins}?limit=51"))
        .await
        .bad_field("limit");
    http.get(&format!("{pins}?before=noon"))
        .await
        .bad_field("before");
    for n in 0..51 {
        let sent = http.say(&community.channel, &n.to_string()).await;
        let answer = http.put_empty(&format!("{pins}/{}", id(&sent))).await;
        if n < 50 {
            answer.expect(204);
        } else {
            answer.refused(400, 30003);
        }
    }
}
