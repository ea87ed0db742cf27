//! Backups: made of a serving node under load, whole or nameless whatever is killed, and restored into a node that goes on.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use reqwest::Method;
use rookery_protocol::document::TableId;
use rookery_tests::harness::load::{Load, Read, check_order, history};
use rookery_tests::harness::operator::{STORE_URL, begin, command, operate, operate_at};
use rookery_tests::harness::{Community, Form, Node, NodeOptions, Person, id, soon};
use rookery_tests::servers::Mongod;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Bytes of a file that takes a while to copy.
const LARGE: usize = 90 * 1_024 * 1_024;

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary folder")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Sends a file; answers the message.
async fn attach(community: &Community, name: &str, bytes: &[u8]) -> Value {
    let form = Form::new(&json!({})).file(0, name, bytes);
    let http = &community.ada.http;
    let sent = http.upload(Method::POST, &community.messages(), form).await;
    sent.expect(200)
}

/// The file of a message, as a node delivers it.
async fn download(node: &Node, community: &Community, message: &str) -> Vec<u8> {
    let path = format!("{}/{message}", community.messages());
    let message = community.ada.http.get(&path).await.expect(200);
    let url = message["attachments"][0]["url"].as_str().expect("a URL");
    let path = url.strip_prefix(node.url()).expect("a URL of the node");
    let answer = node.http().request(Method::GET, &format!("/{path}"));
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect("a body").to_vec()
}

/// A node on what a backup holds.
async fn restored(backup: &Path) -> Node {
    let folder = folder();
    let data = folder.path().join("data");
    let said = operate(&data, &["backup", "restore", text(backup)]).await;
    assert!(said.well().contains("restored into"), "{said:?}");
    Node::start_in(folder, NodeOptions::default()).await
}

/// Waits until something is so, looking again and again.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// kill -9; whether it came in time.
fn kill(mut child: Child) -> bool {
    child.kill().expect("kill");
    let status = child.wait().expect("its end");
    status.signal() == Some(9)
}

/// SIGINT, and what the command says to it; none when it came too late.
async fn interrupt(child: Child) -> Option<String> {
    let signalled = Command::new("sh")
        .args(["-c", "kill -s INT \"$1\"", "sh", &child.id().to_string()])
        .status();
    assert!(signalled.expect("sh").success());
    let said = said(child).await;
    (said.status.code() == Some(1)).then(|| String::from_utf8_lossy(&said.stderr).into_owned())
}

/// What a command said.
async fn said(child: Child) -> Output {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    soon("the end of a command", ended).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_what_was_acknowledged_before_it_and_goes_on_elsewhere() {
    let node = Node::start().await;
    let mut community = Community::new(&node).await;
    let note: Vec<u8> = (0..700_000u32).map(|n| (n / 3) as u8).collect();
    let sent = id(&attach(&community, "note.bin", &note).await);
    let path = community.messages();
    let people = [community.ada.clone(), community.ben.clone()];
    let mut load = Load::start(&people, node.url(), &path);
    load.goes_on(100).await;
    let before = history(&community.ada.http, &path).await;
    let backups = folder();
    let backup = backups.path().join("a.rookery");
    let said = node.run(&["backup", "create", text(&backup)]).await;
    assert!(said.status.success(), "{said:?}");
    load.goes_on(50).await;
    load.finish().await;
    let after = history(&community.ada.http, &path).await;
    assert_eq!(names(backups.path()), ["a.rookery"]);

    let verified = operate(backups.path(), &["backup", "verify", text(&backup)]).await;
    let verified = verified.well();
    let created = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(created, verified);
    assert!(
        verified.contains("messages") && verified.contains("1  files"),
        "{verified}"
    );

    // Beside the old one: nothing of it is needed.
    let other = restored(&backup).await;
    community.at(&other);
    let kept = history(&community.ada.http, &path).await;
    check_order(&kept, true);
    assert!(before.len() >= 100, "hardly any load: {}", before.len());
    assert!(
        kept.len() >= before.len(),
        "{} of {}",
        kept.len(),
        before.len()
    );
    assert_eq!(
        kept[..before.len()],
        before,
        "an acknowledged message is lost"
    );
    assert_eq!(kept, after[..kept.len()], "the backup holds what never was");
    assert!(after.len() > kept.len(), "the load went on");
    assert!(download(&other, &community, &sent).await == note);
    // What is written there is new, also beside what the old one gave out after the backup.
    let all: Vec<&Read> = after.iter().collect();
    let mut ben_sees = community.ben.connect(&other).await;
    for n in 0..5 {
        let content = format!("on {n}");
        let new = id(&community.ada.http.say(&community.channel, &content).await);
        assert!(
            all.iter().all(|(known, _)| *known != new),
            "{new} comes twice"
        );
        ben_sees.message(&content).await;
    }
    Person::login(&other, "ada").await;
    Person::register(&other, "carl").await;
    let checked = other.run(&["store", "check"]).await;
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_killed_or_interrupted_leaves_no_backup() {
    let mut node = Node::start().await;
    let community = Community::new(&node).await;
    attach(&community, "large", &vec![7; LARGE]).await;
    let backups = folder();
    let (target, partial) = (backups.path().join("b"), backups.path().join("b.partial"));
    let data = node.folder().join("data");
    let create = ["backup", "create", text(&target)];
    let has_begun = || partial.metadata().is_ok_and(|meta| meta.len() > 0);

    // A command that has begun. One that was too fast is run again; so is one that is refused, as the node is still at the one
    // before.
    let anew = async || loop {
        let _ = std::fs::remove_file(&target);
        let _ = std::fs::remove_file(&partial);
        let mut creating = begin(&data, &create);
        let mut is_refused = false;
        until("a begun backup", || {
            if has_begun() || target.exists() {
                return true;
            }
            is_refused = creating.try_wait().expect("its status").is_some();
            is_refused
        })
        .await;
        if !is_refused {
            return creating;
        }
    };
    loop {
        let creating = anew().await;
        if kill(creating) {
            break;
        }
    }
    assert_eq!(names(backups.path()), ["b.partial"]);

    // Interrupted it cleans up behind itself, and says so.
    let said_so = loop {
        let creating = anew().await;
        if let Some(said) = interrupt(creating).await {
            break said;
        }
    };
    assert!(
        said_so.contains("interrupted: no backup was written"),
        "{said_so}"
    );
    assert_eq!(names(backups.path()), [""; 0]);

    // The node is killed while it gives a backup.
    loop {
        let creating = anew().await;
        node.kill();
        let said = said(creating).await;
        if said.status.code() == Some(1) {
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(said.contains("the node that serves"), "{said}");
            break;
        }
        node.restart().await;
    }
    assert_eq!(names(backups.path()), [""; 0]);

    // Without a node the command reads the store itself, past the socket that the killed one left.
    assert!(names(&data).contains(&"admin.sock".to_owned()));
    operate(&data, &create).await.well();
    operate(&data, &["backup", "verify", text(&target)])
        .await
        .well();
    operate(&data, &create).await.refused(&["already there"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_is_seen_and_can_be_run_again() {
    let node = Node::start().await;
    let mut community = Community::new(&node).await;
    let large: Vec<u8> = (0..LARGE as u32).map(|n| (n >> 4) as u8).collect();
    let sent = id(&attach(&community, "large", &large).await);
    for n in 0..50 {
        community
            .ada
            .http
            .say(&community.channel, &format!("{n}"))
            .await;
    }
    let kept = history(&community.ada.http, &community.messages()).await;
    let backups = folder();
    let backup = backups.path().join("b");
    let data = node.folder().join("data");
    operate(&data, &["backup", "create", text(&backup)])
        .await
        .well();

    let restore = ["backup", "restore", text(&backup)];
    let (folder, data) = loop {
        let folder = folder();
        let data = folder.path().join("data");
        let restoring = begin(&data, &restore);
        let has_files = || data.join("media/attachments").exists();
        until("a restore that has come to the files", has_files).await;
        // One that was too fast is run again, elsewhere.
        let in_time = kill(restoring);
        let checked = operate(&data, &["store", "check"]).await;
        if in_time && checked.0.status.code() == Some(1) {
            let said = String::from_utf8_lossy(&checked.0.stdout).into_owned();
            assert!(said.contains("wrong: a restore"), "{said}");
            break (folder, data);
        }
        // What is there is all of it, and not a store that began empty.
        operate(&data, &restore).await.refused(&["not empty"]);
    };

    let refused = ["restore", "again"];
    operate(&data, &["serve", "--listen", "127.0.0.1:0"])
        .await
        .refused(&refused);
    operate(&data, &restore).await.well();
    operate(&data, &restore).await.refused(&["not empty"]);
    let node = Node::start_in(folder, NodeOptions::default()).await;
    community.at(&node);
    assert_eq!(
        history(&community.ada.http, &community.messages()).await,
        kept
    );
    assert!(download(&node, &community, &sent).await == large);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_one_sentence_and_nothing_is_touched() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    attach(&community, "a", b"bytes").await;
    let backups = folder();
    let path = |name: &str| -> PathBuf { backups.path().join(name) };
    let (whole, data) = (path("whole"), node.folder().join("data"));
    operate(&data, &["backup", "create", text(&whole)])
        .await
        .well();
    let bytes = std::fs::read(&whole).unwrap();

    let nowhere = backups.path().join("nowhere/data");
    let other = path("b");
    let create = ["backup", "create", text(&other), "--without-files"];
    operate(&nowhere, &create).await.refused(&["no store in"]);
    let none = path("none");
    operate(&nowhere, &["backup", "restore", text(&none)])
        .await
        .refused(&["none", "No such file"]);
    let unwritable = ["backup", "create", "/nowhere/b"];
    operate(&data, &unwritable).await.refused(&["/nowhere/b"]);
    let restore = ["backup", "restore", text(&whole)];
    operate(&data, &restore).await.refused(&["in use"]);
    let checked = operate(&nowhere, &["store", "check"]).await;
    assert_eq!(checked.0.status.code(), Some(1));
    assert!(!nowhere.exists());
    assert_eq!(names(backups.path()), ["whole"]);

    let damaged = path("damaged");
    let verify = ["backup", "verify", text(&damaged)];
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    std::fs::write(&damaged, &changed).unwrap();
    let words = ["damaged", "record", "at byte", "checksum"];
    operate(&data, &verify).await.refused(&words);
    std::fs::write(&damaged, &bytes[..bytes.len() - 1]).unwrap();
    operate(&data, &verify).await.refused(&["cut off"]);
    // It begins well: the store is left marked.
    let half = backups.path().join("half");
    operate(&half, &["backup", "restore", text(&damaged)])
        .await
        .refused(&["cut off", "unfinished"]);
    std::fs::write(&damaged, b"something else").unwrap();
    operate(&data, &verify)
        .await
        .refused(&["not the begin of a Rookery backup"]);
    let other = backups.path().join("other");
    operate(&other, &["backup", "restore", text(&damaged)])
        .await
        .refused(&["not the begin"]);
    assert!(!other.exists());

    // Without files the rest is whole.
    let small = path("small");
    let said = operate(
        &data,
        &["backup", "create", text(&small), "--without-files"],
    )
    .await;
    assert!(said.well().contains("without files"), "{said:?}");
    let node = restored(&small).await;
    Person::login(&node, "ada").await;
}

#[tokio::test]
async fn only_the_owner_can_use_what_a_backup_goes_through() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let mut node = Node::start().await;
    let data = node.folder().join("data");
    let socket = data.join("admin.sock").symlink_metadata().unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let backups = folder();
    let backup = backups.path().join("b");
    operate(&data, &["backup", "create", text(&backup)])
        .await
        .well();
    assert_eq!(
        backup.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(node.terminate().await.success());
    assert!(!data.join("admin.sock").exists());
    let mut check = command(&data, &["store", "check", "--json"]);
    let report: Value = serde_json::from_slice(&check.output().unwrap().stdout).unwrap();
    let expected = (true, Some("redb"), false);
    let found = (
        report["ok"] == true,
        report["driver"].as_str(),
        report["serving"] == true,
    );
    assert_eq!(found, expected, "{report}");
    node.restart().await;
    let report: Value = serde_json::from_slice(&check.output().unwrap().stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["serving"]),
        (&json!(true), &json!(true))
    );
}

/// How a community grows from one node to a cluster, and back: the same backup goes into either store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_embedded_store_to_mongodb_and_back_nothing_is_lost() {
    let mongod = Mongod::start().await;
    let url = mongod.url("chat");
    let backups = folder();
    let (first, second) = (backups.path().join("a"), backups.path().join("b"));
    let node = Node::start().await;
    let mut community = Community::new(&node).await;
    let path = community.messages();
    let sent = id(&attach(&community, "note", b"a note").await);
    for n in 0..40 {
        community
            .ada
            .http
            .say(&community.channel, &format!("0:{n}"))
            .await;
    }
    let embedded = history(&community.ada.http, &path).await;
    let said = node.run(&["backup", "create", text(&first)]).await;
    assert!(said.status.success(), "{said:?}");
    drop(node);

    let cluster = folder();
    let data = cluster.path().join("data");
    let nothing = operate_at(&url, &data, &["store", "check"]).await.0;
    assert_eq!(nothing.status.code(), Some(1));
    let restore = ["backup", "restore", text(&first)];
    operate_at(&url, &data, &restore).await.well();
    operate_at(&url, &data, &restore)
        .await
        .refused(&["not empty"]);
    // In the database, not on the disk of whoever restored them.
    let here = data.join("media/attachments").join(&community.channel);
    assert!(names(&here).is_empty());
    let options = NodeOptions {
        env: vec![(STORE_URL.to_owned(), url.clone())],
        ..NodeOptions::default()
    };
    let node = Node::start_in(cluster, options).await;
    community.at(&node);
    assert_eq!(history(&community.ada.http, &path).await, embedded);
    assert_eq!(download(&node, &community, &sent).await, b"a note");

    // The command reads MongoDB by itself, at one instant, while the node writes.
    let people = [community.ben.clone()];
    let channels = format!("/guilds/{}/channels", community.group);
    let form = json!({ "name": "load" });
    let channel = community.ada.http.post(&channels, form).await;
    let load_path = format!("/channels/{}/messages", id(&channel.expect(201)));
    let mut load = Load::start(&people, node.url(), &load_path);
    load.goes_on(30).await;
    let before = history(&community.ben.http, &load_path).await;
    let said = operate_at(&url, &data, &["backup", "create", text(&second)]).await;
    assert!(said.well().contains("of mongodb"), "{said:?}");
    load.goes_on(10).await;
    load.finish().await;
    operate_at(&url, &data, &["store", "check"]).await.well();

    let back = restored(&second).await;
    community.at(&back);
    assert_eq!(history(&community.ada.http, &path).await, embedded);
    assert_eq!(download(&back, &community, &sent).await, b"a note");
    let kept = history(&community.ben.http, &load_path).await;
    check_order(&kept, true);
    assert_eq!(kept[..before.len()], before);
    community.ada.http.say(&community.channel, "back").await;
    drop(back);

    // Somebody has written into the database by hand.
    let database = mongod.client().await.database("chat");
    let messages = database.collection::<mongodb::bson::Document>(TableId::Messages.name());
    let number = |text: &str| text.parse::<u64>().unwrap();
    let (channel, message) = (number(&community.channel), number(&sent));
    let filter = mongodb::bson::doc! { "_id": { "p": channel as i64, "s": message as i64 } };
    let update = mongodb::bson::doc! { "$set": { "row": { "content": "by hand" } } };
    let updated = messages.update_one(filter, update).await.unwrap();
    assert_eq!(updated.modified_count, 1);
    community.at(&node);
    let answer = community.ada.http.get(&format!("{path}/{sent}")).await;
    answer.refused(500, 0);
    let said = operate_at(&url, &data, &["store", "check"]).await.0;
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.contains(&format!("{sent}) of messages is corrupt")),
        "{said}"
    );
    database
        .collection::<mongodb::bson::Document>(TableId::Pins.name())
        .drop()
        .await
        .unwrap();
    let said = operate_at(&url, &data, &["store", "check"]).await.0;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("lacks the collection pins"), "{said}");
}
