//! What people attach is there whatever node took it, and when that node is gone for good.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rookery_tests::harness::{Cluster, Form, Node, Person, soon};
use serde_json::{Value, json};

/// More than a chunk of the database, and no repetition that a mistake could hide in.
fn long() -> Vec<u8> {
    (0..2_500_000_u32).flat_map(|n| n.to_le_bytes()).collect()
}

/// A file as a node delivers it, whichever node's URL it is.
async fn get(node: &Node, url: &str) -> (u16, Vec<u8>) {
    let path = url.splitn(4, '/').nth(3).expect("a URL with a path");
    let answer = node.http().request(Method::GET, &format!("//{path}"));
    let answer = answer.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.bytes().await.expect("a body").to_vec())
}

/// A person's message with a file, and the file's URL.
async fn attach(person: &Person, channel: &str, name: &str, bytes: &[u8]) -> (Value, String) {
    let form = Form::new(&json!({ "content": name })).file(0, name, bytes);
    let path = format!("/channels/{channel}/messages");
    let message = person.http.upload(Method::POST, &path, form).await;
    let message = message.expect(200);
    let url = message["attachments"][0]["url"].as_str();
    let url = url.expect("a URL").to_owned();
    (message, url)
}

/// The copies that a node has of a channel's files.
fn copies(node: &Node, channel: &str) -> usize {
    let folder: PathBuf = node.folder().join("data/media/attachments").join(channel);
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_outlives_the_node_that_took_it() {
    let mut cluster = Cluster::start(3).await;
    let mut ada = Person::register(&cluster.nodes[0], "ada").await;
    let (_, channel) = ada.create_group("Rooks").await;
    let long = long();
    let (message, url) = attach(&ada, &channel, "long.bin", &long).await;
    let (_, short) = attach(&ada, &channel, "short.txt", b"short").await;
    let avatar = include_bytes!("../../../node/web/public/icon-192.png");
    let avatar = format!("data:image/png;base64,{}", STANDARD.encode(avatar));
    let me = ada.http.patch("/users/@me", json!({ "avatar": avatar }));
    let hash = me.await.expect(200)["avatar"].as_str().unwrap().to_owned();
    let avatar = format!("http://any/avatars/{}/{hash}.png", ada.id);

    // Many ask another node at once, which fetches it.
    assert_eq!(copies(&cluster.nodes[1], &channel), 0);
    let asked = (0..20).map(|_| get(&cluster.nodes[1], &url));
    for (status, bytes) in futures_util::future::join_all(asked).await {
        assert_eq!((status, bytes == long), (200, true));
    }
    assert_eq!(copies(&cluster.nodes[1], &channel), 1);

    // The node is killed, and its disk is gone; one that never saw the file takes its place.
    cluster.kill(0);
    std::fs::remove_dir_all(cluster.nodes[0].folder().join("data")).unwrap();
    cluster.grow().await;
    let newcomer = &cluster.nodes[3];
    assert_eq!(get(newcomer, &url).await, (200, long));
    assert_eq!(get(newcomer, &short).await, (200, b"short".to_vec()));
    assert_eq!(get(newcomer, &avatar).await.0, 200);

    // Deleted at one node it is gone at all, copies or not, and out of the database.
    ada.at(newcomer);
    let id = message["id"].as_str().unwrap();
    let path = format!("/channels/{channel}/messages/{id}");
    ada.http.delete(&path).await.expect(204);
    for node in &cluster.nodes[1..] {
        assert_eq!(get(node, &url).await.0, 404);
        assert_eq!(get(node, &short).await.0, 200);
    }
    let client = mongodb::Client::with_uri_str(cluster.database_url());
    let database = client.await.unwrap().default_database().unwrap();
    let files = database.collection::<mongodb::bson::Document>("media.files");
    let chunks = database.collection::<mongodb::bson::Document>("media.chunks");
    let empty = mongodb::bson::doc! {};
    soon("the file leaves the database", async {
        // The short one and the avatar stay.
        while files.count_documents(empty.clone()).await.unwrap() != 2 {}
        while chunks.count_documents(empty.clone()).await.unwrap() != 2 {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_file_the_database_does_not_take_is_refused() {
    let cluster = Cluster::start(2).await;
    let ada = Person::register(&cluster.nodes[1], "ada").await;
    let (_, channel) = ada.create_group("Rooks").await;
    let (_, before) = attach(&ada, &channel, "before", b"before").await;
    cluster.to_mongod[1].blackhole();
    let form = Form::new(&json!({ "content": "lost" })).file(0, "lost", b"lost");
    let path = format!("/channels/{channel}/messages");
    let refused = ada.http.upload(Method::POST, &path, form).await;
    assert!(refused.status >= 500, "{refused:?}");
    // It is replaced meanwhile, and comes back as another incarnation.
    cluster.logs(0, "is_up=false", 1).await;
    cluster.to_mongod[1].heal();
    cluster.logs(1, "the incarnation has begun", 2).await;
    let healthz = cluster.nodes[1].http().request(Method::GET, "//healthz");
    let is_up = async || {
        let answer = healthz.try_clone().expect("no body").send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    };
    soon("the node is back", async { while !is_up().await {} }).await;
    let (_, after) = attach(&ada, &channel, "after", b"after").await;
    for node in &cluster.nodes {
        assert_eq!(get(node, &before).await, (200, b"before".to_vec()));
        assert_eq!(get(node, &after).await, (200, b"after".to_vec()));
    }
    let history = ada.http.get(&path).await.expect(200);
    let contents = history.as_array().unwrap().iter();
    let contents: Vec<_> = contents.map(|message| &message["content"]).collect();
    assert_eq!(contents, ["after", "before"]);
}
