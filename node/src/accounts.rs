//! Accounts and profiles of users, cached per node in a bounded cache over the store.
//!
//! A user entity invalidates before it answers a change ([`AccountCache`]), and an account is read from the store only
//! after that change is durable. A fill that began before an invalidation never stays: the invalidation removes its
//! placeholder, so that what it read is handed to its caller but not kept.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use quick_cache::sync::Cache;
use rookery_actors::entity::AccountCache;
use rookery_actors::store::{self, SharedStore};
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::Account;
use rookery_protocol::document::{Key, Users};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use crate::fault;

/// Accounts the cache holds; one with a few logins is about 1 kB.
const CAPACITY: usize = 65_536;
/// Reads at a time when a listing needs many profiles.
const CONCURRENT_READS: usize = 16;

/// The node's cache of accounts.
pub struct Accounts {
    store: SharedStore,
    cache: Cache<UserId, Arc<Account>>,
}

impl Accounts {
    /// An empty cache over `store`.
    pub fn new(store: SharedStore) -> Self {
        Self {
            store,
            cache: Cache::new(CAPACITY),
        }
    }

    /// The account as last committed.
    ///
    /// # Errors
    /// `UnknownUser`, or the store does not answer.
    pub async fn get(&self, user: UserId) -> Answer<Arc<Account>> {
        match self.cache.get_value_or_guard_async(&user).await {
            Ok(account) => Ok(account),
            Err(fill) => {
                let account = Arc::new(self.read(user).await?);
                // Refused when it was invalidated meanwhile.
                let _ = fill.insert(Arc::clone(&account));
                Ok(account)
            }
        }
    }

    /// The profiles of `users`, each once. Who has no account any more is shown as a deleted user.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn profiles(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Answer<HashMap<UserId, Profile>> {
        let mut found: HashMap<UserId, Profile> = HashMap::new();
        let mut missing = Vec::new();
        for user in users {
            if found.contains_key(&user) {
                continue;
            }
            if let Some(account) = self.cache.get(&user) {
                found.insert(user, account.profile.clone());
            } else {
                found.insert(user, Profile::deleted(user));
                missing.push(user);
            }
        }
        let mut reads = stream::iter(missing)
            .map(|user| async move { (user, self.get(user).await) })
            .buffer_unordered(CONCURRENT_READS);
        while let Some((user, account)) = reads.next().await {
            match account {
                Ok(account) => {
                    found.insert(user, account.profile.clone());
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
        match self.get(user).await {
            Ok(account) => Ok(account.profile.clone()),
            Err(refusal) if refusal.code == ErrorCode::UnknownUser => Ok(Profile::deleted(user)),
            Err(refusal) => Err(refusal),
        }
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
        if self
            .cache
            .peek(&user)
            .is_none_or(|known| known.version < version)
        {
            self.cache.remove(&user);
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn account(version: u64) -> Arc<Account> {
        Arc::new(Account {
            version,
            profile: Profile::deleted(UserId(7)),
            email: None,
            operator: false,
            logins: Vec::new(),
            application: None,
        })
    }

    fn accounts() -> Accounts {
        Accounts::new(Arc::new(store::memory::MemoryStore::new()))
    }

    #[tokio::test]
    async fn a_fill_that_races_an_invalidation_does_not_stay() {
        let accounts = accounts();
        let user = UserId(7);
        let Err(fill) = accounts.cache.get_value_or_guard_async(&user).await else {
            panic!("the cache is empty");
        };
        accounts.invalidate(user, 2);
        assert!(fill.insert(account(1)).is_err());
        assert!(accounts.cache.peek(&user).is_none());
    }

    #[tokio::test]
    async fn an_invalidation_removes_only_what_is_older() {
        let accounts = accounts();
        let user = UserId(7);
        accounts.cache.insert(user, account(3));
        accounts.invalidate(user, 3);
        assert!(accounts.cache.peek(&user).is_some());
        accounts.invalidate(user, 4);
        assert!(accounts.cache.peek(&user).is_none());
    }

    #[tokio::test]
    async fn who_has_no_account_is_shown_as_deleted() {
        let profiles = accounts().profiles([UserId(9), UserId(9)]).await.unwrap();
        assert_eq!(profiles[&UserId(9)], Profile::deleted(UserId(9)));
    }
}
