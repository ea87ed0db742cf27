//! Access tokens: JWT, HS256 and nothing else, 15 minutes.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rookery_protocol::ids::{LoginId, UserId};
use rookery_protocol::limits;
use serde::{Deserialize, Serialize};

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose it is.
    pub sub: UserId,
    /// The login it was issued to.
    pub sid: LoginId,
    /// Issued, in seconds since the Unix epoch.
    pub iat: u64,
    /// Expires, in seconds since the Unix epoch.
    pub exp: u64,
}

impl Claims {
    /// Claims of a token issued at `now` (seconds).
    pub fn new(sub: UserId, sid: LoginId, now: u64) -> Self {
        Self {
            sub,
            sid,
            iat: now,
            exp: now + limits::ACCESS_TOKEN_SECONDS,
        }
    }
}

/// One key of access tokens.
#[derive(Clone)]
pub struct AccessKey {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl AccessKey {
    /// The key of that name and secret; `None` if the secret is empty, with which anybody could sign.
    pub fn new(kid: &str, secret: &[u8]) -> Option<Self> {
        Some(Self {
            kid: kid.to_owned(),
            encoding: EncodingKey::from_secret(secret).ok()?,
            decoding: DecodingKey::from_secret(secret).ok()?,
        })
    }

    /// Its name, in the header of its tokens.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// A signed token; `None` if the crypto library refuses, which it does not for HMAC.
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, claims, &self.encoding).ok()
    }

    /// The claims of a token of this key that has not expired at `now` (seconds).
    pub fn verify(&self, token: &str, now: u64) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked below, by the node's clock and without leeway.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).ok()?;
        (now < data.claims.exp).then_some(data.claims)
    }
}

/// The `kid` of a token, before anything of it is believed.
pub fn kid(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}
