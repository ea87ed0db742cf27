//! A row on the disk is damaged: what needs it answers 500 with an incident that the log names, everything else goes on, and
//! the check finds it.

use rookery_actors::store::{Store, Write};
use rookery_node::store::redb::RedbStore;
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::ids::{ChannelId, GroupId, MessageId};
use rookery_tests::harness::operator::operate;
use rookery_tests::harness::{Answer, Community, Node, Person, id};
use serde_json::json;

/// Asserts a 500 whose incident the log tells of.
#[track_caller]
fn incident(node: &Node, answer: &Answer) {
    answer.refused(500, 0);
    let message = answer.body["message"].as_str().unwrap_or_default();
    let incident = message
        .split_once("(incident ")
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or_else(|| panic!("no incident in {message:?}"));
    assert!(!incident.is_empty());
    let log = node.log();
    assert!(log.contains(incident), "{incident} is not in the log");
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn the_rest_lives_and_the_check_names_the_row() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let carl = Person::register(&node, "carl").await;
    let (broken, its_channel) = carl.create_group("Broken").await;
    let whole = id(&community.ada.http.say(&community.channel, "whole").await);
    // So old that the group does not read it when it is loaded.
    let damaged = "1000000".to_owned();
    assert!(node.terminate().await.success());

    let data = node.folder().join("data");
    let number = |text: &str| -> u64 { text.parse().unwrap() };
    let store = RedbStore::open(&data).unwrap();
    let put = |table, key, row: &[u8]| Write::Put {
        table,
        key,
        row: row.to_vec(),
    };
    let group = Key::single(GroupId(number(&broken)));
    let message = Key::new(
        ChannelId(number(&community.channel)),
        MessageId(number(&damaged)),
    );
    let writes = vec![
        put(TableId::Groups, group, b"\x10\0\0\0\x02schema\0no"),
        put(TableId::Messages, message, b"\xff\xff\xff\xff"),
    ];
    store.transact(&[], &|_| writes.clone()).await.unwrap();
    store.close();
    let check = ["store", "check"];
    let names = |text: &str| {
        assert!(
            text.contains(&format!("({broken}, 0) of groups is corrupt")),
            "{text}"
        );
        assert!(
            text.contains(&format!(", {damaged}) of messages is corrupt")),
            "{text}"
        );
    };
    let stopped = operate(&data, &check).await.0;
    names(&String::from_utf8_lossy(&stopped.stdout));
    assert_eq!(stopped.status.code(), Some(1));

    node.restart().await;
    community.at(&node);
    let mut carl = carl;
    carl.at(&node);
    let say = |channel: &str| format!("/channels/{channel}/messages");
    let body = json!({ "content": "x" });
    incident(&node, &carl.http.get(&format!("/guilds/{broken}")).await);
    incident(
        &node,
        &carl.http.post(&say(&its_channel), body.clone()).await,
    );
    let path = format!("{}/{damaged}", community.messages());
    incident(&node, &community.ada.http.get(&path).await);
    let page = format!("{}?before={whole}", community.messages());
    incident(&node, &community.ada.http.get(&page).await);
    // The group reads it for this one.
    incident(&node, &community.ada.http.delete(&path).await);

    // Whoever else is there notices nothing, and neither does he elsewhere.
    carl.http.get("/users/@me").await.expect(200);
    let path = format!("{}/{whole}", community.messages());
    community.ada.http.get(&path).await.expect(200);
    let mut ben_sees = community.ben.connect(&node).await;
    community.ada.http.say(&community.channel, "on").await;
    ben_sees.message("on").await;
    let invite = community.ada.invite(&community.channel).await;
    carl.accept(&invite).await;
    carl.http.say(&community.channel, "me too").await;
    ben_sees.message("me too").await;

    let serving = operate(&data, &check).await.0;
    let text = String::from_utf8_lossy(&serving.stdout).into_owned();
    names(&text);
    assert!(
        text.contains("looked over by the node that serves"),
        "{text}"
    );
    assert_eq!(serving.status.code(), Some(1));
    assert!(node.terminate().await.success());
}
