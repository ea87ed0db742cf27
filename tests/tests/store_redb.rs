//! What only the embedded store must do: sentences for a bad data folder, a power cut within a commit, a broken disk,
//! a killed process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a panic in a test is the report; the processes a test starts talk to it over stdout"
)]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rookery_actors::commit::{CommitLane, Outcome};
use rookery_actors::store::{
    Commit, CommitError, Committed, LaneId, Store, StoreError, Unit, Write,
};
use rookery_node::store::redb::{FILE_NAME, OpenError, RedbStore};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::ids::GroupId;
use rookery_tests::disk::VolatileDisk;

const TABLE: TableId = TableId::Messages;

fn lane(incarnation: u64) -> LaneId {
    LaneId {
        node: "node-1".to_owned(),
        incarnation,
        index: 0,
    }
}

/// Two rows that belong together.
fn pair(n: u64) -> Unit {
    let put = |partition: u64| Write::Put {
        table: TABLE,
        key: Key::new(partition, n),
        row: vec![n as u8; 700],
    };
    Unit {
        entity: GroupId(1).into(),
        absent: Vec::new(),
        writes: vec![put(1), put(2)],
    }
}

/// The rows of a partition, by their place.
async fn rows(store: &RedbStore) -> Vec<(Key, Vec<u8>)> {
    store.walk(TABLE, None, usize::MAX).await.unwrap()
}

/// Starts this test again as a process of its own that plays the other part.
fn other_process(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env("ROOKERY_TEST_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The folder, if this is the other process.
fn is_other_process() -> Option<std::path::PathBuf> {
    std::env::var_os("ROOKERY_TEST_FOLDER").map(Into::into)
}

#[test]
fn a_second_process_is_refused_with_a_sentence_that_names_the_folder() {
    const SAYS: &str = "refused: ";
    if let Some(folder) = is_other_process() {
        let error = RedbStore::open(&folder).expect_err("the folder is in use");
        println!("{SAYS}{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path()).unwrap();
    let name = "a_second_process_is_refused_with_a_sentence_that_names_the_folder";
    let output = other_process(name, folder.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let sentence = format!(
        "{SAYS}the data folder {} is in use by another rookery process: stop that one, or choose another folder with --data",
        folder.path().display()
    );
    assert!(said.contains(&sentence), "{said}");
    // Nor a second time in this one; and it is free once closed.
    assert!(matches!(
        RedbStore::open(folder.path()),
        Err(OpenError::InUse { .. })
    ));
    store.close();
    RedbStore::open(folder.path()).unwrap();
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    for contents in [
        b"x".to_vec(),
        vec![0; 100],
        vec![0xa5; 8_192],
        b"redb".to_vec(),
    ] {
        std::fs::write(&path, &contents).unwrap();
        let error = RedbStore::open(folder.path()).expect_err("it is no store");
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        let sentence = error.to_string();
        assert!(sentence.contains(&path.display().to_string()), "{sentence}");
        assert!(std::fs::read(&path).unwrap() == contents);
    }
}

#[tokio::test]
async fn a_damaged_store_is_an_error_or_a_whole_commit_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path()).unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    for seq in 1..=20 {
        let commit = Commit {
            lane: lane(1),
            seq,
            units: vec![pair(seq)],
        };
        store.commit(&commit).await.unwrap();
    }
    // As a killed process leaves it, so that the next start checks it.
    let path = folder.path().join(FILE_NAME);
    let whole = std::fs::read(&path).unwrap();
    let expected = rows(&store).await;
    store.close();
    let mut refused = 0;
    let cuts = (0..whole.len()).step_by(whole.len() / 37);
    for (n, at) in cuts.enumerate() {
        let mut damaged = whole.clone();
        if n % 2 == 0 {
            damaged.truncate(at);
        } else {
            damaged[at..].iter_mut().take(64).for_each(|b| *b ^= 0x5a);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), &damaged).unwrap();
        match RedbStore::open(folder.path()) {
            // An empty file is a new store.
            Ok(store) if damaged.is_empty() => assert_eq!(rows(&store).await, []),
            // Damage to the pages of the last commit looks as if that commit had not been finished.
            Ok(store) => {
                let at_commit = store.open_lane(&lane(1)).await.unwrap();
                assert!([19, 20].contains(&at_commit), "damage at {at}");
                let found = rows(&store).await;
                let until = |(key, _): &&(Key, Vec<u8>)| key.sort <= at_commit.into();
                let whole: Vec<_> = expected.iter().filter(until).cloned().collect();
                assert!(found == whole, "damage at {at}");
            }
            Err(OpenError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 10, "only {refused} damages were noticed");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, b"").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let sentence = RedbStore::open(&folder).expect_err("a file").to_string();
        let name = folder.display().to_string();
        assert!(sentence.contains(&name), "{sentence}");
    }
    let folder = parent.path().join("data");
    std::fs::create_dir_all(folder.join(FILE_NAME)).unwrap();
    let error = RedbStore::open(&folder).expect_err("the file is a folder");
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

#[test]
fn nobody_else_may_look_into_a_new_folder() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let _store = RedbStore::open(&folder).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(FILE_NAME)), 0o600);
}

#[test]
fn a_newer_or_foreign_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    RedbStore::open(folder.path()).unwrap().close();
    let edit = |format: Option<u64>| {
        let database = redb::Database::open(folder.path().join(FILE_NAME)).unwrap();
        let transaction = database.begin_write().unwrap();
        let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
        match format {
            Some(format) => {
                let mut table = transaction.open_table(meta).unwrap();
                table.insert("format", format).unwrap();
            }
            None => assert!(transaction.delete_table(meta).unwrap()),
        }
        transaction.commit().unwrap();
    };
    edit(Some(2));
    let error = RedbStore::open(folder.path()).expect_err("it is newer");
    assert!(
        matches!(error, OpenError::Newer { found: 2, .. }),
        "{error:?}"
    );
    edit(None);
    let error = RedbStore::open(folder.path()).expect_err("it is another program's");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_closed_store_answers_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path()).unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let commit = |seq| Commit {
        lane: lane(1),
        seq,
        units: vec![pair(seq)],
    };
    store.commit(&commit(1)).await.unwrap();
    store.close();
    store.close();
    assert!(matches!(
        store.get(TABLE, &Key::new(1, 1)).await,
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(store.commit(&commit(2)).await, Err(CommitError::Fenced));
    let again = RedbStore::open(folder.path()).unwrap();
    assert_eq!(rows(&again).await.len(), 2);
}

#[tokio::test]
async fn a_power_cut_at_any_moment_of_a_commit_leaves_all_of_it_or_nothing() {
    let disk = VolatileDisk::default();
    let store = RedbStore::on_backend(Path::new("disk"), disk.clone()).unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let commit = |seq: u64| Commit {
        lane: lane(1),
        seq,
        units: (0..8).map(|n| pair(seq * 10 + n)).collect(),
    };
    let (mut before_all, mut after_all) = (0, 0);
    for seq in 1..=6 {
        let before = rows(&store).await;
        disk.record();
        assert_eq!(store.commit(&commit(seq)).await, Ok(Committed::default()));
        let mut moments = disk.moments();
        moments.push(disk.clone());
        let after = rows(&store).await;
        let last = moments.len() - 1;
        for (n, moment) in moments.into_iter().enumerate() {
            for seed in 0..4 {
                let survived = RedbStore::on_backend(Path::new("disk"), moment.lose_power(seed));
                let survived = survived.unwrap();
                let found = rows(&survived).await;
                let at = survived.open_lane(&lane(1)).await.unwrap();
                if at == seq {
                    assert!(found == after, "half a commit at moment {n}");
                    after_all += 1;
                } else {
                    assert_eq!(at, seq - 1);
                    assert!(found == before, "half a commit at moment {n}");
                    assert_ne!(n, last, "an acknowledged commit is lost");
                    before_all += 1;
                }
                // Whichever it was: the caller's repetition makes it so.
                assert_eq!(
                    survived.commit(&commit(seq)).await,
                    Ok(Committed::default())
                );
                assert!(rows(&survived).await == after);
            }
        }
    }
    assert!(
        before_all > 50 && after_all >= 24,
        "{before_all} {after_all}"
    );
}

#[test]
fn a_broken_disk_ends_the_process() {
    let name = "a_broken_disk_ends_the_process";
    if is_other_process().is_some() {
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .init();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let disk = VolatileDisk::default();
            let store = RedbStore::on_backend(Path::new("disk"), disk.clone()).unwrap();
            let lane = CommitLane::open(Arc::new(store), lane(1)).await.unwrap();
            let outcome = lane.submit_and_wait(pair(1)).await;
            println!("first {outcome:?}");
            disk.fail();
            let outcome = lane.submit_and_wait(pair(2)).await;
            println!("second {outcome:?}");
        });
        return;
    }
    let output = other_process(name, Path::new("none")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("first Ok(Committed)"), "{said}");
    assert!(!said.contains("second"), "{said}");
    let abort = 6;
    assert_eq!(output.status.signal(), Some(abort), "{log}");
    assert!(
        log.contains("writing the data file failed, the process ends"),
        "{log}"
    );
    assert!(log.contains("the disk is broken"), "{log}");
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let name = "a_killed_process_loses_nothing_it_acknowledged";
    if let Some(folder) = is_other_process() {
        commit_for_ever(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..6 {
        let mut child = other_process(name, folder.path())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = lines.map_while(Result::ok).filter_map(|line| {
            let n = line.strip_prefix("acknowledged ")?;
            n.parse::<u64>().ok()
        });
        for (count, n) in numbers.enumerate() {
            acknowledged = n;
            if count == 40 + 13 * round {
                child.kill().unwrap();
            }
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let store = RedbStore::open(folder.path()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let found = runtime.block_on(rows(&store));
        let of = |partition: u64| -> Vec<&(Key, Vec<u8>)> {
            let rows = found.iter();
            rows.filter(|(key, _)| key.partition == partition.into())
                .collect()
        };
        let (one, two) = (of(1), of(2));
        assert!(
            one.len() as u64 >= acknowledged,
            "an acknowledged row is lost"
        );
        assert_eq!(one.len(), two.len(), "half a unit");
        for (n, (one, two)) in (1..).zip(one.into_iter().zip(two)) {
            assert_eq!((&one.0.sort, &one.1), (&n.into(), &vec![n as u8; 700]));
            assert_eq!((&two.0.sort, &two.1), (&n.into(), &one.1));
        }
        store.close();
    }
    assert!(acknowledged > 200, "only {acknowledged}");
}

/// Goes on where the store stands, telling each acknowledgement.
fn commit_for_ever(folder: &Path) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = RedbStore::open(folder).unwrap();
        let mut n = rows(&store).await.len() as u64 / 2;
        let incarnation = n + 1;
        let lane = CommitLane::open(Arc::new(store), lane(incarnation))
            .await
            .unwrap();
        loop {
            let mut last = None;
            for _ in 0..3 {
                n += 1;
                let (tell, told) = tokio::sync::oneshot::channel();
                let done = move |outcome| {
                    // Only the last of the three is waited for.
                    let _ = tell.send(outcome);
                };
                lane.submit(pair(n), Box::new(done)).unwrap();
                last = Some(told);
            }
            assert_eq!(last.unwrap().await.unwrap(), Outcome::Committed);
            println!("acknowledged {n}");
        }
    })
}
