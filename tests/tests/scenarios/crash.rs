//! kill -9 under load, again and again: every acknowledged message is in the history once and in order, nothing that
//! a session was shown is missing from it, and everything answers again. `ROOKERY_ROUNDS` sets how often (10).

use std::time::Duration;

use rookery_tests::harness::load::{Load, Read, check_history, check_shown, history, listen};
use rookery_tests::harness::{Community, Node, Person, soon};

const WRITERS: usize = 6;

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
    let load = Load::start(&people, node.url(), &path);

    let mut shown: Vec<Vec<Read>> = Vec::new();
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
        load.moved(node.url());
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
    let acknowledged = load.finish().await;
    community.ada.http.say(&community.channel, "end").await;
    let peace = soon("the end of the listener", listener)
        .await
        .expect("the listener");

    let mut kept = history(&community.ada.http, &path).await;
    assert_eq!(kept.pop().expect("messages").1, "end");
    check_history(&kept, &acknowledged);
    for life in shown.iter().chain([&peace]) {
        check_shown(life, &kept);
    }
    let from = kept.len() - peace.len();
    assert!(from <= before_peace, "an event of the last life is missing");
    assert_eq!(
        peace,
        kept[from..],
        "the last life's events are not the history's end"
    );
    let count = kept.len();
    let events: usize = shown.iter().map(Vec::len).sum();
    println!("{rounds} kills: {count} messages acknowledged, {events} events shown before a kill");
    assert!(
        count > rounds * WRITERS,
        "hardly any load: {count} messages"
    );
}
