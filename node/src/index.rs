//! Reads over the store's indexes: whose channel, whose invite, who is in which group, who knows whom.

use quick_cache::sync::Cache;
use rookery_actors::store::{self, Order, Scan, SharedStore};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{
    Applications, Channels, DirectRow, Directs, InviteCodes, Key, Memberships, Messages, Pairs,
    Relation, Table, Usernames,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId, MessageId, UserId};
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

    /// The groups a user is in, by rising id; of a bot one more than allowed at most.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn groups_of(&self, user: UserId) -> Answer<Vec<GroupId>> {
        let rows = self
            .partition::<Memberships>(user, limits::GROUPS_PER_BOT + 1)
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

    /// A user's list of relationships and direct channels, by rising channel; one more than allowed at most.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn directs_of(&self, user: UserId) -> Answer<Vec<DirectRow>> {
        self.partition::<Directs>(user, limits::DIRECT_ROWS_PER_USER + 1)
            .await
    }

    /// How a user stands to those he has to do with: friends, requests, and whom he blocks.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn relations_of(&self, user: UserId) -> Answer<Vec<(UserId, Relation)>> {
        let rows = self.directs_of(user).await?.into_iter();
        let related = rows.filter(|row| row.relation != Relation::None);
        let relations =
            related.filter_map(|row| Some((row.recipients.first().copied()?, row.relation)));
        Ok(relations.collect())
    }

    /// The direct channel of two people, if they ever had to do with each other.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn pair_of(&self, one: UserId, other: UserId) -> Answer<Option<GroupId>> {
        let key = Key::new(one.min(other), one.max(other));
        let row = store::get::<Pairs>(self.store.as_ref(), &key).await;
        let row = row.map_err(fault::read_failed)?;
        Ok(row.map(|row| GroupId(row.channel.0)))
    }

    /// Whether two users are in a community together.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn share_group(&self, one: UserId, other: UserId) -> Answer<bool> {
        let mine = self.groups_of(one).await?;
        if mine.is_empty() {
            return Ok(false);
        }
        // Both are by rising id.
        let theirs = self.groups_of(other).await?;
        Ok(mine.iter().any(|group| theirs.binary_search(group).is_ok()))
    }

    /// The groups and direct channels that are told of a change of a user's account.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn told_of(&self, user: UserId) -> Answer<Vec<GroupId>> {
        let mut groups = self.groups_of(user).await?;
        let directs = self.directs_of(user).await?;
        groups.extend(directs.iter().map(|row| GroupId(row.channel.0)));
        Ok(groups)
    }

    /// The newest message of a channel.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn last_message_of(&self, channel: ChannelId) -> Answer<Option<MessageId>> {
        let scan = Scan {
            table: Messages::ID,
            partition: channel.into(),
            above: None,
            below: None,
            order: Order::Descending,
            limit: 1,
        };
        let rows = store::scan::<Messages>(self.store.as_ref(), scan).await;
        let rows = rows.map_err(fault::read_failed)?;
        Ok(rows.first().map(|(_, row)| row.id))
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
