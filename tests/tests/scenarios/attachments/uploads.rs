//! Files are taken, refused, cut off and sent again.

use reqwest::Method;
use rookery_tests::harness::{Community, Form, Node, NodeOptions, id, soon};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{download, empty, fetch, files, media, path, send};

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
