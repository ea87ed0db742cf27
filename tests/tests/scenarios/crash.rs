//! kill -9 under load, again and again: every acknowledged message is in the history once and in order, nothing that
//! a session was shown is missing from it, and everything answers again. `ROOKERY_ROUNDS` sets how often (10).

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use rookery_tests::harness::{Community, Gateway, Http, Node, Person, Received, id, soon};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const WRITERS: usize = 6;

/// What the tasks follow: where the server is, and whether to go on.
#[derive(Clone)]
struct Stage {
    url: String,
    done: bool,
}

/// Writes numbered messages one after the other. Whenever the outcome is unknown it sends the same message with the
/// same nonce again. Answers the id of each.
async fn write(
    name: usize,
    token: String,
    path: String,
    mut stage: watch::Receiver<Stage>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut server = stage.borrow_and_update().clone();
    let mut http = Http::new(&server.url, None).with_token(&token);
    while !server.done {
        let n = acknowledged.len();
        let body = json!({ "content": format!("{name}:{n}"), "nonce": format!("{name}-{n}"), "enforce_nonce": true });
        loop {
            let request = http.request(Method::POST, &path).json(&body);
            match http.try_send(request).await {
                Ok(answer) if answer.status == 200 => {
                    assert_eq!(answer.body["content"], body["content"]);
                    acknowledged.push(id(&answer.body));
                    break;
                }
                Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
                Err(_) => {
                    // Killed: go on where the next one is.
                    stage.changed().await.expect("the director");
                    server = stage.borrow_and_update().clone();
                    http = Http::new(&server.url, None).with_token(&token);
                }
            }
        }
        server.done = stage.borrow().done;
    }
    acknowledged
}

/// Listens through one life of the server; answers the messages it was shown.
fn listen(mut session: Gateway) -> JoinHandle<Vec<(String, String)>> {
    tokio::spawn(async move {
        let mut shown = Vec::new();
        loop {
            match session.receive().await {
                Received::Event(event) if event.name == "MESSAGE_CREATE" => {
                    let content = event.data["content"].as_str().expect("a content");
                    if content == "end" {
                        return shown;
                    }
                    shown.push((id(&event.data), content.to_owned()));
                }
                Received::Closed(_) => return shown,
                _ => {}
            }
        }
    })
}

/// Writer and number of a content.
fn parse(content: &str) -> (usize, usize) {
    let (writer, n) = content.split_once(':').expect("writer:n");
    (writer.parse().unwrap(), n.parse().unwrap())
}

/// Per writer, numbers follow each other without gap or repetition; with `from_start` they begin with 0.
#[track_caller]
fn check_order(messages: &[(String, String)], from_start: bool) {
    let mut last: HashMap<usize, usize> = HashMap::new();
    let mut last_id = 0;
    for (id, content) in messages {
        let id: u64 = id.parse().unwrap();
        assert!(id > last_id, "ids do not rise at {content}");
        last_id = id;
        let (writer, n) = parse(content);
        match last.insert(writer, n) {
            Some(before) => assert_eq!(n, before + 1, "writer {writer}: {n} after {before}"),
            None => assert!(n == 0 || !from_start, "writer {writer} begins with {n}"),
        }
    }
}

/// The whole history, oldest first.
async fn history(http: &Http, path: &str) -> Vec<(String, String)> {
    let mut messages: Vec<(String, String)> = Vec::new();
    loop {
        let before = messages
            .last()
            .map(|(id, _)| format!("&before={id}"))
            .unwrap_or_default();
        let page = http
            .get(&format!("{path}?limit=100{before}"))
            .await
            .expect(200);
        let page = page.as_array().expect("messages").clone();
        if page.is_empty() {
            // Who joined is announced there too, without a content.
            messages.retain(|(_, content)| !content.is_empty());
            messages.reverse();
            return messages;
        }
        messages.extend(
            page.iter()
                .map(|m| (id(m), m["content"].as_str().unwrap().to_owned())),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_loses_and_repeats_nothing() {
    let rounds: usize =
        std::env::var("ROOKERY_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap());
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let path = community.messages();
    let code = community.ada.invite(&community.channel).await;
    let mut people = vec![community.ada.clone(), community.ben.clone()];
    for n in people.len()..WRITERS {
        let person = Person::register(&node, &format!("writer{n}")).await;
        person.accept(&code).await;
        people.push(person);
    }
    let (director, stage) = watch::channel(Stage {
        url: node.url().to_owned(),
        done: false,
    });
    let writers: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(n, person)| {
            tokio::spawn(write(n, person.token.clone(), path.clone(), stage.clone()))
        })
        .collect();

    let mut shown: Vec<Vec<(String, String)>> = Vec::new();
    for round in 0..rounds {
        let listener = listen(community.ben.connect(&node).await);
        // How long the load runs is the point here, not something to be waited for.
        tokio::time::sleep(Duration::from_millis(150 + (round as u64 * 137) % 500)).await;
        node.kill();
        shown.push(
            soon("the end of the listener", listener)
                .await
                .expect("the listener"),
        );
        if round % 4 == 3 {
            // Killed again right after the start, before anything has settled.
            node.restart().await;
            node.kill();
        }
        node.restart().await;
        community.at(&node);
        director.send_modify(|stage| node.url().clone_into(&mut stage.url));
        let group = format!("/guilds/{}", community.group);
        community.ada.http.get(&group).await.expect(200);
        assert_eq!(
            community.ben.http.get("/users/@me").await.expect(200)["id"],
            community.ben.id
        );
        let members = community
            .ada
            .http
            .get(&format!("{group}/members?limit=100"))
            .await
            .expect(200);
        assert_eq!(members.as_array().unwrap().len(), WRITERS);
    }
    // A last life that ends in peace: the listener is shown everything acknowledged in it.
    let listener = listen(community.ben.connect(&node).await);
    let before_peace = history(&community.ada.http, &path).await.len();
    director.send_modify(|stage| stage.done = true);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.push(soon("the end of a writer", writer).await.expect("a writer"));
    }
    community.ada.http.say(&community.channel, "end").await;
    let peace = soon("the end of the listener", listener)
        .await
        .expect("the listener");

    let mut kept = history(&community.ada.http, &path).await;
    assert_eq!(kept.pop().expect("messages").1, "end");
    check_order(&kept, true);
    let ids: HashMap<&str, &str> = kept
        .iter()
        .map(|(id, content)| (content.as_str(), id.as_str()))
        .collect();
    assert_eq!(ids.len(), kept.len(), "a message is there twice");
    let mut count = 0;
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        for (n, id) in acknowledged.iter().enumerate() {
            assert_eq!(
                ids.get(format!("{writer}:{n}").as_str()),
                Some(&id.as_str()),
                "{writer}:{n}"
            );
            count += 1;
        }
    }
    assert_eq!(count, kept.len(), "the history holds what nobody sent");
    for life in shown.iter().chain([&peace]) {
        check_order(life, false);
        for (id, content) in life {
            assert_eq!(
                ids.get(content.as_str()),
                Some(&id.as_str()),
                "shown and then not there: {content}"
            );
        }
    }
    let from = kept.len() - peace.len();
    assert!(from <= before_peace, "an event of the last life is missing");
    assert_eq!(
        peace,
        kept[from..],
        "the last life's events are not the history's end"
    );
    let events: usize = shown.iter().map(Vec::len).sum();
    println!("{rounds} kills: {count} messages acknowledged, {events} events shown before a kill");
    assert!(
        count > rounds * WRITERS,
        "hardly any load: {count} messages"
    );
}
