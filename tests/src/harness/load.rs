//! People who write while something breaks, and what is checked afterwards: every acknowledged message is in the history
//! once, with the id it was acknowledged with, and in the order it was written.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Gateway, Http, Person, Received, id};

/// How long it may take until messages are acknowledged again, whatever broke.
const RECOVERY: Duration = Duration::from_secs(120);

/// How often who listens says that he is there.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// A message as its reader knows it: its id and its content.
pub type Read = (String, String);

/// What the writers follow: where the server is, and whether to go on.
#[derive(Debug, Clone)]
struct Stage {
    url: String,
    done: bool,
}

/// Writers, each with messages that are numbered and sent one after the other.
#[derive(Debug)]
pub struct Load {
    director: watch::Sender<Stage>,
    acknowledged: watch::Receiver<usize>,
    writers: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Each of the people begins to write to the messages at `path`.
    pub fn start(people: &[Person], url: &str, path: &str) -> Self {
        let (director, stage) = watch::channel(Stage {
            url: url.to_owned(),
            done: false,
        });
        let (count, acknowledged) = watch::channel(0);
        let writer = |(name, person): (usize, &Person)| {
            let (token, path) = (person.token.clone(), path.to_owned());
            tokio::spawn(write(name, token, path, stage.clone(), count.clone()))
        };
        Self {
            director,
            acknowledged,
            writers: people.iter().enumerate().map(writer).collect(),
        }
    }

    /// The server is somewhere else now.
    pub fn moved(&self, url: &str) {
        self.director
            .send_modify(|stage| url.clone_into(&mut stage.url));
    }

    /// Waits until so many more messages were acknowledged.
    pub async fn goes_on(&mut self, messages: usize) {
        let goal = *self.acknowledged.borrow() + messages;
        let reached = self.acknowledged.wait_for(|count| *count >= goal);
        let reached = tokio::time::timeout(RECOVERY, reached).await;
        reached.expect("acknowledgements in time").expect("writers");
    }

    /// Lets everybody finish what he is at; answers the ids that each was told, in the order he wrote.
    pub async fn finish(self) -> Vec<Vec<String>> {
        self.director.send_modify(|stage| stage.done = true);
        let mut acknowledged = Vec::new();
        for writer in self.writers {
            acknowledged.push(
                tokio::time::timeout(RECOVERY, writer)
                    .await
                    .expect("the end of a writer")
                    .expect("a writer"),
            );
        }
        acknowledged
    }
}

/// Writes numbered messages one after the other. Whenever the outcome is unknown it sends the same message with the
/// same nonce again. Answers the id of each.
async fn write(
    name: usize,
    token: String,
    path: String,
    mut stage: watch::Receiver<Stage>,
    count: watch::Sender<usize>,
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
                    count.send_modify(|count| *count += 1);
                    break;
                }
                Ok(answer) => {
                    assert_eq!(answer.status, 503, "{}", answer.text);
                    assert!(answer.header("retry-after").is_some(), "when to come again");
                }
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

/// Listens until the session ends or somebody says "end"; answers the messages it was shown.
pub fn listen(mut session: Gateway) -> JoinHandle<Vec<Read>> {
    tokio::spawn(async move {
        let mut shown = Vec::new();
        let mut beat = tokio::time::interval(HEARTBEAT);
        loop {
            // While something is broken nothing comes but what answers heartbeats.
            let received = tokio::select! {
                received = session.receive_at_last() => received,
                _ = beat.tick() => {
                    session.beat().await;
                    continue;
                }
            };
            match received {
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

/// The whole history at `path`, oldest first, of what writers wrote.
pub async fn history(http: &Http, path: &str) -> Vec<Read> {
    let mut messages: Vec<Read> = Vec::new();
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

/// Writer and number of a content.
fn parse(content: &str) -> (usize, usize) {
    let (writer, n) = content.split_once(':').expect("writer:n");
    (writer.parse().unwrap(), n.parse().unwrap())
}

/// Asserts that ids rise and that numbers follow each other per writer; with `from_start` they begin with 0.
#[track_caller]
pub fn check_order(messages: &[Read], from_start: bool) {
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

/// Asserts that the history is what was acknowledged, neither more nor less, and in order.
#[track_caller]
pub fn check_history(kept: &[Read], acknowledged: &[Vec<String>]) {
    check_order(kept, true);
    let ids = ids(kept);
    assert_eq!(ids.len(), kept.len(), "a message is there twice");
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        for (n, id) in acknowledged.iter().enumerate() {
            let content = format!("{writer}:{n}");
            assert_eq!(
                ids.get(content.as_str()),
                Some(&id.as_str()),
                "{content} was acknowledged and is not there"
            );
        }
    }
    let count: usize = acknowledged.iter().map(Vec::len).sum();
    assert_eq!(count, kept.len(), "the history holds what nobody sent");
}

/// Asserts that everything somebody was shown is in the history.
#[track_caller]
pub fn check_shown(shown: &[Read], kept: &[Read]) {
    check_order(shown, false);
    let ids = ids(kept);
    for (id, content) in shown {
        assert_eq!(
            ids.get(content.as_str()),
            Some(&id.as_str()),
            "shown and then not there: {content}"
        );
    }
}

/// The ids of messages by their content.
fn ids(messages: &[Read]) -> HashMap<&str, &str> {
    messages
        .iter()
        .map(|(id, content)| (content.as_str(), id.as_str()))
        .collect()
}
