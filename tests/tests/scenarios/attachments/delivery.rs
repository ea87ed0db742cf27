//! Files are delivered as what they are and as nothing else, in parts too, and gone with their message.

use reqwest::Method;
use rookery_tests::harness::{Community, Form, Node, id, soon};
use serde_json::json;

use super::{PNG, download, fetch, files, media, path, send};

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
