//! Ranges of rows.

use rookery_actors::store::{Order, Scan};
use rookery_protocol::document::{Key, Part};

use super::{Fixture, TABLE, Writer, numbers, places, put, whole};

/// Bounds are exclusive; order and limit decide which end is returned.
pub async fn scans_honour_bounds_order_and_limit(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    // 255, 256 and 65,536 sort wrongly if a number is not written big endian.
    let all = [1, 2, 9, 255, 256, 65_536, 1 << 40, i64::MAX as u64];
    let words = ["", "a", "a\u{1}", "ab", "b", "é", "\u{10ffff}"];
    writer
        .write(all.map(|n| put(Key::new(1, n), &n.to_be_bytes())).to_vec())
        .await;
    writer
        .write(words.map(|t| put(Key::new(2, t), t.as_bytes())).to_vec())
        .await;

    let kinds = [
        (1, numbers(all)),
        (2, words.iter().map(|&t| Part::from(t)).collect()),
    ];
    for (partition, expected) in kinds {
        let len = expected.len();
        for from in 0..=len {
            for to in 0..=len {
                for limit in [0, 1, 3, usize::MAX] {
                    let bound = |at: usize| (at < len).then(|| expected[at].clone());
                    let (above, below) = (bound(from), bound(to));
                    let first = above.as_ref().map_or(0, |_| from + 1);
                    let last = below.as_ref().map_or(len, |_| to);
                    let range = expected.get(first..last).unwrap_or(&[]);
                    let scan = Scan {
                        above,
                        below,
                        limit,
                        ..whole(partition)
                    };
                    let want: Vec<Part> = range.iter().take(limit).cloned().collect();
                    assert_eq!(places(&store, &scan).await, want, "{scan:?}");
                    let scan = Scan {
                        order: Order::Descending,
                        ..scan
                    };
                    let want: Vec<Part> = range.iter().rev().take(limit).cloned().collect();
                    assert_eq!(places(&store, &scan).await, want, "{scan:?}");
                }
            }
        }
    }
    // Bounds need not be rows; the rows come with their bytes.
    let scan = Scan {
        above: Some(100.into()),
        below: Some(300.into()),
        ..whole(1)
    };
    let rows = store.scan(&scan).await.expect("the store answers");
    let row = |n: u64| (Key::new(1, n), n.to_be_bytes().to_vec());
    assert_eq!(rows, [row(255), row(256)]);
}

/// Both kinds of place in one partition.
pub async fn scans_order_numbers_before_texts(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let mixed: [Part; 4] = ["0".into(), 7.into(), "".into(), (i64::MAX as u64).into()];
    let puts = mixed.map(|sort| put(Key::new(1, sort), b"x"));
    writer.write(puts.to_vec()).await;
    let mut expected = numbers([7, i64::MAX as u64]);
    expected.extend(["".into(), "0".into()]);
    assert_eq!(places(&store, &whole(1)).await, expected);
    let texts = Scan {
        above: Some(Part::Num(u64::MAX)),
        ..whole(1)
    };
    assert_eq!(places(&store, &texts).await, expected[2..]);
}

/// Neighbours in the order of keys do not leak in, at either end.
pub async fn scans_stay_in_their_partition(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let partitions: [Part; 8] = [
        0.into(),
        1.into(),
        256.into(),
        "".into(),
        "group/1".into(),
        "group/10".into(),
        "group/1\u{1}".into(),
        "group/2".into(),
    ];
    let mut puts = Vec::new();
    for (n, partition) in (0..).zip(&partitions) {
        puts.push(put(Key::new(partition.clone(), n), b"x"));
        puts.push(put(Key::new(partition.clone(), "text"), b"x"));
    }
    writer.write(puts).await;
    for (n, partition) in (0..).zip(partitions) {
        for order in [Order::Ascending, Order::Descending] {
            let scan = Scan {
                order,
                ..whole(partition.clone())
            };
            let mut expected: Vec<Part> = vec![n.into(), "text".into()];
            if order == Order::Descending {
                expected.reverse();
            }
            assert_eq!(places(&store, &scan).await, expected, "{scan:?}");
        }
    }
    assert_eq!(places(&store, &whole(2)).await, []);
    assert_eq!(places(&store, &whole("group")).await, []);
}

/// No panic, no rows.
pub async fn crossed_bounds_are_an_empty_range(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let puts = (1..5).map(|n| put(Key::new(1, n), b"x")).collect();
    writer.write(puts).await;
    let pairs: [(Part, Part); 4] = [
        (3.into(), 3.into()),
        (4.into(), 1.into()),
        (u64::MAX.into(), 0.into()),
        ("a".into(), 9.into()),
    ];
    for (above, below) in pairs {
        let scan = Scan {
            above: Some(above),
            below: Some(below),
            ..whole(1)
        };
        assert_eq!(places(&store, &scan).await, []);
    }
}

/// Page by page, in key order, whatever the size of a page.
pub async fn a_walk_in_pages_sees_every_row_once(fixture: &mut impl Fixture) {
    let store = fixture.store();
    assert_eq!(store.walk(TABLE, None, 10).await.expect("it answers"), []);
    let mut writer = Writer::open(store.clone(), 1).await;
    let mut keys = Vec::new();
    for partition in [3, 1, 700] {
        keys.extend([5, 300, 0].map(|sort| Key::new(partition, sort)));
        keys.push(Key::new(partition, "text"));
    }
    for partition in ["user/2", "user/1", ""] {
        keys.extend([2, 1].map(|sort| Key::new(partition, sort)));
    }
    let puts = keys.iter().map(|key| put(key.clone(), b"x")).collect();
    writer.write(puts).await;
    keys.sort();
    for page in 1..=keys.len() + 1 {
        let mut seen: Vec<Key> = Vec::new();
        loop {
            let rows = store.walk(TABLE, seen.last(), page).await;
            let rows = rows.expect("the store answers");
            assert!(rows.len() <= page);
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.into_iter().map(|(key, _)| key));
        }
        assert_eq!(seen, keys, "pages of {page}");
    }
    // `after` need not be a row.
    let rows = store.walk(TABLE, Some(&Key::new(3, 6)), 1).await;
    let first = rows.expect("the store answers").remove(0).0;
    assert_eq!(first, Key::new(3, 300));
}
