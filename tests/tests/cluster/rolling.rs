//! All nodes are replaced one after the other while people write: whoever resumes elsewhere when he is told to reconnect misses
//! nothing and is never told to start anew.

use rookery_tests::harness::load::{Load, check_history, history};
use rookery_tests::harness::wander::wander;
use rookery_tests::harness::{Cluster, Person, soon};
use tokio::sync::watch;

const NODES: usize = 3;
const WRITERS: usize = 3;

fn urls(cluster: &Cluster, but: Option<usize>) -> Vec<String> {
    let nodes = cluster.nodes.iter().enumerate();
    let nodes = nodes.filter(|(n, _)| Some(*n) != but);
    nodes.map(|(_, node)| node.gateway_url()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_costs_nobody_his_session() {
    let mut cluster = Cluster::start(NODES).await;
    let mut people = Vec::new();
    for n in 0..WRITERS {
        people.push(Person::register(&cluster.nodes[0], &format!("writer{n}")).await);
    }
    let (_, channel) = people[0].create_group("Rooks").await;
    let code = people[0].invite(&channel).await;
    for person in &people[1..] {
        person.accept(&code).await;
    }
    let (places, watched) = watch::channel(urls(&cluster, None));
    let mut wanderers = Vec::new();
    for (n, person) in people.iter().enumerate() {
        let session = person.connect(&cluster.nodes[n % NODES]).await;
        wanderers.push(wander(session, watched.clone()));
    }
    let path = format!("/channels/{channel}/messages");
    let mut load = Load::start(&people, cluster.nodes[1].url(), &path);
    for n in 0..NODES {
        load.goes_on(30).await;
        load.moved(cluster.nodes[(n + 1) % NODES].url());
        places.send_replace(urls(&cluster, Some(n)));
        let status = cluster.nodes[n].terminate().await;
        assert!(status.success(), "{status}");
        load.goes_on(30).await;
        cluster.restart(n).await;
        places.send_replace(urls(&cluster, None));
    }
    load.goes_on(30).await;
    let acknowledged = load.finish().await;
    people[0].at(&cluster.nodes[0]);
    let kept = history(&people[0].http, &path).await;
    check_history(&kept, &acknowledged);
    people[0].http.say(&channel, "end").await;
    for wanderer in wanderers {
        let wandered = soon("the end of a wanderer", wanderer).await.unwrap();
        assert!(wandered.resumes > 0, "its node was restarted");
        assert_eq!(wandered.again, 0, "what is handed over is exact");
        assert_eq!(wandered.shown, kept);
    }
}
