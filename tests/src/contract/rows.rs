//! Rows by their key.

use rookery_actors::store::Write;
use rookery_protocol::document::{Key, Part, TableId};

use super::{Fixture, TABLE, Writer, delete, get, numbers, places, put, put_in, whole};

/// A row is what was last put, and nothing after it is deleted.
pub async fn rows_are_put_replaced_and_deleted(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    for key in [
        Key::new(1, 2),
        Key::single("name"),
        Key::new("group/1", "code"),
        Key::new(i64::MAX as u64, 0),
        Key::new("", ""),
    ] {
        assert_eq!(get(&store, &key).await, None);
        writer.write(vec![put(key.clone(), b"one")]).await;
        assert_eq!(get(&store, &key).await.as_deref(), Some(&b"one"[..]));
        writer.write(vec![put(key.clone(), b"")]).await;
        assert_eq!(get(&store, &key).await.as_deref(), Some(&b""[..]));
        writer.write(vec![delete(key.clone())]).await;
        assert_eq!(get(&store, &key).await, None);
        // No row is no error.
        writer.write(vec![delete(key.clone())]).await;
    }
}

/// The last place goes too; other partitions and tables do not.
pub async fn delete_up_to_is_inclusive_and_stays_in_its_partition(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let up_to = |partition: Part, last: Part| Write::DeleteUpTo {
        table: TABLE,
        partition,
        last,
    };
    let mut puts = Vec::new();
    for partition in [1, 2, 3] {
        puts.extend((1..=5).map(|sort| put(Key::new(partition, sort), b"x")));
    }
    puts.push(put(Key::new(2, "text"), b"x"));
    puts.push(put_in(TableId::Events, Key::new(2, 1), b"x"));
    writer.write(puts).await;

    writer.write(vec![up_to(2.into(), 3.into())]).await;
    let mut left = numbers([4, 5]);
    left.push("text".into());
    assert_eq!(places(&store, &whole(2)).await, left);
    assert_eq!(places(&store, &whole(1)).await.len(), 5);
    assert_eq!(places(&store, &whole(3)).await.len(), 5);
    let other = store.get(TableId::Events, &Key::new(2, 1)).await;
    assert!(other.expect("the store answers").is_some());

    // Between two rows, below the first one, and of a partition that is not there.
    writer.write(vec![up_to(1.into(), 0.into())]).await;
    writer.write(vec![up_to(9.into(), 9.into())]).await;
    assert_eq!(places(&store, &whole(1)).await.len(), 5);
    writer.write(vec![up_to(2.into(), u64::MAX.into())]).await;
    assert_eq!(places(&store, &whole(2)).await, ["text".into()]);
    writer.write(vec![up_to(2.into(), "zzz".into())]).await;
    assert_eq!(places(&store, &whole(2)).await, []);
}

/// 1 MiB in one row, and eight of them in one commit.
pub async fn big_rows_are_kept_whole(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let row = |n: u8| -> Vec<u8> {
        let pattern = (0..1_048_576u32).map(|i| (i / 251) as u8 ^ n);
        pattern.collect()
    };
    let puts = (0..8).map(|n| put(Key::new(1, u64::from(n)), &row(n)));
    writer.write(puts.collect()).await;
    fixture.crash().await;
    let store = fixture.store();
    for n in 0..8 {
        let read = get(&store, &Key::new(1, u64::from(n))).await;
        assert!(read == Some(row(n)), "row {n} differs");
    }
}

/// The same key in every table is that many rows.
pub async fn tables_are_apart(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let key = Key::new(7, 7);
    let puts = TableId::ALL.map(|table| put_in(table, key.clone(), table.name().as_bytes()));
    writer.write(puts.to_vec()).await;
    for table in TableId::ALL {
        let row = store.get(table, &key).await.expect("the store answers");
        assert_eq!(row.as_deref(), Some(table.name().as_bytes()));
    }
}
