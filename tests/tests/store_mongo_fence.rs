//! Nodes that are killed or frozen in the middle of a commit: whoever takes over waits for milliseconds, and what the other
//! one does when it comes back has no effect. The nodes are processes of their own, this test started again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a panic in a test is the report; the processes a test starts talk to it over stdout"
)]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rookery_actors::store::{
    Commit, CommitError, Committed, LaneId, Order, Scan, Store, StoreError, Unit, Write,
};
use rookery_node::store::mongo::MongoStore;
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::ids::GroupId;
use rookery_tests::servers::{Mongod, Proxy};

const TABLE: TableId = TableId::Messages;

/// The variable by which a process knows that it plays the node.
const NODE: &str = "ROOKERY_TEST_NODE_URL";

/// More than a takeover takes on a busy machine, and far less than the minute and more that MongoDB would keep the lock.
const TAKEOVER: Duration = Duration::from_millis(2_000);

fn lane(incarnation: u64) -> LaneId {
    LaneId {
        node: "node-1".to_owned(),
        incarnation,
        index: 0,
    }
}

fn commit(incarnation: u64, seq: u64) -> Commit {
    Commit {
        lane: lane(incarnation),
        seq,
        units: vec![Unit {
            entity: GroupId(1).into(),
            absent: Vec::new(),
            writes: vec![Write::Insert {
                table: TABLE,
                key: Key::new(1, seq),
                row: format!("by {incarnation}").into_bytes(),
            }],
        }],
    }
}

/// The rows there are, each with who wrote it.
async fn rows(store: &MongoStore) -> Vec<String> {
    let scan = Scan {
        table: TABLE,
        partition: 1.into(),
        above: None,
        below: None,
        order: Order::Ascending,
        limit: usize::MAX,
    };
    let rows = store.scan(&scan).await.unwrap().into_iter();
    rows.map(|(_, row)| String::from_utf8(row).unwrap())
        .collect()
}

/// A node in a process of its own, behind a proxy.
struct Node {
    server: Mongod,
    proxy: Proxy,
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Node {
    async fn start(test: &str) -> Self {
        let server = Mongod::start().await;
        let proxy = Proxy::to(server.address()).await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(NODE, server.url_through(&proxy, "rookery"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            server,
            proxy,
            child,
            said,
        }
    }

    /// The next thing it says that begins so.
    fn says(&mut self, what: &str) -> String {
        // The proxy runs meanwhile.
        tokio::task::block_in_place(|| {
            let lines = self.said.by_ref().map_while(Result::ok);
            let mut found = lines.filter(|line| line.starts_with(what));
            found
                .next()
                .unwrap_or_else(|| panic!("it never said {what:?}"))
        })
    }

    fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name])
            .arg(self.child.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// If this process is the node: commits until it is fenced, saying what it knows.
fn play_node(mut play: impl AsyncFnMut(&MongoStore)) -> bool {
    let Ok(url) = std::env::var(NODE) else {
        return false;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = MongoStore::connect(&url).await.unwrap();
        play(&store).await;
    });
    true
}

async fn commit_until_fenced(store: &MongoStore) {
    store.open_lane(&lane(1)).await.unwrap();
    let mut seq = 1;
    loop {
        match store.commit(&commit(1, seq)).await {
            Ok(_) => {
                println!("committed {seq}");
                seq += 1;
            }
            Err(CommitError::Unknown(_)) => println!("unknown {seq}"),
            Err(error) => {
                println!("ended {error}");
                return;
            }
        }
    }
}

/// Freezes or kills a node at a command of a commit, takes over, and lets everything late arrive.
async fn take_over(test: &str, at: &[u8], signal: &str) {
    let mut node = Node::start(test).await;
    node.says("committed 3");
    node.proxy.hold_at(at).await;
    node.signal(signal);

    let store = MongoStore::connect(&node.server.url("rookery"))
        .await
        .unwrap();
    let began = Instant::now();
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    let took = began.elapsed();
    println!("fenced within {took:?}");
    assert!(took < TAKEOVER, "the takeover took {took:?}");
    let there = rows(&store).await.len() as u64;
    // The next incarnation writes the very row that the other one had in its hands.
    assert_eq!(store.open_lane(&lane(2)).await, Ok(0));
    for seq in 1..=there + 1 {
        assert_eq!(
            store.commit(&commit(2, seq)).await,
            Ok(Committed::default())
        );
    }

    node.proxy.heal();
    if signal == "STOP" {
        node.signal("CONT");
        assert_eq!(node.says("ended"), "ended the lane is fenced");
    }
    node.child.wait().unwrap();
    node.proxy.drained().await;
    assert_eq!(
        store.commit(&commit(1, there + 1)).await,
        Err(CommitError::Fenced)
    );
    assert_eq!(
        rows(&store).await,
        vec!["by 2"; usize::try_from(there).unwrap() + 1]
    );
}

/// The lane's document is touched, the rows are not yet written.
const BEFORE_ROWS: &[u8] = b"\x02insert\0";
const BEFORE_COMMIT: &[u8] = b"commitTransaction\0";

#[test]
fn a_node_killed_before_its_rows_is_taken_over_at_once() {
    if !play_node(commit_until_fenced) {
        let name = "a_node_killed_before_its_rows_is_taken_over_at_once";
        rookery_tests::contract::run(take_over(name, BEFORE_ROWS, "KILL"));
    }
}

#[test]
fn a_node_killed_before_its_commit_is_taken_over_at_once() {
    if !play_node(commit_until_fenced) {
        let name = "a_node_killed_before_its_commit_is_taken_over_at_once";
        rookery_tests::contract::run(take_over(name, BEFORE_COMMIT, "KILL"));
    }
}

#[test]
fn a_node_frozen_before_its_rows_commits_nothing_when_it_wakes() {
    if !play_node(commit_until_fenced) {
        let name = "a_node_frozen_before_its_rows_commits_nothing_when_it_wakes";
        rookery_tests::contract::run(take_over(name, BEFORE_ROWS, "STOP"));
    }
}

#[test]
fn a_node_frozen_before_its_commit_commits_nothing_when_it_wakes() {
    if !play_node(commit_until_fenced) {
        let name = "a_node_frozen_before_its_commit_commits_nothing_when_it_wakes";
        rookery_tests::contract::run(take_over(name, BEFORE_COMMIT, "STOP"));
    }
}

/// A lane that is alive and at work: what it was told is committed is there, and nothing else.
#[test]
fn a_lane_at_work_is_fenced_between_two_commits() {
    rookery_tests::contract::run(async {
        let url = rookery_tests::contract::fresh_database().await;
        let working = MongoStore::connect(&url).await.unwrap();
        let other = MongoStore::connect(&url).await.unwrap();
        for incarnation in 1..=10 {
            working.open_lane(&lane(incarnation)).await.unwrap();
            let (tell, mut told) = tokio::sync::watch::channel(0);
            let store = working.clone();
            let at_work = tokio::spawn(async move {
                let mut seq = 1;
                loop {
                    match store.commit(&commit(incarnation, seq)).await {
                        Ok(_) => {
                            let _ = tell.send(seq);
                            seq += 1;
                        }
                        Err(CommitError::Unknown(_)) => {}
                        Err(error) => return (error, seq - 1),
                    }
                }
            });
            told.wait_for(|seq| *seq >= 3).await.unwrap();
            let began = Instant::now();
            assert_eq!(other.fence(&lane(incarnation)).await, Ok(()));
            assert!(began.elapsed() < TAKEOVER);
            let by = format!("by {incarnation}");
            let there = rows(&other).await;
            let there = there.iter().filter(|row| **row == by).count() as u64;
            let (error, last) = at_work.await.unwrap();
            assert_eq!((error, last), (CommitError::Fenced, there));
        }
    });
}

/// A transaction that belongs to no lane: who wants its rows ends it when it has stood open for a while.
#[test]
fn a_decision_of_a_killed_node_holds_up_nobody_for_long() {
    decision_of_a_node_that(
        "KILL",
        "a_decision_of_a_killed_node_holds_up_nobody_for_long",
    );
}

/// Its connection stays open, as when a network loses everything.
#[test]
fn a_decision_of_a_frozen_node_holds_up_nobody_for_long() {
    decision_of_a_node_that(
        "STOP",
        "a_decision_of_a_frozen_node_holds_up_nobody_for_long",
    );
}

fn decision_of_a_node_that(signal: &str, test: &str) {
    let key = Key::single("view");
    let rows = [(TABLE, key.clone())];
    let write = |by: &str| {
        let by = by.as_bytes().to_vec();
        let key = key.clone();
        move |_: &[Option<Vec<u8>>]| {
            vec![Write::Put {
                table: TABLE,
                key: key.clone(),
                row: by.clone(),
            }]
        }
    };
    let is_node = play_node(async |store: &MongoStore| {
        for n in 1.. {
            store.transact(&rows, &write("killed")).await.unwrap();
            println!("decided {n}");
        }
    });
    if is_node {
        return;
    }
    rookery_tests::contract::run(async {
        let mut node = Node::start(test).await;
        node.says("decided 3");
        node.proxy.hold_at(BEFORE_COMMIT).await;
        node.signal(signal);
        let store = MongoStore::connect(&node.server.url("rookery"))
            .await
            .unwrap();
        store.open_lane(&lane(2)).await.unwrap();
        let began = Instant::now();
        let decided = store.transact(&rows, &write("living")).await;
        assert!(decided.is_ok(), "{decided:?}");
        assert!(began.elapsed() < 2 * TAKEOVER, "{:?}", began.elapsed());
        node.signal("KILL");
        node.proxy.heal();
        node.child.wait().unwrap();
        node.proxy.drained().await;
        let row = store.get(TABLE, &key).await.unwrap();
        assert_eq!(row.as_deref(), Some(&b"living"[..]));
    });
}

/// A lane that wants such rows is not held up either.
#[test]
fn a_commit_is_not_held_up_by_a_killed_node_for_long() {
    let key = Key::new(1, 1);
    let rows = [(TABLE, key.clone())];
    let decide = |_: &[Option<Vec<u8>>]| {
        vec![Write::Put {
            table: TABLE,
            key: Key::new(1, 1),
            row: b"killed".to_vec(),
        }]
    };
    let is_node = play_node(async |store: &MongoStore| {
        for n in 1.. {
            match store.transact(&rows, &decide).await {
                Ok(_) => println!("decided {n}"),
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    if is_node {
        return;
    }
    rookery_tests::contract::run(async {
        let mut node = Node::start("a_commit_is_not_held_up_by_a_killed_node_for_long").await;
        node.says("decided 3");
        node.proxy.hold_at(BEFORE_COMMIT).await;
        node.signal("KILL");
        let store = MongoStore::connect(&node.server.url("rookery"))
            .await
            .unwrap();
        store.open_lane(&lane(2)).await.unwrap();
        let began = Instant::now();
        while store.commit(&commit(2, 1)).await != Ok(Committed::default()) {
            assert!(began.elapsed() < 2 * TAKEOVER, "{:?}", began.elapsed());
        }
        assert_eq!(crate::rows(&store).await, ["by 2"]);
    });
}
