//! What is persisted: tables, their keys and their rows.
//!
//! Rows and snapshots are BSON, so that an operator can read them and a newer version can too; they are never bincode.
//! A row is addressed by a [`Key`] of two parts: the partition (whose rows are scanned together) and the place in it.

mod admin;
mod event;
mod group;
mod message;
mod node;
mod ownership;
mod user;
mod voice;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use admin::{ActRow, AdminActs, AdminTokenRow, AdminTokens};
pub use event::{EventRow, Events, MarkRow, Marks, Outbox, OutboxRow, RequestRow, Requests};
pub use group::{
    AuditAction, AuditChange, AuditLog, AuditRow, BanRow, Bans, ChannelDocument, ChannelKind,
    ChannelOwner, Channels, DirectDocument, EndedGroup, EndedGroups, Friendship, GroupDocument,
    Groups, InviteCodes, InviteOwner, InviteRow, Invites, MemberRow, Members, Membership,
    Memberships, PairDocument, PurgeRow, Purges, RoleDocument, SanctionDocument,
};
pub use message::{
    Attachment, AttachmentOwner, Attachments, MessageKind, MessageRow, Messages, Nonce, PinRow,
    Pins, ReactionCount, ReactionRow, Reactions,
};
pub use node::{KeyUse, LaneRow, NodeRow, Nodes, RestoreRow, Restores, SigningKeyRow, SigningKeys};
pub use ownership::{
    IncarnationId, IncarnationRow, Incarnations, NodeState, Phase, Pin, ShardRow, Shards, View,
    ViewNode, ViewRow, WorkerRow, Workers,
};
pub use user::{
    Application, ApplicationRow, Applications, DirectGroup, DirectRow, Directs, Login, MentionRow,
    Mentions, PairRow, Pairs, ReadStateRow, ReadStates, Relation, UserDocument, UsernameRow,
    Usernames, Users,
};
pub use voice::{RoomAtRow, RoomRow, Rooms, RoomsAt, VoiceRow, VoiceStates};

use crate::entity::EntityRef;
use crate::ids::{AttachmentId, AuditId, ChannelId, GroupId, LoginId, MessageId, RoleId, UserId};

/// The schema of rows that this version writes, and the newest it reads. It rises when older rows have to be rewritten.
pub const SCHEMA: u32 = 1;

/// One part of a key. Numbers sort before texts; numbers by value, texts by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// An id or a sequence number, at most `i64::MAX`.
    Num(u64),
    /// A name or a code: UTF-8 without NUL.
    Text(String),
}

impl Part {
    /// Whether a store takes it in a key: the number fits a signed integer, the text is without NUL.
    pub fn is_storable(&self) -> bool {
        match self {
            Self::Num(n) => i64::try_from(*n).is_ok(),
            Self::Text(text) => !text.as_bytes().contains(&0),
        }
    }
}

impl From<u64> for Part {
    fn from(n: u64) -> Self {
        Self::Num(n)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<EntityRef> for Part {
    fn from(entity: EntityRef) -> Self {
        Self::Text(entity.to_string())
    }
}

macro_rules! part_from_id {
    ($($id:ty),*) => {$(
        impl From<$id> for Part {
            fn from(id: $id) -> Self {
                Self::Num(id.0)
            }
        }
    )*};
}

part_from_id!(
    UserId,
    GroupId,
    ChannelId,
    MessageId,
    RoleId,
    LoginId,
    AttachmentId,
    AuditId
);

/// The address of a row within its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Rows with the same partition are scanned together, in order.
    pub partition: Part,
    /// The place in the partition; `Num(0)` where there is only one row.
    pub sort: Part,
}

impl Key {
    /// The key of a row in a partition of many.
    pub fn new(partition: impl Into<Part>, sort: impl Into<Part>) -> Self {
        Self {
            partition: partition.into(),
            sort: sort.into(),
        }
    }

    /// The key of the only row of its partition.
    pub fn single(partition: impl Into<Part>) -> Self {
        Self::new(partition, 0)
    }

    /// Whether a store takes it.
    pub fn is_storable(&self) -> bool {
        self.partition.is_storable() && self.sort.is_storable()
    }
}

/// The tables of a store. A driver maps each to a table or a collection of [`TableId::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TableId {
    /// `(user)`: [`UserDocument`].
    Users,
    /// `(username)`: the [`UserId`] that holds the name.
    Usernames,
    /// `(owner, application)`.
    Applications,
    /// `(group)`: [`GroupDocument`].
    Groups,
    /// `(group, user)`: [`MemberRow`].
    Members,
    /// `(user, group)`: the index over [`TableId::Members`].
    Memberships,
    /// `(channel)`: the group it belongs to, for ever.
    Channels,
    /// `(group, code)`: [`InviteRow`].
    Invites,
    /// `(code)`: the group of an invite; the index over [`TableId::Invites`].
    InviteCodes,
    /// `(channel, message)`: [`MessageRow`].
    Messages,
    /// `(entity, gseq)`: [`EventRow`].
    Events,
    /// `(sender, seq)`: [`OutboxRow`].
    Outbox,
    /// `(receiver, sender)`: [`MarkRow`].
    Marks,
    /// `(node name)`: [`NodeRow`].
    Nodes,
    /// `(kid)`: [`SigningKeyRow`].
    SigningKeys,
    /// `(user, channel)`: [`ReadStateRow`].
    ReadStates,
    /// `(user, message)`: [`MentionRow`].
    Mentions,
    /// `(user, direct)`: [`DirectRow`]; an index.
    Directs,
    /// `(smaller user, larger user)`: the direct channel of two people, for ever.
    Pairs,
    /// `(group, user)`: [`BanRow`].
    Bans,
    /// `(group, purge)`: [`PurgeRow`].
    Purges,
    /// `(group, entry)`: [`AuditRow`].
    AuditLog,
    /// `(group, 0 or channel)`: [`EndedGroup`].
    EndedGroups,
    /// `(channel, message)`: the index over pinned messages.
    Pins,
    /// `(message, emoji/user)`: [`ReactionRow`].
    Reactions,
    /// `(channel, attachment)`: the message that a stored file belongs to.
    Attachments,
    /// `(0)`: [`RestoreRow`], while the store is being filled from a backup.
    Restores,
    /// `(node, incarnation)`: [`IncarnationRow`].
    Incarnations,
    /// `(0, worker)`: [`WorkerRow`].
    Workers,
    /// `(0, shard)`: [`ShardRow`].
    Shards,
    /// `(0)`: [`ViewRow`].
    View,
    /// `(entity, n)`: [`RequestRow`].
    Requests,
    /// `(group, user)`: [`VoiceRow`].
    VoiceStates,
    /// `(group, channel)`: [`RoomRow`].
    Rooms,
    /// `(node name, channel)`: the index over [`TableId::Rooms`].
    RoomsAt,
    /// `(name)`: [`AdminTokenRow`].
    AdminTokens,
    /// `(0, act)`: [`ActRow`].
    AdminActs,
}

impl TableId {
    /// All tables, in the order a driver creates them.
    pub const ALL: [Self; 37] = [
        Self::Users,
        Self::Usernames,
        Self::Applications,
        Self::Groups,
        Self::Members,
        Self::Memberships,
        Self::Channels,
        Self::Invites,
        Self::InviteCodes,
        Self::Messages,
        Self::Events,
        Self::Outbox,
        Self::Marks,
        Self::Nodes,
        Self::SigningKeys,
        Self::ReadStates,
        Self::Mentions,
        Self::Directs,
        Self::Pairs,
        Self::Bans,
        Self::Purges,
        Self::AuditLog,
        Self::EndedGroups,
        Self::Pins,
        Self::Reactions,
        Self::Attachments,
        Self::Restores,
        Self::Incarnations,
        Self::Workers,
        Self::Shards,
        Self::View,
        Self::Requests,
        Self::VoiceStates,
        Self::Rooms,
        Self::RoomsAt,
        Self::AdminTokens,
        Self::AdminActs,
    ];

    /// The name of the table or collection.
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Usernames => "usernames",
            Self::Applications => "applications",
            Self::Groups => "groups",
            Self::Members => "members",
            Self::Memberships => "memberships",
            Self::Channels => "channels",
            Self::Invites => "invites",
            Self::InviteCodes => "invite_codes",
            Self::Messages => "messages",
            Self::Events => "events",
            Self::Outbox => "outbox",
            Self::Marks => "marks",
            Self::Nodes => "nodes",
            Self::SigningKeys => "signing_keys",
            Self::ReadStates => "read_states",
            Self::Mentions => "mentions",
            Self::Directs => "directs",
            Self::Pairs => "pairs",
            Self::Bans => "bans",
            Self::Purges => "purges",
            Self::AuditLog => "audit_log",
            Self::EndedGroups => "ended_groups",
            Self::Pins => "pins",
            Self::Reactions => "reactions",
            Self::Attachments => "attachments",
            Self::Restores => "restores",
            Self::Incarnations => "incarnations",
            Self::Workers => "workers",
            Self::Shards => "shards",
            Self::View => "view",
            Self::Requests => "requests",
            Self::VoiceStates => "voice_states",
            Self::Rooms => "rooms",
            Self::RoomsAt => "rooms_at",
            Self::AdminTokens => "admin_tokens",
            Self::AdminActs => "admin_acts",
        }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A table with the type of its rows.
pub trait Table {
    /// Which table.
    const ID: TableId;
    /// Its rows.
    type Row: Serialize + DeserializeOwned;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $row:ty),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl $crate::document::Table for $name {
            const ID: $crate::document::TableId = $crate::document::TableId::$name;
            type Row = $row;
        }
    )*};
}
pub(crate) use tables;

/// A stored row that cannot be read: corrupt, or written by a newer schema.
#[derive(Debug, thiserror::Error)]
#[error("row of {table} cannot be read: {source}")]
pub struct CorruptRow {
    /// The table it was read from.
    pub table: TableId,
    /// What the decoder says.
    pub source: bson::error::Error,
}

/// The bytes of a row. Cannot fail for the types of this module: their maps have string keys and their integers fit.
pub fn encode<T: Table>(row: &T::Row) -> Vec<u8> {
    #[allow(
        clippy::expect_used,
        reason = "invariant: rows are plain structs with string keys; the round-trip tests encode each"
    )]
    bson::serialize_to_vec(row).expect("a row of this module is valid BSON")
}

/// The row of some bytes.
pub fn decode<T: Table>(bytes: &[u8]) -> Result<T::Row, CorruptRow> {
    bson::deserialize_from_slice(bytes).map_err(|source| CorruptRow {
        table: T::ID,
        source,
    })
}

macro_rules! check_each {
    ($table:expr, $bytes:expr, $($name:ident),* $(,)?) => {
        match $table {
            $(TableId::$name => decode::<$name>($bytes).map(drop)),*
        }
    };
}

/// Whether some bytes are a row of a table.
///
/// # Errors
/// They are not.
pub fn check(table: TableId, bytes: &[u8]) -> Result<(), CorruptRow> {
    check_each!(
        table,
        bytes,
        Users,
        Usernames,
        Applications,
        Groups,
        Members,
        Memberships,
        Channels,
        Invites,
        InviteCodes,
        Messages,
        Events,
        Outbox,
        Marks,
        Nodes,
        SigningKeys,
        ReadStates,
        Mentions,
        Directs,
        Pairs,
        Bans,
        Purges,
        AuditLog,
        EndedGroups,
        Pins,
        Reactions,
        Attachments,
        Restores,
        Incarnations,
        Workers,
        Shards,
        View,
        Requests,
        VoiceStates,
        Rooms,
        RoomsAt,
        AdminTokens,
        AdminActs,
    )
}
