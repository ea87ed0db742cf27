//! Snapshots: all tables at one instant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use rookery_actors::store::{RawRow, Snapshot, Write};
use rookery_protocol::document::{Key, TableId};

use super::{Fixture, TABLE, Writer, delete, put, put_in, unit};

const OTHER: TableId = TableId::Members;

/// Every row of a table, page by page.
async fn all(snapshot: &dyn Snapshot, table: TableId, page: usize) -> Vec<RawRow> {
    let mut rows: Vec<RawRow> = Vec::new();
    loop {
        let after = rows.last().map(|(key, _)| key);
        let more = snapshot.walk(table, after, page).await;
        let more = more.expect("the snapshot answers");
        assert!(more.len() <= page);
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// Rows put, replaced and deleted later are as they were, in key order and in every table, also those not looked at yet.
pub async fn a_snapshot_does_not_see_what_comes_later(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = |n: u64| Key::new(n / 4, n % 4);
    let puts = |row: &[u8]| -> Vec<Write> {
        (0..20)
            .flat_map(|n| [TABLE, OTHER].map(|table| put_in(table, key(n), row)))
            .collect()
    };
    let empty = fixture.snapshots().snapshot().await.expect("a snapshot");
    writer.write(puts(b"before")).await;
    let before = fixture.snapshots().snapshot().await.expect("a snapshot");
    assert_eq!(all(before.as_ref(), TABLE, 3).await.len(), 20);
    writer.write(puts(b"after")).await;
    writer
        .write((0..10).map(|n| delete(key(n))).collect())
        .await;
    writer.write(vec![put(Key::new(90, 1), b"new")]).await;
    let rows: Vec<RawRow> = (0..20).map(|n| (key(n), b"before".to_vec())).collect();
    for page in [1, 3, 7, 100] {
        for table in [TABLE, OTHER] {
            assert_eq!(all(before.as_ref(), table, page).await, rows);
            assert_eq!(all(empty.as_ref(), table, page).await, []);
        }
    }
    let now = fixture.snapshots().snapshot().await.expect("a snapshot");
    assert_eq!(all(now.as_ref(), TABLE, 4).await.len(), 11);
    assert_eq!(all(now.as_ref(), OTHER, 4).await[0].1, b"after");
}

/// While commits go on: what was acknowledged before is there, and of no commit one half without the other.
pub async fn a_snapshot_sees_whole_commits_only(fixture: &mut impl Fixture) {
    const COMMITS: u64 = 60;
    let store = fixture.store();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&acknowledged);
    let runtime = tokio::runtime::Handle::current();
    let writing = std::thread::spawn(move || {
        runtime.block_on(async {
            let mut writer = Writer::open(store, 1).await;
            for n in 1..=COMMITS {
                let row = n.to_be_bytes();
                let one = unit(vec![put(Key::new(1, 0), &row), put(Key::new(2, n), &row)]);
                let two = unit(vec![put_in(OTHER, Key::new(1, 0), &row)]);
                writer.commit(vec![one, two]).await;
                told.store(n, SeqCst);
            }
        });
    });
    let number = |rows: &[RawRow]| {
        let row = rows.iter().find(|(key, _)| *key == Key::new(1, 0));
        row.map_or(0, |(_, row)| {
            u64::from_be_bytes(row.as_slice().try_into().expect("a number"))
        })
    };
    let mut is_over = false;
    while !is_over {
        is_over = writing.is_finished();
        let before = acknowledged.load(SeqCst);
        let snapshot = fixture.snapshots().snapshot().await.expect("a snapshot");
        let other = all(snapshot.as_ref(), OTHER, 5).await;
        let rows = all(snapshot.as_ref(), TABLE, 5).await;
        let n = number(&rows);
        assert_eq!(n, number(&other), "half a commit");
        assert_eq!(rows.len() as u64, n + u64::from(n > 0), "half a unit");
        assert!(n >= before, "{before} was acknowledged, {n} is there");
    }
    writing.join().expect("the writer is content");
    assert_eq!(acknowledged.load(SeqCst), COMMITS);
}

/// Good enough for a bar: nothing is nothing, and something is not.
pub async fn a_snapshot_counts_its_rows(fixture: &mut impl Fixture) {
    let mut writer = Writer::open(fixture.store(), 1).await;
    let puts = (0..50).map(|n| put(Key::new(1, n), b"x")).collect();
    writer.write(puts).await;
    let snapshot = fixture.snapshots().snapshot().await.expect("a snapshot");
    let count = snapshot.count(TABLE).await.expect("a count");
    assert!((1..=100).contains(&count), "{count}");
    assert_eq!(snapshot.count(OTHER).await.expect("a count"), 0);
}
