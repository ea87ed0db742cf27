//! A node with a Redis serves a chat, whatever becomes of the Redis.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use rookery_tests::harness::{
    Community, Gateway, Listens, Node, NodeOptions, RedisOptions, RedisServer, soon,
};
use serde_json::json;

/// Messages that Ada may send within the hour that no test lasts.
const MESSAGES: usize = 10;
/// What a request may take at most, on a machine that does other things too.
const SLOWEST: Duration = Duration::from_secs(3);

async fn node(server: &RedisServer) -> Node {
    let config = format!(
        "[ephemeral]\nurl = {:?}\n[limits]\nglobal = \"10000/1s\"\ndefault = \"10000/1s\"\nmessages = \"{MESSAGES}/1h\"\n",
        server.url()
    );
    let options = NodeOptions {
        config,
        ..NodeOptions::default()
    };
    Node::start_with(options).await
}

/// How often the log has said that Redis is there, and that it is away.
fn said(node: &Node) -> (usize, usize) {
    let log = node.log();
    let count = |what| log.matches(what).count();
    (count("redis is there"), count("redis is away"))
}

/// The same once Redis is there: on a busy machine it may have been too slow for a moment.
async fn steady(node: &Node) -> (usize, usize) {
    let (_, away) = said(node);
    node.logged("redis is there", away + 1).await;
    said(node)
}

/// Ada says something and Ben hears it, and nobody waits long.
async fn chat(community: &Community, ben: &mut Gateway, text: &str) {
    let begun = Instant::now();
    let body = json!({ "content": text });
    community
        .ada
        .http
        .post(&community.messages(), body)
        .await
        .expect(200);
    ben.message(text).await;
    for _ in 0..20 {
        community.ben.http.get("/users/@me").await.expect(200);
        community
            .ben
            .http
            .get(&community.messages())
            .await
            .expect(200);
    }
    assert!(begun.elapsed() < SLOWEST, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_chat_goes_on_while_redis_is_killed_restarted_empty_and_paused() {
    let mut server = RedisServer::start_with(RedisOptions {
        listens: Listens::Port,
        password: Some("s3cret".to_owned()),
    })
    .await;
    let mut node = node(&server).await;
    node.logged("redis is there", 1).await;
    let community = Community::new(&node).await;
    let mut ben = community.ben.connect(&node).await;
    chat(&community, &mut ben, "shared").await;
    let mut client = server.client().await;
    let keys: Vec<String> = client.keys("rookery:limit:*").await.unwrap();
    assert!(!keys.is_empty());

    let (there, away) = steady(&node).await;
    server.kill();
    chat(&community, &mut ben, "killed").await;
    node.logged("redis is away", away + 1).await;
    chat(&community, &mut ben, "still killed").await;
    assert_eq!(said(&node), (there, away + 1));

    server.begin().await;
    node.logged("redis is there", there + 1).await;
    chat(&community, &mut ben, "empty").await;

    let (there, away) = steady(&node).await;
    server.pause();
    chat(&community, &mut ben, "paused").await;
    node.logged("redis is away", away + 1).await;
    chat(&community, &mut ben, "still paused").await;
    assert_eq!(said(&node), (there, away + 1));
    server.resume();
    node.logged("redis is there", there + 1).await;
    chat(&community, &mut ben, "resumed").await;

    // All of that was one bucket: what is left of it is as much as if nothing had happened.
    for n in 7..MESSAGES {
        chat(&community, &mut ben, &n.to_string()).await;
    }
    let body = json!({ "content": "too much" });
    let refused = community
        .ada
        .http
        .post(&community.messages(), body.clone())
        .await;
    assert_eq!(refused.status, 429);
    server.kill();
    let refused = community.ada.http.post(&community.messages(), body).await;
    assert_eq!(refused.status, 429);
    assert!(node.is_running());
    let log = node.log();
    assert!(
        !log.contains("s3cret") && log.contains("redis://127.0.0.1:"),
        "{log}"
    );
    assert!(node.terminate().await.success());
}

#[tokio::test]
async fn who_is_renamed_has_his_new_name_and_who_logs_out_is_out() {
    let server = RedisServer::start().await;
    let mut node = node(&server).await;
    let mut community = Community::new(&node).await;
    community
        .ben
        .http
        .post(&community.messages(), json!({ "content": "hello" }))
        .await
        .expect(200);
    // After a restart Ada's node knows of Ben only what it reads.
    assert!(node.terminate().await.success());
    node.restart().await;
    community.at(&node);
    node.logged("redis is there", 2).await;
    let name_of = async |community: &Community| {
        let messages = community
            .ada
            .http
            .get(&community.messages())
            .await
            .expect(200);
        messages[0]["author"]["global_name"].clone()
    };
    name_of(&community).await;
    let mut client = server.client().await;
    let key = format!("rookery:profile:{}", community.ben.id);
    let value = soon("his profile is in redis", async {
        loop {
            let value: Option<String> = client.get(&key).await.unwrap();
            if let Some(value) = value.filter(|value| value.contains("username")) {
                return value;
            }
            name_of(&community).await;
        }
    })
    .await;
    // Nothing of what only he and the node know is.
    for word in ["email", "login", "secret", "password"] {
        assert!(!value.contains(word), "{value}");
    }
    for name in ["Benjamin", "Benno"] {
        let body = json!({ "global_name": name });
        community
            .ben
            .http
            .patch("/users/@me", body)
            .await
            .expect(200);
        assert_eq!(name_of(&community).await, name);
    }
    community.ben.http.get("/users/@me").await.expect(200);
    community.ben.http.post("/auth/logout", json!({})).await;
    community.ben.http.get("/users/@me").await.expect(401);
}

#[tokio::test]
async fn a_redis_that_can_never_be_reached_is_named_at_the_start() {
    let mut node = Node::start().await;
    assert!(node.terminate().await.success());
    let config = "[ephemeral]\nurl = \"rediss://:s3cret@127.0.0.1:1\"\nca = \"/nowhere.pem\"\n";
    std::fs::write(node.folder().join("cluster.toml"), config).unwrap();
    let output = node.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("[ephemeral]: the file /nowhere.pem cannot be read"),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
}
