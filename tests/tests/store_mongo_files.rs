//! Files in MongoDB: whole or not there, found by name, and swept when nothing refers to them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic in a test is the report, and tests read clocks"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use mongodb::Database;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, doc};
use rookery_actors::store::{self, Commit, LaneId, Store, StoreError, Unit};
use rookery_node::media::Media;
use rookery_node::store::mongo::{MongoFiles, MongoStore};
use rookery_protocol::document::{AttachmentOwner, Attachments, Key};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, MessageId};
use rookery_protocol::limits::STORE_CALL_MS;
use rookery_tests::contract::fresh_database;
use rookery_tests::servers::{Mongod, Proxy};

/// A chunk, as the driver cuts them.
const CHUNK: usize = 1_024 * 1_024;

/// A store, its database as anybody sees it, and a folder for files.
struct Place {
    store: MongoStore,
    files: MongoFiles,
    database: Database,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let url = fresh_database().await;
        let store = MongoStore::connect(&url).await.unwrap();
        let client = mongodb::Client::with_uri_str(&url).await.unwrap();
        Self {
            files: store.files(),
            store,
            database: client.default_database().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A file with these bytes.
    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    async fn chunks(&self) -> u64 {
        let chunks = self.database.collection::<Document>("media.chunks");
        chunks.count_documents(doc! {}).await.unwrap()
    }

    async fn names(&self) -> Vec<String> {
        let files = self.files.list(None, 1_000).await.unwrap();
        files.into_iter().map(|file| file.name).collect()
    }
}

async fn read(files: &MongoFiles, name: &str) -> Option<Vec<u8>> {
    let mut download = files.open(name).await.unwrap()?;
    let mut bytes = Vec::new();
    while let Some(piece) = download.next().await.unwrap() {
        bytes.extend(piece);
    }
    Some(bytes)
}

fn bytes(count: usize) -> Vec<u8> {
    let bytes = (0..count).map(|n| u8::try_from(n * n % 251));
    bytes.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_whatever_its_size() {
    let place = Place::new().await;
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
        let (name, bytes) = (format!("attachments/1/{size}"), bytes(size));
        place.files.put(&name, &place.file(&bytes)).await.unwrap();
        assert_eq!(read(&place.files, &name).await, Some(bytes), "{size}");
    }
    assert_eq!(read(&place.files, "attachments/1/none").await, None);
    let asked = ["attachments/1/0", "attachments/1/none"].map(str::to_owned);
    let present = place.files.present(&asked).await.unwrap();
    assert_eq!(present.into_iter().collect::<Vec<_>>(), ["attachments/1/0"]);
}

#[tokio::test]
async fn the_newest_of_a_name_counts_and_all_of_them_are_deleted() {
    let place = Place::new().await;
    let name = "avatars/1/a.png".to_owned();
    for bytes in [b"first", b"newer"] {
        place.files.put(&name, &place.file(bytes)).await.unwrap();
        // The database orders them by the millisecond.
        let first = SystemTime::now();
        while first.elapsed().unwrap() < Duration::from_millis(2) {}
    }
    assert_eq!(read(&place.files, &name).await.unwrap(), b"newer");
    assert_eq!(place.names().await, [name.clone(), name.clone()]);
    place.files.delete_named(&[name]).await.unwrap();
    assert!(place.names().await.is_empty());
    assert_eq!(place.chunks().await, 0);
}

#[tokio::test]
async fn what_a_dead_node_had_begun_is_deleted_and_what_is_whole_stays() {
    let place = Place::new().await;
    // No file was ever written.
    let later = SystemTime::now() + Duration::from_secs(2);
    assert_eq!(place.files.delete_fragments(later).await.unwrap(), 0);
    let whole = bytes(2 * CHUNK);
    place
        .files
        .put("attachments/1/2", &place.file(&whole))
        .await
        .unwrap();
    // A node writes a chunk after the other, and what makes a file of them last.
    let chunks = place.database.collection::<Document>("media.chunks");
    let fragments = (0..300).map(|_| {
        let bytes = vec![7; 10];
        let subtype = BinarySubtype::Generic;
        doc! { "files_id": ObjectId::new(), "n": 0, "data": Binary { subtype, bytes } }
    });
    chunks.insert_many(fragments).await.unwrap();
    let earlier = SystemTime::now() - Duration::from_secs(60);
    assert_eq!(place.files.delete_fragments(earlier).await.unwrap(), 0);
    let later = SystemTime::now() + Duration::from_secs(2);
    assert_eq!(place.files.delete_fragments(later).await.unwrap(), 300);
    assert_eq!(place.chunks().await, 2);
    assert_eq!(read(&place.files, "attachments/1/2").await, Some(whole));
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A message refers to these files.
async fn claim(store: &MongoStore, channel: ChannelId, files: &[u64]) {
    let lane = LaneId {
        node: "n".to_owned(),
        incarnation: 1,
        index: 0,
    };
    let seq = store.open_lane(&lane).await.unwrap() + 1;
    let claims = files.iter().map(|id| {
        let message = MessageId(1);
        let key = Key::new(channel, AttachmentId(*id));
        store::put::<Attachments>(key, &AttachmentOwner { message })
    });
    let unit = Unit {
        entity: GroupId(1).into(),
        absent: Vec::new(),
        writes: claims.collect(),
    };
    let units = vec![unit];
    store.commit(&Commit { lane, seq, units }).await.unwrap();
}

#[tokio::test]
async fn a_sweep_shares_what_lay_here_and_deletes_what_nothing_refers_to_everywhere() {
    let place = Place::new().await;
    let root = place.folder.path().join("media");
    let media = Media::open(root, Some(place.files.clone()), 1).await;
    let channel = ChannelId(5);
    claim(&place.store, channel, &[1, 2]).await;

    // A file that is claimed lies here only, one in the database only; others are nobody's.
    let at = |id: u64| media.attachment(channel, AttachmentId(id));
    put(&at(1), b"here");
    put(&at(3), b"nobody's here");
    for name in ["attachments/5/2", "attachments/5/4", "avatars/9/b.png"] {
        place.files.put(name, &place.file(b"there")).await.unwrap();
    }
    let young = Duration::from_secs(60);
    assert_eq!(media.sweep(&place.store, young).await.unwrap(), 0);
    assert_eq!(place.names().await.len(), 3, "all are young");

    // The database tells the age by the millisecond.
    let now = SystemTime::now();
    while now.elapsed().unwrap() < Duration::from_millis(2) {}
    let deleted = media.sweep(&place.store, Duration::ZERO).await.unwrap();
    assert_eq!(deleted, 3);
    assert_eq!(place.names().await, ["attachments/5/1", "attachments/5/2"]);
    assert!(at(1).exists() && !at(3).exists());
    assert_eq!(
        read(&place.files, "attachments/5/1").await.unwrap(),
        b"here"
    );

    // A copy that has been here for weeks makes room, and is fetched again.
    let old = SystemTime::now() - Duration::from_secs(30 * 86_400);
    let file = std::fs::File::options().write(true).open(at(1)).unwrap();
    file.set_modified(old).unwrap();
    assert_eq!(media.sweep(&place.store, young).await.unwrap(), 0);
    assert!(!at(1).exists());
    media.fetch(&at(1)).await.unwrap();
    assert_eq!(std::fs::read(at(1)).unwrap(), b"here");
    media.delete(channel, &[AttachmentId(1)]).await;
    assert!(!at(1).exists());
    assert_eq!(place.names().await, ["attachments/5/2"]);
}

#[tokio::test]
async fn a_sweep_goes_on_when_a_file_is_deleted_before_it_is_shared() {
    let server = Mongod::start().await;
    let proxy = Proxy::to(server.address()).await;
    let url = server.url_through(&proxy, "rookery");
    let store = MongoStore::connect(&url).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("media");
    let media = Media::open(root, Some(store.files()), 1).await;
    let channel = ChannelId(5);
    claim(&store, channel, &[1, 2, 3]).await;
    let at = |id: u64| media.attachment(channel, AttachmentId(id));
    for id in 1..=3 {
        put(&at(id), b"here");
    }
    // It has seen the files, and asks which of them the database has.
    let held = async {
        proxy.hold_at(b"filename").await;
        std::fs::remove_file(at(1)).unwrap();
        std::fs::remove_file(at(2)).unwrap();
        proxy.heal();
    };
    let (swept, ()) = tokio::join!(media.sweep(&store, Duration::ZERO), held);
    assert_eq!(swept.unwrap(), 0);
    let files = store.files().list(None, 1_000).await.unwrap();
    let names: Vec<_> = files.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["attachments/5/3"]);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_not_waited_for() {
    let server = Mongod::start().await;
    let proxy = Proxy::to(server.address()).await;
    let url = server.url_through(&proxy, "rookery");
    let store = MongoStore::connect(&url).await.unwrap();
    let files = store.files();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    // More than the first answer of the server holds.
    put(&path, &bytes(24 * CHUNK));
    files.put("attachments/1/1", &path).await.unwrap();
    let mut download = files.open("attachments/1/1").await.unwrap().unwrap();
    download.next().await.unwrap();
    proxy.blackhole();
    let most = Duration::from_millis(STORE_CALL_MS + 1_500);
    let rest = async {
        loop {
            match download.next().await {
                Ok(Some(_)) => {}
                end => return end.map(drop),
            }
        }
    };
    let began = Instant::now();
    let (sent, rest) = tokio::join!(files.put("attachments/1/2", &path), rest);
    assert!(began.elapsed() < most, "{:?}", began.elapsed());
    for outcome in [sent, rest] {
        assert!(
            matches!(outcome, Err(StoreError::Unavailable(_))),
            "{outcome:?}"
        );
    }
    proxy.heal();
    assert_eq!(read(&files, "attachments/1/2").await, None);
    files.put("attachments/1/2", &path).await.unwrap();
    assert!(read(&files, "attachments/1/2").await.is_some());
}
