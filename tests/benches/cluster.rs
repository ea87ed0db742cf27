//! What several nodes cost, and how fast they take over: three real processes over one MongoDB and one Redis.
//!
//! `cargo bench -p rookery-tests --bench cluster -- [PART...] [--members 1000] [--seconds 4] [--rounds 3] [--asks 3000]
//! [--entities 100000]`; parts: nodes, fanout, join. Without a part: all. Nodes share the first core, so times are those of a crowded
//! machine; databases and clients share the last one.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads clocks and prints figures"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use rookery_actors::ownership::{preferred, shard_of};
use rookery_actors::store::SharedStore;
use rookery_node::store::mongo::MongoStore;
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits::{GROUP_IDLE_MS, SHARDS};
use rookery_tests::bench::{
    Cpu, Ours, Room, Table, build_release, measure, median, option, pin_generator, quantile_ms,
    release_node_with, seed_groups, server_pin,
};
use rookery_tests::harness::{Cluster, ClusterOptions, Http, Node, NodeOptions, Person};
use rookery_tests::servers::Mongod;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

const NODES: [&str; 3] = ["n0", "n1", "n2"];
async fn start(nodes: usize) -> Cluster {
    let options = ClusterOptions {
        wrapper: server_pin(),
        ..ClusterOptions::default()
    };
    Cluster::start_with(nodes, options).await
}

/// The longest that a takeover is waited for.
const TAKEOVER: Duration = Duration::from_secs(60);

/// Which node has a group once all are there.
fn owner(group: u64) -> usize {
    let shard = shard_of(GroupId(group).into());
    let name = preferred(shard, NODES);
    let place = NODES.iter().position(|node| Some(*node) == name);
    place.expect("one of them")
}

/// A group on several nodes: what each of them used counts.
struct Spread {
    ours: Ours,
    others: Vec<u32>,
}

impl Room for Spread {
    fn name(&self) -> &'static str {
        "three nodes"
    }

    async fn grow(&mut self, members: usize) {
        self.ours.grow(members).await;
    }

    async fn send(&mut self, in_flight: u64, stop: Instant) -> u64 {
        self.ours.send(in_flight, stop).await
    }

    fn cpu(&self) -> Cpu {
        let others = self.others.iter().map(|pid| Cpu::of(*pid));
        others.fold(self.ours.cpu(), |sum, cpu| sum + cpu)
    }
}

/// The median of how long an answer takes, in milliseconds.
async fn p50(http: &Http, path: &str, asks: usize) -> f64 {
    let mut times = Vec::new();
    for _ in 0..asks {
        let began = Instant::now();
        http.get(path).await.expect(200);
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn asks(ada: &Person, asks: usize, table: &mut Table) {
    let http = ada.http.clone();
    let (mut here, mut there) = (None, None);
    while here.is_none() || there.is_none() {
        let (group, channel) = ada.create_group("Rooks").await;
        let place = owner(group.parse().expect("an id"));
        let which = if place == 0 { &mut here } else { &mut there };
        *which = Some(format!("/channels/{channel}"));
    }
    let (here, there) = (here.expect("one"), there.expect("one"));
    let mut both = Vec::new();
    for _ in 0..3 {
        both.push((
            p50(&http, &here, asks).await,
            p50(&http, &there, asks).await,
        ));
    }
    both.sort_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let (local, remote) = both[1];
    table.row([
        "GET of a channel, p50: group here, group elsewhere".to_owned(),
        format!("{local:.2} ms, {remote:.2} ms"),
        format!("{:.2} ms more (goal < 1)", remote - local),
    ]);
}

/// How long it takes until every group of a node that breaks takes messages again: seconds, the longest.
async fn takeover(
    cluster: &Cluster,
    ada: &Person,
    channels: &[String],
    fault: impl FnOnce(),
) -> f64 {
    let url = cluster.nodes[0].url().to_owned();
    let waiting = channels.iter().map(|channel| {
        let http = Http::new(&url, None).with_token(&ada.token);
        let path = format!("/channels/{channel}/messages");
        async move {
            let began = Instant::now();
            while began.elapsed() < TAKEOVER {
                let request = http.request(Method::POST, &path);
                let request = request.json(&json!({ "content": "again" }));
                if http
                    .try_send(request)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
                {
                    break;
                }
            }
            began.elapsed().as_secs_f64()
        }
    });
    fault();
    let times = futures_util::future::join_all(waiting).await;
    times.into_iter().fold(0.0, f64::max)
}

async fn takeovers(cluster: &mut Cluster, ada: &Person, table: &mut Table) {
    let mut channels = Vec::new();
    while channels.len() < 8 {
        let (group, channel) = ada.create_group("Rooks").await;
        if owner(group.parse().expect("an id")) == 2 {
            ada.http.say(&channel, "before").await;
            channels.push(channel);
        }
    }
    let pid = cluster.nodes[2].pid();
    let signal = |name: &'static str| {
        move || {
            let sent = std::process::Command::new("kill")
                .args(["-s", name, &pid.to_string()])
                .status();
            assert!(sent.expect("kill").success());
        }
    };
    let hung = takeover(cluster, ada, &channels, signal("STOP")).await;
    table.row([
        "a node hangs (SIGSTOP): its groups take messages again".to_owned(),
        format!("{hung:.1} s"),
        "goal < 10 s".to_owned(),
    ]);
    cluster.nodes[2].signal("CONT");
    cluster.nodes[2]
        .logged("the incarnation has begun", 2)
        .await;
    cluster.kill(2);
    cluster.restart(2).await;
    for channel in &channels {
        ada.http.say(channel, "between").await;
    }
    let pid = cluster.nodes[2].pid();
    let kill = move || {
        let sent = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        assert!(sent.expect("kill").success());
    };
    let killed = takeover(cluster, ada, &channels, kill).await;
    table.row([
        "a node is killed (-9): its groups take messages again".to_owned(),
        format!("{killed:.1} s"),
        "goal < 2 s, refused connections seen".to_owned(),
    ]);
}

async fn fan_out(members: usize, table: &mut Table) {
    let time = Duration::from_secs(option("seconds", "4")[0]);
    let rounds: usize = option("rounds", "3")[0];
    let mongod = Mongod::start().await;
    let options = NodeOptions {
        env: vec![("ROOKERY_STORE_URL".to_owned(), mongod.url("alone"))],
        ..NodeOptions::default()
    };
    let mut alone = Ours::with_node(release_node_with(options).await, members).await;
    alone.grow(members).await;
    let mut cluster = start(NODES.len()).await;
    let first: Node = cluster.nodes.remove(0);
    // The group is at the first node, everybody who listens at the second one.
    let mut ours = Ours::with_group(first, members, |group| owner(group) == 0).await;
    ours.readers_at = Some(cluster.nodes[0].address());
    let others = cluster.nodes.iter().map(Node::pid).collect();
    let mut spread = Spread { ours, others };
    spread.grow(members).await;
    measure(&mut alone, members, 16, Duration::from_secs(2)).await;
    measure(&mut spread, members, 16, Duration::from_secs(2)).await;
    for in_flight in [1, 64] {
        let (mut one, mut three) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            one.push(measure(&mut alone, members, in_flight, time).await);
            three.push(measure(&mut spread, members, in_flight, time).await);
        }
        let (one, three) = (median(one), median(three));
        table.row([
            format!("{members} sessions on another node, {in_flight} in flight: CPU per delivery, one node, three"),
            format!("{:.2} us, {:.2} us", one.cost(), three.cost()),
            format!("{:.2}x (goal <= 1.4x)", three.cost() / one.cost()),
        ]);
    }
}

/// Groups that are woken at a time.
const WAKING: usize = 64;
/// Groups that are woken before it is looked whether those before them are to be asked again, and when they are.
const WOKEN: usize = 5_000;
const AGAIN: Duration = Duration::from_millis(GROUP_IDLE_MS / 3);
/// Commands a second while a node joins.
const RATE: u32 = 200;
/// How long they are measured while nothing moves.
const QUIET: Duration = Duration::from_secs(10);
/// The pause between two looks at where the shards are.
const LOOK: Duration = Duration::from_millis(500);
/// The longest delay that a node may cost anybody who joins.
const DELAY: Duration = Duration::from_millis(250);

/// Commands of one kind: when each was due, and how long it took from then on.
type Taken = Rc<RefCell<Vec<(Instant, Duration)>>>;

/// Active groups of one person, and how long commands to them take.
struct Crowd {
    /// At each node.
    https: Vec<Http>,
    groups: Vec<(GroupId, ChannelId)>,
    asked: Cell<usize>,
    reads: Taken,
    writes: Taken,
}

impl Crowd {
    /// Every group is active, each at its node. Those that were woken first would fall asleep while the last are.
    async fn wake(&self) {
        let mut all_asked = Instant::now();
        for (n, some) in self.groups.chunks(WOKEN).enumerate() {
            self.ask(some).await;
            if all_asked.elapsed() > AGAIN {
                self.ask(&self.groups[..n * WOKEN]).await;
                all_asked = Instant::now();
            }
        }
    }

    async fn ask(&self, groups: &[(GroupId, ChannelId)]) {
        let next = RefCell::new(groups.iter());
        let waking = (0..WAKING).map(|n| {
            let (http, next) = (&self.https[n % self.https.len()], &next);
            async move {
                loop {
                    let group = next.borrow_mut().next();
                    let Some((group, _)) = group else { return };
                    // A database that is new to so much may be late.
                    while http.get(&format!("/guilds/{group}")).await.status != 200 {}
                }
            }
        });
        futures_util::future::join_all(waking).await;
    }

    /// Commands to groups at random, at their rate whatever the answers take: reads and messages in turn. Never ends.
    async fn trickle(&self) {
        let mut dice = StdRng::seed_from_u64(5);
        let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
        for n in 0.. {
            let due: Instant = tick.tick().await.into();
            let (group, channel) = self.groups[dice.random_range(0..self.groups.len())];
            let http = self.https[n % self.https.len()].clone();
            let is_read = (n / self.https.len()).is_multiple_of(2);
            self.asked.set(n + 1);
            let taken = Rc::clone(if is_read { &self.reads } else { &self.writes });
            tokio::task::spawn_local(async move {
                loop {
                    let answer = if is_read {
                        http.get(&format!("/guilds/{group}")).await
                    } else {
                        let path = format!("/channels/{channel}/messages");
                        http.post(&path, json!({ "content": "Caw." })).await
                    };
                    // Who is told to come again has not been answered yet.
                    if answer.status == 200 {
                        break;
                    }
                    assert_eq!(answer.status, 503, "{}", answer.text);
                }
                taken.borrow_mut().push((due, due.elapsed()));
            });
        }
    }
}

/// Quantiles of the commands that were due in a time, and how many took longer than may be.
fn delays(taken: &Taken, from: Instant, until: Instant) -> (String, Duration) {
    let taken = taken.borrow();
    let within = taken.iter().filter(|(due, _)| (from..until).contains(due));
    let mut times: Vec<Duration> = within.map(|(_, took)| *took).collect();
    times.sort_unstable();
    let slow = times.iter().filter(|took| **took > DELAY).count();
    let text = format!(
        "p50 {:.1}, p99 {:.1}, max {:.0} ms of {} ({slow} over 250 ms)",
        quantile_ms(&times, 0.5),
        quantile_ms(&times, 0.99),
        quantile_ms(&times, 1.0),
        times.len()
    );
    (text, times.last().copied().unwrap_or_default())
}

/// A figure of some nodes together, as one of them says it.
async fn figure(asked: &Node, of: &[&str], what: &str) -> u64 {
    let nodes = asked.asked(&["nodes"]).await;
    let rows = nodes["nodes"].as_array().expect("rows").iter();
    let rows = rows.filter(|row| of.iter().any(|name| row["node"] == **name));
    rows.filter_map(|row| row[what].as_u64()).sum()
}

/// A third node comes while there are so many active groups.
async fn join(entities: usize, table: &mut Table) {
    build_release();
    let mut cluster = start(2).await;
    let ada = Person::register(&cluster.nodes[0], "ada").await;
    let (like, _) = ada.create_group("Rooks").await;
    let store = MongoStore::connect(&cluster.database_url()).await;
    let store: SharedStore = Arc::new(store.expect("a store"));
    let groups = seed_groups(&store, GroupId(like.parse().expect("an id")), entities).await;
    let at = |node: &Node| Http::new(node.url(), None).with_token(&ada.token);
    let crowd = Rc::new(Crowd {
        https: cluster.nodes.iter().map(at).collect(),
        groups,
        asked: Cell::new(0),
        reads: Taken::default(),
        writes: Taken::default(),
    });
    let began = Instant::now();
    crowd.wake().await;
    let woken = began.elapsed();
    let active = figure(&cluster.nodes[0], &NODES, "groups").await;
    println!("{active} groups are active after {woken:.0?}");
    let trickling = Rc::clone(&crowd);
    let trickle = tokio::task::spawn_local(async move { trickling.trickle().await });
    let quiet = Instant::now();
    tokio::time::sleep(QUIET).await;

    let joins = Instant::now();
    cluster.grow().await;
    let ready = joins.elapsed();
    let wanted = (0..SHARDS).filter(|shard| preferred(*shard, NODES) == Some(NODES[2]));
    let wanted = wanted.count() as u64;
    while figure(&cluster.nodes[0], &NODES[2..], "shards").await < wanted {
        tokio::time::sleep(LOOK).await;
    }
    let moved = Instant::now();
    // The last of what moved is asked for, too.
    tokio::time::sleep(QUIET).await;
    trickle.abort();
    let end = Instant::now();
    let answered = crowd.reads.borrow().len() + crowd.writes.borrow().len();
    // Those of the last moments may be under way.
    assert!(
        answered + 20 > crowd.asked.get(),
        "{answered} of {} are answered",
        crowd.asked.get()
    );
    table.row([
        format!("a third node joins {active} active groups: it is ready, has its {wanted} shards"),
        format!(
            "{:.1} s, {:.1} s",
            ready.as_secs_f64(),
            (moved - joins).as_secs_f64()
        ),
        String::new(),
    ]);
    for (name, taken) in [("read", &crowd.reads), ("message", &crowd.writes)] {
        let (text, _) = delays(taken, quiet, joins);
        table.row([
            format!("a {name} at {RATE} commands a second, before"),
            text,
            String::new(),
        ]);
        let (text, most) = delays(taken, joins, end);
        let verdict = if most <= DELAY { "held" } else { "missed" };
        table.row([
            format!("a {name}, while it joins"),
            text,
            format!("goal: nobody over 250 ms; {verdict}"),
        ]);
    }
}

/// Whether a part was asked for; all are if none is.
fn is_wanted(part: &str) -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |part: &str| words.iter().any(|word| word == part);
    named(part) || !["nodes", "fanout", "join"].into_iter().any(named)
}

async fn nodes(table: &mut Table) {
    let count = option::<usize>("asks", "3000")[0];
    // Builds the binary, and is what the memory of a node is compared with.
    let mongod = Mongod::start().await;
    let options = NodeOptions {
        env: vec![("ROOKERY_STORE_URL".to_owned(), mongod.url("alone"))],
        ..NodeOptions::default()
    };
    let alone = release_node_with(options).await;
    let mut cluster = start(NODES.len()).await;
    // Before anybody has registered: hashing a password takes 19 MB, and some of it stays.
    let most = cluster
        .nodes
        .iter()
        .map(Node::resident_kb)
        .max()
        .unwrap_or(0);
    let more = (most as f64 - alone.resident_kb() as f64) / 1e3;
    table.row([
        "an idle node of three, beside one alone on MongoDB".to_owned(),
        format!(
            "{:.1} MB, {:.1} MB",
            most as f64 / 1e3,
            alone.resident_kb() as f64 / 1e3
        ),
        format!("{more:.1} MB more (goal < 20)"),
    ]);
    let ada = Person::register(&cluster.nodes[0], "ada").await;
    asks(&ada, count, table).await;
    takeovers(&mut cluster, &ada, table).await;
}

async fn run() {
    let mut table = Table::new(&["what", "figures", "verdict"]);
    if is_wanted("nodes") {
        nodes(&mut table).await;
    }
    if is_wanted("fanout") {
        fan_out(option("members", "1000")[0], &mut table).await;
    }
    if is_wanted("join") {
        join(option("entities", "100000")[0], &mut table).await;
    }
    table.print();
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
