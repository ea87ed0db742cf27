//! What the fuzz targets do with their bytes; CI replays their corpus through the same functions. Each reads what
//! strangers send: nothing may panic, and what is accepted must hold what it promises.

use rookery_node::auth::access::{self, AccessKey};
use rookery_node::auth::bot::{self, BotKey};
use rookery_node::auth::refresh::RefreshToken;
use rookery_node::gateway::decode::{ClientCommand, decode, wishes};
use rookery_node::http::{body, form};
use rookery_node::relay::SessionId;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::ChannelId;
use rookery_protocol::intents::Intents;
use serde_json::Value;

/// The name of a target, and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets with their names, which are also those of the folders in `tests/fuzz/corpus`.
pub const TARGETS: [Target; 4] = [
    ("gateway_frame", gateway_frame),
    ("token", token),
    ("session_id", session_id),
    ("form", form),
];

/// A frame from a gateway client.
pub fn gateway_frame(bytes: &[u8]) {
    match decode(bytes) {
        Ok(ClientCommand::Identify(identify)) => {
            for bot in [None, Some(Intents::NONE), Some(Intents::PRIVILEGED)] {
                match wishes(&identify, bot) {
                    Ok((intents, _)) => assert!(intents.is_valid()),
                    Err(code) => assert!(matches!(
                        code,
                        CloseCode::InvalidIntents
                            | CloseCode::InvalidShard
                            | CloseCode::DisallowedIntents
                    )),
                }
            }
        }
        Ok(_) => {}
        Err(code) => assert!(matches!(
            code,
            CloseCode::UnknownOpcode | CloseCode::DecodeError
        )),
    }
}

/// An access, refresh or bot token. No input is signed with these keys.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = (access::kid(text), bot::has_form(text));
    let access = AccessKey::new("1", &[7; 32]);
    assert!(access.verify(text, 0).is_none(), "a forged access token");
    let bot = BotKey::new(&[7; 32]).expect("a key of any length");
    assert!(bot.verify(text).is_none(), "a forged bot token");
    if let Ok(refresh) = text.parse::<RefreshToken>() {
        assert!(refresh.to_string().parse() == Ok(refresh), "{text}");
    }
}

/// A session id of RESUME.
pub fn session_id(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(id) = SessionId::parse(text) {
        assert_eq!(id.to_string(), text, "two texts for one session");
    }
}

/// A JSON body, read as a form with fields of every kind.
pub fn form(bytes: &[u8]) {
    let value = match body::parse(bytes) {
        Ok(value) => value,
        Err(code) => return assert_eq!(code, ErrorCode::InvalidJson),
    };
    let names = [
        "content", "username", "name", "nonce", "max_age", "type", "",
    ];
    let read = form::read(&value, |form| {
        for name in names {
            let _ = form.text(name).optional();
            let _ = form.text(name).name(2..=32).patch();
            let _ = form.text(name).bytes(8..=128).change();
            let _ = form.integer(name, 0..=604_800).optional();
            let _ = form.flag(name).or(false);
            let _ = form.id::<ChannelId>(name).optional();
            let _ = form
                .choice(name, "0, 2", |n| (n == 0).then_some(n))
                .optional();
            let _ = form.texts(name, 10).optional();
        }
        let inner = form.object("message_reference").optional();
        inner.map_or(Some(()), |inner| {
            inner.id::<ChannelId>("message_id").required().map(|_| ())
        })
    });
    if let Err(refusal) = read {
        let body = refusal.body();
        assert_eq!(body["code"], 50035, "{body}");
        assert!(
            !body["errors"]
                .as_object()
                .is_none_or(|errors| errors.is_empty()),
            "{body}"
        );
        let text = body.to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|again| again == body));
    }
}
