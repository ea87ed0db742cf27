//! Forged, altered and wrong-algorithm tokens open nothing, over HTTP and on the gateway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rookery_actors::store::Store;
use rookery_node::store::redb::RedbStore;
use rookery_protocol::document::{KeyUse, SigningKeyRow, SigningKeys, Table, decode};
use rookery_tests::harness::{Community, Gateway, Node, soon};
use serde_json::{Value, json};

fn part(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

fn read(part: &str) -> Value {
    let bytes = BASE64.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn forged_tokens_are_refused_everywhere_and_a_bystander_notices_nothing() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut bystander = community.ben.connect(&node).await;
    let (application, bot) = community.ada.create_bot("Rook").await;
    let token = &community.ada.token;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("no JWT")
    };
    let head = read(header);
    assert_eq!(head["alg"], "HS256");
    assert!(head["kid"].is_string(), "{head}");
    let mut bens = read(claims);
    for value in bens.as_object_mut().expect("claims").values_mut() {
        if *value == json!(community.ada.id) {
            *value = json!(community.ben.id);
        }
    }
    let with_alg = |alg: &str| {
        let mut changed = head.clone();
        changed["alg"] = json!(alg);
        part(&changed)
    };
    let with_kid = |kid: Value| {
        let mut changed = head.clone();
        changed["kid"] = kid;
        part(&changed)
    };
    let other_end = if signature.ends_with('A') { "Q" } else { "A" };
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}.{}.{signature}", part(&bens)),
        format!(
            "{header}.{claims}.{}{other_end}",
            &signature[..signature.len() - 2]
        ),
        format!("{}.{claims}.", with_alg("none")),
        format!("{}.{claims}.{signature}", with_alg("none")),
        format!("{}.{claims}.{signature}", with_alg("HS512")),
        format!("{}.{claims}.{signature}", with_alg("RS256")),
        format!(
            "{}.{claims}.{signature}",
            with_kid(json!("../../etc/passwd"))
        ),
        format!("{}.{claims}.{signature}", with_kid(json!(7))),
        format!("{}.{claims}.{signature}", with_kid(Value::Null)),
        format!("Bot {token}"),
        format!("Basic {token}"),
        community.ada.refresh.clone(),
        "x".repeat(4_000),
    ];
    let bot_parts: Vec<&str> = bot.split('.').collect();
    assert_eq!(bot_parts.len(), 3, "a bot's token has three parts");
    assert_eq!(
        String::from_utf8(
            base64::engine::general_purpose::STANDARD_NO_PAD
                .decode(bot_parts[0])
                .unwrap()
        )
        .unwrap(),
        application
    );
    let adas = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&community.ada.id);
    forged.extend([
        format!("Bot {}.{}.{}", adas, bot_parts[1], bot_parts[2]),
        format!("Bot {}.{}.", bot_parts[0], bot_parts[1]),
        format!(
            "Bot {}.{}.{}",
            bot_parts[0],
            bot_parts[1],
            "A".repeat(bot_parts[2].len())
        ),
        format!("Bot {}.AAAAAA.{}", bot_parts[0], bot_parts[2]),
        format!("Bearer {bot}"),
    ]);
    for token in &forged {
        let answer = node.http().with_token(token).get("/users/@me").await;
        assert_eq!(answer.status, 401, "{token}: {}", answer.text);
        assert!(answer.body["message"].is_string(), "{}", answer.text);
    }
    assert_eq!(node.http().get("/users/@me").await.status, 401, "no token");
    // On the gateway a prefix is optional, so that only what is forged counts.
    for token in forged
        .iter()
        .filter(|token| !token.contains(' ') && token.len() < 3_000)
    {
        let mut gateway = Gateway::connect(&node).await;
        gateway
            .send_identify(json!({ "token": token, "intents": 1 }))
            .await;
        assert_eq!(
            soon("a close", gateway.closed()).await,
            Some(4004),
            "{token}"
        );
    }
    community.ada.http.say(&community.channel, "all well").await;
    assert_eq!(bystander.until_message("all well").await, []);
}

#[tokio::test]
async fn resetting_a_bots_token_voids_the_old_one() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, old) = community.ada.create_bot("Rook").await;
    let mut socket = Gateway::identify(&node, &old).await;
    let path = format!("/applications/{application}/bot");
    community
        .ben
        .http
        .post(&path, json!({}))
        .await
        .refused(403, 50001);
    let reset = community.ada.http.post(&path, json!({})).await.expect(200);
    let new = reset["token"].as_str().expect("a token");
    assert_ne!(new, old);
    assert_eq!(socket.closed().await, Some(4004));
    let me = |token: &str| node.http().with_token(&format!("Bot {token}"));
    assert_eq!(me(&old).get("/users/@me").await.status, 401);
    assert_eq!(me(new).get("/users/@me").await.expect(200)["bot"], true);
}

/// The secret of access tokens, from the store of a server that has stopped.
async fn access_secret(node: &Node) -> SigningKeyRow {
    let store = RedbStore::open(&node.folder().join("data")).expect("the store");
    let rows = store
        .walk(SigningKeys::ID, None, 100)
        .await
        .expect("the keys");
    store.close();
    let mut rows = rows
        .iter()
        .map(|(_, bytes)| decode::<SigningKeys>(bytes).expect("a key"));
    rows.find(|row| row.use_for == KeyUse::Access)
        .expect("a key of access tokens")
}

#[tokio::test]
async fn even_with_the_right_key_expired_and_wrong_algorithm_tokens_are_refused() {
    let mut node = Node::start().await;
    let community = Community::new(&node).await;
    node.terminate().await;
    let key = access_secret(&node).await;
    node.restart().await;
    let claims = read(community.ada.token.split('.').nth(1).expect("claims"));
    let sign = |algorithm: Algorithm, changes: Value| {
        let mut claims = claims.clone();
        for (name, value) in changes.as_object().expect("changes") {
            claims[name] = value.clone();
        }
        let header = Header {
            kid: Some(key.kid.clone()),
            ..Header::new(algorithm)
        };
        encode(
            &header,
            &claims,
            &EncodingKey::from_secret(&key.secret).unwrap(),
        )
        .expect("a token")
    };
    let good = sign(Algorithm::HS256, json!({}));
    let me = node
        .http()
        .with_token(&good)
        .get("/users/@me")
        .await
        .expect(200);
    assert_eq!(
        me["id"], community.ada.id,
        "the test signs as the server does"
    );

    let issued = claims["iat"].as_u64().expect("a time");
    let bens = read(community.ben.token.split('.').nth(1).expect("claims"));
    let bad = [
        (
            "expired",
            sign(Algorithm::HS256, json!({ "exp": issued - 1 })),
        ),
        ("no expiry", sign(Algorithm::HS256, json!({ "exp": null }))),
        ("HS384", sign(Algorithm::HS384, json!({}))),
        ("HS512", sign(Algorithm::HS512, json!({}))),
        (
            "another's login",
            sign(Algorithm::HS256, json!({ "sid": bens["sid"] })),
        ),
        (
            "another's name",
            sign(Algorithm::HS256, json!({ "sub": bens["sub"] })),
        ),
        (
            "nobody",
            sign(Algorithm::HS256, json!({ "sub": "999999999999999999" })),
        ),
        ("no id", sign(Algorithm::HS256, json!({ "sub": "../7" }))),
    ];
    for (what, token) in bad {
        let answer = node.http().with_token(&token).get("/users/@me").await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        let mut gateway = Gateway::connect(&node).await;
        gateway
            .send_identify(json!({ "token": token, "intents": 1 }))
            .await;
        assert_eq!(gateway.closed().await, Some(4004), "{what}");
    }
}
