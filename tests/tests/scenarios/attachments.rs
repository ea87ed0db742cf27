//! Files of messages: sent, streamed, looked at, delivered as what they are and as nothing else, and gone with their message.

use std::path::{Path, PathBuf};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use rookery_tests::harness::{Answer, Community, Form, Http, Node, NodeOptions, id, soon};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0";

/// The path of a URL as [`Http::request`] takes it.
fn path(node: &Node, url: &Value) -> String {
    let url = url.as_str().expect("a URL");
    format!(
        "/{}",
        url.strip_prefix(node.url()).expect("a URL of the node")
    )
}

/// A downloaded file.
struct File {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl File {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn fetch(request: RequestBuilder) -> File {
    let response = request.send().await.expect("an answer");
    File {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.expect("a body").to_vec(),
    }
}

async fn download(http: &Http, path: &str) -> File {
    fetch(http.request(Method::GET, path)).await
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn media(node: &Node) -> PathBuf {
    node.folder().join("data/media")
}

/// Waits until no file is left; what is deleted is deleted beside the answer.
async fn empty(node: &Node) {
    let http = node.http();
    soon("an empty folder", async {
        while !files(&media(node)).is_empty() {
            http.get("//healthz").await;
        }
    })
    .await;
}

async fn send(http: &Http, path: &str, form: Form) -> Answer {
    http.upload(Method::POST, path, form).await
}

#[tokio::test]
async fn files_travel_with_a_message_and_are_delivered_in_parts() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let payload = json!({
        "content": "look",
        "attachments": [{ "id": 1, "filename": "renamed.txt", "description": "a note" }, { "id": "0" }],
    });
    let note: Vec<u8> = (0..1_000u32)
        .flat_map(|n| format!("{n:03}").into_bytes())
        .collect();
    let form = Form::new(&payload)
        .file(0, "cat.png", PNG)
        .file(1, "note", &note);
    let sent = send(&community.ada.http, &community.messages(), form)
        .await
        .expect(200);
    let seen = ben_sees
        .wait_for("MESSAGE_CREATE", |m| m["id"] == sent["id"])
        .await;
    let all = seen["attachments"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    let (cat, text) = (&all[0], &all[1]);
    assert_eq!(
        (
            &cat["filename"],
            &cat["content_type"],
            &cat["width"],
            &cat["height"],
            &cat["size"]
        ),
        (
            &json!("cat.png"),
            &json!("image/png"),
            &json!(3),
            &json!(2),
            &json!(PNG.len())
        )
    );
    assert_eq!(
        (
            &text["filename"],
            &text["content_type"],
            &text["description"]
        ),
        (
            &json!("renamed.txt"),
            &json!("text/plain; charset=utf-8"),
            &json!("a note")
        )
    );
    assert!(text.get("width").is_none());

    // Whoever has the URL needs no token.
    let nobody = node.http();
    let file = download(&nobody, &path(&node, &cat["url"])).await;
    assert_eq!((file.status, file.bytes.as_slice()), (200, PNG));
    assert_eq!(file.header("content-type"), "image/png");
    assert_eq!(
        file.header("content-disposition"),
        "inline; filename*=UTF-8''cat.png"
    );
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(
        file.header("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(file.header("cross-origin-resource-policy"), "cross-origin");
    assert!(file.header("cache-control").contains("private"));
    let file = download(&nobody, &path(&node, &text["url"])).await;
    assert_eq!(file.bytes, note);
    assert!(
        file.header("content-disposition")
            .starts_with("attachment;")
    );

    let at = path(&node, &text["url"]);
    let ranged =
        async |range: &str| fetch(nobody.request(Method::GET, &at).header("range", range)).await;
    let part = ranged("bytes=10-19").await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &note[10..20]));
    assert_eq!(
        part.header("content-range"),
        format!("bytes 10-19/{}", note.len())
    );
    let tail = ranged("bytes=-5").await;
    assert_eq!(
        (tail.status, tail.bytes.as_slice()),
        (206, &note[note.len() - 5..])
    );
    assert_eq!(ranged("bytes=9000-").await.status, 416);
    for (name, value) in [
        ("if-none-match", file.header("etag")),
        ("if-modified-since", file.header("last-modified")),
    ] {
        assert!(!value.is_empty(), "{name}");
        let same = fetch(nobody.request(Method::GET, &at).header(name, value)).await;
        assert_eq!((same.status, same.bytes.len()), (304, 0), "{name}");
    }
    let head = fetch(nobody.request(Method::HEAD, &at)).await;
    assert_eq!((head.status, head.header("content-length")), (200, "3000"));

    // The name in a URL is for people.
    let (start, query) = at.split_once("/renamed.txt").unwrap();
    let renamed = download(&nobody, &format!("{start}/evil.html{query}")).await;
    assert_eq!(renamed.bytes, note);
    assert_eq!(renamed.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        renamed
            .header("content-disposition")
            .ends_with("renamed.txt")
    );
}

#[tokio::test]
async fn a_url_that_is_forged_or_of_something_deleted_leads_nowhere() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    let form = Form::new(&json!({})).file(0, "a.txt", b"secret");
    let sent = send(ada, &community.messages(), form).await.expect(200);
    let other = Form::new(&json!({})).file(0, "b.txt", b"other");
    let other = send(ada, &community.messages(), other).await.expect(200);
    let file = &sent["attachments"][0];
    let good = path(&node, &file["url"]);
    let (place, query) = good.split_once('?').unwrap();
    let (ex, hm) = query.split_once('&').unwrap();
    let other = id(&other["attachments"][0]);
    let elsewhere = place.replace(&id(file), &other);
    let later = u64::from_str_radix(ex.strip_prefix("ex=").unwrap(), 16).unwrap() + 3_600;
    let own = "0".repeat(64);
    for bad in [
        place.to_owned(),
        format!("{place}?{ex}"),
        format!("{place}?{hm}"),
        format!("{place}?ex={later:x}&{hm}"),
        format!("{place}?ex=5&{hm}"),
        format!("{place}?ex=-1&{hm}"),
        format!("{place}?{ex}&hm={own}"),
        format!("{place}?{ex}&hm="),
        format!("{elsewhere}?{query}"),
        format!("//attachments/x/y/z?{query}"),
        format!(
            "//attachments/{}/..%2f..%2f..%2fcluster.toml/a?{query}",
            community.channel
        ),
    ] {
        let answer = ada.get(&bad).await;
        answer.refused(404, 0);
        assert!(!answer.text.contains("secret"), "{bad}");
    }
    assert_eq!(download(ada, &good).await.bytes, b"secret");
    let message = format!("{}/{}", community.messages(), id(&sent));
    ada.delete(&message).await.expect(204);
    ada.get(&good).await.refused(404, 0);
    let left = soon("the file goes", async {
        loop {
            node.http().get("//healthz").await;
            let left = files(&media(&node));
            if left.len() == 1 {
                return left;
            }
        }
    })
    .await;
    assert!(left[0].ends_with(&other));
}

#[tokio::test]
async fn whatever_its_name_and_type_say_a_file_is_what_its_bytes_are() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let html = b"<!doctype html><script>alert(document.cookie)</script>";
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let png_html = [PNG, html].concat();
    let gif_js = b"GIF89a/*\x01\0\x80\0\0*/=1;alert(1)//";
    // 70,000 x 65,000 pixels.
    let giant = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x01\x11\x70\0\0\xfd\xe8\x08\x06\0\0\0";
    let table: [(&str, &[u8], &str, &str, bool); 10] = [
        (
            "../../etc/passwd",
            b"root",
            "passwd",
            "text/plain; charset=utf-8",
            false,
        ),
        (
            "..%2f..%2fx.html",
            html,
            "%2f..%2fx.html",
            "text/plain; charset=utf-8",
            false,
        ),
        ("a.svg", svg, "a.svg", "text/plain; charset=utf-8", false),
        ("x.html", &png_html, "x.html", "image/png", true),
        ("x.js", gif_js, "x.js", "image/gif", true),
        ("giant.png", giant, "giant.png", "image/png", true),
        (
            "CON",
            b"MZ\x90\0",
            "_CON",
            "application/octet-stream",
            false,
        ),
        (
            "\u{202e}gnp.exe",
            b"MZ\x90\0",
            "gnp.exe",
            "application/octet-stream",
            false,
        ),
        (
            "fake.png",
            b"%PDF-1.7\n\xff\xfe",
            "fake.png",
            "application/octet-stream",
            false,
        ),
        (
            "\u{1f426} \u{fc}.txt",
            b"",
            "\u{1f426} \u{fc}.txt",
            "application/octet-stream",
            false,
        ),
    ];
    for (name, bytes, shown, kind, inline) in table {
        let form = Form::new(&json!({})).file(0, name, bytes);
        let sent = send(&community.ada.http, &community.messages(), form)
            .await
            .expect(200);
        let file = &sent["attachments"][0];
        assert_eq!(
            (&file["filename"], &file["content_type"]),
            (&json!(shown), &json!(kind))
        );
        let got = download(&node.http(), &path(&node, &file["url"])).await;
        assert_eq!((got.status, got.bytes.as_slice()), (200, bytes), "{name}");
        assert_eq!(got.header("content-type"), kind, "{name}");
        assert_eq!(
            got.header("content-disposition").starts_with("inline"),
            inline,
            "{name}"
        );
        assert_eq!(
            got.header("content-security-policy"),
            "sandbox; default-src 'none'"
        );
    }
    // A name in the form counts more than that of the part, and is no more trusted.
    let long = format!("{}.txt", "x".repeat(5_000));
    for (name, shown) in [
        ("a\0.png", "a"),
        ("..\\..\\b", "b"),
        ("", "file"),
        (&long, ""),
    ] {
        let payload = json!({ "attachments": [{ "id": 0, "filename": name }] });
        let form = Form::new(&payload).file(0, "part", b"x");
        let sent = send(&community.ada.http, &community.messages(), form)
            .await
            .expect(200);
        let got = sent["attachments"][0]["filename"].as_str().unwrap();
        assert!(
            got == shown || (shown.is_empty() && got.len() == 255),
            "{got}"
        );
    }
    let giant = community
        .ada
        .http
        .get(&format!("{}?limit=100", community.messages()))
        .await
        .expect(200);
    let giant = giant
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["attachments"][0]["filename"] == "giant.png");
    assert_eq!(giant.unwrap()["attachments"][0]["width"], 70_000);
    let stored = files(&media(&node));
    assert_eq!(stored.len(), 14);
    for file in stored {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_digit()), "{name}");
    }
}

#[tokio::test]
async fn too_much_is_refused_and_leaves_nothing() {
    let options = NodeOptions {
        config: "[limits]\nenabled = false\n[media]\nmax_upload_bytes = 1000\n".to_owned(),
        ..NodeOptions::default()
    };
    let node = Node::start_with(options).await;
    let community = Community::new(&node).await;
    let (ada, messages) = (&community.ada.http, community.messages());
    let empty_form = || Form::new(&json!({ "content": "x" }));
    let many = (0..11).fold(empty_form(), |form, n| form.file(n, "a", b"x"));
    send(ada, &messages, many).await.refused(400, 30015);
    send(ada, &messages, empty_form().file(0, "a", &[0; 1_001]))
        .await
        .refused(413, 40005);
    let two = empty_form().file(0, "a", &[0; 600]).file(1, "b", &[0; 401]);
    send(ada, &messages, two).await.refused(413, 40005);
    // Far more than is ever read: its sender sees why all the same.
    send(
        ada,
        &messages,
        empty_form().file(0, "a", &vec![0; 8_000_000]),
    )
    .await
    .refused(413, 40005);
    let json = "x".repeat(300_000);
    send(ada, &messages, Form::new(&json!({ "content": json })))
        .await
        .refused(413, 0);
    let twice = empty_form().file(0, "a", b"x").file(0, "b", b"x");
    send(ada, &messages, twice).await.refused(400, 50035);
    let unknown = json!({ "attachments": [{ "id": 7 }] });
    send(ada, &messages, Form::new(&unknown).file(0, "a", b"x"))
        .await
        .bad_field("attachments");
    for faulty in [
        json!("x"),
        json!([{}]),
        json!([{ "id": 0, "description": "x".repeat(1_025) }]),
    ] {
        let form = Form::new(&json!({ "attachments": faulty })).file(0, "a", b"x");
        send(ada, &messages, form).await.bad_field("attachments");
    }
    let parts = (0..60).fold(empty_form(), |form, n| {
        form.part(&format!("name=\"x{n}\""), b"x")
    });
    send(ada, &messages, parts).await.refused(400, 50035);
    let endless = Form::default().part(&"x".repeat(2_000_000), b"");
    send(ada, &messages, endless).await.refused(413, 40005);
    for body in [
        "",
        "--",
        "no boundary at all",
        "--rookery-test-boundary\r\n",
    ] {
        let request = ada.request(Method::POST, &messages);
        let request = request
            .header("content-type", Form::content_type())
            .body(body);
        ada.send(request).await.refused(400, 50035);
    }
    send(ada, &messages, Form::new(&json!({})))
        .await
        .refused(400, 50006);
    send(&node.http(), &messages, empty_form().file(0, "a", b"x"))
        .await
        .refused(401, 0);
    empty(&node).await;
    let full = empty_form().file(0, "a", &[0; 600]).file(1, "b", &[0; 400]);
    send(ada, &messages, full).await.expect(200);
    assert_eq!(files(&media(&node)).len(), 2);
}

#[tokio::test]
async fn who_may_not_attach_is_told_before_his_file_is_read() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let role = format!("/guilds/{0}/roles/{0}", community.group);
    // VIEW_CHANNEL, SEND_MESSAGES and READ_MESSAGE_HISTORY, without ATTACH_FILES.
    let few = json!({ "permissions": (1u64 << 10 | 1 << 11 | 1 << 16).to_string() });
    community.ada.http.patch(&role, few).await.expect(200);
    let ben = &community.ben.http;
    let form = Form::new(&json!({ "content": "x" })).file(0, "a", &vec![0; 4_000_000]);
    send(ben, &community.messages(), form)
        .await
        .refused(403, 50013);
    let sent = send(
        ben,
        &community.messages(),
        Form::new(&json!({ "content": "x" })),
    )
    .await;
    let message = format!("{}/{}", community.messages(), id(&sent.expect(200)));
    let form = Form::new(&json!({})).file(0, "a", b"x");
    ben.upload(Method::PATCH, &message, form)
        .await
        .refused(403, 50013);
    // Fields may be parts of their own.
    let plain = Form::default().part("name=\"content\"", "plain \u{fc}".as_bytes());
    let sent = send(ben, &community.messages(), plain).await.expect(200);
    assert_eq!(sent["content"], "plain \u{fc}");
    assert!(files(&media(&node)).is_empty());
}

#[tokio::test]
async fn an_edit_keeps_and_adds_files() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    let form = Form::new(&json!({ "content": "x" }))
        .file(0, "a", b"aa")
        .file(1, "b", b"bb");
    let sent = send(ada, &community.messages(), form).await.expect(200);
    let message = format!("{}/{}", community.messages(), id(&sent));
    let (first, second) = (&sent["attachments"][0], &sent["attachments"][1]);
    let names = |message: &Value| -> Vec<String> {
        let all = message["attachments"].as_array().unwrap().iter();
        all.map(|file| file["filename"].as_str().unwrap().to_owned())
            .collect()
    };
    let payload = json!({ "attachments": [{ "id": second["id"] }, { "id": 0, "filename": "c" }] });
    let form = Form::new(&payload).file(0, "new", b"cc");
    let edited = ada.upload(Method::PATCH, &message, form).await.expect(200);
    assert_eq!(names(&edited), ["b", "c"]);
    ada.get(&path(&node, &first["url"])).await.refused(404, 0);
    let url = path(&node, &edited["attachments"][1]["url"]);
    assert_eq!(download(ada, &url).await.bytes, b"cc");
    let edited = ada
        .patch(&message, json!({ "content": "y" }))
        .await
        .expect(200);
    assert_eq!(names(&edited), ["b", "c"]);
    let none = json!({ "attachments": [], "content": "y" });
    assert!(names(&ada.patch(&message, none).await.expect(200)).is_empty());
    let many = (0..10).fold(Form::new(&json!({})), |form, n| form.file(n, "n", b"x"));
    ada.upload(Method::PATCH, &message, many.clone())
        .await
        .expect(200);
    ada.upload(Method::PATCH, &message, many)
        .await
        .refused(400, 30015);
    // Files of a message need no words beside them.
    let silent = ada
        .patch(&message, json!({ "content": "" }))
        .await
        .expect(200);
    assert_eq!(silent["content"], "");
    ada.patch(&message, json!({ "attachments": [] }))
        .await
        .refused(400, 50006);
}

#[tokio::test]
async fn a_hundred_megabytes_pass_in_constant_memory() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    let warm = Form::new(&json!({})).file(0, "warm", &vec![7; 2_000_000]);
    send(ada, &community.messages(), warm).await.expect(200);
    let before = node.peak_kb();
    let mut large: Vec<u8> = (0..100 * 1_024 * 1_024u32)
        .map(|n| (n >> 3) as u8)
        .collect();
    large[..4].copy_from_slice(b"\0\0\0\0");
    let form = Form::new(&json!({})).file(0, "large.bin", &large);
    let sent = send(ada, &community.messages(), form).await.expect(200);
    let file = &sent["attachments"][0];
    assert_eq!(file["size"], large.len());
    let got = fetch(
        ada.request(Method::GET, &path(&node, &file["url"]))
            .timeout(std::time::Duration::from_secs(120)),
    )
    .await;
    assert!(got.bytes == large);
    let grown = node.peak_kb().saturating_sub(before);
    println!("100 MiB up and down: {grown} kB more at the peak");
    assert!(grown < 24 * 1_024, "{grown} kB more for 100 MiB");
}

#[tokio::test]
async fn an_upload_that_is_cut_leaves_nothing() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let start = |community: &Community| {
        let form = Form::new(&json!({}))
            .file(0, "cut", &vec![7; 400_000])
            .bytes();
        let head = format!(
            "POST /api/v10{} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            community.messages(),
            community.ada.token,
            Form::content_type(),
            form.len()
        );
        [head.into_bytes(), form[..300_000].to_vec()].concat()
    };
    let begun = async |node: &Node, community: &Community| {
        let mut socket = TcpStream::connect(node.address()).await.unwrap();
        socket.write_all(&start(community)).await.unwrap();
        let http = node.http();
        soon("the upload has begun", async {
            while files(&media(node)).is_empty() {
                http.get("//healthz").await;
            }
        })
        .await;
        socket
    };
    let socket = begun(&node, &community).await;
    drop(socket);
    empty(&node).await;
    // The node is killed while another comes in: the next start deletes what is there of it.
    let _socket = begun(&node, &community).await;
    node.kill();
    assert_eq!(files(&media(&node)).len(), 1);
    node.restart().await;
    community.at(&node);
    assert!(files(&media(&node)).is_empty());
    let form = Form::new(&json!({})).file(0, "whole", b"x");
    send(&community.ada.http, &community.messages(), form)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_nonce_sent_again_keeps_the_first_file_only() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let form = || {
        let payload = json!({ "nonce": "n", "enforce_nonce": true });
        Form::new(&payload).file(0, "a", b"x")
    };
    let http = &community.ada.http;
    let first = send(http, &community.messages(), form()).await.expect(200);
    let again = send(http, &community.messages(), form()).await.expect(200);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(first["attachments"][0]["id"], again["attachments"][0]["id"]);
    soon("the second file goes", async {
        while files(&media(&node)).len() > 1 {
            http.get("//healthz").await;
        }
    })
    .await;
    let file = download(http, &path(&node, &again["attachments"][0]["url"])).await;
    assert_eq!(file.bytes, b"x");
}
