//! Bans, and the messages that go with them.

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, UserId};
use crate::profile::Profile;

/// Bans a user, member or not. One who is banned already stays so as he is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ban {
    /// Who asks.
    pub by: UserId,
    /// Whom, with the profile that the events show.
    pub user: Profile,
    /// Why, for the ban and the audit log.
    pub reason: Option<String>,
    /// How far back his messages are to be deleted, in seconds; 0 deletes none. The node does so afterwards.
    pub delete_seconds: u64,
}

/// Ends a ban; `UnknownBan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unban {
    /// Who asks.
    pub by: UserId,
    /// Whose, with the profile that GUILD_BAN_REMOVE shows.
    pub user: Profile,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Says that the messages of somebody banned are deleted. Sent by the node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndPurge {
    /// Which purge: the place of its row.
    pub purge: MessageId,
}
