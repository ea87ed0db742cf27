//! A server that was stopped goes on where it was: people identify anew and find everything.

use rookery_tests::harness::{Community, Node, Person, id};
use serde_json::json;

#[tokio::test]
async fn after_a_restart_sessions_are_identified_anew_and_the_history_is_complete() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let ben_sees = community.ben.connect(&node).await;
    let mut sent = vec![community.first_message().await];
    for n in 0..150 {
        sent.push(id(&community
            .ada
            .http
            .say(&community.channel, &format!("message {n}"))
            .await));
    }
    let edited = format!("{}/{}", community.messages(), sent[10]);
    community
        .ada
        .http
        .patch(&edited, json!({ "content": "edited" }))
        .await
        .expect(200);
    community
        .ada
        .http
        .delete(&format!("{}/{}", community.messages(), sent.remove(20)))
        .await
        .expect(204);
    let mut session = ben_sees.cut();
    node.kill();
    node.restart().await;
    community.at(&node);

    session.url = format!("{}/?v=10&encoding=json", node.gateway_url());
    session.is_gone().await;
    let mut ben_sees = community.ben.connect(&node).await;
    let mut history: Vec<String> = Vec::new();
    while history.len() < sent.len() {
        let before = history
            .last()
            .map(|id| format!("&before={id}"))
            .unwrap_or_default();
        let path = format!("{}?limit=100{before}", community.messages());
        let page = community.ben.http.get(&path).await.expect(200);
        assert_ne!(page, json!([]), "only {} of {}", history.len(), sent.len());
        history.extend(page.as_array().unwrap().iter().map(id));
    }
    history.reverse();
    assert_eq!(history, sent);
    assert_eq!(
        community.ben.http.get(&edited).await.expect(200)["content"],
        "edited"
    );

    // New ids lie above all old ones, and both people go on talking.
    let next = community.ada.http.say(&community.channel, "and on").await;
    assert!(id(&next).parse::<u64>().unwrap() > sent.last().unwrap().parse().unwrap());
    ben_sees.message("and on").await;
    Person::login(&node, "ada").await;
}
