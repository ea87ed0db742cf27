//! Bot tokens in the public three-part form: `base64url(user id).base64url(issued, generation).base64url(hmac)`. They do
//! not expire; a reset raises the generation that the account admits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use rookery_protocol::ids::UserId;
use sha2::Sha256;

/// The key of bot tokens.
#[derive(Clone)]
pub struct BotKey(Hmac<Sha256>);

impl BotKey {
    /// The key of that secret; HMAC takes any length.
    pub fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// A token of `generation`, issued at `now` (seconds).
    pub fn sign(&self, bot: UserId, generation: u64, now: u64) -> String {
        let issued = u32::try_from(now).unwrap_or(u32::MAX);
        let mut second = issued.to_be_bytes().to_vec();
        second.extend(generation.to_be_bytes());
        let signed = format!(
            "{}.{}",
            BASE64.encode(bot.to_string()),
            BASE64.encode(second)
        );
        let mac = self.0.clone().chain_update(&signed).finalize();
        format!("{signed}.{}", BASE64.encode(mac.into_bytes()))
    }

    /// The bot and the generation of a token that this key signed.
    pub fn verify(&self, token: &str) -> Option<(UserId, u64)> {
        let (signed, mac) = token.rsplit_once('.')?;
        let mac = BASE64.decode(mac).ok()?;
        self.0
            .clone()
            .chain_update(signed)
            .verify_slice(&mac)
            .ok()?;
        let (id, second) = signed.split_once('.')?;
        let id = String::from_utf8(BASE64.decode(id).ok()?).ok()?;
        let second: [u8; 12] = BASE64.decode(second).ok()?.try_into().ok()?;
        let generation = u64::from_be_bytes(second[4..].try_into().ok()?);
        Some((id.parse().ok()?, generation))
    }
}

/// Whether a token has the form of a bot's: its first part is the base64 of decimal digits.
pub fn has_form(token: &str) -> bool {
    token
        .split_once('.')
        .and_then(|(id, _)| BASE64.decode(id).ok())
        .is_some_and(|id| !id.is_empty() && id.iter().all(u8::is_ascii_digit))
}
