//! Who a caller is: tokens, the keys that sign them, passwords.

pub mod access;
pub mod bot;
pub mod keys;
pub mod password;
pub mod refresh;

use std::sync::Arc;

use rookery_actors::entity::Clock;
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Account, Proof};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{LoginId, UserId};
use rookery_protocol::limits;

use self::access::Claims;
use self::keys::{KeyError, Keys};
use crate::accounts::Accounts;
use crate::clock::SystemClock;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub account: Arc<Account>,
    /// What the token said.
    pub proof: Proof,
}

impl Caller {
    /// Whose token it is.
    pub fn id(&self) -> UserId {
        self.account.profile.id
    }

    /// Whether it is a bot.
    pub fn is_bot(&self) -> bool {
        self.account.application.is_some()
    }
}

/// Issues and checks tokens.
#[derive(Clone)]
pub struct Authenticator {
    keys: Arc<Keys>,
    accounts: Arc<Accounts>,
    clock: Arc<SystemClock>,
}

impl Authenticator {
    /// Issues and checks tokens with `keys`.
    pub fn new(keys: Keys, accounts: Arc<Accounts>, clock: Arc<SystemClock>) -> Self {
        Self {
            keys: Arc::new(keys),
            accounts,
            clock,
        }
    }

    /// Checks a token: bare, `Bearer` (access tokens) or `Bot` (bot tokens), as in `Authorization` and in IDENTIFY.
    ///
    /// # Errors
    /// `Unauthorized` for a token that is not valid, has expired, or whose login was closed since.
    pub async fn authenticate(&self, authorization: &str) -> Answer<Caller> {
        let (user, proof) = self.verify(authorization).ok_or(ErrorCode::Unauthorized)?;
        let account = match self.accounts.get(user).await {
            Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
                return Err(ErrorCode::Unauthorized.into());
            }
            account => account?,
        };
        if account.admits(proof) {
            Ok(Caller { account, proof })
        } else {
            Err(ErrorCode::Unauthorized.into())
        }
    }

    /// What a token says if we signed it and it has not expired.
    fn verify(&self, authorization: &str) -> Option<(UserId, Proof)> {
        if authorization.len() > limits::TOKEN_BYTES {
            return None;
        }
        let (scheme, token) = match authorization.trim().split_once(' ') {
            Some((scheme, token)) => (Some(scheme), token.trim()),
            None => (None, authorization.trim()),
        };
        let is_bot = match scheme {
            None => bot::has_form(token),
            Some(scheme) if scheme.eq_ignore_ascii_case("bot") => true,
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => false,
            Some(_) => return None,
        };
        let ring = self.keys.ring();
        if is_bot {
            let (bot, generation) = ring.bot().verify(token)?;
            return Some((bot, Proof::Bot(generation)));
        }
        let key = ring.access(&access::kid(token)?)?;
        let claims = key.verify(token, self.clock.seconds())?;
        Some((claims.sub, Proof::Login(claims.sid)))
    }

    /// An access token of a login.
    ///
    /// # Errors
    /// `Internal`, when there is no key.
    pub fn access_token(&self, user: UserId, login: LoginId) -> Answer<String> {
        let claims = Claims::new(user, login, self.clock.seconds());
        let ring = self.keys.ring();
        ring.signing()
            .and_then(|key| key.sign(&claims))
            .ok_or_else(|| ErrorCode::Internal.into())
    }

    /// A token of a bot.
    pub fn bot_token(&self, bot: UserId, generation: u64) -> String {
        self.keys
            .ring()
            .bot()
            .sign(bot, generation, self.clock.seconds())
    }

    /// Rotates the keys that are due.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn rotate_keys(&self) -> Result<(), KeyError> {
        self.keys.rotate(self.clock.now()).await
    }
}

#[cfg(test)]
mod tests;
