//! A client that goes on with its session wherever it can: when its socket ends it resumes at the next node that lets it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::load::Read;
use super::{Gateway, Received, Resumable, Resumption, id};

/// How long it may take until a session goes on, whatever broke.
const RECOVERY: Duration = Duration::from_secs(60);
/// How old what comes again may be: buddies are told once a second, on a slow machine somewhat less often.
const WHILE: Duration = Duration::from_secs(5);
/// Events between two heartbeats.
const BEAT: u64 = 20;

/// What a wanderer was shown.
#[derive(Debug, Default)]
pub struct Wandered {
    /// The messages, each once, in the order of their first coming.
    pub shown: Vec<Read>,
    /// How many came again.
    pub again: usize,
    /// How often it went on somewhere.
    pub resumes: usize,
}

impl Wandered {
    /// Takes note of a message. It may come again only when its first coming was not acknowledged a while before the session's
    /// last node died.
    fn take(&mut self, firsts: &mut HashMap<String, u64>, acked: u64, seq: u64, read: Read) {
        match firsts.get(&read.0) {
            None => {
                firsts.insert(read.0.clone(), seq);
                self.shown.push(read);
            }
            Some(&first) => {
                assert!(
                    first > acked,
                    "{read:?} came again: {first}, {seq}, acknowledged {acked}"
                );
                self.again += 1;
            }
        }
    }
}

/// Follows a session until somebody says "end". `urls` are those of the nodes that may be tried, without a path.
pub fn wander(mut session: Gateway, urls: watch::Receiver<Vec<String>>) -> JoinHandle<Wandered> {
    tokio::spawn(async move {
        let mut wandered = Wandered::default();
        let mut firsts = HashMap::new();
        // What the last heartbeat said; what those said that were answered, and when; and which of that was a while ago at
        // the last resume.
        let (mut said, mut answered, mut acked) = (0, Vec::new(), 0);
        loop {
            let received = tokio::time::timeout(RECOVERY * 2, session.receive_at_last()).await;
            match received.expect("something at last") {
                Received::Event(event) => {
                    if event.seq > said + BEAT {
                        said = event.seq;
                        session.send(1, json!(said)).await;
                    }
                    if event.name == "MESSAGE_CREATE" {
                        let content = event.data["content"].as_str().expect("a content");
                        if content == "end" {
                            return wandered;
                        }
                        if !content.is_empty() {
                            let read = (id(&event.data), content.to_owned());
                            wandered.take(&mut firsts, acked, event.seq, read);
                        }
                    }
                }
                Received::Control(11, _) => answered.push((Instant::now(), said)),
                Received::Control(9, _) => panic!("op 9 after {} resumes", wandered.resumes),
                Received::Control(..) => {}
                Received::Closed(_) => {
                    let old = answered.iter().filter(|(at, _)| at.elapsed() >= WHILE);
                    acked = old.map(|(_, said)| *said).max().unwrap_or(0);
                    let going_on = go_on(session.cut(), &urls);
                    let resumed = tokio::time::timeout(RECOVERY, going_on).await;
                    session = resumed.expect("somewhere to go on in time");
                    said = session.state.seq;
                    wandered.resumes += 1;
                }
            }
        }
    })
}

/// Goes on at the first node that takes the session.
async fn go_on(state: Resumable, urls: &watch::Receiver<Vec<String>>) -> Gateway {
    loop {
        let urls = urls.borrow().clone();
        for url in urls {
            match state.at_url(&url).try_resume().await {
                Resumption::Resumed(session) => return *session,
                Resumption::Invalid(_) => panic!("op 9 at {url} for {state:?}"),
                Resumption::Closed(_) => {}
            }
        }
    }
}
