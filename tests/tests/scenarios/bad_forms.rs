//! Bad input over HTTP: Discord's error shape with the field's path, and nobody else notices.

use reqwest::Method;
use rookery_tests::harness::{Community, Node, PASSWORD, Person};
use serde_json::{Value, json};

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_and_a_bystander_notices_nothing() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    let mut bystander = community.ben.connect(&node).await;
    let path = community.messages();

    let bodies: [(&str, Vec<u8>); 7] = [
        ("no JSON", b"content=hello".to_vec()),
        ("half", b"{\"content\":\"a".to_vec()),
        ("rest", b"{\"content\":\"a\"}x".to_vec()),
        ("bad UTF-8", b"{\"content\":\"\xff\xfe\"}".to_vec()),
        ("a lone surrogate", b"{\"content\":\"\\ud800\"}".to_vec()),
        ("a raw NUL", b"{\"content\":\"\0\"}".to_vec()),
        (
            "nesting",
            [
                b"{\"embeds\":".to_vec(),
                vec![b'['; 100_000],
                vec![b']'; 100_000],
                b"}".to_vec(),
            ]
            .concat(),
        ),
    ];
    for (what, body) in bodies {
        let answer = ada.raw(Method::POST, &path, body).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        let code = answer.body["code"].as_u64();
        assert!(
            matches!(code, Some(50109 | 50035)),
            "{what}: {}",
            answer.text
        );
    }
    // A body that is not sent is an empty form, whatever type is named for it.
    ada.raw(Method::POST, &path, "").await.refused(400, 50006);
    let wrong = [
        (json!([]), None),
        (json!("content"), None),
        (json!({ "content": 1 }), Some("content")),
        (json!({ "content": ["a"] }), Some("content")),
        (json!({ "content": "a", "tts": "yes" }), Some("tts")),
        (
            json!({ "content": "a", "nonce": "x".repeat(26) }),
            Some("nonce"),
        ),
        (json!({ "content": "a", "nonce": {} }), Some("nonce")),
        (
            json!({ "content": "a", "message_reference": 7 }),
            Some("message_reference"),
        ),
        (
            json!({ "content": "a", "message_reference": { "message_id": "seven" } }),
            Some("message_reference.message_id"),
        ),
        (json!({ "content": "a", "flags": -1 }), Some("flags")),
    ];
    for (body, field) in wrong {
        let answer = ada.post(&path, body.clone()).await;
        match field {
            Some(field) => answer.bad_field(field),
            None => assert_eq!(answer.status, 400, "{body}: {}", answer.text),
        }
    }
    let big = ada.raw(Method::POST, &path, vec![b' '; 300 * 1_024]).await;
    assert_eq!(big.status, 413, "{}", big.text);
    let request = ada
        .request(Method::POST, &path)
        .header("content-type", "text/plain")
        .body("{}");
    let plain = ada.send(request).await;
    assert!(matches!(plain.status, 400 | 415), "{}", plain.text);

    ada.say(&community.channel, "all well").await;
    assert_eq!(bystander.until_message("all well").await, []);
}

#[tokio::test]
async fn absurd_limits_and_ids_in_queries_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=ten", "limit"),
        ("before=0x10", "before"),
        ("before=-1", "before"),
        ("after=18446744073709551616", "after"),
        ("around=%00", "around"),
    ] {
        let path = format!("{}?{query}", community.messages());
        ada.get(&path).await.bad_field(field);
    }
    for limit in ["0", "1001", "x"] {
        let path = format!("/guilds/{}/members?limit={limit}", community.group);
        ada.get(&path).await.bad_field("limit");
    }
}

#[tokio::test]
async fn ids_of_nothing_and_of_others_are_unknown_or_out_of_reach() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let stranger = Person::register(&node, "stranger").await.http;
    let ada = &community.ada.http;
    let sent = ada.say(&community.channel, "private").await;
    let message = format!("{}/{}", community.messages(), sent["id"].as_str().unwrap());

    let nothing = "999999999999999999";
    ada.get(&format!("/channels/{nothing}"))
        .await
        .refused(404, 10003);
    ada.get(&format!("/channels/{nothing}/messages"))
        .await
        .refused(404, 10003);
    ada.get(&format!("/users/{nothing}"))
        .await
        .refused(404, 10013);
    ada.get(&format!("{}/{nothing}", community.messages()))
        .await
        .refused(404, 10008);
    ada.get("/invites/nosuchcode").await.refused(404, 10006);
    let gone = ada.get(&format!("/guilds/{nothing}")).await;
    assert!(matches!(gone.status, 403 | 404), "{}", gone.text);
    // A channel's id is not a group's, nor a user's.
    let mixed = ada.get(&format!("/guilds/{}", community.channel)).await;
    assert!(matches!(mixed.status, 403 | 404), "{}", mixed.text);
    ada.get(&format!("/users/{}", community.group))
        .await
        .refused(404, 10013);

    for path in [
        format!("/guilds/{}", community.group),
        format!("/guilds/{}/channels", community.group),
        format!("/guilds/{}/members", community.group),
        format!("/channels/{}", community.channel),
        community.messages(),
        message.clone(),
    ] {
        let answer = stranger.get(&path).await;
        assert!(
            matches!(answer.status, 403 | 404),
            "{path}: {}",
            answer.text
        );
        assert!(!answer.text.contains("private"), "{path}");
    }
    for id in [
        "abc",
        "-1",
        "0",
        "1.5",
        "%00",
        "18446744073709551616",
        "9223372036854775808",
    ] {
        let answer = ada.get(&format!("/channels/{id}/messages")).await;
        assert!(matches!(answer.status, 400 | 404), "{id}: {}", answer.text);
        assert!(answer.body["code"].is_u64(), "{id}: {}", answer.text);
    }
}

#[tokio::test]
async fn registration_names_each_bad_field() {
    let node = Node::start().await;
    let register = async |form: Value| node.http().post("/auth/register", form).await;
    for name in [
        "",
        "a",
        "Ada",
        "a b",
        "a..b",
        "\u{430}da",
        "ada\u{200b}",
        "ada\0",
        &"x".repeat(33),
    ] {
        register(json!({ "username": name, "password": PASSWORD }))
            .await
            .bad_field("username");
    }
    for password in ["", "short", &"x".repeat(129)] {
        register(json!({ "username": "ada", "password": password }))
            .await
            .bad_field("password");
    }
    register(json!({ "username": "ada" }))
        .await
        .bad_field("password");
    register(json!({ "username": 7, "password": PASSWORD }))
        .await
        .bad_field("username");
    register(json!({ "username": "ada", "password": PASSWORD, "email": "nobody" }))
        .await
        .bad_field("email");
    let both = register(json!({ "username": "A", "password": "x" })).await;
    both.bad_field("username");
    both.bad_field("password");
    // Invisible characters do not survive in a display name.
    let form =
        json!({ "username": "ada", "password": PASSWORD, "global_name": "A\u{202e}da\u{200b}" });
    let ada = Person::from_tokens(&node, "ada", &register(form).await.expect(201));
    assert_eq!(
        ada.http.get("/users/@me").await.expect(200)["global_name"],
        "Ada"
    );
    register(json!({ "username": "ada", "password": PASSWORD }))
        .await
        .bad_field("username");
}

#[tokio::test]
async fn forms_of_groups_channels_and_invites_name_their_fields() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let ada = &community.ada.http;
    for name in ["", "x", "\u{200b}\u{200b}\u{200b}", &"x".repeat(101)] {
        ada.post("/guilds", json!({ "name": name }))
            .await
            .bad_field("name");
    }
    ada.post("/guilds", json!({})).await.bad_field("name");
    let channels = format!("/guilds/{}/channels", community.group);
    ada.post(&channels, json!({ "type": 0 }))
        .await
        .bad_field("name");
    ada.post(&channels, json!({ "name": "x".repeat(101) }))
        .await
        .bad_field("name");
    ada.post(&channels, json!({ "name": "x", "type": 77 }))
        .await
        .bad_field("type");
    ada.post(&channels, json!({ "name": "x", "type": "text" }))
        .await
        .bad_field("type");
    let channel = format!("/channels/{}", community.channel);
    ada.patch(&channel, json!({ "topic": "x".repeat(1_025) }))
        .await
        .bad_field("topic");
    ada.patch(&channel, json!({ "name": null }))
        .await
        .bad_field("name");
    ada.patch(&channel, json!({ "rate_limit_per_user": -1 }))
        .await
        .bad_field("rate_limit_per_user");
    let invites = format!("{channel}/invites");
    ada.post(&invites, json!({ "max_age": 604_801 }))
        .await
        .bad_field("max_age");
    ada.post(&invites, json!({ "max_uses": 101 }))
        .await
        .bad_field("max_uses");
    ada.post(&invites, json!({ "max_uses": -1 }))
        .await
        .bad_field("max_uses");
    let me = ada
        .patch("/users/@me", json!({ "global_name": "x".repeat(33) }))
        .await;
    me.bad_field("global_name");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_the_same_shape() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await.http;
    for path in [
        "/nothing",
        "/channels",
        "//nothing",
        "//api/v8/users/@me",
        "//api/v11/users/@me",
    ] {
        let answer = ada.get(path).await;
        assert!(
            matches!(answer.status, 400 | 404),
            "{path}: {}",
            answer.text
        );
        assert!(
            answer.body["message"].is_string(),
            "{path}: {}",
            answer.text
        );
    }
    let method = ada.send(ada.request(Method::PUT, "/users/@me")).await;
    assert_eq!(method.status, 405, "{}", method.text);
    for base in ["//api", "//api/v9", "//api/v10"] {
        ada.get(&format!("{base}/users/@me")).await.expect(200);
    }
}
