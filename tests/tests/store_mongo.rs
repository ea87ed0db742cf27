//! MongoDB in particular: who may connect, what the index is used for, what calls do when nobody answers.
//! Nodes that die or freeze half-way are in `store_mongo_fence.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic in a test is the report, and tests read clocks"
)]

use std::time::{Duration, Instant};

use mongodb::bson::{Bson, Document, doc};
use rookery_actors::store::{
    Commit, CommitError, Committed, LaneId, Order, Scan, Store, StoreError, Unit, Write,
};
use rookery_node::store::mongo::{Migrated, MongoStore, OpenError, SCHEMA};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::ids::GroupId;
use rookery_protocol::limits::STORE_CALL_MS;
use rookery_tests::contract::fresh_database;
use rookery_tests::servers::{ADMIN, Flow, MongoSet, Mongod, MongodOptions, Proxy};

const TABLE: TableId = TableId::Members;

fn lane(incarnation: u64) -> LaneId {
    LaneId {
        node: "node-1".to_owned(),
        incarnation,
        index: 0,
    }
}

fn commit(seq: u64, writes: Vec<Write>) -> Commit {
    Commit {
        lane: lane(1),
        seq,
        units: vec![Unit {
            entity: GroupId(1).into(),
            absent: Vec::new(),
            writes,
        }],
    }
}

fn insert(key: Key, row: &[u8]) -> Write {
    Write::Insert {
        table: TABLE,
        key,
        row: row.to_vec(),
    }
}

/// Why the database cannot be opened; the sentence and what a log would show are free of secrets.
async fn default_database(url: &str) -> mongodb::Database {
    let client = mongodb::Client::with_uri_str(url).await.unwrap();
    client.default_database().unwrap()
}

async fn refusal(url: &str) -> (OpenError, String) {
    let error = MongoStore::connect(url).await.expect_err("it is refused");
    let sentence = error.to_string();
    for shown in [&sentence, &format!("{error:?}")] {
        for secret in [ADMIN.1, "s3cr3t", "s3cr%2F3t"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert!(
        !sentence.contains('\n') && !sentence.ends_with('.'),
        "{sentence}"
    );
    (error, sentence)
}

#[tokio::test]
async fn a_standalone_server_is_refused_with_the_sentence_that_helps() {
    let options = MongodOptions {
        standalone: true,
        ..MongodOptions::default()
    };
    let server = Mongod::start_with(options).await;
    for url in [server.url("rookery"), server.url("rookery?replicaSet=rs0")] {
        let (error, sentence) = refusal(&url).await;
        assert!(matches!(error, OpenError::Standalone { .. }), "{error:?}");
        assert!(sentence.contains("--replSet rs0") && sentence.contains("rs.initiate()"));
        assert!(sentence.contains(&server.address().to_string()));
    }
}

#[tokio::test]
async fn a_set_that_cannot_be_used_is_told_apart() {
    let server = Mongod::start_bare(MongodOptions::default()).await;
    let (error, sentence) = refusal(&server.url("rookery")).await;
    assert!(matches!(error, OpenError::NotInitiated { .. }), "{error:?}");
    assert!(sentence.contains("rs.initiate()"), "{sentence}");

    let server = fresh_database().await;
    let (error, sentence) = refusal(&format!("{server}?replicaSet=other")).await;
    assert!(matches!(error, OpenError::OtherSet { .. }), "{error:?}");
    assert!(sentence.contains("rs0") && sentence.contains("replicaSet=other"));
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let (error, sentence) = refusal("mongodb://ada:s3cr3t@127.0.0.1:1/rookery").await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(
        sentence.contains("127.0.0.1:1") && sentence.contains("refused"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_what_stands_in_it() {
    for url in [
        "",
        "redis://ada:s3cr3t@host",
        "mongodb://",
        "mongodb://ada:s3cr3t@host:port",
        "mongodb://ada:s3cr/3t@host",
        "mongodb://ada:s3cr3t@host/?readConcernLevel=1&w=-1",
        "mongodb://ada:s3cr3t@host/?authMechanism=s3cr3t",
        "mongodb://ada:s3cr3t@@host",
    ] {
        let (error, _) = refusal(url).await;
        assert!(matches!(error, OpenError::Url { .. }), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn users_are_known_by_their_rights_and_never_shown() {
    let server = Mongod::start_with(MongodOptions {
        auth: true,
        ..MongodOptions::default()
    })
    .await;
    let admin = server.client().await.database("admin");
    for (user, role) in [("writer", "readWrite"), ("reader", "read")] {
        let roles = vec![doc! { "role": role, "db": "rookery" }];
        let command = doc! { "createUser": user, "pwd": "s3cr/3t", "roles": roles };
        admin.run_command(command).await.unwrap();
    }
    let url = |user: &str| {
        let address = server.address();
        format!("mongodb://{user}@{address}/rookery?authSource=admin")
    };
    for wrong in ["writer:wrong", "nobody:s3cr%2F3t"] {
        let (error, sentence) = refusal(&url(wrong)).await;
        assert!(matches!(error, OpenError::Credentials { .. }), "{error:?}");
        assert!(sentence.contains("user name or password"), "{sentence}");
    }
    // Nobody at all, and who may only read: before the database is there, and after.
    for _ in 0..2 {
        let anonymous = server.url("rookery");
        for url in [&anonymous, &url("reader:s3cr%2F3t")] {
            let (error, sentence) = refusal(url).await;
            assert!(matches!(error, OpenError::Permission { .. }), "{error:?}");
            assert!(sentence.contains("readWrite") && sentence.contains("rookery"));
        }
        let store = MongoStore::connect(&url("writer:s3cr%2F3t")).await.unwrap();
        let shown = format!("{store:?}");
        assert!(
            !shown.contains("s3cr") && shown.contains("rookery"),
            "{shown}"
        );
    }

    // Who may only write the database may do everything that takes over a lane.
    let store = MongoStore::connect(&url("writer:s3cr%2F3t")).await.unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let first = commit(1, vec![insert(Key::new(1, 1), b"x")]);
    assert_eq!(store.commit(&first).await, Ok(Committed::default()));
    let other = MongoStore::connect(&url("writer:s3cr%2F3t")).await.unwrap();
    assert_eq!(other.fence(&lane(1)).await, Ok(()));
    assert_eq!(
        store.commit(&commit(2, vec![])).await,
        Err(CommitError::Fenced)
    );
}

#[tokio::test]
async fn tls_is_as_the_url_says() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let pem = format!("{}{}", key.cert.pem(), key.signing_key.serialize_pem());
    let server = Mongod::start_with(MongodOptions {
        certificate: Some(pem),
        ..MongodOptions::default()
    })
    .await;
    let trusted = server.certificate_path().display().to_string();
    let url = server.url("rookery");
    let store = MongoStore::connect(&format!("{url}?tls=true&tlsCAFile={trusted}")).await;
    assert_eq!(store.unwrap().open_lane(&lane(1)).await, Ok(0));
    for distrusting in [format!("{url}?tls=true"), url] {
        let (error, _) = refusal(&distrusting).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_or_another_program_is_left_alone() {
    let url = fresh_database().await;
    let fresh = Migrated {
        from: 0,
        to: SCHEMA,
    };
    assert_eq!(MongoStore::migrate(&url).await.unwrap(), fresh);
    let done = Migrated {
        from: SCHEMA,
        to: SCHEMA,
    };
    assert_eq!(MongoStore::migrate(&url).await.unwrap(), done);
    drop(MongoStore::connect(&url).await.unwrap());
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let database = client.default_database().unwrap();
    let meta = database.collection::<Document>("meta");
    let newer = doc! { "$set": { "version": i64::from(SCHEMA) + 7 } };
    meta.update_one(doc! { "_id": "schema" }, newer)
        .await
        .unwrap();
    let (error, sentence) = refusal(&url).await;
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    let (found, known) = (format!("version {}", SCHEMA + 7), format!("up to {SCHEMA}"));
    assert!(
        sentence.contains(&found) && sentence.contains(&known),
        "{sentence}"
    );
    assert!(MongoStore::migrate(&url).await.is_err());

    let url = fresh_database().await;
    let database = default_database(&url).await;
    let users = database.collection::<Document>("users");
    users
        .insert_one(doc! { "name": "of a shop" })
        .await
        .unwrap();
    let (error, sentence) = refusal(&url).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert!(sentence.contains("users"), "{sentence}");
    let names = database.list_collection_names().await.unwrap();
    assert_eq!(names, ["users"]);
}

#[tokio::test]
async fn a_collection_of_another_name_or_without_a_document_is_nobodys() {
    let url = fresh_database().await;
    let database = default_database(&url).await;
    // What a node that begins at the same time, or was cut off, has made of its mark.
    database.create_collection("meta").await.unwrap();
    database.create_collection("others").await.unwrap();
    MongoStore::connect(&url).await.unwrap();
    // With a document that is no mark it is somebody's.
    let url = fresh_database().await;
    let meta = default_database(&url).await.collection::<Document>("meta");
    meta.insert_one(doc! { "_id": 1 }).await.unwrap();
    let (error, _) = refusal(&url).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[tokio::test]
async fn many_nodes_may_open_a_fresh_database_at_once() {
    for _ in 0..3 {
        let url = fresh_database().await;
        let opening = (0..8).map(|_| MongoStore::connect(&url));
        for store in futures_util::future::join_all(opening).await {
            store.unwrap();
        }
    }
}

#[tokio::test]
async fn rows_can_be_read_by_an_operator_and_a_damaged_one_spoils_no_other() {
    let url = fresh_database().await;
    let store = MongoStore::connect(&url).await.unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let readable =
        mongodb::bson::serialize_to_vec(&doc! { "name": "Ada", "roles": [1, 2] }).unwrap();
    let operator = mongodb::bson::serialize_to_vec(&doc! { "$set": { "name": "x" } }).unwrap();
    let rows = [(1, &readable[..]), (2, &operator), (3, b"bytes"), (4, b"")];
    let puts = rows.map(|(n, row)| insert(Key::new("$where", n), row));
    let first = commit(1, puts.to_vec());
    assert_eq!(store.commit(&first).await, Ok(Committed::default()));
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let members = client.default_database().unwrap();
    let members = members.collection::<Document>(TABLE.name());
    let id = |n: i64| doc! { "_id": { "p": "$where", "s": n } };
    let seen = members.find_one(id(1)).await.unwrap().unwrap();
    assert_eq!(
        seen.get_document("row").unwrap().get_str("name").unwrap(),
        "Ada"
    );
    for n in 2..=4 {
        let seen = members.find_one(id(n)).await.unwrap().unwrap();
        assert!(matches!(seen.get("row"), Some(Bson::Binary(_))), "{seen}");
    }
    for (n, row) in rows {
        let found = store.get(TABLE, &Key::new("$where", n)).await.unwrap();
        assert_eq!(found.as_deref(), Some(row));
    }
    let damage = doc! { "$unset": { "row": true } };
    members.update_one(id(2), damage).await.unwrap();
    let damaged = store.get(TABLE, &Key::new("$where", 2)).await;
    assert!(
        matches!(damaged, Err(StoreError::Corrupt(_))),
        "{damaged:?}"
    );
    let sound = store.get(TABLE, &Key::new("$where", 3)).await.unwrap();
    assert_eq!(sound.as_deref(), Some(&b"bytes"[..]));
}

/// Half a million members of one group, beside two others: pages come by the index, and cost what they hold.
#[tokio::test]
async fn half_a_million_rows_page_by_the_index() {
    const ROWS: u64 = 500_000;
    const PAGE: usize = 1_000;
    let url = fresh_database().await;
    let store = MongoStore::connect(&url).await.unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let row = mongodb::bson::serialize_to_vec(&doc! { "user": 1_i64, "roles": [] }).unwrap();
    let all: Vec<u64> = (0..ROWS).collect();
    let mut seq = 0;
    for part in all.chunks(10_000) {
        seq += 1;
        let mut writes: Vec<_> = part.iter().map(|n| insert(Key::new(2, *n), &row)).collect();
        writes.extend([1, 3].map(|group| insert(Key::new(group, seq), &row)));
        let commit = commit(seq, writes);
        assert_eq!(store.commit(&commit).await, Ok(Committed::default()));
    }

    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let database = client.default_database().unwrap();
    let profile = |level: i32| database.run_command(doc! { "profile": level });
    profile(2).await.unwrap();
    let scan = |above, below, order, limit| Scan {
        table: TABLE,
        partition: 2.into(),
        above,
        below,
        order,
        limit,
    };
    let at = |n: u64| Some(n.into());
    let scans = [
        scan(None, None, Order::Ascending, PAGE),
        scan(None, None, Order::Descending, PAGE),
        scan(at(ROWS / 2), None, Order::Ascending, PAGE),
        scan(None, at(ROWS / 2), Order::Descending, PAGE),
        scan(at(ROWS - 10), None, Order::Ascending, PAGE),
        scan(at(7), at(9), Order::Ascending, PAGE),
    ];
    let mut expected = Vec::new();
    for scan in &scans {
        expected.push(store.scan(scan).await.unwrap().len());
    }
    for after in [None, Some(Key::new(2, ROWS / 2))] {
        let rows = store.walk(TABLE, after.as_ref(), PAGE).await.unwrap();
        expected.push(rows.len());
    }
    store.get(TABLE, &Key::new(2, 5)).await.unwrap().unwrap();
    expected.push(1);
    profile(0).await.unwrap();
    assert_eq!(expected, [PAGE, PAGE, PAGE, PAGE, 9, 1, PAGE, PAGE, 1]);

    // What MongoDB itself says of each: the plan it took, and the documents it looked at.
    let profiled = database.collection::<Document>("system.profile");
    let of_members = doc! { "ns": format!("{}.{}", database.name(), TABLE.name()) };
    let mut entries = profiled
        .find(of_members)
        .sort(doc! { "ts": 1 })
        .await
        .unwrap();
    let mut found = Vec::new();
    while entries.advance().await.unwrap() {
        let entry = Document::try_from(entries.current()).unwrap();
        let plan = entry.get_str("planSummary").unwrap();
        assert!(["IXSCAN { _id: 1 }", "IDHACK"].contains(&plan), "{entry}");
        let count = |name| usize::try_from(entry.get_i32(name).unwrap()).unwrap();
        assert_eq!(count("docsExamined"), count("nreturned"), "{entry}");
        assert!(count("keysExamined") <= count("nreturned") + 1, "{entry}");
        assert!(!entry.contains_key("hasSortStage"), "{entry}");
        found.push(count("nreturned"));
    }
    assert_eq!(found, expected);

    // And all of them, page by page.
    let (mut above, mut seen) = (None, 0);
    loop {
        let page = scan(above.take(), None, Order::Ascending, 10_000);
        let rows = store.scan(&page).await.unwrap();
        let Some((last, _)) = rows.last() else { break };
        assert_eq!(rows[0].0, Key::new(2, seen));
        seen += rows.len() as u64;
        above = Some(last.sort.clone());
    }
    assert_eq!(seen, ROWS);
}

/// A server that no longer answers: every call ends in time and says what it does not know; then everything goes on by itself,
/// and what was unknown is found out.
#[tokio::test]
async fn a_call_that_is_not_answered_ends_in_time() {
    let server = Mongod::start().await;
    let proxy = Proxy::to(server.address()).await;
    let store = MongoStore::connect(&server.url_through(&proxy, "rookery"))
        .await
        .unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let put = |n: u64| vec![insert(Key::new(1, n), b"x")];
    store.commit(&commit(1, put(1))).await.unwrap();

    let most = Duration::from_millis(STORE_CALL_MS + 1_500);
    for away in ["nobody answers", "connections are closed"] {
        if away == "nobody answers" {
            proxy.blackhole();
        } else {
            proxy.close();
        }
        let row = [(TABLE, Key::new(1, 1))];
        let (second, key) = (commit(2, put(2)), Key::new(1, 1));
        let other = lane(2);
        let began = Instant::now();
        let nothing = |_: &[Option<Vec<u8>>]| Vec::new();
        let (committed, fenced, read, decided) = tokio::join!(
            store.commit(&second),
            store.fence(&other),
            store.get(TABLE, &key),
            store.transact(&row, &nothing),
        );
        assert!(began.elapsed() < most, "{away}: {:?}", began.elapsed());
        assert!(
            matches!(committed, Err(CommitError::Unknown(_))),
            "{committed:?}"
        );
        assert!(matches!(fenced, Err(CommitError::Unknown(_))), "{fenced:?}");
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        assert!(
            matches!(decided, Err(StoreError::Unavailable(_))),
            "{decided:?}"
        );
        proxy.heal();
        let began = Instant::now();
        while store.commit(&second).await != Ok(Committed::default()) {
            assert!(
                began.elapsed() < Duration::from_secs(15),
                "{away}: it does not heal"
            );
        }
        assert!(store.get(TABLE, &Key::new(1, 2)).await.unwrap().is_some());
    }
    assert_eq!(
        store.commit(&commit(3, put(3))).await,
        Ok(Committed::default())
    );
}

/// The answer of a commit is lost: handed in again, it is recognised.
#[tokio::test]
async fn an_answer_that_was_lost_is_found_out() {
    let server = Mongod::start().await;
    let proxy = Proxy::to(server.address()).await;
    let store = MongoStore::connect(&server.url_through(&proxy, "rookery"))
        .await
        .unwrap();
    let direct = MongoStore::connect(&server.url("rookery")).await.unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let put = |n: u64| vec![insert(Key::new(1, n), b"x")];
    for seq in 1..=5 {
        let next = commit(seq, put(seq));
        let caught = proxy.hold_at(b"commitTransaction");
        let (answer, ()) = tokio::join!(store.commit(&next), async {
            caught.await;
            if seq % 2 == 0 {
                // It never gets there.
                proxy.cut();
            } else {
                // It gets there, and the answer does not come back.
                proxy.set(Flow::Pass, Flow::Hold);
                let key = Key::new(1, seq);
                while direct.get(TABLE, &key).await.unwrap().is_none() {}
                proxy.cut();
            }
            proxy.heal();
        });
        if answer.is_err() {
            assert_eq!(store.commit(&next).await, Ok(Committed::default()));
        }
        assert!(store.get(TABLE, &Key::new(1, seq)).await.unwrap().is_some());
        assert_eq!(store.open_lane(&lane(1)).await, Ok(seq));
    }
}

/// The primary of three steps down, is killed, and comes back, while a lane commits: every commit lands once, in order.
#[tokio::test]
async fn a_lane_outlives_its_primary() {
    let mut set = MongoSet::start(3).await;
    let store = MongoStore::connect(&set.url("rookery")).await.unwrap();
    store.open_lane(&lane(1)).await.unwrap();
    let put = |n: u64| vec![insert(Key::new(1, n), b"x")];
    let mut seq = 0;
    let mut until_committed = async |count: u64| {
        for _ in 0..count {
            seq += 1;
            let began = Instant::now();
            loop {
                match store.commit(&commit(seq, put(seq))).await {
                    Ok(committed) => break assert_eq!(committed, Committed::default()),
                    Err(CommitError::Unknown(_)) => {}
                    Err(error) => panic!("{error}"),
                }
                assert!(began.elapsed() < Duration::from_secs(60), "nothing commits");
            }
            // Acknowledged: every read sees it, whoever is primary now.
            let row = loop {
                match store.get(TABLE, &Key::new(1, seq)).await {
                    Ok(row) => break row,
                    Err(StoreError::Unavailable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            };
            assert!(row.is_some(), "{seq} was acknowledged");
        }
    };
    until_committed(20).await;
    tokio::join!(set.step_down(), until_committed(50));
    let primary = set.primary().await;
    set.member(primary).kill().await;
    until_committed(50).await;
    set.member(primary).restart().await;
    until_committed(20).await;
    let scan = Scan {
        table: TABLE,
        partition: 1.into(),
        above: None,
        below: None,
        order: Order::Ascending,
        limit: usize::MAX,
    };
    assert_eq!(store.scan(&scan).await.unwrap().len(), 140);
}
