//! What is there after a crash.

use rookery_actors::store::{CommitError, Committed};
use rookery_protocol::document::Key;

use super::{Fixture, TABLE, Writer, commit_of, get, lane, put, unit, unit_if_absent};

/// Every acknowledged commit, after one crash and after many.
pub async fn what_is_committed_survives_a_crash(fixture: &mut impl Fixture) {
    let mut incarnation = 0;
    for round in 0..6u64 {
        incarnation += 1;
        let mut writer = Writer::open(fixture.store(), incarnation).await;
        for n in 0..5 {
            let key = Key::new(round, n);
            let row = vec![b'x'; 100 * (n as usize + 1)];
            writer.write(vec![put(key, &row)]).await;
        }
        writer.write(vec![super::delete(Key::new(round, 0))]).await;
        drop(writer);
        fixture.crash().await;
        let store = fixture.store();
        for earlier in 0..=round {
            assert_eq!(get(&store, &Key::new(earlier, 0)).await, None);
            for n in 1..5 {
                let row = get(&store, &Key::new(earlier, n)).await;
                assert_eq!(row.map(|row| row.len()), Some(100 * (n as usize + 1)));
            }
        }
    }
}

/// The lane is where it was, and its last commit is still recognised.
pub async fn a_commit_is_repeated_across_a_crash(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    let taken = Key::single("taken");
    writer.write(vec![put(taken.clone(), b"x")]).await;
    let refused = unit_if_absent(vec![(TABLE, taken.clone())], vec![]);
    let kept = unit(vec![put(Key::single(1), b"x")]);
    let last = commit_of(&lane(1), 2, vec![refused, kept]);
    let answer = Ok(Committed { refused: vec![0] });
    assert_eq!(store.commit(&last).await, answer);
    drop((store, writer));
    fixture.crash().await;
    let store = fixture.store();
    assert_eq!(store.commit(&last).await, answer);
    assert_eq!(store.open_lane(&lane(1)).await, Ok(2));
    let next = commit_of(&lane(1), 3, vec![]);
    assert_eq!(store.commit(&next).await, Ok(Committed::default()));
}

/// A fenced incarnation stays fenced.
pub async fn a_fence_survives_a_crash(fixture: &mut impl Fixture) {
    let store = fixture.store();
    let mut writer = Writer::open(store.clone(), 1).await;
    writer.write(vec![]).await;
    assert_eq!(store.fence(&lane(1)).await, Ok(()));
    assert_eq!(store.fence(&lane(2)).await, Ok(()));
    drop((store, writer));
    fixture.crash().await;
    let store = fixture.store();
    let next = commit_of(&lane(1), 2, vec![]);
    assert_eq!(store.commit(&next).await, Err(CommitError::Fenced));
    assert_eq!(store.open_lane(&lane(2)).await, Err(CommitError::Fenced));
}
