//! Credentials for a TURN server that shares a secret with the node, as coturn does (`use-auth-secret`): a name that says
//! until when it is good, and its HMAC.
//!
//! Source: <https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rookery_protocol::client::voice::IceServer;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits::TURN_SECONDS;
use rookery_protocol::time::Millis;
use sha1::Sha1;

use crate::config::{Secret, VoiceSettings};

/// A TURN server.
pub(super) struct Turn {
    urls: Vec<String>,
    secret: Secret,
}

impl Turn {
    /// The server of the settings, if there is one.
    pub(super) fn of(settings: &VoiceSettings) -> Option<Self> {
        let secret = settings.turn_secret.clone()?;
        let urls = settings.turn_urls.clone();
        (!urls.is_empty()).then_some(Self { urls, secret })
    }

    /// The server with credentials for somebody.
    pub(super) fn server(&self, user: UserId, now: Millis) -> IceServer {
        let until = now.0 / 1_000 + TURN_SECONDS;
        let username = format!("{until}:{user}");
        #[allow(
            clippy::expect_used,
            reason = "invariant: HMAC takes a key of any length"
        )]
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.reveal()).expect("a key");
        mac.update(username.as_bytes());
        let credential = STANDARD.encode(mac.finalize().into_bytes());
        IceServer {
            urls: self.urls.clone(),
            username,
            credential,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_that_coturn_computes() {
        let turn = Turn {
            urls: vec!["turn:turn.example:3478".to_owned()],
            secret: Secret::new("north"),
        };
        let server = turn.server(UserId(7), Millis(1_000_000));
        assert_eq!(server.username, "44200:7");
        // printf '44200:7' | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(server.credential, "dVJwy+EkozsN06jYPqMqQyIKEPA=");
    }
}
