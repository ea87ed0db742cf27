//! The embedded store: one redb file in the data folder, one redb table per [`TableId`].
//!
//! The file lock is the fence between processes; a commit is one transaction with one fsync. An error of the disk in a
//! commit ends the process: what was promised to be durable may not be, and a restart reads what is.
//!
//! A start after a kill reads the whole file (measured: 1.4 ms per MB). redb's quick repair would spare that, for two
//! fsyncs a commit: +60 % on the latency of a lone message (0.35 to 0.57 ms), and an allocator state per commit that
//! grows with the file. Restarts after kills are rare, commits are not: it stays off.

mod commit;
mod key;
mod open;
mod read;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::redb::{Database, ReadTransaction, StorageBackend, TableDefinition};
use async_trait::async_trait;
use parking_lot::RwLock;
use rookery_actors::store::{
    Commit, CommitError, Committed, Decide, LaneId, RawRow, Scan, Snapshot, Snapshots, Store,
    StoreError,
};
use rookery_protocol::document::{Key, TableId};

pub use self::open::{FILE_NAME, FORMAT, OpenError};

type Bytes = &'static [u8];

/// Lanes of commits: BSON of [`rookery_protocol::document::LaneRow`].
const LANES: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("lanes");

fn rows(table: TableId) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.name())
}

/// A store in one file. Clones share it.
#[derive(Clone)]
pub struct RedbStore {
    file: Arc<OpenFile>,
}

struct OpenFile {
    path: PathBuf,
    /// `None` once closed.
    database: RwLock<Option<Database>>,
}

impl RedbStore {
    /// Opens the store of a data folder, creating both if need be. Blocks; after a crash for as long as it takes to
    /// check the whole file.
    ///
    /// # Errors
    /// The folder is in use, cannot be written, or holds no readable store.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let database = open::folder(folder)?;
        Ok(Self::new(folder.join(FILE_NAME), database))
    }

    /// A store on something other than a file, for tests of what a failing disk does; `path` is what errors call it.
    ///
    /// # Errors
    /// The backend fails, or holds no readable store.
    pub fn on_backend(path: &Path, backend: impl StorageBackend) -> Result<Self, OpenError> {
        let database = open::on_backend(path, backend)?;
        Ok(Self::new(path.to_owned(), database))
    }

    fn new(path: PathBuf, database: Database) -> Self {
        Self {
            file: Arc::new(OpenFile {
                path,
                database: RwLock::new(Some(database)),
            }),
        }
    }

    /// Closes the file, so that the next start need not check it, once the calls in progress have ended. Later reads
    /// are unavailable and later commits fenced. Blocks.
    pub fn close(&self) {
        let database = self.file.database.write().take();
        if let Some(Err(error)) = database.map(Database::close) {
            // All commits are durable; the next start only takes longer.
            tracing::warn!(%error, "the store could not be closed properly");
        }
    }

    /// Compares all pages of the file with their checksums, and repairs it if it can be; whether nothing was wrong. Nothing
    /// else may use the store meanwhile. Blocks for as long as it takes to read the file.
    ///
    /// # Errors
    /// It is damaged beyond repair.
    pub fn check_integrity(&self) -> Result<bool, OpenError> {
        let checked = match &mut *self.file.database.write() {
            Some(database) => catch_unwind(AssertUnwindSafe(|| database.check_integrity())),
            None => Ok(Ok(true)),
        };
        match checked {
            Ok(checked) => checked.map_err(|error| open::explain(&self.file.path, error)),
            Err(_) => Err(open::contradictory(&self.file.path)),
        }
    }

    /// Reads on the blocking pool: a page that is not in memory has to come from the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        blocking(move || match &*file.database.read() {
            Some(database) => read(database),
            None => Err(StoreError::Unavailable("it is closed".to_owned())),
        })
        .await
    }

    /// [`OpenFile::write`] on the blocking pool, for the writes that are no commits of a lane.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Database) -> Result<Result<T, CommitError>, ::redb::Error> + Send + 'static,
    ) -> Result<T, CommitError> {
        let file = Arc::clone(&self.file);
        match tokio::task::spawn_blocking(move || file.write(write)).await {
            Ok(result) => result,
            Err(error) => Err(CommitError::Unknown(error.to_string())),
        }
    }
}

impl OpenFile {
    fn write<T>(
        &self,
        write: impl FnOnce(&Database) -> Result<Result<T, CommitError>, ::redb::Error>,
    ) -> Result<T, CommitError> {
        let database = self.database.read();
        let Some(database) = &*database else {
            return Err(CommitError::Fenced);
        };
        match catch_unwind(AssertUnwindSafe(|| write(database))) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => self.end(&error.to_string()),
            Err(_) => self.end("redb panicked"),
        }
    }

    /// Ends the process at once: nothing that depends on the failed commit may be shown, and what is on the disk is
    /// what the next start goes by.
    fn end(&self, error: &str) -> ! {
        tracing::error!(
            path = %self.path.display(),
            error,
            "writing the data file failed, the process ends"
        );
        std::process::abort()
    }
}

/// Reads on the blocking pool. redb may panic over a damaged page, which is no reason to end.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}

impl std::fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RedbStore").field(&self.file.path).finish()
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, table: TableId, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.clone();
        self.read(move |database| read::get(database, table, &key))
            .await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RawRow>, StoreError> {
        let scan = scan.clone();
        self.read(move |database| read::scan(database, &scan)).await
    }

    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let after = after.cloned();
        self.read(move |database| read::walk(&read::begin(database)?, table, after.as_ref(), limit))
            .await
    }

    async fn open_lane(&self, lane: &LaneId) -> Result<u64, CommitError> {
        let lane = lane.clone();
        self.write(move |database| commit::open_lane(database, &lane))
            .await
    }

    /// Blocks the caller for an fsync; the commit lane calls it on its own thread.
    async fn commit(&self, commit: &Commit) -> Result<Committed, CommitError> {
        self.file.write(|database| commit::commit(database, commit))
    }

    /// Blocks the calling thread for an fsync, as the decision may not outlive the call; such transactions are rare.
    async fn transact(
        &self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.file
            .write(|database| commit::transact(database, rows, decide).map(Ok))
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    async fn fence(&self, lane: &LaneId) -> Result<(), CommitError> {
        let lane = lane.clone();
        self.write(move |database| commit::fence(database, &lane).map(Ok))
            .await
    }
}

#[async_trait]
impl Snapshots for RedbStore {
    /// While it is held, pages that are overwritten are kept, so the file grows by what is written meanwhile; later
    /// commits use that space again.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let reading = self.read(read::begin).await?;
        Ok(Box::new(RedbSnapshot(Arc::new(reading))))
    }
}

/// One read transaction.
struct RedbSnapshot(Arc<ReadTransaction>);

#[async_trait]
impl Snapshot for RedbSnapshot {
    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let (reading, after) = (Arc::clone(&self.0), after.cloned());
        blocking(move || read::walk(&reading, table, after.as_ref(), limit)).await
    }

    async fn count(&self, table: TableId) -> Result<u64, StoreError> {
        let reading = Arc::clone(&self.0);
        blocking(move || read::count(&reading, table)).await
    }
}
