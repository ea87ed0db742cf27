//! People on different nodes talk as if they were on one.

use rookery_tests::harness::{Cluster, Gateway, Person, id};
use serde_json::json;

/// Somebody with a session on a node of his own.
async fn somebody(cluster: &Cluster, n: usize, name: &str) -> (Person, Gateway) {
    let node = &cluster.nodes[n];
    let person = Person::register(node, name).await;
    let session = person.connect(node).await;
    (person, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_on_one_node_is_heard_on_all() {
    let cluster = Cluster::start(3).await;
    let (ada, mut at_ada) = somebody(&cluster, 0, "ada").await;
    let (ben, mut at_ben) = somebody(&cluster, 1, "ben").await;
    let (eve, mut at_eve) = somebody(&cluster, 2, "eve").await;
    // As many groups as make sure that each node has one.
    for n in 0..8 {
        let (_, channel) = ada.create_group(&format!("Rooks {n}")).await;
        let code = ada.invite(&channel).await;
        for (person, session) in [(&ben, &mut at_ben), (&eve, &mut at_eve)] {
            person.accept(&code).await;
            session.wait_for("GUILD_CREATE", |_| true).await;
        }
        for (by, text) in [(&ada, "from ada"), (&ben, "from ben"), (&eve, "from eve")] {
            let text = format!("{text} in {n}");
            by.http.say(&channel, &text).await;
            for session in [&mut at_ada, &mut at_ben, &mut at_eve] {
                session.message(&text).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_on_different_nodes_write_to_each_other() {
    let cluster = Cluster::start(2).await;
    let (ada, mut at_ada) = somebody(&cluster, 0, "ada").await;
    let (ben, mut at_ben) = somebody(&cluster, 1, "ben").await;
    ada.befriend(&ben).await;
    at_ben.wait_for("RELATIONSHIP_ADD", |_| true).await;
    let channel = ada.open_direct(&ben.id).await;
    for n in 0..5 {
        let text = format!("hello {n}");
        let by = if n % 2 == 0 { &ada } else { &ben };
        by.http.say(&channel, &text).await;
        at_ada.message(&text).await;
        at_ben.message(&text).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_taken_on_one_node_hides_a_channel_on_another() {
    let cluster = Cluster::start(2).await;
    let (ada, _at_ada) = somebody(&cluster, 0, "ada").await;
    let (ben, mut at_ben) = somebody(&cluster, 1, "ben").await;
    let (group, channel) = ada.create_group("Rooks").await;
    ben.accept(&ada.invite(&channel).await).await;
    at_ben.wait_for("GUILD_CREATE", |_| true).await;
    let path = format!("/channels/{channel}/permissions/{group}");
    let hidden = json!({ "type": 0, "allow": "0", "deny": "1024" });
    ada.http.put(&path, hidden).await.expect(204);
    assert_eq!(
        id(&at_ben.wait_for("CHANNEL_DELETE", |_| true).await),
        channel
    );
    let read = format!("/channels/{channel}/messages");
    ben.http.get(&read).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_takes_its_share_and_nobody_notices() {
    let mut cluster = Cluster::start(1).await;
    let (ada, mut at_ada) = somebody(&cluster, 0, "ada").await;
    let mut channels = Vec::new();
    for n in 0..8 {
        channels.push(ada.create_group(&format!("Rooks {n}")).await.1);
    }
    cluster.grow().await;
    let mut here = ada.clone();
    here.at(&cluster.nodes[1]);
    let mut at_there = here.connect(&cluster.nodes[1]).await;
    for (n, channel) in channels.iter().enumerate() {
        for (by, text) in [(&ada, "old"), (&here, "new")] {
            let text = format!("{text} {n}");
            by.http.say(channel, &text).await;
            at_ada.message(&text).await;
            at_there.message(&text).await;
        }
    }
}
