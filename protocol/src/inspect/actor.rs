//! Actors: which there are, what they do, how they feel.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Silent;
use crate::entity::{EntityKind, EntityRef};
use crate::ids::ChannelId;

/// What an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// An account.
    User,
    /// A community, or the direct channel of friends.
    Group,
    /// A voice channel with somebody in it.
    Room,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Room];

    /// The name in addresses, JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Room => "room",
        }
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none of an actor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an actor is written user/ID, group/ID or room/CHANNEL")]
pub struct InvalidActor;

impl FromStr for ActorKind {
    type Err = InvalidActor;

    fn from_str(text: &str) -> Result<Self, InvalidActor> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == text).ok_or(InvalidActor)
    }
}

/// The address of an actor, written `group/123`; a room's id is its channel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId {
    /// What it is.
    pub kind: ActorKind,
    /// Its id.
    pub id: u64,
}

impl ActorId {
    /// The entity, unless it is a room.
    pub fn entity(self) -> Option<EntityRef> {
        let kind = match self.kind {
            ActorKind::User => EntityKind::User,
            ActorKind::Group => EntityKind::Group,
            ActorKind::Room => return None,
        };
        Some(EntityRef { kind, id: self.id })
    }
}

impl From<EntityRef> for ActorId {
    fn from(entity: EntityRef) -> Self {
        let kind = match entity.kind {
            EntityKind::User => ActorKind::User,
            EntityKind::Group => ActorKind::Group,
        };
        Self {
            kind,
            id: entity.id,
        }
    }
}

impl From<ChannelId> for ActorId {
    fn from(channel: ChannelId) -> Self {
        Self {
            kind: ActorKind::Room,
            id: channel.0,
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.id)
    }
}

impl FromStr for ActorId {
    type Err = InvalidActor;

    fn from_str(text: &str) -> Result<Self, InvalidActor> {
        let (kind, id) = text.split_once('/').ok_or(InvalidActor)?;
        Ok(Self {
            kind: kind.parse()?,
            id: id.parse().map_err(|_| InvalidActor)?,
        })
    }
}

impl Serialize for ActorId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActorId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// By what the busiest actors are chosen; over the last 5 to 10 seconds, but for `Depth` and `Restarts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Messages that wait now.
    Depth,
    /// Time spent handling.
    #[default]
    Busy,
    /// How long messages waited, on average.
    Wait,
    /// Messages handled.
    Rate,
    /// Restarts since the node was started.
    Restarts,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] = [
        Self::Busy,
        Self::Depth,
        Self::Wait,
        Self::Rate,
        Self::Restarts,
    ];

    /// The name in commands and queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Busy => "busy",
            Self::Wait => "wait",
            Self::Rate => "rate",
            Self::Restarts => "restarts",
        }
    }
}

impl FromStr for Sort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|sort| sort.name() == text);
        found.ok_or("an order is one of busy, depth, wait, rate, restarts")
    }
}

/// An actor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorRow {
    /// Which.
    pub actor: ActorId,
    /// Where it lives.
    pub node: String,
    /// Messages that wait.
    pub depth: u64,
    /// Messages that were handled.
    pub handled: u64,
    /// Nanoseconds spent handling.
    pub busy_ns: u64,
    /// Nanoseconds that messages waited, in all.
    pub wait_ns: u64,
    /// Messages handled a second, of the last 5 to 10 seconds.
    pub per_second: f64,
    /// The share of a core that handling took, of the last 5 to 10 seconds: 0 to 1.
    pub busy: f64,
    /// Milliseconds that a message waited on average, of the last 5 to 10 seconds.
    pub wait_ms: f64,
    /// The slowest message in nanoseconds.
    pub slowest_ns: u64,
    /// Its kind; empty before the first.
    pub slowest_kind: String,
    /// How often it crashed, or was restarted by an operator.
    pub restarts: u64,
    /// What it crashed of last.
    pub last_crash: Option<String>,
    /// When it last handled a message, in milliseconds since the Unix epoch.
    pub last_active_ms: u64,
}

/// The busiest actors of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Top {
    /// They, the busiest first.
    pub actors: Vec<ActorRow>,
    /// How many are active in all.
    pub active: u64,
    /// Who did not answer.
    pub silent: Vec<Silent>,
}

/// All about one actor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorDetail {
    /// What a list shows of it.
    pub row: ActorRow,
    /// Its shard; rooms have none.
    pub shard: Option<u16>,
    /// How often its shard has changed hands.
    pub epoch: Option<u64>,
    /// The run of its node.
    pub incarnation: u64,
    /// The node that an operator chose for it.
    pub pinned_to: Option<String>,
    /// Figures of its state: members, channels, sessions, rows in memory. None: it did not say in time, being busy.
    pub state: Option<BTreeMap<String, u64>>,
}

/// Messages of one kind, over all actors of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRow {
    /// Of what actors.
    pub actor: ActorKind,
    /// The name of the message.
    pub kind: String,
    /// How many were handled.
    pub count: u64,
    /// Microseconds that half of them waited at most; buckets are powers of two.
    pub wait_p50_us: u64,
    /// The same of 99 in 100.
    pub wait_p99_us: u64,
    /// Microseconds that handling half of them took at most.
    pub handle_p50_us: u64,
    /// The same of 99 in 100.
    pub handle_p99_us: u64,
}

/// A part of the supervision tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// What it is called.
    pub name: String,
    /// How it is, in a few words.
    pub what: String,
    /// What it supervises; of many actors the busiest.
    pub children: Vec<TreeNode>,
}
