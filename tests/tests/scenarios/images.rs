//! Avatars and icons: taken as `data:` URLs, kept as small PNGs of the node's own making, and delivered for ever.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rookery_tests::harness::{Community, Http, Node, Person, id};
use serde_json::{Value, json};

/// One pixel each.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

fn url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(bytes))
}

fn png() -> Vec<u8> {
    STANDARD.decode(PNG).unwrap()
}

/// A PNG whose header claims another size.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = !bytes[12..29].iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// An image as it is delivered: a PNG without a trace of scripts.
async fn check(http: &Http, folder: &str, hash: &Value) {
    let hash = hash.as_str().expect("a hash");
    assert!(
        hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
        "{hash}"
    );
    for extension in ["png", "webp", "jpg", "gif"] {
        let path = format!("/{folder}/{hash}.{extension}?size=128");
        let response = http.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "image/png");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(
            header("content-security-policy"),
            "sandbox; default-src 'none'"
        );
        assert!(header("cache-control").contains("immutable"));
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(!bytes.windows(7).any(|window| window == b"<script"));
    }
}

#[tokio::test]
async fn an_avatar_is_seen_by_others_and_taken_away() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let http = &community.ada.http;
    let polyglot = [png(), b"<html><script>alert(1)</script>".to_vec()].concat();
    let me = http
        .patch("/users/@me", json!({ "avatar": url(&polyglot) }))
        .await
        .expect(200);
    let seen = ben_sees
        .wait_for("GUILD_MEMBER_UPDATE", |m| {
            m["user"]["id"] == community.ada.id
        })
        .await;
    assert_eq!(seen["user"]["avatar"], me["avatar"]);
    let folder = format!("/avatars/{}", community.ada.id);
    check(&node.http(), &folder, &me["avatar"]).await;
    // The same pixels are the same image, whatever is around them.
    let again = http
        .patch("/users/@me", json!({ "avatar": url(&png()) }))
        .await
        .expect(200);
    assert_eq!(again["avatar"], me["avatar"]);
    let gif = format!("data:image/gif;base64,{GIF}");
    let other = http
        .patch("/users/@me", json!({ "avatar": gif, "global_name": "Ada" }))
        .await
        .expect(200);
    assert_ne!(other["avatar"], me["avatar"]);
    check(&node.http(), &folder, &other["avatar"]).await;
    let none = http
        .patch("/users/@me", json!({ "avatar": null }))
        .await
        .expect(200);
    assert_eq!(
        (&none["avatar"], &none["global_name"]),
        (&Value::Null, &json!("Ada"))
    );

    let (_, token) = community.ada.create_bot("robot").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let me = bot
        .patch("/users/@me", json!({ "avatar": url(&png()) }))
        .await
        .expect(200);
    check(
        &node.http(),
        &format!("/avatars/{}", id(&me)),
        &me["avatar"],
    )
    .await;
}

#[tokio::test]
async fn groups_have_icons() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada.http, &community.ben.http);
    let mut ben_sees = community.ben.connect(&node).await;
    let group = format!("/guilds/{}", community.group);
    let changed = ada
        .patch(&group, json!({ "icon": url(&png()) }))
        .await
        .expect(200);
    let seen = ben_sees.wait_for("GUILD_UPDATE", |_| true).await;
    assert_eq!(seen["icon"], changed["icon"]);
    check(
        &node.http(),
        &format!("/icons/{}", community.group),
        &changed["icon"],
    )
    .await;
    ben.patch(&group, json!({ "icon": url(&png()) }))
        .await
        .refused(403, 50013);
    let gone = ada.patch(&group, json!({ "icon": null })).await.expect(200);
    assert_eq!(gone["icon"], Value::Null);
    let form = json!({ "name": "Ravens", "icon": url(&png()) });
    let made = ada.post("/guilds", form).await.expect(201);
    check(
        &node.http(),
        &format!("/icons/{}", id(&made)),
        &made["icon"],
    )
    .await;
    ada.post("/guilds", json!({ "name": "Bad", "icon": "x" }))
        .await
        .bad_field("icon");
    ada.patch(&group, json!({ "icon": 7 }))
        .await
        .bad_field("icon");
}

#[tokio::test]
async fn what_is_no_image_or_too_much_of_one_is_refused() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let gif_js = b"GIF89a/*\x01\0\x80\0\0*/=1;alert(1)//";
    let truncated = &png()[..40];
    let bomb = claiming(8_000, 8_000);
    for bytes in [
        &b""[..],
        b"x",
        svg,
        gif_js,
        truncated,
        &bomb,
        &claiming(100_000, 1),
        &claiming(u32::MAX >> 1, u32::MAX >> 1),
        b"\0\0\0\x20ftypavif",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
    ] {
        let answer = ada
            .http
            .patch("/users/@me", json!({ "avatar": url(bytes) }))
            .await;
        answer.bad_field("avatar");
    }
    for text in [
        "",
        "x",
        "data:image/png;base64,!",
        "https://a.example/b.png",
    ] {
        ada.http
            .patch("/users/@me", json!({ "avatar": text }))
            .await
            .bad_field("avatar");
    }
    // 8 MiB are read and refused, more is not read; and without a token nothing of the kind.
    let large = json!({ "avatar": url(&vec![0; 8 * 1_024 * 1_024]) });
    ada.http
        .patch("/users/@me", large.clone())
        .await
        .bad_field("avatar");
    node.http()
        .patch("/users/@me", json!({ "avatar": "x" }))
        .await
        .refused(401, 0);
    let other = ada
        .http
        .post(
            "/channels/1/messages",
            json!({ "content": "x".repeat(400_000) }),
        )
        .await;
    assert!(matches!(other.status, 404 | 413), "{}", other.text);
    let me = ada.http.get("/users/@me").await.expect(200);
    assert_eq!(me["avatar"], Value::Null);
    assert!(!node.folder().join("data/media/avatars").exists());
    assert!(node.peak_kb() < 200 * 1_024, "{} kB", node.peak_kb());
}

#[tokio::test]
async fn images_are_found_by_their_hash_only() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let me = ada
        .http
        .patch("/users/@me", json!({ "avatar": url(&png()) }))
        .await
        .expect(200);
    let hash = me["avatar"].as_str().unwrap();
    let http = node.http();
    for path in [
        format!("//avatars/{}/{hash}", ada.id),
        format!("//avatars/{}/{hash}.svg", ada.id),
        format!("//avatars/{}/{hash}.png.html", ada.id),
        format!("//avatars/{}/{}.png", ada.id, hash.to_uppercase()),
        format!("//avatars/{}/..%2f..%2f..%2fcluster.toml", ada.id),
        format!("//avatars/..%2f{}/{hash}.png", ada.id),
        format!("//avatars/1/{hash}.png"),
        format!("//icons/{}/{hash}.png", ada.id),
        "//embed/avatars/6.png".to_owned(),
        "//embed/avatars/x.png".to_owned(),
        "//embed/avatars/0".to_owned(),
    ] {
        http.get(&path).await.refused(404, 0);
    }
    for number in 0..6 {
        let path = format!("//embed/avatars/{number}.png");
        let answer = http.get(&path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("image/png"))
        );
    }
}

#[tokio::test]
async fn images_are_not_changed_all_the_time() {
    let options = rookery_tests::harness::NodeOptions {
        config: "[limits]\ncreate = \"2/10m\"\n".to_owned(),
        ..Default::default()
    };
    let node = Node::start_with(options).await;
    let ada = Person::register(&node, "ada").await;
    let change = || {
        ada.http
            .patch("/users/@me", json!({ "avatar": url(&png()) }))
    };
    change().await.expect(200);
    change().await.expect(200);
    change().await.bad_field("avatar");
    ada.http
        .patch("/users/@me", json!({ "avatar": null }))
        .await
        .expect(200);
}
