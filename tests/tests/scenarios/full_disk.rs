//! A disk with no room left: the node ends and says so, and what it acknowledged is there once there is room again.

use reqwest::Method;
use rookery_tests::harness::load::history;
use rookery_tests::harness::{Community, Node, NodeOptions, id};
use serde_json::json;

/// Blocks of 512 bytes that a file may have; writing more fails, as on a full disk, and kills nobody.
const ROOM: &str = "trap '' XFSZ; ulimit -f 12288; exec \"$@\"";

#[tokio::test]
async fn a_full_disk_ends_the_node_and_loses_nothing_acknowledged() {
    let options = NodeOptions {
        wrapper: ["sh", "-c", ROOM, "sh"].map(str::to_owned).to_vec(),
        ..NodeOptions::default()
    };
    let mut node = Node::start_with(options).await;
    let mut community = Community::new(&node).await;
    let path = community.messages();
    let mut acknowledged = Vec::new();
    loop {
        let content = format!("{} {}", acknowledged.len(), "x".repeat(1_900));
        let request = community.ada.http.request(Method::POST, &path);
        let request = request.json(&json!({ "content": content }));
        match community.ada.http.try_send(request).await {
            Ok(answer) if answer.status == 200 => acknowledged.push((id(&answer.body), content)),
            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
            Err(_) => break,
        }
    }
    assert!(!acknowledged.is_empty(), "there was some room");
    let status = node.ended().await;
    assert!(!status.success(), "{status}");
    assert!(node.log().contains("File too large"), "{}", node.log());
    node.unwrap_process();
    node.restart().await;
    community.at(&node);
    let kept = history(&community.ada.http, &path).await;
    // The last one may be durable without having been acknowledged.
    assert_eq!(kept[..acknowledged.len()], acknowledged);
    assert!(kept.len() <= acknowledged.len() + 1);
}
