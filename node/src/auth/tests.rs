//! Forged, expired, foreign and malformed tokens open nothing; revoked ones nothing any more.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rookery_actors::entity::Publisher;
use rookery_actors::store::memory::MemoryStore;
use rookery_actors::store::{self, SharedStore};
use rookery_protocol::command::user::{
    CloseLogin, CreateApplication, NewLogin, Register, ResetBotToken,
};
use rookery_protocol::document::{Key, SigningKeys};
use rookery_protocol::event::SharedFrame;

use super::*;
use crate::config::Config;
use crate::node::Node;

struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: SharedFrame) {}
}

const USER: UserId = UserId(1_000);
const LOGIN: LoginId = LoginId(2_000);
const BOT: UserId = UserId(3_000);

/// A node with a person who has one login and one bot.
async fn node() -> (Node, SharedStore) {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let node = Node::alone(Config::default(), Arc::clone(&store), Arc::new(Nobody)).await;
    let register = Register {
        username: "ada".into(),
        global_name: None,
        email: None,
        password_hash: "x".into(),
        operator: false,
        login: Some(NewLogin {
            id: LOGIN,
            secret_hash: "x".into(),
            device: String::new(),
            address: String::new(),
        }),
    };
    node.app.directory.ask(USER, register).await.unwrap();
    let create = CreateApplication {
        privileged: rookery_protocol::intents::Intents::NONE,
        owner: USER,
        name: "Rook".into(),
    };
    node.app.directory.ask(BOT, create).await.unwrap();
    (node, store)
}

async fn reset_bot(node: &Node) -> String {
    let reset = ResetBotToken { by: USER };
    let account = node.app.directory.ask(BOT, reset).await.unwrap();
    let generation = account.application.unwrap().token_generation;
    node.app.auth.bot_token(BOT, generation)
}

async fn is_admitted(node: &Node, token: &str) -> bool {
    match node.app.auth.authenticate(token).await {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.code, ErrorCode::Unauthorized, "{token}");
            false
        }
    }
}

#[tokio::test]
async fn only_our_own_unexpired_tokens_of_open_logins_are_admitted() {
    let (node, store) = node().await;
    let auth = &node.app.auth;
    let token = auth.access_token(USER, LOGIN).unwrap();
    let bot = reset_bot(&node).await;
    for good in [
        token.clone(),
        format!("Bearer {token}"),
        format!("bearer  {token} "),
        bot.clone(),
        format!("Bot {bot}"),
    ] {
        assert!(is_admitted(&node, &good).await, "{good}");
    }
    let key = Key::single("a1");
    let key = store::get::<SigningKeys>(store.as_ref(), &key).await;
    let secret = key.unwrap().unwrap().secret;
    let now = node.app.clock.seconds();
    let sign = |algorithm, kid: &str, secret: &[u8], claims: &Claims| {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret).unwrap()).unwrap()
    };
    let claims = Claims::new(USER, LOGIN, now);
    let same = sign(Algorithm::HS256, "a1", &secret, &claims);
    assert!(is_admitted(&node, &same).await, "the forger's tool works");

    let expired = Claims { exp: now, ..claims };
    let other_login = Claims {
        sid: LoginId(2_001),
        ..claims
    };
    let nobody = Claims {
        sub: UserId(9),
        ..claims
    };
    let of_bot = Claims { sub: BOT, ..claims };
    let (header, rest) = token.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let none = BASE64.encode(r#"{"typ":"JWT","alg":"none","kid":"a1"}"#);
    let rs256 = BASE64.encode(r#"{"typ":"JWT","alg":"RS256","kid":"a1"}"#);
    let bot_parts: Vec<&str> = bot.split('.').collect();
    let forged = [
        ("expired", sign(Algorithm::HS256, "a1", &secret, &expired)),
        ("HS384", sign(Algorithm::HS384, "a1", &secret, &claims)),
        ("HS512", sign(Algorithm::HS512, "a1", &secret, &claims)),
        ("other key", sign(Algorithm::HS256, "a1", b"guess", &claims)),
        (
            "unknown kid",
            sign(Algorithm::HS256, "a2", &secret, &claims),
        ),
        ("bot's kid", sign(Algorithm::HS256, "b1", &secret, &claims)),
        (
            "other login",
            sign(Algorithm::HS256, "a1", &secret, &other_login),
        ),
        ("no account", sign(Algorithm::HS256, "a1", &secret, &nobody)),
        (
            "a bot's account",
            sign(Algorithm::HS256, "a1", &secret, &of_bot),
        ),
        ("none", format!("{none}.{body}.")),
        ("none, signed", format!("{none}.{body}.{signature}")),
        ("RS256", format!("{rs256}.{body}.{signature}")),
        ("no signature", format!("{header}.{body}.")),
        ("two parts", format!("{header}.{body}")),
        ("four parts", format!("{token}.x")),
        ("padded", format!("{token}=")),
        ("as a bot", format!("Bot {token}")),
        ("a bot as a bearer", format!("Bearer {bot}")),
        ("basic", format!("Basic {token}")),
        (
            "bot, other id",
            format!(
                "{}.{}.{}",
                BASE64.encode("1000"),
                bot_parts[1],
                bot_parts[2]
            ),
        ),
        (
            "bot, other part",
            format!("{}.AAAA.{}", bot_parts[0], bot_parts[2]),
        ),
        ("bot, no mac", format!("{}.{}.", bot_parts[0], bot_parts[1])),
        ("bot, next generation", auth.bot_token(BOT, 2)),
        ("bot of a person", auth.bot_token(USER, 1)),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("oversized", "a".repeat(100_000)),
        ("oversized, signed", format!("{}{token}", " ".repeat(2_000))),
        ("control characters", "\u{0}.\u{1b}.\u{7f}".to_owned()),
    ];
    for (what, token) in forged {
        assert!(!is_admitted(&node, &token).await, "{what}: {token}");
    }
}

#[tokio::test]
async fn a_closed_login_and_a_reset_bot_are_refused_at_once() {
    let (node, _) = node().await;
    let token = node.app.auth.access_token(USER, LOGIN).unwrap();
    let first = reset_bot(&node).await;
    assert!(is_admitted(&node, &token).await);
    assert!(is_admitted(&node, &first).await);
    let close = CloseLogin { login: LOGIN };
    node.app.directory.ask(USER, close).await.unwrap();
    let second = reset_bot(&node).await;
    assert!(!is_admitted(&node, &token).await);
    assert!(!is_admitted(&node, &first).await);
    assert!(is_admitted(&node, &second).await);
}

#[tokio::test]
async fn keys_rotate_and_the_old_one_is_accepted_until_its_last_token_has_expired() {
    let (node, store) = node().await;
    let lane = node.lane();
    let day = 24 * 3_600_000;
    let now = node.app.clock.now();
    let keys = Keys::open(Arc::clone(&store), lane.clone(), now)
        .await
        .unwrap();
    let kid = |keys: &Keys| keys.ring().signing().unwrap().kid().to_owned();
    keys.rotate(now.plus(29 * day)).await.unwrap();
    assert_eq!(kid(&keys), "a1");
    let later = now.plus(31 * day);
    keys.rotate(later).await.unwrap();
    assert_eq!(kid(&keys), "a2");
    assert!(keys.ring().access("a1").is_some());
    // Another node over the same store finds the same keys.
    let others = Keys::open(store, lane.clone(), later).await.unwrap();
    assert_eq!(kid(&others), "a2");
    let claims = Claims::new(USER, LOGIN, 1);
    let signed = keys.ring().signing().unwrap().sign(&claims).unwrap();
    assert_eq!(
        others.ring().access("a2").unwrap().verify(&signed, 2),
        Some(claims)
    );
    keys.rotate(later.plus(17 * 60_000)).await.unwrap();
    assert!(keys.ring().access("a1").is_none());
    assert_eq!(kid(&keys), "a2");
}
