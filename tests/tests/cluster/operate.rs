//! An operator of three nodes: finds, traces, moves, restarts and drains while people write, and is told what is wrong.

use rookery_tests::harness::load::{Load, Read, check_history, check_shown, history, listen};
use rookery_tests::harness::{Cluster, Node, Person, soon};
use serde_json::Value;

/// Asks again until an answer is as it should be.
async fn until(node: &Node, arguments: &[&str], what: &str, is: impl Fn(&Value) -> bool) -> Value {
    soon(what, async {
        loop {
            let answer = node.asked(arguments).await;
            if is(&answer) {
                return answer;
            }
        }
    })
    .await
}

/// Where an actor lives, once it is active.
async fn home(node: &Node, actor: &str) -> String {
    soon(actor, async {
        loop {
            let output = node.run(&["actor", "show", actor, "--json"]).await;
            if output.status.success() {
                let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
                return shown["row"]["node"].as_str().unwrap().to_owned();
            }
        }
    })
    .await
}

/// Waits until an actor lives where it should.
async fn lives(node: &Node, actor: &str, is: impl Fn(&str) -> bool) -> String {
    soon("a move", async {
        loop {
            let at = home(node, actor).await;
            if is(&at) {
                return at;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_busiest_group_is_found_traced_moved_restarted_and_drained_with_nothing_lost() {
    let cluster = Cluster::start(3).await;
    let node = &cluster.nodes[0];
    let ada = Person::register(node, "ada").await;
    let ben = Person::register(node, "ben").await;
    let (busy, channel) = ada.create_group("Busy").await;
    ben.accept(&ada.invite(&channel).await).await;
    let (_, other) = ada.create_group("Quiet").await;
    ada.http.say(&other, "hello").await;
    let path = format!("/channels/{channel}/messages");
    let listener = listen(ada.connect(&cluster.nodes[1]).await);
    let people = [ada.clone(), ben];
    let mut load = Load::start(&people, node.url(), &path);
    load.goes_on(50).await;

    // Whichever node is asked.
    let asked = &cluster.nodes[2];
    let group = format!("group/{busy}");
    let top = ["actors", "top", "--kind", "group", "--sort", "rate"];
    until(asked, &top, "the busiest group", |top| {
        top["actors"][0]["actor"] == *group
    })
    .await;
    let output = asked.run(&["actor", "trace", &group, "--for", "1s"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PostMessage"), "{text}");

    let from = home(asked, &group).await;
    let to = if from == "n1" { "n2" } else { "n1" };
    asked.asked(&["actor", "migrate", &group, "--to", to]).await;
    lives(asked, &group, |at| at == to).await;
    load.goes_on(50).await;

    asked.asked(&["actor", "restart", &group]).await;
    load.goes_on(50).await;
    let shown = asked.asked(&["actor", "show", &group]).await;
    assert_eq!(shown["row"]["last_crash"], "restarted by an operator");
    assert_eq!(shown["pinned_to"], to);

    asked.asked(&["node", "drain", to, "--stay"]).await;
    lives(asked, &group, |at| at != to).await;
    load.goes_on(50).await;
    let state = |nodes: &Value, of: &str| {
        let mut nodes = nodes["nodes"].as_array().unwrap().iter();
        nodes
            .find(|node| node["node"] == *of)
            .map(|node| node["state"].clone())
    };
    until(asked, &["nodes"], "a drained node", |nodes| {
        let mut all = nodes["nodes"].as_array().unwrap().iter();
        let drained = all.find(|node| node["node"] == *to);
        state(nodes, to) == Some("draining".into())
            && drained.is_some_and(|node| node["shards"] == 0)
    })
    .await;
    asked.asked(&["node", "undrain", to]).await;
    until(asked, &["nodes"], "a node that is up again", |nodes| {
        state(nodes, to) == Some("up".into())
    })
    .await;
    lives(asked, &group, |at| at == to).await;
    load.goes_on(50).await;
    asked.asked(&["actor", "migrate", &group]).await;
    load.goes_on(50).await;

    let acknowledged = load.finish().await;
    let messages = history(&ada.http, &path).await;
    check_history(&messages, &acknowledged);
    ada.http.say(&channel, "end").await;
    let shown = soon("the end of the listener", listener).await.unwrap();
    let is_kept = |read: &&Read| messages.iter().any(|(id, _)| *id == read.0);
    let shown: Vec<Read> = shown.iter().filter(is_kept).cloned().collect();
    check_shown(&shown, &messages);
    assert_eq!(shown, messages, "the socket stayed, and missed nothing");
    let acts = asked.asked(&["acts"]).await;
    assert_eq!(acts.as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_has_its_row_and_the_others_are_shown() {
    let cluster = Cluster::start(3).await;
    let asked = &cluster.nodes[0];
    cluster.nodes[2].signal("STOP");
    let nodes = asked.asked(&["nodes"]).await;
    let names: Vec<&Value> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["node"])
        .collect();
    assert_eq!(names, ["n0", "n1"]);
    assert_eq!(nodes["silent"][0]["node"], "n2");
    assert_eq!(nodes["silent"][0]["why"], "no answer within 500 ms");
    let report = asked.run(&["doctor"]).await;
    assert_eq!(report.status.code(), Some(1));
    let text = String::from_utf8(report.stdout).unwrap();
    assert!(text.contains("n2 does not answer"), "{text}");
    cluster.nodes[2].signal("CONT");
}
