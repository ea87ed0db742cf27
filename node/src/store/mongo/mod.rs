//! The store of a cluster: MongoDB, a collection per [`TableId`] and one for the lanes.
//!
//! What makes it safe: every commit is one transaction that first moves its lane's document from `seq - 1` to `seq`, unless
//! it is fenced; it is acknowledged when a majority has it in its journal. What makes it fast: one transaction covers what
//! many entities wrote, in a handful of commands ([`plan`]), on one session per lane.
//!
//! A call that is not answered ends after [`STORE_CALL_MS`]: its outcome is unknown then, and the server may still be at it.
//! That is settled by whoever asks again: a lane's next transaction has a higher number in the same session, which ends the
//! one before, and finds the lane's document at `seq - 1` or at `seq`.

mod commit;
mod connect;
mod error;
mod fence;
mod files;
mod key;
mod lane;
mod orphans;
mod plan;
mod read;
mod row;
mod schema;
mod snapshot;
mod transact;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::{RawDocumentBuf, Timestamp};
use mongodb::{Client, ClientSession, Collection, Database};
use parking_lot::Mutex;
use rookery_actors::store::{
    Commit, CommitError, Committed, Decide, LaneId, RawRow, Scan, Store, StoreError,
};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::limits::STORE_CALL_MS;

use self::lane::Lanes;

pub use self::error::OpenError;
pub use self::files::{Download, MongoFiles, SharedFile};
pub use self::schema::{Migrated, SCHEMA};

/// A store in one database of a MongoDB replica set. Clones share it.
#[derive(Clone)]
pub struct MongoStore {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    database: Database,
    /// Where, for people.
    hosts: String,
    /// What sessions of this store are known by to [`orphans`].
    app_name: String,
    lanes: Lanes,
    /// The time of the newest write of this store that was acknowledged: reads are not older.
    seen: Mutex<Option<Timestamp>>,
}

impl MongoStore {
    fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.shared.database.collection(name)
    }

    /// Notes that what a session did is acknowledged.
    fn saw(&self, session: &ClientSession) {
        if let Some(time) = session.operation_time() {
            let mut seen = self.shared.seen.lock();
            *seen = (*seen).max(Some(time));
        }
    }

    /// Ends the connections, once the calls in progress have ended. Later calls fail.
    pub async fn close(&self) {
        self.shared.client.clone().shutdown().immediate(true).await;
    }
}

/// The result of a call, or that there was none in time.
async fn in_time<T>(call: impl Future<Output = T>) -> Result<T, String> {
    let time = Duration::from_millis(STORE_CALL_MS);
    let result = tokio::time::timeout(time, call).await;
    result.map_err(|_| format!("no answer within {STORE_CALL_MS} ms"))
}

impl std::fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MongoStore")
            .field("hosts", &self.shared.hosts)
            .field("database", &self.shared.database.name())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn get(&self, table: TableId, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let read = in_time(self.read_one(table, key)).await;
        read.map_err(StoreError::Unavailable)?
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RawRow>, StoreError> {
        let read = in_time(self.read_partition(scan)).await;
        read.map_err(StoreError::Unavailable)?
    }

    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let read = in_time(self.read_table(table, after, limit)).await;
        read.map_err(StoreError::Unavailable)?
    }

    async fn open_lane(&self, lane: &LaneId) -> Result<u64, CommitError> {
        let opened = in_time(self.take_lane(lane)).await;
        opened.map_err(CommitError::Unknown)?
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, CommitError> {
        let committed = in_time(self.commit_until_it_lands(commit)).await;
        committed.map_err(CommitError::Unknown)?
    }

    async fn transact(
        &self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let found = in_time(self.transact_until_it_lands(rows, decide)).await;
        found.map_err(StoreError::Unavailable)?
    }

    async fn fence(&self, lane: &LaneId) -> Result<(), CommitError> {
        let fenced = in_time(self.fence_lane(lane)).await;
        fenced.map_err(CommitError::Unknown)?
    }
}
