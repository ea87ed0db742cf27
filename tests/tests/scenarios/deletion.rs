//! What ends is gone: rows and files of a deleted group and of a removed channel, also when the node is killed halfway.

use std::path::Path;

use reqwest::Method;
use rookery_actors::store::Store;
use rookery_node::store::redb::RedbStore;
use rookery_protocol::document::TableId;
use rookery_tests::harness::{Community, Form, Node, NodeOptions, Person, id};
use serde_json::json;

/// Tables in which a group has rows.
const TABLES: [TableId; 13] = [
    TableId::Groups,
    TableId::EndedGroups,
    TableId::Members,
    TableId::Memberships,
    TableId::Channels,
    TableId::Invites,
    TableId::InviteCodes,
    TableId::Messages,
    TableId::Pins,
    TableId::Reactions,
    TableId::Attachments,
    TableId::Bans,
    TableId::AuditLog,
];

fn options() -> NodeOptions {
    NodeOptions {
        config: "[limits]\nenabled = false\n[log]\nlevel = \"info,rookery_node::janitor=debug\"\n"
            .to_owned(),
        ..NodeOptions::default()
    }
}

/// How many rows each table has, once the node has ended.
async fn rows(node: &Node) -> Vec<(TableId, usize)> {
    let store = RedbStore::open(&node.folder().join("data")).expect("the store");
    let mut counts = Vec::new();
    for table in TABLES {
        let rows = store.walk(table, None, usize::MAX).await.expect("rows");
        counts.push((table, rows.len()));
    }
    store.close();
    counts
}

fn folders(path: &Path) -> usize {
    std::fs::read_dir(path).map_or(0, Iterator::count)
}

/// Fills a channel with messages, some with files.
async fn fill(person: &Person, channel: &str, count: usize) {
    let path = format!("/channels/{channel}/messages");
    let writers = (0..8).map(|writer| {
        let (http, path) = (person.http.clone(), path.clone());
        tokio::spawn(async move {
            for n in (writer..count).step_by(8) {
                if n % 100 == 0 {
                    let form = Form::new(&json!({ "content": "file" })).file(0, "a", b"x");
                    http.upload(Method::POST, &path, form).await.expect(200);
                } else {
                    http.post(&path, json!({ "content": "x" }))
                        .await
                        .expect(200);
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_group_leaves_nothing_even_if_the_node_is_killed_halfway() {
    let mut node = Node::start_with(options()).await;
    let community = Community::new(&node).await;
    community.ada.invite(&community.channel).await;
    fill(&community.ada, &community.channel, 1_500).await;
    assert_eq!(folders(&node.folder().join("data/media/attachments")), 1);
    let group = format!("/guilds/{}", community.group);
    community.ada.http.delete(&group).await.expect(204);
    node.logged("deleted a piece", 1).await;
    node.kill();
    let left = rows(&node).await;
    assert!(left.contains(&(TableId::EndedGroups, 1)), "{left:?}");
    node.restart().await;
    node.logged("deleted what ended", 1).await;
    node.terminate().await;
    for (table, count) in rows(&node).await {
        assert_eq!(count, 0, "{table}");
    }
    assert_eq!(folders(&node.folder().join("data/media/attachments")), 0);
}

#[tokio::test]
async fn a_removed_channel_leaves_nothing_and_its_neighbours_stay() {
    let mut node = Node::start_with(options()).await;
    let community = Community::new(&node).await;
    let channels = format!("/guilds/{}/channels", community.group);
    let made = community
        .ada
        .http
        .post(&channels, json!({ "name": "old" }))
        .await;
    let old = id(&made.expect(201));
    fill(&community.ben, &old, 20).await;
    let file = Form::new(&json!({ "content": "stays" })).file(0, "a", b"x");
    let http = &community.ada.http;
    http.upload(Method::POST, &community.messages(), file)
        .await
        .expect(200);
    let other = community.ben.create_group("Ravens").await;
    community.ben.http.say(&other.1, "stays").await;
    community
        .ada
        .http
        .delete(&format!("/channels/{old}"))
        .await
        .expect(200);
    node.logged("deleted what ended", 1).await;
    http.get(&format!("/channels/{old}"))
        .await
        .refused(404, 10003);
    let history = http.get(&community.messages()).await.expect(200);
    assert_eq!(
        history.as_array().unwrap().len(),
        2,
        "that Ben joined, and the file"
    );
    node.terminate().await;
    let rows = rows(&node).await;
    assert!(rows.contains(&(TableId::Messages, 3)), "{rows:?}");
    assert!(rows.contains(&(TableId::Attachments, 1)), "{rows:?}");
    assert!(rows.contains(&(TableId::EndedGroups, 0)), "{rows:?}");
    assert!(rows.contains(&(TableId::Channels, 8)), "{rows:?}");
    let files = node.folder().join("data/media/attachments");
    assert_eq!(folders(&files), 1);
    assert_eq!(folders(&files.join(&community.channel)), 1);
}
