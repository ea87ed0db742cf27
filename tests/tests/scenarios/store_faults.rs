//! A node on MongoDB whose database is killed, paused, cut off or fails over under load: nothing acknowledged is lost,
//! nothing is there twice, the order holds, no gateway socket is closed, and everything resumes by itself.
//! `ROOKERY_ROUNDS` times a fifth of it (2).

use std::time::Duration;

use rookery_tests::harness::load::{Load, check_history, check_shown, history, listen};
use rookery_tests::harness::{Community, Node, NodeOptions, Person, RedisServer, soon};
use rookery_tests::servers::{Flow, MongoSet, Mongod, MongodOptions, Proxy};
use serde_json::json;

const WRITERS: usize = 6;

/// How often a fault is repeated.
fn rounds() -> usize {
    let full = std::env::var("ROOKERY_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap());
    (full / 5).max(2)
}

/// A community on a node on MongoDB, with people who write and one who listens all along.
struct Stage {
    node: Node,
    community: Community,
    people: Vec<Person>,
}

impl Stage {
    async fn on(url: String) -> Self {
        Self::with(url, None).await
    }

    async fn with(store: String, redis: Option<String>) -> Self {
        let redis = redis.map(|url| ("ROOKERY_EPHEMERAL_URL".to_owned(), url));
        let store = ("ROOKERY_STORE_URL".to_owned(), store);
        let node = Node::start_with(NodeOptions {
            env: std::iter::once(store).chain(redis).collect(),
            ..NodeOptions::default()
        })
        .await;
        let community = Community::new(&node).await;
        let code = community.ada.invite(&community.channel).await;
        let mut people = vec![community.ada.clone(), community.ben.clone()];
        for n in people.len()..WRITERS {
            let person = Person::register(&node, &format!("writer{n}")).await;
            person.accept(&code).await;
            people.push(person);
        }
        Self {
            node,
            community,
            people,
        }
    }

    /// Runs faults under load, and checks everything afterwards.
    async fn check(&self, mut fault: impl AsyncFnMut(usize)) {
        let path = self.community.messages();
        let listener = listen(self.community.ben.connect(&self.node).await);
        let mut load = Load::start(&self.people, self.node.url(), &path);
        for round in 0..rounds() {
            load.goes_on(50).await;
            fault(round).await;
        }
        load.goes_on(50).await;
        let acknowledged = load.finish().await;
        let ada = &self.community.ada.http;
        ada.say(&self.community.channel, "end").await;
        let shown = soon("the end of the listener", listener).await.unwrap();
        let mut kept = history(ada, &path).await;
        assert_eq!(kept.pop().expect("messages").1, "end");
        check_history(&kept, &acknowledged);
        check_shown(&shown, &kept);
        assert_eq!(shown, kept, "the socket stayed, and missed nothing");
    }
}

/// How long a server is paused: longer than a lease, and than any deadline of a request.
const PAUSE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_killed_and_started_again_costs_nothing_but_time() {
    let mut mongod = Mongod::start().await;
    let stage = Stage::on(mongod.url("chat")).await;
    stage
        .check(async |_| {
            mongod.kill().await;
            mongod.restart().await;
        })
        .await;
}

/// mongod ends when its disk is full, and is started again when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_disk_is_full_loses_nothing() {
    let options = MongodOptions {
        file_bytes: Some(160 * 1_024 * 1_024),
        ..MongodOptions::default()
    };
    let mut mongod = Mongod::start_with(options).await;
    let stage = Stage::on(mongod.url("chat")).await;
    let mut is_full = false;
    stage
        .check(async |_| {
            // Once is enough: then there is room.
            if !std::mem::replace(&mut is_full, true) {
                mongod.fill().await;
                mongod.make_room();
                mongod.restart().await;
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_steps_down_or_dies_is_followed() {
    let mut set = MongoSet::start(3).await;
    let stage = Stage::on(set.url("chat")).await;
    stage
        .check(async |round| {
            if round % 2 == 0 {
                set.step_down().await;
            } else {
                let primary = set.primary().await;
                set.member(primary).kill().await;
                // The other two elect one of them before it comes back.
                set.primary().await;
                set.member(primary).restart().await;
                set.settled().await;
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_waited_for() {
    let mongod = Mongod::start().await;
    let stage = Stage::on(mongod.url("chat")).await;
    stage
        .check(async |_| {
            mongod.process().pause();
            // The pause itself is the fault.
            tokio::time::sleep(PAUSE).await;
            mongod.process().resume();
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_or_hangs_costs_nothing() {
    let mongod = Mongod::start().await;
    let mut redis = RedisServer::start().await;
    let stage = Stage::with(mongod.url("chat"), Some(redis.url())).await;
    stage
        .check(async |round| {
            if round % 2 == 0 {
                redis.kill();
                redis.begin().await;
            } else {
                redis.pause();
                // The pause itself is the fault.
                tokio::time::sleep(PAUSE).await;
                redis.resume();
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_loses_delays_or_cuts_loses_nothing_of_ours() {
    let mongod = Mongod::start().await;
    let proxy = Proxy::to(mongod.address()).await;
    let stage = Stage::on(mongod.url_through(&proxy, "chat")).await;
    stage
        .check(async |round| {
            let (pass, hold) = (Flow::Pass, Flow::Hold);
            let slow = Flow::Delay(Duration::from_millis(200));
            for (up, down) in [(hold, hold), (hold, pass), (pass, hold), (slow, slow)] {
                proxy.set(up, down);
                // How long the fault lasts is the fault.
                tokio::time::sleep(Duration::from_millis(700 + 300 * (round as u64 % 5))).await;
                proxy.heal();
            }
            proxy.cut();
        })
        .await;
}

/// A command waits within its deadline, is then told when to come again, and sockets stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_requests_are_told_so_and_sockets_stay() {
    let mut mongod = Mongod::start().await;
    let stage = Stage::on(mongod.url("chat")).await;
    let Stage {
        community, node, ..
    } = &stage;
    let mut socket = community.ben.connect(node).await;
    mongod.kill().await;
    let path = community.messages();
    let body = json!({ "content": "waits", "nonce": "1", "enforce_nonce": true });
    let answer = community.ada.http.post(&path, body.clone()).await;
    answer.refused(503, 0);
    assert!(answer.header("retry-after").is_some());
    let history = community.ada.http.get(&path).await;
    history.refused(503, 0);
    assert!(history.header("retry-after").is_some());
    // The socket is alive all along.
    socket.heartbeat().await;
    mongod.restart().await;
    let sent = loop {
        let answer = community.ada.http.post(&path, body.clone()).await;
        if answer.status == 200 {
            break answer.body;
        }
        answer.refused(503, 0);
    };
    let event = socket.message("waits").await;
    assert_eq!(event["id"], sent["id"], "once, whatever was tried");
}
