//! A store as it was at one instant, for backups and for looking everything over while nodes go on writing.

use async_trait::async_trait;
use rookery_protocol::document::{Key, TableId};

use super::{RawRow, StoreError};

/// A store that can be read as it is at one instant.
#[async_trait]
pub trait Snapshots: Send + Sync + 'static {
    /// The rows of now: of every commit acknowledged before this is called, and of no commit half. What is committed later
    /// is not in it. Meanwhile the store may have to keep what is overwritten, so it is not to be held for long.
    ///
    /// # Errors
    /// The store does not answer.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;
}

/// The rows of one instant.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// Rows of a whole table in key order, above `after`, at most `limit`.
    ///
    /// # Errors
    /// The store does not answer, or keeps that instant no longer.
    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;

    /// About how many rows a table has, found out without reading them.
    ///
    /// # Errors
    /// The store does not answer.
    async fn count(&self, table: TableId) -> Result<u64, StoreError>;
}
