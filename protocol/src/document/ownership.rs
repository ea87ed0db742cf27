//! Who runs and who may write what: incarnations, worker ids, shards and the view of the cluster.
//!
//! No entity owns these rows. They change in transactions whose decisions are `rookery_actors::ownership`; only the
//! release of a shard goes through the lane that wrote the shard, as its last commit for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Key, tables};
use crate::time::Millis;

tables! {
    /// `(node, incarnation)`: one run of a node. A row that is missing counts as fenced.
    Incarnations: IncarnationRow,
    /// `(0, worker)`: who mints ids with a worker id.
    Workers: WorkerRow,
    /// `(0, shard)`: who owns a shard; no row: nobody ever did.
    Shards: ShardRow,
    /// `(0)`: who is in the cluster.
    View: ViewRow,
}

/// One run of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncarnationId {
    /// The node's configured name.
    pub node: String,
    /// Rises with every run.
    pub number: u64,
}

impl IncarnationId {
    /// Where its row is.
    pub fn key(&self) -> Key {
        Key::new(self.node.as_str(), self.number)
    }
}

impl fmt::Display for IncarnationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.number)
    }
}

/// How far the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It may write.
    Live,
    /// It was thrown out while it lived: its lease is not renewed any more. What it wrote before it noticed still counts.
    Evicted,
    /// It gave everything back and fenced its lanes itself.
    Ended,
    /// Its lanes were fenced.
    Fenced,
}

/// A run's lease and what it holds. Ended or fenced means that all its lanes are fenced, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncarnationRow {
    /// Rises with each renewal of the lease; while it stands still, nobody hears of the run.
    pub counter: u64,
    /// How far it is.
    pub phase: Phase,
    /// How many lanes it may have opened.
    pub lanes: u16,
    /// The worker id it mints with.
    pub worker: u16,
    /// Its ids lie above.
    pub id_floor: Millis,
    /// Drawn by its process at its start: how it knows its own work again.
    pub process: u64,
    /// When it began.
    pub started: Millis,
}

/// A worker id. It is free when its holder is not live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRow {
    /// Who holds it.
    pub holder: IncarnationId,
    /// The ids it mints lie below; the next holder starts above.
    pub ceiling: Millis,
}

/// A shard's owner of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRow {
    /// Who owns it, or did until it was released.
    pub owner: IncarnationId,
    /// The lane that writes for it.
    pub lane: u16,
    /// Rises with every claim.
    pub epoch: u64,
    /// The owner will not write for it any more.
    pub released: bool,
}

/// How a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    /// It runs, but is not linked with every node that is up.
    Joining,
    /// It takes shards.
    Up,
    /// It gives its shards away and will end.
    Draining,
    /// It was thrown out; what is left of it is or will be fenced.
    Evicted,
}

/// A node of the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewNode {
    /// Which run of which node.
    pub id: IncarnationId,
    /// How it takes part.
    pub state: NodeState,
    /// The version of the view it came in with; who has the larger one is the younger.
    pub joined: u64,
    /// Where the other nodes reach it, as host and port; empty when it shares its store with nobody.
    #[serde(default)]
    pub address: String,
}

/// Who is in the cluster. Everybody derives the preferred owner of a shard from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ViewRow {
    /// Rises with every change.
    pub version: u64,
    /// How many nodes were evicted because of a cut link. Who wants to evict another one has known this number for the
    /// time of a lease.
    pub cuts: u64,
    /// The nodes, by name.
    pub nodes: Vec<ViewNode>,
    /// The shards whose node an operator chose, by number.
    #[serde(default)]
    pub pins: Vec<Pin>,
}

/// A shard that an operator has moved. It stays where he wants it as long as that node is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Which.
    pub shard: u16,
    /// The node, by name.
    pub node: String,
}
