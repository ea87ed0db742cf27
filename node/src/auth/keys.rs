//! The keys that sign tokens: kept in the store, made at the first start, those of access tokens rotated.

use std::sync::Arc;

use parking_lot::RwLock;
use rookery_actors::commit::{CommitLane, Outcome};
use rookery_actors::store::{self, SharedStore, StoreError, Unit, Write};
use rookery_protocol::document::{Key, KeyUse, SigningKeyRow, SigningKeys, Table, decode};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::access::AccessKey;
use super::bot::BotKey;
use crate::random;
use rookery_actors::ownership::NODE;

/// Age at which a key of access tokens gets a successor, in milliseconds: 30 days.
const ROTATE_MS: u64 = 30 * 24 * 3_600 * 1_000;
/// How long a key is accepted after its successor was made: until its last token has expired, and a minute.
const RETIRE_MS: u64 = (limits::ACCESS_TOKEN_SECONDS + 60) * 1_000;
/// Keys read at once; there are never more than a few.
const PAGE: usize = 1_000;

/// Why the keys are not there.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// They cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new one cannot be written.
    #[error("a signing key could not be stored")]
    NotStored,
}

/// The keys in use.
pub struct Keys {
    store: SharedStore,
    lane: CommitLane,
    ring: RwLock<Arc<Ring>>,
}

/// One state of the keys.
pub struct Ring {
    /// Of access tokens, oldest first; the last one signs.
    access: Vec<(Millis, AccessKey)>,
    /// Of bot tokens.
    bot: BotKey,
    /// Of the URLs of files.
    files: [u8; 32],
}

impl Ring {
    /// The key that signs access tokens.
    pub fn signing(&self) -> Option<&AccessKey> {
        self.access.last().map(|(_, key)| key)
    }

    /// The key of that name.
    pub fn access(&self, kid: &str) -> Option<&AccessKey> {
        self.access
            .iter()
            .map(|(_, key)| key)
            .find(|key| key.kid() == kid)
    }

    /// The key of bot tokens.
    pub fn bot(&self) -> &BotKey {
        &self.bot
    }

    /// The key of the URLs of files.
    pub fn files(&self) -> [u8; 32] {
        self.files
    }
}

impl Keys {
    /// Reads the keys and makes what is missing or due.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(store: SharedStore, lane: CommitLane, now: Millis) -> Result<Self, KeyError> {
        let ring = refresh(&store, &lane, now).await?;
        Ok(Self {
            store,
            lane,
            ring: RwLock::new(Arc::new(ring)),
        })
    }

    /// The keys as they are now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }

    /// Rotates what is due; to be called every few hours at least.
    ///
    /// # Errors
    /// The store does not answer; the keys stay as they were.
    pub async fn rotate(&self, now: Millis) -> Result<(), KeyError> {
        let ring = refresh(&self.store, &self.lane, now).await?;
        *self.ring.write() = Arc::new(ring);
        Ok(())
    }
}

/// Reads the keys, makes what is missing or due, and drops what has retired.
async fn refresh(store: &SharedStore, lane: &CommitLane, now: Millis) -> Result<Ring, KeyError> {
    loop {
        let mut rows = Vec::new();
        for (_, bytes) in store.walk(SigningKeys::ID, None, PAGE).await? {
            rows.push(decode::<SigningKeys>(&bytes).map_err(StoreError::from)?);
        }
        let first = |wanted| rows.iter().find(|row| row.use_for == wanted);
        let bot = first(KeyUse::Bot).and_then(|row| BotKey::new(&row.secret));
        let files = first(KeyUse::Files).and_then(|row| row.secret.as_slice().try_into().ok());
        let mut access = rows;
        access.retain(|row| row.use_for == KeyUse::Access);
        access.sort_by_key(|row| (row.created_at, number(&row.kid)));
        let due = access
            .last()
            .is_none_or(|newest| now.since(newest.created_at) >= ROTATE_MS);
        let mut wanted = Vec::new();
        if bot.is_none() {
            wanted.push(("b1".to_owned(), KeyUse::Bot));
        }
        if files.is_none() {
            wanted.push(("f1".to_owned(), KeyUse::Files));
        }
        if due {
            // Numbered, so that of two nodes that rotate at once one is refused and takes the other's key.
            let next = access.iter().map(|row| number(&row.kid)).max().unwrap_or(0) + 1;
            wanted.push((format!("a{next}"), KeyUse::Access));
        }
        if let (Some(bot), Some(files), true) = (bot, files, wanted.is_empty()) {
            let access = retire(lane, access, now).await;
            return Ok(Ring { access, bot, files });
        }
        for (kid, use_for) in wanted {
            make(lane, kid, use_for, now).await?;
        }
    }
}

/// The number in a name.
fn number(kid: &str) -> u64 {
    kid.get(1..).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Stores a new key unless there is one of its name.
async fn make(
    lane: &CommitLane,
    kid: String,
    use_for: KeyUse,
    now: Millis,
) -> Result<(), KeyError> {
    let key = Key::single(kid.as_str());
    let row = SigningKeyRow {
        kid,
        use_for,
        secret: random::bytes::<32>().to_vec(),
        created_at: now,
    };
    let writes = vec![store::put::<SigningKeys>(key.clone(), &row)];
    match commit(lane, vec![(SigningKeys::ID, key)], writes).await {
        Some(Outcome::Committed) => {
            tracing::info!(kid = row.kid, "new signing key");
            Ok(())
        }
        Some(Outcome::Refused) => Ok(()),
        Some(Outcome::Fenced) | None => Err(KeyError::NotStored),
    }
}

/// Sorts out the keys whose tokens have all expired, and deletes them from the store.
async fn retire(
    lane: &CommitLane,
    rows: Vec<SigningKeyRow>,
    now: Millis,
) -> Vec<(Millis, AccessKey)> {
    let mut successors: Vec<Option<Millis>> = rows
        .iter()
        .skip(1)
        .map(|row| Some(row.created_at))
        .collect();
    successors.push(None);
    let mut kept = Vec::new();
    for (row, successor) in rows.into_iter().zip(successors) {
        if successor.is_some_and(|at| now.since(at) > RETIRE_MS) {
            let delete = store::delete::<SigningKeys>(Key::single(row.kid.as_str()));
            if commit(lane, Vec::new(), vec![delete]).await == Some(Outcome::Committed) {
                tracing::info!(kid = row.kid, "signing key retired");
            }
        } else if let Some(key) = AccessKey::new(&row.kid, &row.secret) {
            kept.push((row.created_at, key));
        } else {
            tracing::error!(kid = row.kid, "a signing key has no secret and is not used");
        }
    }
    kept
}

async fn commit(
    lane: &CommitLane,
    absent: Vec<(rookery_protocol::document::TableId, Key)>,
    writes: Vec<Write>,
) -> Option<Outcome> {
    let unit = Unit {
        entity: NODE,
        absent,
        writes,
    };
    lane.submit_and_wait(unit).await.ok()
}
