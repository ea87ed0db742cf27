//! Nodes that are killed, hung and cut off while people write: nothing acknowledged is lost or there twice, the order holds,
//! and whoever's node lives misses nothing on his socket.

use rookery_tests::harness::load::{Load, check_history, check_shown, history, listen};
use rookery_tests::harness::{Cluster, ClusterOptions, Person, soon};
use rookery_tests::servers::Flow;

use super::actors::{home, lives};

const WRITERS: usize = 4;
/// Where the writers write and the listener listens; the other nodes are those that break.
const SAFE: usize = 0;
/// What a node logs when another one took its place.
const FENCED: &str = "the incarnation was fenced";
/// What a node logs when a link with another one is up.
const LINKED: &str = "is_up=true";

/// How often a fault is repeated.
fn rounds() -> usize {
    let full = std::env::var("ROOKERY_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap());
    (full / 5).max(2)
}

/// A community with a group for each writer's path, and somebody who listens.
struct Stage {
    cluster: Cluster,
    people: Vec<Person>,
    groups: Vec<String>,
    channels: Vec<String>,
    rounds: usize,
}

impl Stage {
    async fn new() -> Self {
        Self::on(Cluster::start(3).await).await
    }

    /// On nodes whose links can be cut.
    async fn behind_proxies() -> Self {
        let options = ClusterOptions {
            proxied: true,
            ..ClusterOptions::default()
        };
        Self::on(Cluster::start_with(3, options).await).await
    }

    async fn on(cluster: Cluster) -> Self {
        let node = &cluster.nodes[SAFE];
        let ada = Person::register(node, "ada").await;
        let mut people = vec![ada.clone()];
        for n in 1..WRITERS {
            people.push(Person::register(node, &format!("writer{n}")).await);
        }
        let (mut groups, mut channels) = (Vec::new(), Vec::new());
        for n in 0..8 {
            let (group, channel) = ada.create_group(&format!("Rooks {n}")).await;
            let code = ada.invite(&channel).await;
            for person in &people[1..] {
                person.accept(&code).await;
            }
            groups.push(format!("group/{group}"));
            channels.push(channel);
        }
        Self {
            cluster,
            people,
            groups,
            channels,
            rounds: rounds(),
        }
    }

    /// Sees to it that one of the groups lives on a node: its writers have to wait when the node breaks.
    async fn inhabit(&self, n: usize) {
        let (node, name) = (&self.cluster.nodes[SAFE], format!("n{n}"));
        for group in &self.groups {
            if home(node, group).await == name {
                return;
            }
        }
        let group = &self.groups[0];
        let migrate = ["actor", "migrate", group, "--to", &name];
        node.asked(&migrate).await;
        lives(node, group, |at| at == name).await;
    }

    /// Breaks one of the other nodes under load, mends it when everything goes on without it, and checks everything
    /// afterwards.
    async fn check(
        mut self,
        mut fault: impl AsyncFnMut(&mut Cluster, usize),
        mut mend: impl AsyncFnMut(&mut Cluster, usize),
    ) {
        let path = |channel: &String| format!("/channels/{channel}/messages");
        let url = self.cluster.nodes[SAFE].url().to_owned();
        let mut loads = Vec::new();
        let mut listeners = Vec::new();
        for (n, channel) in self.channels.iter().enumerate() {
            let session = self.people[n % WRITERS]
                .connect(&self.cluster.nodes[SAFE])
                .await;
            listeners.push(listen(session));
            loads.push(Load::start(&self.people, &url, &path(channel)));
        }
        for round in 0..self.rounds {
            for load in &mut loads {
                load.goes_on(30).await;
            }
            let broken = 1 + round % 2;
            self.inhabit(broken).await;
            fault(&mut self.cluster, broken).await;
            for load in &mut loads {
                load.goes_on(30).await;
            }
            mend(&mut self.cluster, broken).await;
        }
        let mut acknowledged = Vec::new();
        for mut load in loads {
            load.goes_on(30).await;
            acknowledged.push(load.finish().await);
        }
        let ada = &self.people[0].http;
        let mut kept = Vec::new();
        for (channel, acknowledged) in self.channels.iter().zip(&acknowledged) {
            let messages = history(ada, &path(channel)).await;
            check_history(&messages, acknowledged);
            kept.push(messages);
        }
        let last = self.channels.last().unwrap();
        ada.say(last, "end").await;
        for listener in listeners {
            let shown = soon("the end of a listener", listener).await.unwrap();
            for messages in &kept {
                let ids: std::collections::HashSet<_> = messages.iter().map(|(id, _)| id).collect();
                let here: Vec<_> = shown
                    .iter()
                    .filter(|(id, _)| ids.contains(id))
                    .cloned()
                    .collect();
                check_shown(&here, messages);
                // Of the last channel the end says that nothing more comes; of the others something may be on its way.
                if std::ptr::eq(messages, kept.last().unwrap()) {
                    assert_eq!(&here, messages, "the socket stayed, and missed nothing");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_costs_time_and_no_message() {
    let kill = async |cluster: &mut Cluster, n| cluster.kill(n);
    let restart = async |cluster: &mut Cluster, n| cluster.restart(n).await;
    let mut stage = Stage::new().await;
    // With `--full` for five minutes, a kill every five seconds.
    stage.rounds *= 3;
    stage.check(kill, restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_is_replaced_and_says_nothing_false_when_it_wakes() {
    let stop = async |cluster: &mut Cluster, n: usize| cluster.nodes[n].signal("STOP");
    let wake = async |cluster: &mut Cluster, n: usize| {
        let before = cluster.nodes[n].log().matches(FENCED).count();
        cluster.nodes[n].signal("CONT");
        cluster.logs(n, FENCED, before + 1).await;
    };
    Stage::new().await.check(stop, wake).await;
}

/// It cannot write, is replaced, and takes its place again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_from_the_database_is_replaced_and_comes_back() {
    let cut = async |cluster: &mut Cluster, n: usize| cluster.to_mongod[n].blackhole();
    let heal = async |cluster: &mut Cluster, n: usize| {
        let begun = "the incarnation has begun";
        let before = cluster.nodes[n].log().matches(begun).count();
        cluster.to_mongod[n].heal();
        cluster.logs(n, begun, before + 1).await;
    };
    Stage::new().await.check(cut, heal).await;
}

/// Cuts the last node off from the others, one way or both, until it is fenced; then it hears them again. By default as
/// often as there are `ways`.
async fn isolate(ways: usize, flows: impl Fn(usize) -> (Flow, Flow)) {
    let cut = async |cluster: &mut Cluster, n: usize| {
        let before = cluster.nodes[2].log().matches(FENCED).count();
        let (to, from) = flows(n);
        cluster.to_node[2].set(to, from);
        cluster.logs(2, FENCED, before + 1).await;
    };
    let heal = async |cluster: &mut Cluster, _: usize| {
        let before = cluster.nodes[2].log().matches(LINKED).count();
        cluster.to_node[2].heal();
        cluster.logs(2, LINKED, before + 2).await;
    };
    let mut stage = Stage::behind_proxies().await;
    // A cut is waited out for ten seconds before anybody is condemned for it.
    stage.rounds = stage.rounds / 2 * ways;
    stage.check(cut, heal).await;
}

/// It writes to the database, and nobody hears it: it has to go until somebody does, however old it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_from_the_others_is_evicted_and_comes_back() {
    isolate(1, |_| (Flow::Hold, Flow::Hold)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_hears_and_is_not_heard_is_no_link() {
    isolate(2, |n| {
        if n == 1 {
            (Flow::Hold, Flow::Pass)
        } else {
            (Flow::Pass, Flow::Hold)
        }
    })
    .await;
}

/// What it holds may be lost, and nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_come_and_go() {
    let kill = async |cluster: &mut Cluster, _: usize| cluster.redis.kill();
    let restart = async |cluster: &mut Cluster, _: usize| cluster.redis.begin().await;
    Stage::new().await.check(kill, restart).await;
}

/// All nodes wait for the next primary, none is condemned meanwhile, and they go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_over_condemns_nobody_and_loses_nothing() {
    let options = ClusterOptions {
        replicated: true,
        ..ClusterOptions::default()
    };
    let stage = Stage::on(Cluster::start_with(3, options).await).await;
    let fail_over = async |cluster: &mut Cluster, n: usize| {
        let set = cluster.database.set();
        if n == 1 {
            let primary = set.primary().await;
            set.member(primary).kill().await;
            // The other two elect one of them.
            set.primary().await;
        } else {
            set.step_down().await;
        }
    };
    let mend = async |cluster: &mut Cluster, _: usize| {
        for node in &cluster.nodes {
            assert!(!node.log().contains(FENCED), "{}", node.log());
        }
        let set = cluster.database.set();
        for member in 0..3 {
            if !set.member(member).is_running() {
                set.member(member).restart().await;
            }
        }
        set.settled().await;
    };
    stage.check(fail_over, mend).await;
}
