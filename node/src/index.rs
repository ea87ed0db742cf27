//! Reads over the store's indexes: whose channel, whose invite, who is in which group.

use quick_cache::sync::Cache;
use rookery_actors::store::{self, Order, Scan, SharedStore};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{
    Applications, Channels, InviteCodes, Key, Memberships, Table, Usernames,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;

use crate::fault;

/// Channels the cache holds: 16 bytes each and what the cache adds.
const CHANNELS: usize = 131_072;
/// The longest invite code looked for.
const CODE_BYTES: usize = 32;

/// The node's view of the indexes.
pub struct Index {
    store: SharedStore,
    /// A channel belongs to one group for ever, so entries never expire.
    channels: Cache<ChannelId, GroupId>,
}

impl Index {
    /// Over `store`.
    pub fn new(store: SharedStore) -> Self {
        Self {
            store,
            channels: Cache::new(CHANNELS),
        }
    }

    /// The group of a channel.
    ///
    /// # Errors
    /// `UnknownChannel`, or the store does not answer.
    pub async fn group_of(&self, channel: ChannelId) -> Answer<GroupId> {
        if let Some(group) = self.channels.get(&channel) {
            return Ok(group);
        }
        let row = store::get::<Channels>(self.store.as_ref(), &Key::single(channel)).await;
        let group = row
            .map_err(fault::read_failed)?
            .ok_or(ErrorCode::UnknownChannel)?
            .group;
        self.channels.insert(channel, group);
        Ok(group)
    }

    /// The group of an invite's code.
    ///
    /// # Errors
    /// `UnknownInvite`, or the store does not answer.
    pub async fn group_of_invite(&self, code: &str) -> Answer<GroupId> {
        let is_code = (1..=CODE_BYTES).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_code {
            return Err(ErrorCode::UnknownInvite.into());
        }
        let row = store::get::<InviteCodes>(self.store.as_ref(), &Key::single(code)).await;
        let owner = row.map_err(fault::read_failed)?;
        owner
            .map(|owner| owner.group)
            .ok_or_else(|| ErrorCode::UnknownInvite.into())
    }

    /// The account of a username.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn user_named(&self, username: &str) -> Answer<Option<UserId>> {
        let row = store::get::<Usernames>(self.store.as_ref(), &Key::single(username)).await;
        Ok(row.map_err(fault::read_failed)?.map(|row| row.user))
    }

    /// The groups a user is in, by rising id; one more than allowed at most.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn groups_of(&self, user: UserId) -> Answer<Vec<GroupId>> {
        let rows = self
            .partition::<Memberships>(user, limits::GROUPS_PER_USER + 1)
            .await?;
        Ok(rows.into_iter().map(|row| row.group).collect())
    }

    /// The applications a user owns, by rising id; one more than allowed at most.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn applications_of(&self, user: UserId) -> Answer<Vec<UserId>> {
        let rows = self
            .partition::<Applications>(user, limits::APPLICATIONS_PER_USER + 1)
            .await?;
        Ok(rows.into_iter().map(|row| row.application).collect())
    }

    async fn partition<T: Table>(&self, user: UserId, limit: usize) -> Answer<Vec<T::Row>> {
        let scan = Scan {
            table: T::ID,
            partition: user.into(),
            above: None,
            below: None,
            order: Order::Ascending,
            limit,
        };
        let rows = store::scan::<T>(self.store.as_ref(), scan).await;
        let rows = rows.map_err(fault::read_failed)?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}
