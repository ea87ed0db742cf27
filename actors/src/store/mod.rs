//! The store as cores and shells need it: reads by key and by range, and commits that are all or nothing per unit.
//!
//! Drivers: [`memory`] (tests and simulation; injects faults) and, in `rookery-node`, redb and MongoDB. All pass one
//! contract suite (`tests/src/contract`).

pub mod lane;
pub mod memory;
pub mod restore;
mod snapshot;
mod typed;

use std::sync::Arc;

use async_trait::async_trait;
use rookery_protocol::document::{CorruptRow, Key, Part, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::ROW_BYTES;

pub use snapshot::{Snapshot, Snapshots};
pub use typed::{
    Named, Rule, delete, delete_range, delete_up_to, get, insert, put, scan, scan_all, transact,
};

/// A lane of commits: one writer's sequence of transactions. Its document in the store holds the last sequence number,
/// so that a commit whose outcome was lost can be repeated without being done twice, and whether it is fenced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId {
    /// The node's configured name.
    pub node: String,
    /// Which run of the node.
    pub incarnation: u64,
    /// Which of its lanes.
    pub index: u16,
}

/// One change of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts or replaces a row.
    Put {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
        /// BSON.
        row: Vec<u8>,
    },
    /// [`Write::Put`] of a row that its writer knows to be new. Only a hint, by which a driver may take a shorter way: a row
    /// that is there all the same is replaced.
    Insert {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
        /// BSON.
        row: Vec<u8>,
    },
    /// Deletes a row; no row is no error.
    Delete {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
    },
    /// Deletes the rows of a partition up to and including a place.
    DeleteUpTo {
        /// Table.
        table: TableId,
        /// Partition.
        partition: Part,
        /// The last place deleted.
        last: Part,
    },
    /// Deletes the rows of a partition between two places, both included.
    DeleteRange {
        /// Table.
        table: TableId,
        /// Partition.
        partition: Part,
        /// The first place deleted.
        first: Part,
        /// The last place deleted.
        last: Part,
    },
}

impl Write {
    /// The table that it changes.
    pub fn table(&self) -> TableId {
        match self {
            Self::Put { table, .. }
            | Self::Insert { table, .. }
            | Self::Delete { table, .. }
            | Self::DeleteUpTo { table, .. }
            | Self::DeleteRange { table, .. } => *table,
        }
    }
}

/// What one step of one entity wants written: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Whose it is.
    pub entity: EntityRef,
    /// Rows that must not exist; else the unit is refused (and the rest of the commit is not affected). Against another
    /// lane's commit at the same moment a row is guarded only if the unit puts it.
    pub absent: Vec<(TableId, Key)>,
    /// The changes, in order.
    pub writes: Vec<Write>,
}

impl Unit {
    /// Whether every row it names can be stored; a unit that cannot is refused.
    pub fn is_storable(&self) -> bool {
        let storable = |write: &Write| match write {
            Write::Put { key, row, .. } | Write::Insert { key, row, .. } => {
                key.is_storable() && row.len() <= ROW_BYTES
            }
            Write::Delete { key, .. } => key.is_storable(),
            // The places are only bounds.
            Write::DeleteUpTo { partition, .. } | Write::DeleteRange { partition, .. } => {
                partition.is_storable()
            }
        };
        self.absent.iter().all(|(_, key)| key.is_storable()) && self.writes.iter().all(storable)
    }
}

/// The `seq`-th transaction of a lane, covering many units. Units apply in order; a later one sees an earlier one's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The lane.
    pub lane: LaneId,
    /// 1 for the first commit of a lane, then one more each.
    pub seq: u64,
    /// What is written.
    pub units: Vec<Unit>,
}

/// What became of a commit. Durable when it is returned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Indexes of the units that were refused because a row of `absent` existed, or a row cannot be stored; rising.
    pub refused: Vec<usize>,
}

/// Why a commit was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It may or may not have happened: repeat the identical commit.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// The lane is fenced or was never opened: it will never commit again.
    #[error("the lane is fenced")]
    Fenced,
    /// `seq` is neither the last one nor the next one: a bug of the caller.
    #[error("commit {got} out of order: the lane stands at {at}")]
    OutOfOrder {
        /// The last committed sequence number.
        at: u64,
        /// What was handed in.
        got: u64,
    },
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store does not answer.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A row cannot be read.
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A range of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Table.
    pub table: TableId,
    /// Partition.
    pub partition: Part,
    /// Only places above this one.
    pub above: Option<Part>,
    /// Only places below this one.
    pub below: Option<Part>,
    /// In which order; with `limit` this decides which end is returned.
    pub order: Order,
    /// At most so many rows.
    pub limit: usize,
}

/// A row with its place, as bytes.
pub type RawRow = (Key, Vec<u8>);

/// Decides from the rows of a [`Store::transact`], in the order of its keys, what is written. It may run more than once.
pub type Decide<'a> = &'a (dyn Fn(&[Option<Vec<u8>>]) -> Vec<Write> + Send + Sync);

/// The durable store. Reads see every acknowledged commit.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The row at `key`.
    async fn get(&self, table: TableId, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// Rows of one partition, ordered by place.
    async fn scan(&self, scan: &Scan) -> Result<Vec<RawRow>, StoreError>;

    /// Rows of a whole table in key order, above `after`, at most `limit`; for start-up and maintenance.
    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;

    /// Opens a lane at sequence 0 (unless it exists: then as it stands) and returns its last sequence number.
    async fn open_lane(&self, lane: &LaneId) -> Result<u64, CommitError>;

    /// Commits, durably. The last commit of the lane handed in again answers as it did the first time and changes
    /// nothing, even behind a fence. May block the calling thread for as long as the disk takes: only a commit lane,
    /// which has a thread of its own, calls it.
    async fn commit(&self, commit: &Commit) -> Result<Committed, CommitError>;

    /// Reads rows, writes what `decide` makes of them, and returns the rows it decided on: one transaction, in one order
    /// with all others, commits of lanes included, that name or write one of these rows. It is for what no entity owns:
    /// incarnations, shards, the view. A row that is absent is guarded only if the decision puts it.
    ///
    /// # Errors
    /// `Unavailable`: it may or may not have happened. Do it again: a decision recognises its own work.
    async fn transact(
        &self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Fences a lane: no commit of it that is not already durable ever will be. Fencing a lane that was never opened
    /// keeps it from being opened.
    async fn fence(&self, lane: &LaneId) -> Result<(), CommitError>;
}

/// A store shared by everything on a node.
pub type SharedStore = Arc<dyn Store>;
