//! A few members over one store that answers at once, while time passes in ticks.

use std::collections::BTreeMap;

use rookery_protocol::document::{Key, NodeState, ShardRow, Shards};
use rookery_protocol::limits::{CONDEMN_MS, LEASE_MS, LINK_CUT_MS, SHARDS, SHARDS_LEAVING};
use rookery_protocol::time::Millis;

use super::row;
use crate::ownership::{
    Boot, Effect, Input, Member, Now, Settings, Standing, Timing, read, release,
};
use crate::store::memory::MemoryStore;
use crate::store::{self, Commit, Store};
use crate::testkit::{START, ready};

const TICK_MS: u64 = 250;

struct Node {
    member: Member,
    /// The next commit of its lane.
    seq: u64,
    lease: Boot,
    is_frozen: bool,
    /// What it said that a shell must act on.
    said: Vec<&'static str>,
    /// Whom it holds for over, and since when.
    over: Vec<(String, u64)>,
}

struct Cluster {
    store: MemoryStore,
    now: u64,
    nodes: BTreeMap<&'static str, Node>,
    shards: u16,
    is_away: bool,
    /// Whether what one says of shards reaches the others.
    is_heard: bool,
    /// What was said of shards and has not reached them yet.
    moved: Vec<(&'static str, Vec<(u16, ShardRow)>)>,
}

impl Cluster {
    fn new(names: &[&'static str], shards: u16) -> Self {
        let mut cluster = Self {
            store: MemoryStore::new(),
            now: 1_000_000,
            nodes: BTreeMap::new(),
            shards,
            is_away: false,
            is_heard: true,
            moved: Vec::new(),
        };
        for name in names {
            cluster.start(name);
        }
        cluster.pass(5_000);
        cluster
    }

    fn settings(&self, node: &str, process: u64) -> Settings {
        Settings {
            node: node.to_owned(),
            address: format!("{node}:4100"),
            process,
            lanes: 1,
            shards: self.shards,
            alone: false,
            timing: Timing::default(),
        }
    }

    fn start(&mut self, name: &'static str) {
        let settings = self.settings(name, self.now);
        self.start_with(name, settings);
    }

    fn start_with(&mut self, name: &'static str, settings: Settings) {
        let node = Node {
            member: Member::new(settings),
            seq: 0,
            lease: Boot(0),
            is_frozen: false,
            said: Vec::new(),
            over: Vec::new(),
        };
        self.nodes.insert(name, node);
    }

    fn at(&self) -> Now {
        Now {
            boot: Boot(self.now),
            wall: START.plus(self.now),
        }
    }

    fn input(&mut self, name: &'static str, input: Input) {
        self.input_one(name, input);
        while let Some((from, shards)) = self.moved.pop() {
            let others = self.nodes.iter();
            let others = others.filter(|(name, node)| **name != from && !node.is_frozen);
            let others: Vec<_> = others.map(|(name, _)| *name).collect();
            if self.is_heard {
                for other in others {
                    self.input_one(other, Input::Learned(shards.clone()));
                }
            }
        }
    }

    fn input_one(&mut self, name: &'static str, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let mut out = Vec::new();
            let now = self.at();
            for input in inputs.drain(..) {
                self.nodes
                    .get_mut(name)
                    .unwrap()
                    .member
                    .step(now, input, &mut out);
            }
            for effect in out {
                inputs.extend(self.carry_out(name, effect));
            }
        }
    }

    fn carry_out(&mut self, name: &'static str, effect: Effect) -> Option<Input> {
        let node = self.nodes.get_mut(name).unwrap();
        let store = &self.store;
        let away = self.is_away;
        Some(match effect {
            Effect::Decide { ticket, op } => {
                let verdict = ready(store::transact(store, &op)).map_err(|_| ());
                let verdict = if away { Err(()) } else { verdict };
                Input::Decided { ticket, verdict }
            }
            Effect::Read { ticket, what } => {
                let facts = if away { Err(()) } else { Ok(()) };
                let facts = facts.and_then(|()| ready(read(store, &what)).map_err(|_| ()));
                Input::Facts { ticket, facts }
            }
            Effect::Fence { ticket, lane } => {
                let result = ready(store.fence(&lane)).map_err(|_| ());
                Input::LaneFenced { ticket, result }
            }
            Effect::Begun { id, .. } => {
                let number = id.number;
                let lane = crate::ownership::lane(&id, 0);
                node.seq = ready(store.open_lane(&lane)).unwrap();
                node.said.push("begun");
                Input::Opened { number }
            }
            Effect::Release(shards) => {
                let me = node.member.id().unwrap().clone();
                node.seq += 1;
                let unit = |&(shard, epoch): &(u16, u64)| release(&me, 0, shard, epoch);
                let commit = Commit {
                    lane: crate::ownership::lane(&me, 0),
                    seq: node.seq,
                    units: shards.iter().map(unit).collect(),
                };
                ready(store.commit(&commit)).unwrap();
                Input::Released(shards)
            }
            Effect::Lease(until) => {
                node.lease = until;
                return None;
            }
            Effect::Quiet => Input::Quiet { used: Millis(1) },
            Effect::Over(other) => {
                node.over.push((other.to_string(), self.now));
                return None;
            }
            Effect::Ended => return node.say("ended"),
            Effect::Superseded => return node.say("superseded"),
            Effect::Stop => return node.say("stop"),
            Effect::Moved(shards) => {
                self.moved.push((name, shards));
                return None;
            }
            Effect::Ceiling(_) | Effect::Serve(_) | Effect::Hint => return None,
        })
    }

    /// Lets time pass for all that are not frozen.
    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / TICK_MS {
            self.now += TICK_MS;
            let awake = |(name, node): (&&'static str, &Node)| (!node.is_frozen).then_some(*name);
            let awake: Vec<_> = self.nodes.iter().filter_map(awake).collect();
            for name in awake {
                self.input(name, Input::Tick { minted: Millis(0) });
            }
            self.link(true);
        }
    }

    /// Every pair of nodes that live is linked, as far as they know each other, or all links are cut.
    fn link(&mut self, is_up: bool) {
        self.link_if(|_, _| is_up);
    }

    /// Every pair of nodes that live is linked or cut.
    fn link_if(&mut self, is_up: impl Fn(&str, &str) -> bool) {
        let names: Vec<_> = self.nodes.keys().copied().collect();
        for &name in &names {
            for &other in &names {
                let peer = self.nodes[other].member.id().cloned();
                let is_awake = !self.nodes[name].is_frozen;
                if name != other
                    && is_awake
                    && let Some(peer) = peer
                {
                    let is_up = is_up(name, other);
                    self.input(name, Input::Link { peer, is_up });
                }
            }
        }
    }

    /// How many shards each holds.
    fn held(&self) -> Vec<usize> {
        let held = |node: &Node| {
            (0..self.shards)
                .filter(|&s| node.member.epoch(s).is_some())
                .count()
        };
        self.nodes.values().map(held).collect()
    }

    fn standing(&self, name: &str) -> Standing {
        self.nodes[name].member.standing()
    }

    fn number(&self, name: &str) -> u64 {
        self.nodes[name].member.id().map_or(0, |id| id.number)
    }
}

impl Node {
    fn say(&mut self, what: &'static str) -> Option<Input> {
        self.said.push(what);
        None
    }
}

const UP: Standing = Standing::In(NodeState::Up);

#[test]
fn a_node_alone_takes_all_shards_without_a_lease() {
    let mut cluster = Cluster::new(&[], SHARDS);
    let settings = Settings {
        alone: true,
        ..cluster.settings("n1", 1)
    };
    cluster.start_with("n1", settings);
    cluster.pass(TICK_MS);
    assert_eq!(cluster.held(), [usize::from(SHARDS)]);
    assert_eq!(cluster.nodes["n1"].lease, Boot(u64::MAX));
    // Nothing is written while nothing happens, but what reserves ids.
    let rows = || row::<Shards>(&cluster.store, &Key::new(0, 0));
    assert!(rows().is_some());
    // After a kill the next run fences what is left and goes on.
    let settings = Settings {
        alone: true,
        ..cluster.settings("n1", 2)
    };
    cluster.start_with("n1", settings);
    cluster.pass(TICK_MS);
    assert_eq!(cluster.number("n1"), 2);
    assert_eq!(cluster.held(), [usize::from(SHARDS)]);
    // An orderly end gives nothing away one by one.
    cluster.input("n1", Input::Drain);
    assert_eq!(cluster.nodes["n1"].said, ["begun", "ended"]);
}

#[test]
fn a_few_shards_at_a_time_are_nobodys_and_soon_none_if_what_is_said_is_heard() {
    for (is_heard, within_ms) in [(true, 3_000), (false, 60_000)] {
        let mut cluster = Cluster::new(&["n1"], 512);
        cluster.is_heard = is_heard;
        cluster.start("n2");
        let mut passed = 0;
        while cluster.held()[1..].iter().sum::<usize>() < 200 {
            cluster.pass(TICK_MS);
            passed += TICK_MS;
            let held: usize = cluster.held().iter().sum();
            assert!(512 - held <= SHARDS_LEAVING, "{held} are held");
            assert!(passed < within_ms, "{:?}", cluster.held());
        }
        cluster.pass(10_000);
        assert_eq!(cluster.held().iter().sum::<usize>(), 512);
    }
}

#[test]
fn shards_move_to_who_joins_and_back_from_who_drains() {
    let mut cluster = Cluster::new(&["n1"], 64);
    assert_eq!(cluster.held(), [64]);
    cluster.start("n2");
    cluster.pass(5_000);
    let held = cluster.held();
    assert!(
        held[0] > 16 && held[1] > 16 && held[0] + held[1] == 64,
        "{held:?}"
    );
    cluster.input("n1", Input::Drain);
    cluster.pass(5_000);
    assert_eq!(cluster.nodes["n1"].said, ["begun", "ended"]);
    assert_eq!(cluster.held()[1], 64);
    let over = &cluster.nodes["n2"].over;
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].0, "n1/1");
}

#[test]
fn who_freezes_is_fenced_after_its_lease_and_comes_back_anew() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 64);
    cluster.nodes.get_mut("n2").unwrap().is_frozen = true;
    let lease = cluster.nodes["n2"].lease;
    cluster.pass(CONDEMN_MS);
    assert!(cluster.now > lease.0);
    cluster.pass(4_000);
    let held = cluster.held();
    assert_eq!(held[0] + held[2], 64);
    cluster.nodes.get_mut("n2").unwrap().is_frozen = false;
    cluster.pass(8_000);
    for name in ["n1", "n3"] {
        let over = &cluster.nodes[name].over;
        assert!(over.len() == 1 && over[0].0 == "n2/1", "{over:?}");
        assert!(over[0].1 > lease.0);
    }
    assert_eq!(cluster.nodes["n2"].said, ["begun", "stop", "begun"]);
    assert_eq!((cluster.number("n2"), cluster.standing("n2")), (2, UP));
    assert_eq!(cluster.held().iter().sum::<usize>(), 64);
}

#[test]
fn a_store_that_is_away_condemns_nobody_and_all_go_on() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 64);
    let before = cluster.held();
    for _ in 0..3 {
        cluster.is_away = true;
        cluster.pass(30_000);
        assert!(cluster.nodes["n1"].lease.0 < cluster.now - LEASE_MS);
        cluster.is_away = false;
        cluster.pass(3_000);
    }
    assert_eq!(cluster.held(), before);
    assert!(cluster.nodes.values().all(|node| node.said == ["begun"]));
}

#[test]
fn two_refused_connections_condemn_at_once() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 64);
    let peer = cluster.nodes["n3"].member.id().unwrap().clone();
    cluster.nodes.get_mut("n3").unwrap().is_frozen = true;
    for by in ["n1", "n2"] {
        let by = by.to_owned();
        let peer = peer.clone();
        cluster.input("n1", Input::Refused { by, peer });
    }
    let tick = Input::Tick { minted: Millis(0) };
    cluster.input("n1", tick.clone());
    cluster.input("n2", Input::Hint);
    cluster.input("n2", tick);
    let held = cluster.held();
    assert_eq!(held[0] + held[1], 64);
}

#[test]
fn of_two_whose_link_is_cut_the_younger_goes_and_waits_outside() {
    let mut cluster = Cluster::new(&["n1", "n2"], 64);
    let joined = |cluster: &Cluster, name: &str| {
        let member = &cluster.nodes[name].member;
        let me = member.id().unwrap();
        let node = member.view().nodes.iter().find(|node| node.id == *me);
        node.map(|node| node.joined)
    };
    assert!(joined(&cluster, "n1") < joined(&cluster, "n2"));
    let mut evicted = u64::MAX;
    for _ in 0..(LINK_CUT_MS + 3_000) / TICK_MS {
        cluster.link(false);
        cluster.now += TICK_MS;
        for name in ["n1", "n2"] {
            cluster.input(name, Input::Tick { minted: Millis(0) });
        }
        let view = cluster.nodes["n1"].member.view();
        if view.cuts > 0 {
            evicted = evicted.min(cluster.now);
        }
    }
    assert_eq!(cluster.nodes["n2"].said, ["begun", "stop", "begun"]);
    // Evicted is not yet over.
    let over = &cluster.nodes["n1"].over;
    assert!(over.len() == 1 && over[0].1 > evicted + 1_000, "{over:?}");
    assert_eq!(cluster.standing("n1"), UP);
    assert_eq!(cluster.standing("n2"), Standing::In(NodeState::Joining));
    assert_eq!(cluster.held(), [64, 0]);
    cluster.pass(5_000);
    assert_eq!(cluster.standing("n2"), UP);
    assert!(cluster.held()[1] > 0);
}

/// Had the oldest its way, it would evict everybody else.
#[test]
fn a_node_that_is_cut_off_from_all_others_goes_however_old_it_is() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 64);
    for _ in 0..(LINK_CUT_MS + 6_000) / TICK_MS {
        cluster.link_if(|one, other| one != "n1" && other != "n1");
        cluster.now += TICK_MS;
        for name in ["n1", "n2", "n3"] {
            cluster.input(name, Input::Tick { minted: Millis(0) });
        }
    }
    assert_eq!(cluster.nodes["n1"].said, ["begun", "stop", "begun"]);
    assert_eq!(cluster.standing("n1"), Standing::In(NodeState::Joining));
    assert_eq!(cluster.nodes["n2"].said, ["begun"]);
    assert_eq!(cluster.nodes["n3"].said, ["begun"]);
    let held = cluster.held();
    assert_eq!((held[0], held[1] + held[2]), (0, 64));
}

/// Both reach most of the nodes: one has to go, and it is the younger one.
#[test]
fn of_two_who_do_not_reach_each_other_but_everybody_else_the_younger_goes() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 64);
    for _ in 0..(LINK_CUT_MS + 6_000) / TICK_MS {
        cluster.link_if(|one, other| !(one != "n3" && other != "n3"));
        cluster.now += TICK_MS;
        for name in ["n1", "n2", "n3"] {
            cluster.input(name, Input::Tick { minted: Millis(0) });
        }
    }
    assert_eq!(cluster.nodes["n2"].said, ["begun", "stop", "begun"]);
    assert_eq!(cluster.nodes["n1"].said, ["begun"]);
    assert_eq!(cluster.nodes["n3"].said, ["begun"]);
}

/// Nobody links with it before he has read of it, and the store is away for longer than a link may be cut.
#[test]
fn a_node_that_joins_evicts_nobody() {
    let mut cluster = Cluster::new(&["n1", "n2"], 64);
    cluster.start("n3");
    let hears =
        |one: &str, other: &str| [one, other] != ["n3", "n2"] && [one, other] != ["n2", "n3"];
    for away in [false, true, false] {
        cluster.is_away = away;
        for _ in 0..(LINK_CUT_MS + 4_000) / TICK_MS {
            cluster.link_if(hears);
            cluster.now += TICK_MS;
            for name in ["n1", "n2", "n3"] {
                cluster.input(name, Input::Tick { minted: Millis(0) });
            }
        }
    }
    assert!(cluster.nodes.values().all(|node| node.said == ["begun"]));
    assert_eq!(cluster.standing("n3"), Standing::In(NodeState::Joining));
    cluster.pass(5_000);
    assert_eq!(cluster.standing("n3"), UP);
}

#[test]
fn a_second_process_of_the_same_name_ends_the_first() {
    let mut cluster = Cluster::new(&["n1"], 8);
    let settings = cluster.settings("n1", 99);
    cluster.start_with("second", settings);
    cluster.pass(5_000);
    assert_eq!(cluster.nodes["n1"].said, ["begun", "stop", "superseded"]);
    assert_eq!(cluster.held(), [0, 8]);
}

#[test]
fn a_shard_stays_where_an_operator_wants_it_while_that_node_is_up() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"], 12);
    let holds = |cluster: &Cluster, name: &str, shard| {
        let held = cluster.nodes[name].member.epoch(shard);
        held.is_some()
    };
    let shard = (0..12).find(|&shard| holds(&cluster, "n1", shard)).unwrap();
    let before = cluster.held();
    let pin = |node: Option<&str>| Input::Pin {
        shard,
        node: node.map(str::to_owned),
    };
    // Whoever is asked.
    cluster.input("n3", pin(Some("n2")));
    cluster.pass(5_000);
    assert!(holds(&cluster, "n2", shard) && !holds(&cluster, "n1", shard));
    assert_eq!(cluster.held().iter().sum::<usize>(), 12);
    // It gives the others what it has of its own, and this one too.
    cluster.input("n2", Input::Yield(true));
    cluster.pass(5_000);
    assert!(!holds(&cluster, "n2", shard));
    cluster.input("n2", Input::Yield(false));
    cluster.pass(5_000);
    assert!(holds(&cluster, "n2", shard), "it is up again");
    cluster.input("n1", pin(None));
    cluster.pass(5_000);
    assert!(holds(&cluster, "n1", shard));
    assert_eq!(cluster.held(), before);
    assert_eq!(cluster.nodes["n1"].member.view().pins, []);
    // There is no such shard.
    let node = Some("n2".to_owned());
    cluster.input("n1", Input::Pin { shard: 12, node });
    cluster.pass(5_000);
    assert_eq!(cluster.nodes["n1"].member.view().pins, []);
}

#[test]
fn who_yields_has_nothing_and_stays_until_he_takes_part_again() {
    let mut cluster = Cluster::new(&["n1", "n2"], 12);
    let before = cluster.held();
    cluster.input("n1", Input::Yield(true));
    cluster.pass(5_000);
    assert_eq!(cluster.held(), [0, 12]);
    assert_eq!(cluster.standing("n1"), Standing::In(NodeState::Draining));
    cluster.pass(20_000);
    assert_eq!(cluster.standing("n1"), Standing::In(NodeState::Draining));
    cluster.input("n1", Input::Yield(false));
    cluster.pass(5_000);
    assert_eq!(cluster.standing("n1"), UP);
    assert_eq!(cluster.held(), before);
}
