//! SIGTERM: sessions are told to reconnect, what was acknowledged is there, and the process ends in time.

use std::time::{Duration, Instant};

use rookery_tests::harness::{Community, Node, Person};
use serde_json::{Value, json};

#[tokio::test]
async fn sigterm_tells_sessions_to_reconnect_and_loses_nothing() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let mut writers = Vec::new();
    for writer in 0..4 {
        let (http, path) = (community.ada.http.clone(), community.messages());
        writers.push(tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0.. {
                let content = format!("{writer}:{n}");
                let request = http
                    .request(reqwest::Method::POST, &path)
                    .json(&json!({ "content": content }));
                match http.try_send(request).await {
                    Ok(answer) if answer.status == 200 => acknowledged.push(content),
                    Ok(answer) => {
                        assert_eq!(answer.status, 503, "{}", answer.text);
                        break;
                    }
                    Err(_) => break,
                }
            }
            acknowledged
        }));
    }
    ben_sees.message("0:5").await;
    let asked = Instant::now();
    node.signal("TERM");
    ben_sees.control(7).await;
    let status = node.ended().await;
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(status.code(), Some(0));
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() > 4);

    node.restart().await;
    community.at(&node);
    let mut history: Vec<String> = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("{}?limit=100{before}", community.messages());
        let page = community.ada.http.get(&path).await.expect(200);
        let Some(last) = page.as_array().unwrap().last() else {
            break;
        };
        before = format!("&before={}", last["id"].as_str().unwrap());
        history.extend(page.as_array().unwrap().iter().map(|m| text(&m["content"])));
    }
    for content in &acknowledged {
        let copies = history.iter().filter(|kept| *kept == content).count();
        assert_eq!(copies, 1, "{content}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn an_idle_server_ends_at_once_and_readiness_ends_with_it() {
    let mut node = Node::start().await;
    node.http().get("//healthz").await.expect(200);
    node.http().get("//readyz").await.expect(200);
    let asked = Instant::now();
    assert_eq!(node.terminate().await.code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    let mut node = node;
    node.restart().await;
    node.signal("INT");
    assert_eq!(node.ended().await.code(), Some(0));
}

#[tokio::test]
async fn an_operator_drains_a_node_and_waits_for_its_end() {
    let mut node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let mut session = ada.connect(&node).await;
    let output = node.run(&["node", "drain"]).await;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the node has ended"), "{said}");
    session.control(7).await;
    assert!(node.ended().await.success());
    let output = node.run(&["node", "drain"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("no node serves"),
        "{said}"
    );
}
