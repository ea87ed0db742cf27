//! Lanes: sequence, repetition, fence.

use rookery_actors::store::{CommitError, Committed, LaneId};
use rookery_protocol::document::Key;

use super::{Fixture, NONE, TABLE, Writer, commit_of, get, lane, put, unit, unit_if_absent};

/// Handed in again, the last commit answers as it did and changes nothing, refusals included.
pub async fn the_last_commit_can_be_repeated(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let lane = lane(1);
    let key = Key::single(1);
    let mut other = Writer::open(store.clone(), 2).await;
    assert_eq!(store.open_lane(&lane).await, Ok(0));
    let take = |name: &str| unit_if_absent(vec![(TABLE, Key::single(name))], vec![]);
    let taken = put(Key::single("taken"), b"x");
    other.write(vec![taken]).await;

    let units = vec![
        unit(vec![put(key.clone(), b"lane 1")]),
        take("taken"),
        take("free"),
        take("taken"),
    ];
    let first = commit_of(&lane, 1, units);
    let answer = Ok(Committed {
        refused: vec![1, 3],
    });
    assert_eq!(store.commit(&first).await, answer);
    // What others wrote since is not overwritten.
    other.write(vec![put(key.clone(), b"lane 2")]).await;
    for _ in 0..3 {
        assert_eq!(store.commit(&first).await, answer);
        assert_eq!(get(&store, &key).await, Some(b"lane 2".to_vec()));
    }
    let second = commit_of(&lane, 2, vec![unit(vec![put(key.clone(), b"lane 1")])]);
    assert_eq!(store.commit(&second).await, Ok(Committed::default()));
    assert_eq!(get(&store, &key).await, Some(b"lane 1".to_vec()));
    assert_eq!(
        store.commit(&first).await,
        Err(CommitError::OutOfOrder { at: 2, got: 1 })
    );
}

/// Neither the last nor the next: refused, and nothing of it is written.
pub async fn commits_out_of_order_are_turned_away(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = Key::single(1);
    for at in 0..3 {
        for got in [0, at + 2, at + 3, u64::MAX] {
            let commit = commit_of(&lane(1), got, vec![unit(vec![put(key.clone(), b"x")])]);
            if got == at && at > 0 {
                continue;
            }
            assert_eq!(
                store.commit(&commit).await,
                Err(CommitError::OutOfOrder { at, got })
            );
        }
        assert_eq!(get(&store, &key).await, None);
        writer.write(vec![]).await;
    }
}

/// Unknown lanes count as fenced.
pub async fn a_lane_that_was_never_opened_does_not_commit(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let key = Key::single(1);
    let commit = commit_of(&lane(1), 1, vec![unit(vec![put(key.clone(), b"x")])]);
    assert_eq!(store.commit(&commit).await, Err(CommitError::Fenced));
    assert_eq!(get(&store, &key).await, None);
}

/// Opening changes nothing of a lane that exists.
pub async fn opening_a_lane_again_tells_where_it_stands(fixture: &mut impl Fixture) {
    let store = fixture.store();
    assert_eq!(store.open_lane(&lane(1)).await, Ok(0));
    assert_eq!(store.open_lane(&lane(1)).await, Ok(0));
    let mut writer = Writer::open(store.clone(), 1).await;
    for at in 1..4 {
        writer.write(vec![]).await;
        assert_eq!(store.open_lane(&lane(1)).await, Ok(at));
    }
}

/// Between two commits; twice is as good as once.
pub async fn a_fence_stops_a_lane_for_ever(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = Key::single(1);
    writer.write(vec![put(key.clone(), b"before")]).await;
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    let after = unit(vec![put(key.clone(), b"after")]);
    for seq in [2, 3] {
        let commit = commit_of(&lane(1), seq, vec![after.clone()]);
        assert_eq!(store.commit(&commit).await, Err(CommitError::Fenced));
    }
    assert_eq!(store.open_lane(&lane(1)).await, Err(CommitError::Fenced));
    assert_eq!(get(&store, &key).await, Some(b"before".to_vec()));
    // The next incarnation is not concerned.
    let mut next = Writer::open(store.clone(), 2).await;
    next.write(vec![put(key.clone(), b"next")]).await;
    assert_eq!(get(&store, &key).await, Some(b"next".to_vec()));
}

/// A lane that is fenced before it opens never does.
pub async fn a_fence_before_the_opening_prevents_it(fixture: &mut impl Fixture) {
    let store = fixture.store();
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    assert_eq!(store.open_lane(&lane(1)).await, Err(CommitError::Fenced));
    let commit = commit_of(&lane(1), 1, vec![]);
    assert_eq!(store.commit(&commit).await, Err(CommitError::Fenced));
}

/// Whoever lost the answer of the last commit still learns that it is durable.
pub async fn a_repetition_behind_a_fence_is_answered(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    writer.write(vec![]).await;
    let taken = Key::single("taken");
    let take = unit_if_absent(vec![(TABLE, taken.clone())], vec![put(taken, b"x")]);
    let commit = commit_of(&lane(1), 2, vec![take.clone(), take]);
    let answer = Ok(Committed { refused: vec![1] });
    assert_eq!(store.commit(&commit).await, answer);
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    assert_eq!(store.commit(&commit).await, answer);
}

/// Name, incarnation and index all tell lanes apart.
pub async fn lanes_are_apart(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let lanes = [
        ("a", 1, 1),
        ("a", 1, 256),
        ("a", 2, 1),
        ("b", 1, 1),
        ("ab", 1, 1),
        ("", 1, 1),
    ];
    let lanes = lanes.map(|(node, incarnation, index)| LaneId {
        node: node.to_owned(),
        incarnation,
        index,
    });
    for (n, lane) in lanes.iter().enumerate() {
        assert_eq!(store.open_lane(lane).await, Ok(0));
        for seq in 1..=n as u64 {
            let commit = commit_of(lane, seq, vec![]);
            assert_eq!(store.commit(&commit).await, Ok(Committed::default()));
        }
    }
    for (n, lane) in lanes.iter().enumerate() {
        assert_eq!(store.open_lane(lane).await, Ok(n as u64));
    }
}

/// Two lanes commit from two threads while a third one reads; every read sees whole commits only.
pub async fn two_writers_at_once_lose_nothing(fixture: &mut impl Fixture) {
    const COMMITS: u64 = 30;
    let store = fixture.store();
    let runtime = tokio::runtime::Handle::current();
    let writers: Vec<_> = [1, 2]
        .into_iter()
        .map(|incarnation| {
            let (store, runtime) = (store.clone(), runtime.clone());
            std::thread::spawn(move || {
                runtime.block_on(async {
                    let mut writer = Writer::open(store, incarnation).await;
                    for n in 0..COMMITS {
                        let puts =
                            [0, 1].map(|half| put(Key::new(incarnation, half), &n.to_be_bytes()));
                        let own = put(Key::new(10 + incarnation, n), b"x");
                        let [one, two] = puts;
                        let units = vec![unit(vec![one]), unit(vec![own, two])];
                        assert_eq!(writer.commit(units).await, NONE);
                    }
                });
            })
        })
        .collect();
    while !writers.iter().all(std::thread::JoinHandle::is_finished) {
        for incarnation in [1, 2] {
            let rows = store.scan(&super::whole(incarnation)).await;
            let rows: Vec<_> = rows.expect("it answers").into_iter().map(|r| r.1).collect();
            assert!(rows.is_empty() || rows.len() == 2 && rows[0] == rows[1]);
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.join().expect("the writer is content");
    }
    for incarnation in [1, 2] {
        let rows = super::places(&store, &super::whole(10 + incarnation)).await;
        assert_eq!(rows, super::numbers(0..COMMITS));
    }
}
