//! Units: all of one or nothing, and none of another's business.

use rookery_actors::store::Write;
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::limits::ROW_BYTES;

use super::{Fixture, NONE, TABLE, Writer, delete, get, put, unit, unit_if_absent};

/// The last write of a key wins, and a deletion sees what was put before it.
pub async fn writes_of_a_unit_apply_in_order(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = |sort: u64| Key::new(1, sort);
    let up_to = Write::DeleteUpTo {
        table: TABLE,
        partition: 1.into(),
        last: 3.into(),
    };
    writer
        .write(vec![
            put(key(1), b"a"),
            put(key(1), b"b"),
            put(key(2), b"a"),
            delete(key(2)),
            put(key(3), b"a"),
            up_to,
            put(key(3), b"b"),
        ])
        .await;
    assert_eq!(get(&store, &key(1)).await, None);
    assert_eq!(get(&store, &key(2)).await, None);
    assert_eq!(get(&store, &key(3)).await, Some(b"b".to_vec()));
}

/// A row of `absent` exists: nothing of the unit is written, all of the others is.
pub async fn a_refused_unit_leaves_the_others(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let taken = Key::single("taken");
    writer.write(vec![put(taken.clone(), b"first")]).await;
    let units = (0..5)
        .map(|n| {
            let name = if n % 2 == 0 {
                Key::single("taken")
            } else {
                Key::single(format!("free{n}").as_str())
            };
            let absent = vec![(TABLE, Key::single("nobody")), (TABLE, name.clone())];
            let writes = vec![put(Key::new(9, n), b"x"), put(name, b"second")];
            unit_if_absent(absent, writes)
        })
        .collect();
    assert_eq!(writer.commit(units).await, [0, 2, 4]);
    assert_eq!(get(&store, &taken).await, Some(b"first".to_vec()));
    for n in 0..5 {
        let written = get(&store, &Key::new(9, n)).await.is_some();
        assert_eq!(written, n % 2 == 1, "unit {n}");
    }
    // The same key in another table is no obstacle.
    let absent = vec![(TableId::Usernames, taken.clone())];
    let units = vec![unit_if_absent(absent, vec![put(taken.clone(), b"third")])];
    assert_eq!(writer.commit(units).await, NONE);
    assert_eq!(get(&store, &taken).await, Some(b"third".to_vec()));
}

/// Within one commit: a name taken by the first unit is refused to the second, and free again after the third.
pub async fn a_later_unit_sees_an_earlier_one(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let name = Key::single("name");
    let take = |by: &[u8]| {
        let absent = vec![(TABLE, name.clone())];
        unit_if_absent(absent, vec![put(name.clone(), by)])
    };
    let free = unit(vec![delete(name.clone())]);
    let units = vec![take(b"1"), take(b"2"), free, take(b"3"), take(b"4")];
    assert_eq!(writer.commit(units).await, [1, 4]);
    assert_eq!(get(&store, &name).await, Some(b"3".to_vec()));
}

/// NUL in a text, or a number beyond the signed range: the unit is refused, nothing is cut off or wrapped.
pub async fn a_unit_that_cannot_be_stored_is_refused(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let bad = [
        Key::new("a\0b", 1),
        Key::new(1, "a\0"),
        Key::new(u64::MAX, 1),
        Key::new(1, i64::MAX as u64 + 1),
    ];
    for key in bad {
        let units = vec![
            unit(vec![put(Key::new(1, 1), b"x"), put(key.clone(), b"x")]),
            unit(vec![delete(key.clone()), put(Key::new(1, 2), b"x")]),
            unit_if_absent(vec![(TABLE, key)], vec![put(Key::new(1, 3), b"x")]),
            unit(vec![put(Key::new(1, 4), b"x")]),
        ];
        assert_eq!(writer.commit(units).await, [0, 1, 2]);
        for n in 1..=4 {
            let written = get(&store, &Key::new(1, n)).await.is_some();
            assert_eq!(written, n == 4);
        }
        writer.write(vec![delete(Key::new(1, 4))]).await;
    }
    // Nor a row that is larger than any store takes.
    let large = |bytes| vec![unit(vec![put(Key::new(1, 5), &vec![b'x'; bytes])])];
    assert_eq!(writer.commit(large(ROW_BYTES + 1)).await, [0]);
    assert_eq!(get(&store, &Key::new(1, 5)).await, None);
    assert_eq!(writer.commit(large(ROW_BYTES)).await, NONE);
    let row = get(&store, &Key::new(1, 5)).await;
    assert_eq!(row.map(|row| row.len()), Some(ROW_BYTES));
}

/// That a row is new is a hint: one that is there is replaced, in this commit and in later ones.
pub async fn rows_said_to_be_new_are_replaced_all_the_same(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let insert = |key: Key, row: &[u8]| Write::Insert {
        table: TABLE,
        key,
        row: row.to_vec(),
    };
    let key = |sort: u64| Key::new(1, sort);
    writer
        .write(vec![
            insert(key(1), b"a"),
            insert(key(2), b"a"),
            insert(key(2), b"b"),
        ])
        .await;
    assert_eq!(get(&store, &key(1)).await, Some(b"a".to_vec()));
    assert_eq!(get(&store, &key(2)).await, Some(b"b".to_vec()));
    writer
        .write(vec![
            insert(key(3), b"c"),
            insert(key(1), b"c"),
            put(key(2), b"c"),
        ])
        .await;
    writer
        .write(vec![delete(key(3)), insert(key(3), b"d")])
        .await;
    for (sort, row) in [(1, b"c"), (2, b"c"), (3, b"d")] {
        assert_eq!(get(&store, &key(sort)).await, Some(row.to_vec()));
    }
    let absent = vec![(TABLE, key(4))];
    let take = unit_if_absent(absent, vec![insert(key(4), b"e")]);
    assert_eq!(writer.commit(vec![take.clone(), take]).await, [1]);
}
