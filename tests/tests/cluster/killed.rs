//! A node is killed under load: sessions that were on it go on at others from their buddy's copy. Nothing is missed; what comes
//! twice had not been acknowledged.

use std::time::{Duration, Instant};

use rookery_tests::harness::load::{Load, Read, check_history, history};
use rookery_tests::harness::wander::wander;
use rookery_tests::harness::{Cluster, Event, Gateway, Person, Resumable, Resumption, id, soon};
use tokio::sync::watch;

const WRITERS: usize = 3;

/// How long a session is there before its node is killed: its buddy is told once a second.
const WHILE: Duration = Duration::from_secs(4);

/// Messages with a content, each once, in the order of their first coming.
fn firsts(events: &[Event], shown: &mut Vec<Read>) {
    for event in events.iter().filter(|event| event.name == "MESSAGE_CREATE") {
        let content = event.data["content"].as_str().unwrap().to_owned();
        let read = (id(&event.data), content);
        if !read.1.is_empty() && read.1 != "settled" && !shown.contains(&read) {
            shown.push(read);
        }
    }
}

/// Resumes at a node, as soon as it can.
async fn at_last(session: &Resumable, url: &str) -> Gateway {
    soon("a resume", async {
        loop {
            match session.at_url(url).try_resume().await {
                Resumption::Resumed(session) => return *session,
                Resumption::Closed(_) => {}
                Resumption::Invalid(_) => panic!("op 9"),
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_survive_the_death_of_their_node() {
    let mut cluster = Cluster::start(3).await;
    let safe = cluster.nodes[0].url().to_owned();
    let mut people = Vec::new();
    for n in 0..WRITERS {
        people.push(Person::register(&cluster.nodes[0], &format!("writer{n}")).await);
    }
    let cut = Person::register(&cluster.nodes[0], "cut").await;
    let (_, channel) = people[0].create_group("Rooks").await;
    let code = people[0].invite(&channel).await;
    for person in people[1..].iter().chain([&cut]) {
        person.accept(&code).await;
    }
    let urls = [0, 1].map(|n: usize| cluster.nodes[n].gateway_url());
    let (_places, watched) = watch::channel(urls.to_vec());
    let mut wanderers = Vec::new();
    for person in &people {
        let session = person.connect(&cluster.nodes[2]).await;
        wanderers.push(wander(session, watched.clone()));
    }
    let mut at_cut = cut.connect(&cluster.nodes[2]).await;
    let path = format!("/channels/{channel}/messages");
    let mut load = Load::start(&people, &safe, &path);
    let begun = Instant::now();
    while begun.elapsed() < WHILE {
        load.goes_on(10).await;
    }
    // It has received everything up to here.
    people[0].http.say(&channel, "settled").await;
    let mut shown = Vec::new();
    firsts(&at_cut.until_message("settled").await, &mut shown);
    at_cut.heartbeat().await;
    firsts(&at_cut.take(), &mut shown);
    let orphan = at_cut.cut();
    load.goes_on(100).await;
    cluster.kill(2);
    load.goes_on(60).await;
    let mut at_cut = at_last(&orphan, &urls[1]).await;
    load.goes_on(60).await;
    let acknowledged = load.finish().await;
    let mut kept = history(&people[0].http, &path).await;
    kept.retain(|(_, content)| content != "settled");
    check_history(&kept, &acknowledged);
    people[0].http.say(&channel, "end").await;
    firsts(&at_cut.until_message("end").await, &mut shown);
    assert_eq!(shown, kept, "who was cut off misses nothing");
    for wanderer in wanderers {
        let mut wandered = soon("the end of a wanderer", wanderer).await.unwrap();
        wandered.shown.retain(|(_, content)| content != "settled");
        assert_eq!(wandered.resumes, 1);
        assert_eq!(wandered.shown, kept);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_two_nodes_dead_at_once_a_client_finds_everything_all_the_same() {
    let mut cluster = Cluster::start(3).await;
    let ada = Person::register(&cluster.nodes[0], "ada").await;
    let (_, channel) = ada.create_group("Rooks").await;
    let mut session = ada.connect(&cluster.nodes[2]).await;
    ada.http.say(&channel, "before").await;
    session.message("before").await;
    let session = session.cut();
    cluster.kill(1);
    cluster.kill(2);
    // Who its buddy was is not known here: the session goes on, or starts anew.
    let session = session.at(&cluster.nodes[0]);
    let found = async {
        loop {
            match session.try_resume().await {
                Resumption::Resumed(_) => break,
                Resumption::Invalid(resumable) => {
                    assert!(!resumable);
                    ada.connect(&cluster.nodes[0]).await;
                    break;
                }
                // It is too early: the two are not condemned yet.
                Resumption::Closed(Some(4000)) => {}
                Resumption::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    };
    soon("the session, or that there is none", found).await;
    let messages = history(&ada.http, &format!("/channels/{channel}/messages")).await;
    assert_eq!(
        messages.last().map(|(_, content)| content.as_str()),
        Some("before")
    );
}
