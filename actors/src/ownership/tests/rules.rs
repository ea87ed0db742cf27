//! Each rule against the states it may meet.

use rookery_protocol::document::{
    Incarnations, Key, NodeRow, NodeState, Nodes, Phase, ShardRow, Shards, View, ViewRow, Workers,
};
use rookery_protocol::time::Millis;

use super::{apply, begin, fence, id, row};
use crate::ownership::{Begin, Change, Claim, End, Op, Refusal, Reserve, Verdict, release};
use crate::store::memory::MemoryStore;
use crate::store::{self, Store, Write};
use crate::testkit::ready;

fn begun(worker: u16, floor: u64) -> Verdict {
    Verdict::Begun {
        worker,
        id_floor: Millis(floor),
    }
}

fn refused(why: Refusal) -> Verdict {
    Verdict::Refused(why)
}

fn started(nodes: &[&str]) -> MemoryStore {
    let store = MemoryStore::new();
    for (worker, node) in (0..).zip(nodes) {
        let op = Op::Begin(begin(node, 0, worker, None));
        assert_eq!(apply(&store, &op), begun(worker, 0));
    }
    store
}

fn view(store: &MemoryStore) -> ViewRow {
    row::<View>(store, &Key::single(0)).unwrap_or_default()
}

fn states(store: &MemoryStore) -> Vec<(String, NodeState)> {
    let nodes = view(store).nodes.into_iter();
    nodes
        .map(|node| (node.id.to_string(), node.state))
        .collect()
}

fn shard(store: &MemoryStore, shard: u64) -> Option<ShardRow> {
    row::<Shards>(store, &Key::new(0, shard))
}

fn claim(node: &str, number: u64, owners: &[(&str, u64)]) -> Op {
    Op::Claim(Claim {
        me: id(node, number),
        lane: 0,
        shards: vec![5, 6],
        owners: owners.iter().map(|(node, n)| id(node, *n)).collect(),
    })
}

/// The owners and epochs of a verdict.
fn owners(verdict: Verdict) -> Vec<(u16, String, u64)> {
    match verdict {
        Verdict::Claimed(rows) => rows
            .into_iter()
            .map(|(shard, row)| (shard, row.owner.to_string(), row.epoch))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn commit(store: &MemoryStore, node: &str, number: u64, seq: u64, writes: Vec<Write>) {
    let commit = store::Commit {
        lane: super::super::lane(&id(node, number), 0),
        seq,
        units: vec![store::Unit {
            entity: super::super::NODE,
            absent: Vec::new(),
            writes,
        }],
    };
    ready(store.commit(&commit)).expect("it commits");
}

#[test]
fn a_begin_takes_the_next_number_a_worker_id_and_a_place_in_the_view() {
    let store = started(&["b", "a"]);
    assert_eq!(
        states(&store),
        [
            ("a/1".to_owned(), NodeState::Joining),
            ("b/1".to_owned(), NodeState::Joining)
        ]
    );
    let view = view(&store);
    assert!(view.nodes[0].joined > view.nodes[1].joined);
    assert_eq!(
        row::<Nodes>(&store, &Key::single("a")).unwrap().incarnation,
        1
    );
    assert_eq!(
        row::<Workers>(&store, &Key::new(0, 1)).unwrap().holder,
        id("a", 1)
    );
}

#[test]
fn a_begin_refuses_what_changed_since_it_was_read() {
    let store = started(&["a", "b"]);
    let try_it = |begin: Begin| apply(&store, &Op::Begin(begin));
    let other = Begin {
        process: 78,
        ..begin("a", 0, 0, None)
    };
    assert_eq!(try_it(other), refused(Refusal::Stale));
    let alive = begin("a", 1, 0, Some(id("a", 1)));
    assert_eq!(try_it(alive.clone()), refused(Refusal::Lives));
    fence(&store, &id("a", 1));
    let of_b = begin("a", 1, 1, Some(id("b", 1)));
    assert_eq!(try_it(of_b.clone()), refused(Refusal::Taken));
    let unknown = begin("a", 1, 1, None);
    assert_eq!(try_it(unknown), refused(Refusal::Stale));
    assert_eq!(try_it(alive), begun(0, 0));
    // A begin that was given up arrives late, and finds that the process began with another worker id.
    fence(&store, &id("b", 1));
    assert_eq!(try_it(of_b), begun(0, 0));
}

#[test]
fn the_next_holder_of_a_worker_id_starts_above_what_was_reserved() {
    let store = started(&["a"]);
    let reserve = |node: &str, number, ceiling| {
        Op::Reserve(Reserve {
            me: id(node, number),
            worker: 0,
            ceiling: Millis(ceiling),
        })
    };
    assert_eq!(apply(&store, &reserve("a", 1, 900)), Verdict::Done);
    // One that arrives late does not lower it.
    assert_eq!(apply(&store, &reserve("a", 1, 500)), Verdict::Done);
    fence(&store, &id("a", 1));
    assert_eq!(
        apply(&store, &reserve("a", 1, 5_000)),
        refused(Refusal::Fenced)
    );
    let next = begin("b", 0, 0, Some(id("a", 1)));
    assert_eq!(apply(&store, &Op::Begin(next)), begun(0, 900));
    assert_eq!(
        apply(&store, &reserve("a", 1, 5_000)),
        refused(Refusal::Fenced)
    );
    assert_eq!(
        row::<Incarnations>(&store, &id("b", 1).key())
            .unwrap()
            .id_floor,
        Millis(900)
    );
}

#[test]
fn what_a_node_reserved_before_there_were_worker_ids_still_counts() {
    let store = MemoryStore::new();
    let old = NodeRow {
        incarnation: 4,
        id_ceiling: Millis(700),
    };
    ready(store.open_lane(&super::super::lane(&id("a", 4), 0))).unwrap();
    commit(
        &store,
        "a",
        4,
        1,
        vec![store::put::<Nodes>(Key::single("a"), &old)],
    );
    // The incarnation before has no row: it counts as fenced.
    assert_eq!(
        apply(&store, &Op::Begin(begin("a", 4, 0, None))),
        begun(0, 700)
    );
}

#[test]
fn a_renewal_moves_the_counter_and_is_refused_behind_a_fence() {
    let store = started(&["a"]);
    let renew = |counter| Op::Renew {
        me: id("a", 1),
        counter,
    };
    let counter = || {
        row::<Incarnations>(&store, &id("a", 1).key())
            .unwrap()
            .counter
    };
    assert_eq!(apply(&store, &renew(3)), Verdict::Done);
    assert_eq!(apply(&store, &renew(2)), Verdict::Done);
    assert_eq!(counter(), 3);
    fence(&store, &id("a", 1));
    assert_eq!(apply(&store, &renew(4)), refused(Refusal::Fenced));
    assert_eq!(counter(), 3);
    assert_eq!(states(&store), [("a/1".to_owned(), NodeState::Evicted)]);
}

#[test]
fn a_shard_is_claimed_when_it_is_nobodys_released_or_its_owner_is_fenced() {
    let store = started(&["a", "b"]);
    for node in ["a", "b"] {
        ready(store.open_lane(&super::super::lane(&id(node, 1), 0))).unwrap();
    }
    let of = |node: &str, epochs: [u64; 2]| {
        let row = |(shard, epoch)| (shard, format!("{node}/1"), epoch);
        [(5, epochs[0]), (6, epochs[1])].map(row).to_vec()
    };
    assert_eq!(owners(apply(&store, &claim("a", 1, &[]))), of("a", [1, 1]));
    // The owner lives.
    assert_eq!(
        owners(apply(&store, &claim("b", 1, &[("a", 1)]))),
        of("a", [1, 1])
    );
    // One of them is released.
    commit(&store, "a", 1, 1, release(&id("a", 1), 0, 5, 1).writes);
    let taken = owners(apply(&store, &claim("b", 1, &[("a", 1)])));
    assert_eq!(taken, [(5, "b/1".to_owned(), 2), (6, "a/1".to_owned(), 1)]);
    // The owner is fenced; one who does not know of that owner leaves it alone.
    fence(&store, &id("a", 1));
    assert_eq!(owners(apply(&store, &claim("b", 1, &[])))[1].1, "a/1");
    assert_eq!(
        owners(apply(&store, &claim("b", 1, &[("a", 1)]))),
        of("b", [2, 2])
    );
    assert_eq!(apply(&store, &claim("a", 1, &[])), refused(Refusal::Fenced));
    assert!(!shard(&store, 5).unwrap().released);
}

#[test]
fn the_view_changes_only_from_what_it_was_and_by_who_lives() {
    let store = started(&["a", "b"]);
    let change = |by: &str, view| {
        Op::Change(Change {
            by: id(by, 1),
            view,
            cut: None,
        })
    };
    let mut wanted = view(&store);
    wanted.version += 1;
    wanted.nodes[0].state = NodeState::Up;
    assert_eq!(apply(&store, &change("a", wanted.clone())), Verdict::Done);
    assert_eq!(view(&store), wanted);
    let mut late = wanted.clone();
    late.nodes[1].state = NodeState::Up;
    assert_eq!(apply(&store, &change("b", late)), refused(Refusal::Stale));
    fence(&store, &id("b", 1));
    let mut of_fenced = view(&store);
    of_fenced.version += 1;
    assert_eq!(
        apply(&store, &change("b", of_fenced)),
        refused(Refusal::Fenced)
    );
}

#[test]
fn who_is_evicted_for_a_cut_link_renews_no_more_and_is_fenced_only_later() {
    let store = started(&["a", "b"]);
    let mut wanted = view(&store);
    wanted.version += 1;
    wanted.nodes[1].state = NodeState::Evicted;
    let cut = Op::Change(Change {
        by: id("a", 1),
        view: wanted.clone(),
        cut: Some(id("b", 1)),
    });
    let of_b = |op: Op| apply(&store, &op);
    apply(&store, &claim("b", 1, &[]));
    assert_eq!(apply(&store, &cut), Verdict::Done);
    let (me, counter) = (id("b", 1), 9);
    assert_eq!(of_b(Op::Renew { me, counter }), refused(Refusal::Fenced));
    assert_eq!(of_b(claim("b", 1, &[])), refused(Refusal::Fenced));
    // Until it is fenced, what it owns is its own.
    assert_eq!(
        owners(apply(&store, &claim("a", 1, &[("b", 1)])))[0].1,
        "b/1"
    );
    let next = || Op::Begin(begin("b", 1, 1, Some(id("b", 1))));
    assert_eq!(of_b(next()), refused(Refusal::Lives));
    fence(&store, &id("b", 1));
    assert_eq!(
        owners(apply(&store, &claim("a", 1, &[("b", 1)])))[0].1,
        "a/1"
    );
    assert_eq!(of_b(next()), begun(1, 0));
}

/// Found by simulation: one that hung renewed between the fence of its lane and the mark, and went on answering.
#[test]
fn who_is_condemned_renews_no_more_and_who_has_renewed_is_not_condemned() {
    let store = started(&["a", "b"]);
    let who = id("b", 1);
    let condemn = |counter| {
        let who = who.clone();
        apply(&store, &Op::Condemn { who, counter })
    };
    let renew = |counter| {
        let me = who.clone();
        apply(&store, &Op::Renew { me, counter })
    };
    assert_eq!(renew(2), Verdict::Done);
    assert_eq!(condemn(1), refused(Refusal::Stale));
    assert_eq!(renew(3), Verdict::Done);
    assert_eq!(condemn(3), Verdict::Done);
    assert_eq!(condemn(3), Verdict::Done);
    assert_eq!(renew(4), refused(Refusal::Fenced));
    // Its lanes may be open still: it does not begin anew before they are fenced.
    let next = || apply(&store, &Op::Begin(begin("b", 1, 1, Some(who.clone()))));
    assert_eq!(next(), refused(Refusal::Lives));
    fence(&store, &who);
    assert_eq!(condemn(3), Verdict::Done);
    assert_eq!(next(), begun(1, 0));
}

#[test]
fn an_orderly_end_leaves_the_view_and_gives_back_what_was_reserved() {
    let store = started(&["a"]);
    let reserve = Reserve {
        me: id("a", 1),
        worker: 0,
        ceiling: Millis(20_000),
    };
    apply(&store, &Op::Reserve(reserve));
    let end = Op::End(End {
        me: id("a", 1),
        worker: 0,
        used: Millis(9_000),
    });
    assert_eq!(apply(&store, &end), Verdict::Done);
    assert_eq!(states(&store), []);
    assert_eq!(
        row::<Workers>(&store, &Key::new(0, 0)).unwrap().ceiling,
        Millis(9_000)
    );
    assert_eq!(
        row::<Incarnations>(&store, &id("a", 1).key())
            .unwrap()
            .phase,
        Phase::Ended
    );
    let next = begin("a", 1, 0, Some(id("a", 1)));
    assert_eq!(apply(&store, &Op::Begin(next)), begun(0, 9_000));
}

#[test]
fn only_the_last_two_incarnations_of_a_node_are_kept() {
    let store = started(&["a"]);
    for last in 1..6 {
        fence(&store, &id("a", last));
        let next = begin("a", last, 0, Some(id("a", last)));
        assert_eq!(apply(&store, &Op::Begin(next)), begun(0, 0));
    }
    let kept = ready(store::scan_all::<Incarnations>(&store, "a", 10)).unwrap();
    let numbers: Vec<_> = kept.into_iter().map(|(key, _)| key).collect();
    assert_eq!(numbers, [id("a", 5).key(), id("a", 6).key()]);
}
