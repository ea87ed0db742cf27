//! Refresh tokens: `rt1.<user>.<login>.<generation>.<secret>`. Only the secret's SHA-256 is ever stored.

use std::fmt::{self, Write};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rookery_protocol::ids::{LoginId, UserId};
use rookery_protocol::limits;
use sha2::{Digest, Sha256};

use crate::random;

/// The random part of a refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one.
    pub fn random() -> Self {
        Self(random::bytes())
    }

    /// Its SHA-256 as lower-case hex.
    pub fn hash(&self) -> String {
        Sha256::digest(self.0)
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// A refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose.
    pub user: UserId,
    /// Of which login.
    pub login: LoginId,
    /// How many were before it.
    pub generation: u64,
    /// What proves it.
    pub secret: Secret,
}

impl fmt::Display for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            login,
            generation,
            secret,
        } = self;
        write!(
            f,
            "rt1.{user}.{login}.{generation}.{}",
            BASE64.encode(secret.0)
        )
    }
}

/// A text that is no refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidToken;

impl FromStr for RefreshToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.len() > limits::TOKEN_BYTES {
            return Err(InvalidToken);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let ["rt1", user, login, generation, secret] = parts[..] else {
            return Err(InvalidToken);
        };
        let secret = BASE64.decode(secret).map_err(|_| InvalidToken)?;
        Ok(Self {
            user: user.parse().map_err(|_| InvalidToken)?,
            login: login.parse().map_err(|_| InvalidToken)?,
            generation: generation.parse().map_err(|_| InvalidToken)?,
            secret: Secret(secret.try_into().map_err(|_| InvalidToken)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_its_hash_is_of_the_secret() {
        let token = RefreshToken {
            user: UserId(1),
            login: LoginId(2),
            generation: 3,
            secret: Secret([7; 32]),
        };
        assert!(token.to_string().parse() == Ok(token.clone()));
        assert_eq!(token.secret.hash().len(), 64);
        assert_ne!(token.secret.hash(), Secret([8; 32]).hash());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let secret = BASE64.encode([7; 32]);
        for text in [
            "".to_owned(),
            "rt1".to_owned(),
            format!("rt2.1.2.3.{secret}"),
            format!("rt1.1.2.3.{secret}.4"),
            format!("rt1.0.2.3.{secret}"),
            format!("rt1.1.2.-3.{secret}"),
            format!("rt1.1.2.3.{}", BASE64.encode([7; 31])),
            format!("rt1.1.2.3.{}", "A".repeat(5_000)),
        ] {
            assert!(text.parse::<RefreshToken>() == Err(InvalidToken), "{text}");
        }
    }
}
