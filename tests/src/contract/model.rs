//! Random commits, repetitions and crashes against a model that is a map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rookery_actors::store::{Committed, Order, Scan, SharedStore, Unit, Write};
use rookery_protocol::document::{Key, Part, TableId};

use super::{Fixture, commit_of, lane, unit_if_absent};

const TABLES: [TableId; 2] = [TableId::Messages, TableId::Members];

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Unit>),
    Repeat,
    Crash,
    Scan(Scan),
}

type Model = BTreeMap<(TableId, Key), Vec<u8>>;

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (0..6u64).prop_map(Part::Num),
        "[ab]{0,2}".prop_map(Part::Text)
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (part(), part()).prop_map(|(partition, sort)| Key { partition, sort })
}

fn table() -> impl Strategy<Value = TableId> {
    proptest::sample::select(&TABLES[..])
}

fn write() -> impl Strategy<Value = Write> {
    let row = proptest::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        4 => (table(), key(), row.clone()).prop_map(|(table, key, row)| Write::Put { table, key, row }),
        2 => (table(), key(), row).prop_map(|(table, key, row)| Write::Insert { table, key, row }),
        1 => (table(), key()).prop_map(|(table, key)| Write::Delete { table, key }),
        1 => (table(), part(), part()).prop_map(|(table, partition, last)| {
            Write::DeleteUpTo { table, partition, last }
        }),
        1 => (table(), part(), part(), part()).prop_map(|(table, partition, first, last)| {
            Write::DeleteRange { table, partition, first, last }
        }),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    let absent = proptest::collection::vec((table(), key()), 0..2);
    let writes = proptest::collection::vec(write(), 0..5);
    (absent, writes).prop_map(|(absent, writes)| unit_if_absent(absent, writes))
}

fn scan() -> impl Strategy<Value = Scan> {
    let bound = || proptest::option::of(part());
    let order = proptest::sample::select(&[Order::Ascending, Order::Descending][..]);
    let limit = prop_oneof![0..4usize, Just(usize::MAX)];
    (table(), part(), bound(), bound(), order, limit).prop_map(
        |(table, partition, above, below, order, limit)| Scan {
            table,
            partition,
            above,
            below,
            order,
            limit,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec(unit(), 0..5).prop_map(Step::Commit),
        1 => Just(Step::Repeat),
        1 => Just(Step::Crash),
        4 => scan().prop_map(Step::Scan),
    ]
}

fn apply(model: &mut Model, units: &[Unit]) -> Vec<usize> {
    let mut refused = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        if unit.absent.iter().any(|row| model.contains_key(row)) {
            refused.push(index);
            continue;
        }
        for write in unit.writes.iter().cloned() {
            match write {
                Write::Put { table, key, row } | Write::Insert { table, key, row } => {
                    model.insert((table, key), row);
                }
                Write::Delete { table, key } => {
                    model.remove(&(table, key));
                }
                Write::DeleteUpTo {
                    table,
                    partition,
                    last,
                } => model.retain(|(of, key), _| {
                    (*of, &key.partition) != (table, &partition) || key.sort > last
                }),
                Write::DeleteRange {
                    table,
                    partition,
                    first,
                    last,
                } => model.retain(|(of, key), _| {
                    (*of, &key.partition) != (table, &partition)
                        || key.sort < first
                        || key.sort > last
                }),
            }
        }
    }
    refused
}

fn expected(model: &Model, scan: &Scan) -> Vec<(Key, Vec<u8>)> {
    let in_range = |key: &Key| {
        key.partition == scan.partition
            && scan.above.as_ref().is_none_or(|above| key.sort > *above)
            && scan.below.as_ref().is_none_or(|below| key.sort < *below)
    };
    let mut rows: Vec<_> = model
        .iter()
        .filter(|((table, key), _)| *table == scan.table && in_range(key))
        .map(|((_, key), row)| (key.clone(), row.clone()))
        .collect();
    if scan.order == Order::Descending {
        rows.reverse();
    }
    rows.truncate(scan.limit);
    rows
}

async fn check_all(store: &SharedStore, model: &Model) {
    for table in TABLES {
        let rows = store.walk(table, None, usize::MAX).await;
        let want: Vec<_> = model
            .iter()
            .filter(|((of, _), _)| *of == table)
            .map(|((_, key), row)| (key.clone(), row.clone()))
            .collect();
        assert_eq!(rows.expect("the store answers"), want);
    }
}

async fn play<F: Fixture>(steps: Vec<Step>) {
    let mut fixture = F::new().await;
    let lane = lane(1);
    let mut model = Model::new();
    let mut last = None;
    let mut seq = fixture.store().open_lane(&lane).await.expect("it opens");
    for step in steps {
        match step {
            Step::Commit(units) => {
                seq += 1;
                let commit = commit_of(&lane, seq, units);
                let refused = apply(&mut model, &commit.units);
                let answer = Ok(Committed { refused });
                assert_eq!(fixture.store().commit(&commit).await, answer);
                last = Some((commit, answer));
            }
            Step::Repeat => {
                if let Some((commit, answer)) = &last {
                    assert_eq!(&fixture.store().commit(commit).await, answer);
                }
            }
            Step::Crash => fixture.crash().await,
            Step::Scan(scan) => {
                let rows = fixture.store().scan(&scan).await;
                let rows = rows.expect("the store answers");
                assert_eq!(rows, expected(&model, &scan), "{scan:?}");
            }
        }
    }
    check_all(&fixture.store(), &model).await;
    fixture.crash().await;
    check_all(&fixture.store(), &model).await;
}

/// The store is the model after every step, whatever was committed, repeated or crashed. Makes its own fixtures.
pub async fn random_commits_match_a_model<F: Fixture>(_: &mut F) {
    let mut runner = TestRunner::new(Config {
        cases: F::CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let steps = proptest::collection::vec(step(), 1..40);
    let runtime = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        runner.run(&steps, |steps| {
            runtime.block_on(play::<F>(steps));
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
