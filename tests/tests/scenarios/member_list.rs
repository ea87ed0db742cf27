//! Ranges of a member list (opcode 14): who looks is sent the rows and what changes of them.

use rookery_tests::harness::{Community, Gateway, Node, Person};
use serde_json::{Value, json};

async fn look(session: &mut Gateway, community: &Community, ranges: Value) {
    let channels = json!({ community.channel.as_str(): ranges });
    let request = json!({ "guild_id": community.group, "channels": channels });
    session.send(14, request).await;
}

/// The rows of an update's first range: names, and headings with their counts.
fn rows(update: &Value) -> Vec<String> {
    let items = update["ops"][0]["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| match item.get("group") {
            Some(group) => format!("#{} {}", group["id"].as_str().unwrap(), group["count"]),
            None => item["member"]["user"]["username"]
                .as_str()
                .unwrap()
                .to_owned(),
        })
        .collect()
}

async fn update(session: &mut Gateway) -> Value {
    session.wait_for("GUILD_MEMBER_LIST_UPDATE", |_| true).await
}

#[tokio::test]
async fn who_looks_at_a_range_is_told_its_rows_and_what_changes() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada = community.ada.connect(&node).await;
    look(&mut ada, &community, json!([[0, 99]])).await;
    let first = update(&mut ada).await;
    assert_eq!(first["guild_id"], community.group);
    assert_eq!(first["id"], "everyone");
    assert_eq!(first["ops"][0]["op"], "SYNC");
    assert_eq!(first["ops"][0]["range"], json!([0, 99]));
    assert_eq!(rows(&first), ["#online 1", "ada", "#offline 1", "ben"]);
    assert_eq!(
        first["groups"],
        json!([{ "id": "online", "count": 1 }, { "id": "offline", "count": 1 }])
    );
    assert_eq!(
        (&first["online_count"], &first["member_count"]),
        (&json!(1), &json!(2))
    );
    let member = &first["ops"][0]["items"][1]["member"];
    assert_eq!(member["presence"]["status"], "online");

    let ben = community.ben.connect(&node).await;
    let second = update(&mut ada).await;
    assert_eq!(rows(&second), ["#online 2", "ada", "ben"]);
    let carl = Person::register(&node, "carl").await;
    carl.accept(&community.ada.invite(&community.channel).await)
        .await;
    let third = update(&mut ada).await;
    assert_eq!(
        rows(&third),
        ["#online 2", "ada", "ben", "#offline 1", "carl"]
    );

    // Of two ranges only the one that changed comes.
    look(&mut ada, &community, json!([[0, 1], [2, 99]])).await;
    let both = update(&mut ada).await;
    assert_eq!(both["ops"].as_array().unwrap().len(), 2);
    ben.close(1000).await;
    let fourth = update(&mut ada).await;
    let changed: Vec<&Value> = fourth["ops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|op| &op["range"])
        .collect();
    assert_eq!(changed, [&json!([0, 1]), &json!([2, 99])]);
    assert_eq!(rows(&fourth), ["#online 1", "ada"]);

    // Who looks at nothing is told nothing more.
    look(&mut ada, &community, json!([])).await;
    let mut dora = Person::register(&node, "dora").await.connect(&node).await;
    dora.heartbeat().await;
    let ben = community.ben.connect(&node).await;
    ada.wait_for("PRESENCE_UPDATE", |p| {
        p["user"]["id"] == community.ben.id && p["status"] == "online"
    })
    .await;
    look(&mut ada, &community, json!([[0, 0]])).await;
    let last = update(&mut ada).await;
    assert_eq!(last["ops"][0]["range"], json!([0, 0]));
    drop(ben);
}

#[tokio::test]
async fn only_members_look_and_only_at_a_few_rows() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let bad = [
        json!([[0, 100]]),
        json!([[5, 4]]),
        json!([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]]),
        json!([[0]]),
        json!([[-1, 3]]),
        json!("0-99"),
    ];
    for ranges in bad {
        let mut session = community.ada.connect(&node).await;
        look(&mut session, &community, ranges.clone()).await;
        assert_eq!(session.closed().await, Some(4002), "{ranges}");
    }
    let carl = Person::register(&node, "carl").await;
    let mut carl_sees = carl.connect(&node).await;
    look(&mut carl_sees, &community, json!([[0, 99]])).await;
    let (own, channel) = carl.create_group("Own").await;
    carl_sees.wait_for("GUILD_CREATE", |_| true).await;
    carl_sees
        .send(
            14,
            json!({ "guild_id": own, "channels": { channel.as_str(): [[0, 99]] } }),
        )
        .await;
    let seen = update(&mut carl_sees).await;
    assert_eq!(seen["guild_id"], own);
    // Who leaves is told nothing more.
    let mut ben = community.ben.connect(&node).await;
    look(&mut ben, &community, json!([[0, 99]])).await;
    update(&mut ben).await;
    let path = format!("/users/@me/guilds/{}", community.group);
    community.ben.http.delete(&path).await.expect(204);
    ben.wait_for("GUILD_DELETE", |_| true).await;
    let mut ada = community.ada.connect(&node).await;
    look(&mut ada, &community, json!([[0, 99]])).await;
    // The list that was built for Ben may be shown for another two seconds.
    while rows(&update(&mut ada).await) != ["#online 1", "ada"] {}
    ben.heartbeat().await;
    assert!(
        !ben.take()
            .iter()
            .any(|event| event.name == "GUILD_MEMBER_LIST_UPDATE")
    );
}
