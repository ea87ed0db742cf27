//! Decisions over rows that no entity owns.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rookery_actors::store::{SharedStore, StoreError, Write};
use rookery_protocol::document::{Key, TableId};
use tokio::task::JoinSet;

use super::{Fixture, TABLE, Writer, delete, get, places, put, put_in, unit, whole};

const OTHER: TableId = TableId::Nodes;

type Rows = Vec<Option<Vec<u8>>>;

async fn transact(
    store: &SharedStore,
    rows: &[(TableId, Key)],
    decide: impl Fn(&[Option<Vec<u8>>]) -> Vec<Write> + Send + Sync,
) -> Rows {
    // It may be that it was not done: a decision recognises its own work.
    loop {
        match store.transact(rows, &decide).await {
            Ok(rows) => return rows,
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn number(row: Option<&Vec<u8>>) -> u64 {
    row.map_or(0, |row| {
        u64::from_be_bytes(row.as_slice().try_into().expect("8 bytes"))
    })
}

/// The rows come in the order of their keys, absent ones too, and what is made of them is there afterwards.
pub async fn a_decision_sees_its_rows_and_writes(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = |n: u64| Key::new("shards", n);
    let puts = vec![
        put(key(1), b"one"),
        put(key(3), b"three"),
        put_in(OTHER, key(1), b"other"),
    ];
    writer.write(puts).await;
    let rows = [
        (TABLE, key(3)),
        (OTHER, key(1)),
        (TABLE, key(2)),
        (TABLE, key(1)),
        (TABLE, key(3)),
    ];
    let some = |text: &str| Some(text.as_bytes().to_vec());
    let expected = vec![
        some("three"),
        some("other"),
        None,
        some("one"),
        some("three"),
    ];
    let seen = transact(&store, &rows, |rows| {
        assert_eq!(rows, expected);
        vec![
            put(key(1), b"first"),
            put(key(1), b"second"),
            put(key(2), b"two"),
            delete(key(3)),
            put_in(OTHER, key(9), b"not among the rows"),
        ]
    });
    assert_eq!(seen.await, expected);
    assert_eq!(get(&store, &key(1)).await, some("second"));
    assert_eq!(get(&store, &key(2)).await, some("two"));
    assert_eq!(get(&store, &key(3)).await, None);
    let other = store.get(OTHER, &key(9)).await.expect("it answers");
    assert_eq!(other, some("not among the rows"));
    fixture.crash().await;
    assert_eq!(get(&fixture.store(), &key(1)).await, some("second"));
}

/// Nothing is changed by a decision to change nothing, and it needs no row.
pub async fn a_decision_may_write_nothing(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    writer.write(vec![put(Key::single(1), b"x")]).await;
    let rows = [(TABLE, Key::single(1)), (TABLE, Key::single(2))];
    let seen = transact(&store, &rows, |_| Vec::new()).await;
    assert_eq!(seen, [Some(b"x".to_vec()), None]);
    assert_eq!(
        transact(&store, &[], |_| Vec::new()).await,
        [] as [Option<Vec<u8>>; 0]
    );
    let wrote = transact(&store, &[], |_| vec![put(Key::single(3), b"y")]);
    wrote.await;
    assert_eq!(get(&store, &Key::single(3)).await, Some(b"y".to_vec()));
}

/// Whoever lost the answer asks again, and finds what he has done.
pub async fn a_repeated_decision_recognises_itself(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let row = [(TABLE, Key::single("claim"))];
    let claim = |rows: &[Option<Vec<u8>>]| match &rows[0] {
        None => vec![put(Key::single("claim"), b"mine")],
        Some(_) => Vec::new(),
    };
    assert_eq!(transact(&store, &row, claim).await, [None]);
    let mine = [Some(b"mine".to_vec())];
    assert_eq!(transact(&store, &row, claim).await, mine);
    fixture.crash().await;
    assert_eq!(transact(&fixture.store(), &row, claim).await, mine);
}

/// Of an absent row, and of one that each wants to change in the same way.
pub async fn of_two_claimants_exactly_one_wins(fixture: &mut impl Fixture) {
    let store = fixture.store();
    for round in 0..10u64 {
        let mut claimants = JoinSet::new();
        for claimant in 0..3u64 {
            let store = store.clone();
            claimants.spawn(async move {
                let key = Key::new("claims", round);
                let mine = claimant.to_be_bytes();
                let rows = [(TABLE, key.clone())];
                transact(&store, &rows, |rows| match &rows[0] {
                    None => vec![put(key.clone(), &mine)],
                    Some(_) => Vec::new(),
                })
                .await;
                let now = transact(&store, &rows, |_| Vec::new()).await;
                now[0].as_deref() == Some(&mine)
            });
        }
        let won = claimants.join_all().await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
    }
}

/// Nobody's work is lost: a counter counts every one who adds to it.
pub async fn decisions_at_once_lose_nothing(fixture: &mut impl Fixture) {
    const TASKS: u64 = 4;
    const TIMES: u64 = 10;
    let store = fixture.store();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            for n in 0..TIMES {
                // The mark makes a repetition recognisable.
                let mark = Key::new("marks", task * TIMES + n);
                let rows = [(TABLE, Key::single("counter")), (TABLE, mark.clone())];
                transact(&store, &rows, |rows| match &rows[1] {
                    Some(_) => Vec::new(),
                    None => {
                        let next = number(rows[0].as_ref()) + 1;
                        let counter = put(Key::single("counter"), &next.to_be_bytes());
                        vec![counter, put(mark.clone(), b"x")]
                    }
                })
                .await;
            }
        });
    }
    tasks.join_all().await;
    let counter = get(&store, &Key::single("counter")).await;
    assert_eq!(number(counter.as_ref()), TASKS * TIMES);
}

/// What was decided on still holds when it is written: of two who each see that the other is off, one does not go on.
pub async fn a_row_that_was_only_read_is_guarded(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    for round in 0..10u64 {
        let key = |side: u64| Key::new(round, side);
        writer
            .write([0, 1].map(|side| put(key(side), b"off")).to_vec())
            .await;
        let mut sides = JoinSet::new();
        for side in [0, 1] {
            let store = store.clone();
            sides.spawn(async move {
                let (mine, other) = (Key::new(round, side), Key::new(round, 1 - side));
                let rows = [(TABLE, other), (TABLE, mine.clone())];
                transact(&store, &rows, |rows| match rows[0].as_deref() {
                    Some(b"off") => vec![put(mine.clone(), b"on")],
                    _ => Vec::new(),
                })
                .await;
            });
        }
        sides.join_all().await;
        let mut on = 0;
        for side in [0, 1] {
            on += usize::from(get(&store, &key(side)).await.as_deref() == Some(b"on"));
        }
        assert_eq!(on, 1, "round {round}");
    }
}

/// A lane commits pairs while decisions copy them: no decision sees half a commit, and none overwrites one it has not seen.
pub async fn decisions_and_commits_of_the_same_rows_take_turns(fixture: &mut impl Fixture) {
    /// More than the decisions between two commits.
    const STEP: u64 = 1 << 32;
    const COMMITS: u64 = 20;
    let store = fixture.store();
    let pair = [0, 1].map(|half| (TABLE, Key::new("pair", half)));
    let both = |n: u64| {
        pair.clone()
            .map(|(_, key)| put(key, &n.to_be_bytes()))
            .to_vec()
    };
    let mut writer = Writer::open(store.clone(), 1).await;
    writer.write(both(0)).await;
    let (begin, has_begun) = std::sync::mpsc::channel();
    let committing = {
        let (runtime, commits) = (tokio::runtime::Handle::current(), both);
        let commits: Vec<_> = (1..=COMMITS).map(|n| commits(n * STEP)).collect();
        std::thread::spawn(move || {
            // Not before there are decisions to meet.
            has_begun.recv().expect("a first decision");
            runtime.block_on(async {
                for writes in commits {
                    writer.seq += 1;
                    let commit = super::commit_of(&writer.lane, writer.seq, vec![unit(writes)]);
                    // What meets a decision is handed in again, as the lane does.
                    while writer.store.commit(&commit).await.is_err() {}
                }
            });
        })
    };
    let (mut last, mut added) = (0, 0);
    while !committing.is_finished() {
        let decided = AtomicU64::new(0);
        let seen = transact(&store, &pair, |rows| {
            let at = number(rows[0].as_ref());
            assert_eq!(at, number(rows[1].as_ref()), "half a commit");
            decided.store(at + 1, Relaxed);
            pair.iter()
                .map(|(_, key)| put(key.clone(), &(at + 1).to_be_bytes()))
                .collect()
        })
        .await;
        let at = number(seen[0].as_ref());
        assert_eq!(at + 1, decided.load(Relaxed), "not the rows it decided on");
        // Either our own number, or a later commit's.
        assert!(
            at == last || (at > last && at.is_multiple_of(STEP)),
            "{at} after {last}"
        );
        last = at + 1;
        added += 1;
        // The thread may be done already.
        let _ = begin.send(());
    }
    committing.join().expect("the writer is content");
    assert!(added > 0);
    let rows = places(&store, &whole("pair")).await;
    assert_eq!(rows.len(), 2);
}

/// As many as there are shards, in two tables, at once.
pub async fn a_decision_over_thousands_of_rows(fixture: &mut impl Fixture) {
    const SHARDS: u64 = 4_096;
    let store = fixture.store();
    let key = |n: u64| Key::new("shard", n);
    let mut rows: Vec<_> = (0..SHARDS).map(|n| (TABLE, key(n))).collect();
    rows.push((OTHER, Key::single("epoch")));
    let claim = |mine: u64| {
        move |rows: &[Option<Vec<u8>>]| {
            let epoch = number(rows[SHARDS as usize].as_ref());
            if epoch >= mine {
                return Vec::new();
            }
            let claims = (0..SHARDS).map(|n| put(Key::new("shard", n), &mine.to_be_bytes()));
            let epoch = put_in(OTHER, Key::single("epoch"), &mine.to_be_bytes());
            claims.chain([epoch]).collect()
        }
    };
    let seen = transact(&store, &rows, claim(1)).await;
    assert!(seen.iter().all(Option::is_none));
    let seen = transact(&store, &rows, claim(2)).await;
    assert!(seen.iter().all(|row| number(row.as_ref()) == 1));
    let seen = transact(&store, &rows, claim(2)).await;
    assert!(seen.iter().all(|row| number(row.as_ref()) == 2));
    assert_eq!(places(&store, &whole("shard")).await.len(), SHARDS as usize);
}
