//! What ended groups and removed channels left.

use serde::{Deserialize, Serialize};

use crate::document::{Key, TableId};
use crate::ids::ChannelId;

/// Deletes some of what an ended group, or a removed channel of a living one, left. Sent by the node's janitor, a piece
/// at a time, until nothing is left; the same piece again does nothing. Refused with `UnknownGuild` where nothing ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reap {
    /// The removed channel; none: the group itself.
    pub channel: Option<ChannelId>,
    /// What to delete.
    pub piece: ReapPiece,
}

/// A piece of what is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReapPiece {
    /// Rows of one table, as the janitor found them; with them go their entries in indexes. Those that are not of what
    /// ended are left alone.
    Rows {
        /// The table.
        table: TableId,
        /// Their keys.
        keys: Vec<Key>,
    },
    /// The rest: whose channels they were, and the row that says that something is left.
    Rest,
    /// Of a living group: entries of the audit log older than [`crate::limits::AUDIT_MS`], and invites that cannot be
    /// taken any more.
    Expired,
}
