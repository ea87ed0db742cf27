//! An operator of three nodes: finds, traces, moves, restarts and drains while people write, and is told what is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rookery_tests::harness::load::{Load, Read, check_history, check_shown, history, listen};
use rookery_tests::harness::{Cluster, Http, Node, Person, shape, soon};
use serde_json::{Value, json};

use super::actors::{home, lives, until};

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
    let moves = asked.asked(&["actor", "migrate", &group, "--to", to]).await;
    insta::assert_json_snapshot!("actor_migrate", shape(&moves));
    lives(asked, &group, |at| at == to).await;
    load.goes_on(50).await;

    asked.asked(&["actor", "restart", &group]).await;
    load.goes_on(50).await;
    let shown = asked.asked(&["actor", "show", &group]).await;
    assert_eq!(shown["row"]["last_crash"], "restarted by an operator");
    assert_eq!(shown["pinned_to"], to);

    let drains = asked.asked(&["node", "drain", to, "--stay"]).await;
    insta::assert_json_snapshot!("node_drain", shape(&drains));
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
    let again = asked.asked(&["node", "undrain", to]).await;
    insta::assert_json_snapshot!("node_undrain", shape(&again));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_ended_in_order_is_missed_by_nobody() {
    let mut cluster = Cluster::start(2).await;
    let links = async |node: &Node, count: usize| {
        until(node, &["nodes"], "links", |nodes| {
            let nodes = nodes["nodes"].as_array().unwrap();
            let mut own = nodes.iter().filter(|row| row["node"] == "n0");
            own.any(|row| row["links"].as_array().unwrap().len() == count)
        })
        .await
    };
    links(&cluster.nodes[0], 1).await;
    cluster.nodes[1].terminate().await;
    links(&cluster.nodes[0], 0).await;
    // Its next run is linked, and the one before is forgotten.
    cluster.nodes[1].restart().await;
    let nodes = links(&cluster.nodes[0], 1).await;
    assert_eq!(nodes["nodes"][0]["links"][0]["is_up"], true, "{nodes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_known_by_its_id_at_the_node_that_does_it() {
    let cluster = Cluster::start(2).await;
    let ada = Person::register(&cluster.nodes[0], "ada").await;
    let (group, channel) = ada.create_group("Rooks").await;
    let group = format!("group/{group}");
    ada.http.say(&channel, "hello").await;
    let at = home(&cluster.nodes[0], &group).await;
    let mut others = cluster.nodes.iter().zip(["n0", "n1"]);
    let (other, _) = others.find(|(_, name)| *name != at).unwrap();
    let http = Http::new(other.url(), None).with_token(&ada.token);
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let is_over = Arc::clone(&is_over);
        async move {
            let mut requests = BTreeSet::new();
            while !is_over.load(Relaxed) {
                let body = json!({ "content": "from elsewhere" });
                let path = format!("/channels/{channel}/messages");
                let answer = http.post(&path, body).await;
                requests.insert(answer.header("x-request-id").unwrap().to_owned());
            }
            requests
        }
    });
    let trace = ["actor", "trace", &group, "--for", "2s", "--json"];
    let output = other.run(&trace).await;
    is_over.store(true, Relaxed);
    let told = writing.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let parts = text.lines().map(|part| serde_json::from_str(part).unwrap());
    let parts: Vec<Value> = parts.collect();
    let lines = parts
        .iter()
        .flat_map(|part| part["lines"].as_array().unwrap());
    let mut posted = lines
        .filter(|line| line["kind"] == "PostMessage")
        .map(|line| line["request"].as_str().unwrap())
        .peekable();
    assert!(posted.peek().is_some(), "{text}");
    for request in posted {
        assert!(told.contains(request), "{request} is not in {told:?}");
    }
}
