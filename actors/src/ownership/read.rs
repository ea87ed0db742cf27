//! What a member reads of the store. Nothing here needs to be read at one instant: what follows from it is decided
//! again in a transaction.

use rookery_protocol::document::{
    IncarnationId, IncarnationRow, Incarnations, Key, Nodes, Part, ShardRow, Shards, View, ViewRow,
    WorkerRow, Workers,
};

use crate::store::{Store, StoreError, get, scan_all};

/// Rows of one page.
const PAGE: usize = 1_024;

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// What a node must know to begin.
    Start {
        /// The node.
        node: String,
    },
    /// The view, and the incarnations that are in it.
    View,
    /// Who owns which shard.
    Shards,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// Of [`Read::Start`].
    Start {
        /// The node's latest incarnation; 0: it never ran.
        last: u64,
        /// Its row.
        row: Option<IncarnationRow>,
        /// The worker ids that were ever held, rising.
        workers: Vec<(u16, WorkerRow)>,
    },
    /// Of [`Read::View`].
    View {
        /// The view.
        view: ViewRow,
        /// The incarnations in it.
        rows: Vec<(IncarnationId, Option<IncarnationRow>)>,
    },
    /// Of [`Read::Shards`]: those that were ever owned, rising.
    Shards(Vec<(u16, ShardRow)>),
}

/// Reads.
///
/// # Errors
/// The store does not answer, or a row is corrupt.
pub async fn read(store: &dyn Store, what: &Read) -> Result<Facts, StoreError> {
    match what {
        Read::Start { node } => {
            let known = get::<Nodes>(store, &Key::single(node.as_str())).await?;
            let last = known.map_or(0, |row| row.incarnation);
            let row = get::<Incarnations>(store, &Key::new(node.as_str(), last)).await?;
            let workers = scan_all::<Workers>(store, 0, PAGE).await?;
            let workers = workers.into_iter().map(|(key, row)| (place(&key), row));
            Ok(Facts::Start {
                last,
                row,
                workers: workers.collect(),
            })
        }
        Read::View => {
            let view = get::<View>(store, &Key::single(0)).await?;
            let view = view.unwrap_or_default();
            let mut rows = Vec::with_capacity(view.nodes.len());
            for node in &view.nodes {
                let row = get::<Incarnations>(store, &node.id.key()).await?;
                rows.push((node.id.clone(), row));
            }
            Ok(Facts::View { view, rows })
        }
        Read::Shards => {
            let rows = scan_all::<Shards>(store, 0, PAGE).await?;
            let shards = rows.into_iter().map(|(key, row)| (place(&key), row));
            Ok(Facts::Shards(shards.collect()))
        }
    }
}

/// The number that a row of these tables is placed at.
fn place(key: &Key) -> u16 {
    match key.sort {
        Part::Num(n) => u16::try_from(n).unwrap_or(u16::MAX),
        Part::Text(_) => u16::MAX,
    }
}
