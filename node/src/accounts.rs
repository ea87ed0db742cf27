//! Accounts and profiles of users, read from the store and kept for a while.
//!
//! A user entity invalidates before it answers a change ([`AccountCache`]), and an account is read from the store only
//! after that change is durable; so a reading that began before an invalidation is handed to its caller but not kept
//! ([`Copies`]). Accounts, with the logins that tokens are checked against, are kept in this node alone and, when other
//! nodes may change them, not for long; profiles, which everybody may see, are shared ([`Profiles`]).

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use rookery_actors::entity::AccountCache;
use rookery_actors::store::{self, SharedStore};
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::Account;
use rookery_protocol::document::{Key, Users};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use crate::ephemeral::{Copies, Known, Profiles, Voided};
use crate::fault;

/// Accounts that are kept; one with a few logins is about 1 kB.
pub(crate) const CAPACITY: usize = 65_536;
/// Reads at a time when a listing needs many profiles.
const CONCURRENT_READS: usize = 16;

/// Accounts and profiles as the node sees them.
pub struct Accounts {
    store: SharedStore,
    kept: Arc<Copies<Account>>,
    profiles: Arc<dyn Profiles>,
}

impl Accounts {
    /// Over `store`, with copies that whoever hears of changes on other nodes voids too.
    pub fn new(
        store: SharedStore,
        kept: Arc<Copies<Account>>,
        profiles: Arc<dyn Profiles>,
    ) -> Self {
        Self {
            store,
            kept,
            profiles,
        }
    }

    /// The account as last committed, as far as this node has heard.
    ///
    /// # Errors
    /// `UnknownUser`, or the store does not answer.
    pub async fn get(&self, user: UserId) -> Answer<Arc<Account>> {
        if let Some(account) = self.kept.get(user, self.profiles.max_age()) {
            return Ok(account);
        }
        let ticket = self.kept.ticket();
        let account = Arc::new(self.read(user).await?);
        let version = account.version;
        self.kept.keep(ticket, user, version, Arc::clone(&account));
        Ok(account)
    }

    /// The profiles of `users`, each once. Who has no account any more is shown as a deleted user.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn profiles(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Answer<HashMap<UserId, Profile>> {
        let max_age = self.profiles.max_age();
        let mut found: HashMap<UserId, Profile> = HashMap::new();
        let mut missing = Vec::new();
        for user in users {
            if found.contains_key(&user) {
                continue;
            }
            if let Some(account) = self.kept.get(user, max_age) {
                found.insert(user, account.profile.clone());
            } else {
                found.insert(user, Profile::deleted(user));
                missing.push(user);
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let looked = self.profiles.look(&missing).await;
        for known in looked.known {
            let profile = known.profile.clone();
            missing.retain(|user| *user != profile.id);
            found.insert(profile.id, profile);
        }
        let mut reads = stream::iter(missing)
            .map(|user| async move { self.read(user).await })
            .buffer_unordered(CONCURRENT_READS);
        while let Some(account) = reads.next().await {
            match account {
                Ok(account) => {
                    let known = Known {
                        version: account.version,
                        profile: account.profile,
                    };
                    found.insert(known.profile.id, known.profile.clone());
                    self.profiles.offer(looked.reading, Arc::new(known));
                }
                Err(refusal) if refusal.code == ErrorCode::UnknownUser => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(found)
    }

    /// The profile of one user; a deleted one's when there is no account.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn profile(&self, user: UserId) -> Answer<Profile> {
        let mut found = self.profiles([user]).await?;
        Ok(found
            .remove(&user)
            .unwrap_or_else(|| Profile::deleted(user)))
    }

    async fn read(&self, user: UserId) -> Answer<Account> {
        let row = store::get::<Users>(self.store.as_ref(), &Key::single(user)).await;
        let document = row.map_err(fault::read_failed)?;
        document
            .as_ref()
            .map(Account::from)
            .ok_or_else(|| ErrorCode::UnknownUser.into())
    }
}

impl AccountCache for Accounts {
    fn invalidate(&self, user: UserId, version: u64) {
        self.kept.void(user, version);
        self.profiles.invalidate(user, version);
    }
}

#[cfg(test)]
mod tests {
    use rookery_actors::store::memory::MemoryStore;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ephemeral::Kept;

    #[tokio::test]
    async fn who_has_no_account_is_shown_as_deleted() {
        let clock = Arc::new(SystemClock::new());
        let accounts = Accounts::new(
            Arc::new(MemoryStore::new()),
            Arc::new(Copies::new(CAPACITY, clock.clone())),
            Arc::new(Kept::new(clock)),
        );
        let profiles = accounts.profiles([UserId(9), UserId(9)]).await.unwrap();
        assert_eq!(profiles[&UserId(9)], Profile::deleted(UserId(9)));
    }
}
