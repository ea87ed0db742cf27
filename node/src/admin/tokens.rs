//! Tokens of the admin API: made, listed, revoked, and recognised. Only their digests are kept.

use rookery_actors::entity::Clock;
use rookery_actors::store::{Named, Rule, StoreError, Write, delete, put, transact};
use rookery_protocol::document::{
    AdminTokenRow, AdminTokens, CorruptRow, Key, Table, TableId, decode,
};
use rookery_protocol::inspect::{NewToken, Role, TokenRow};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::config::is_node_name;
use crate::random;

/// What tokens begin with, before the name and the secret.
const PREFIX: &str = "rookery-admin";
/// Rows read at once.
const PAGE: usize = 1_000;
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Who uses the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operator {
    /// The name of the token, or `local`.
    pub(super) name: String,
    /// What he may.
    pub(super) role: Role,
}

impl Operator {
    /// Who may use the socket in the data folder: whoever may read that folder.
    pub(super) fn local() -> Self {
        Self {
            name: LOCAL.to_owned(),
            role: Role::Act,
        }
    }
}

/// Who comes over the socket in the data folder.
pub(crate) const LOCAL: &str = "local";

/// Why a token was not made or revoked, or is not good.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// It cannot be a name.
    #[error("`{0}` is no name of a token: 1 to 64 letters, digits, `-` or `_`, and not `local`")]
    BadName(String),
    /// It cannot be a time.
    #[error("a token is good for 1 to {} days", limits::ADMIN_TOKEN_DAYS)]
    BadDays,
    /// There is one.
    #[error("there is a token `{0}` already: revoke it first")]
    Taken(String),
    /// There is none.
    #[error("there is no token `{0}`")]
    Unknown(String),
    /// There are too many.
    #[error("there are {} tokens already: revoke one first", limits::ADMIN_TOKENS)]
    Full,
    /// It is not signed in.
    #[error("the token is not good: it is unknown, or was revoked")]
    Bad,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// The store does not answer.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
}

impl From<CorruptRow> for TokenError {
    fn from(error: CorruptRow) -> Self {
        Self::Store(error.into())
    }
}

/// Puts a token's row where none is, or takes it away.
struct Change {
    name: String,
    row: Option<AdminTokenRow>,
}

impl Rule for Change {
    /// Whether it was so that it could be done.
    type Verdict = bool;

    fn rows(&self) -> Vec<(TableId, Key)> {
        vec![(AdminTokens::ID, Key::single(self.name.as_str()))]
    }

    fn decide(&self, rows: &Named<'_>) -> Result<(Vec<Write>, bool), CorruptRow> {
        let key = Key::single(self.name.as_str());
        let there = rows.get::<AdminTokens>(&key)?;
        Ok(match (&self.row, there) {
            (Some(row), None) => (vec![put::<AdminTokens>(key, row)], true),
            // Its own work, whose outcome was not known.
            (Some(row), Some(there)) => (Vec::new(), *row == there),
            (None, Some(_)) => (vec![delete::<AdminTokens>(key)], true),
            (None, None) => (Vec::new(), false),
        })
    }
}

fn digest(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a token; the text is shown this once.
///
/// # Errors
/// It cannot be made.
pub(super) async fn make(app: &App, by: &str, new: &NewToken) -> Result<String, TokenError> {
    if !is_node_name(&new.name) || new.name == LOCAL {
        return Err(TokenError::BadName(new.name.clone()));
    }
    if !(1..=limits::ADMIN_TOKEN_DAYS).contains(&new.days) {
        return Err(TokenError::BadDays);
    }
    if list(app).await?.len() >= limits::ADMIN_TOKENS {
        return Err(TokenError::Full);
    }
    let secret = random::code(40);
    let now = app.clock.now();
    let row = AdminTokenRow {
        name: new.name.clone(),
        role: new.role,
        secret_hash: digest(&secret),
        by: by.to_owned(),
        made_at: now,
        ends_at: now.plus(u64::from(new.days) * DAY_MS),
    };
    let change = Change {
        name: new.name.clone(),
        row: Some(row),
    };
    if transact(app.store.as_ref(), &change).await? {
        Ok(format!("{PREFIX}.{}.{secret}", new.name))
    } else {
        Err(TokenError::Taken(new.name.clone()))
    }
}

/// Ends a token.
///
/// # Errors
/// There is none.
pub(super) async fn revoke(app: &App, name: &str) -> Result<(), TokenError> {
    let change = Change {
        name: name.to_owned(),
        row: None,
    };
    if !is_node_name(name) || !transact(app.store.as_ref(), &change).await? {
        return Err(TokenError::Unknown(name.to_owned()));
    }
    Ok(())
}

/// The tokens, by name.
///
/// # Errors
/// The store does not answer.
pub(super) async fn list(app: &App) -> Result<Vec<TokenRow>, TokenError> {
    let rows = app.store.walk(AdminTokens::ID, None, PAGE).await?;
    let mut tokens = Vec::new();
    for (_, row) in rows {
        let row = decode::<AdminTokens>(&row)?;
        tokens.push(TokenRow {
            name: row.name,
            role: row.role,
            by: row.by,
            made_ms: row.made_at.0,
            ends_ms: row.ends_at.0,
        });
    }
    Ok(tokens)
}

/// Whose a token is.
///
/// # Errors
/// It is nobody's, or has expired.
pub(super) async fn recognise(app: &App, token: &str) -> Result<Operator, TokenError> {
    let (name, secret) = token
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_prefix('.'))
        .and_then(|rest| rest.split_once('.'))
        .filter(|(name, _)| is_node_name(name))
        .ok_or(TokenError::Bad)?;
    let row = app.store.get(AdminTokens::ID, &Key::single(name)).await?;
    let Some(row) = row else {
        return Err(TokenError::Bad);
    };
    let row = decode::<AdminTokens>(&row)?;
    let is_same = row.secret_hash.as_bytes().ct_eq(digest(secret).as_bytes());
    if !bool::from(is_same) {
        return Err(TokenError::Bad);
    }
    if row.ends_at <= now(app) {
        return Err(TokenError::Expired);
    }
    Ok(Operator {
        name: row.name,
        role: row.role,
    })
}

fn now(app: &App) -> Millis {
    app.clock.now()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_actors::entity::Publisher;
    use rookery_actors::store::memory::MemoryStore;
    use rookery_protocol::event::SharedFrame;

    use super::*;
    use crate::config::Config;
    use crate::node::Node;

    struct Nobody;

    impl Publisher for Nobody {
        fn publish(&self, _: SharedFrame) {}
    }

    fn new(name: &str, days: u32) -> NewToken {
        NewToken {
            name: name.to_owned(),
            role: Role::Read,
            days,
        }
    }

    /// Puts a token's end into the past.
    async fn age(app: &App, name: &str) {
        let key = Key::single(name);
        let row = app.store.get(AdminTokens::ID, &key).await.unwrap().unwrap();
        let row = AdminTokenRow {
            ends_at: now(app),
            ..decode::<AdminTokens>(&row).unwrap()
        };
        let write = move |_: &[Option<Vec<u8>>]| vec![put::<AdminTokens>(Key::single("t"), &row)];
        let rows = [(AdminTokens::ID, key)];
        app.store.transact(&rows, &write).await.unwrap();
    }

    #[tokio::test]
    async fn a_token_is_good_for_its_time_and_until_it_is_revoked() {
        let store = Arc::new(MemoryStore::new());
        let node = Node::alone(Config::default(), store, Arc::new(Nobody)).await;
        let app = &node.app;
        let token = make(app, LOCAL, &new("t", 30)).await.unwrap();
        let operator = recognise(app, &token).await.unwrap();
        assert_eq!((operator.name.as_str(), operator.role), ("t", Role::Read));
        let listed = list(app).await.unwrap();
        assert_eq!((listed.len(), listed[0].by.as_str()), (1, LOCAL));
        let taken = make(app, LOCAL, &new("t", 30)).await;
        assert!(matches!(taken, Err(TokenError::Taken(_))));
        for bad in [
            "",
            "t",
            "rookery-admin.t.",
            "rookery-admin.t.x",
            "rookery-admin.u.x",
        ] {
            let refused = recognise(app, bad).await;
            assert!(matches!(refused, Err(TokenError::Bad)), "{bad}");
        }
        age(app, "t").await;
        let expired = recognise(app, &token).await;
        assert!(matches!(expired, Err(TokenError::Expired)));
        revoke(app, "t").await.unwrap();
        let gone = recognise(app, &token).await;
        assert!(matches!(gone, Err(TokenError::Bad)));
        assert!(matches!(
            revoke(app, "t").await,
            Err(TokenError::Unknown(_))
        ));
        node.shutdown().await;
    }

    #[tokio::test]
    async fn what_cannot_be_a_token_is_refused() {
        let store = Arc::new(MemoryStore::new());
        let node = Node::alone(Config::default(), store, Arc::new(Nobody)).await;
        for name in ["", "a b", LOCAL, "ä", "a.b"] {
            let refused = make(&node.app, LOCAL, &new(name, 30)).await;
            assert!(matches!(refused, Err(TokenError::BadName(_))), "{name}");
        }
        for days in [0, limits::ADMIN_TOKEN_DAYS + 1] {
            let refused = make(&node.app, LOCAL, &new("t", days)).await;
            assert!(matches!(refused, Err(TokenError::BadDays)), "{days}");
        }
        node.shutdown().await;
    }
}
