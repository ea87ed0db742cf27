//! The stores under the contract, and how each of them crashes.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use rookery_actors::store::memory::MemoryStore;
use rookery_actors::store::{SharedStore, Snapshots};
use rookery_node::store::redb::{FILE_NAME, RedbStore};
use tempfile::TempDir;

use crate::disk::VolatileDisk;

/// A store that can crash.
pub trait Fixture: Send {
    /// Cases of the property test; a driver that waits for a disk affords fewer.
    const CASES: u32;

    /// An empty store.
    fn new() -> impl Future<Output = Self> + Send;

    /// The store as it is now.
    fn store(&self) -> SharedStore;

    /// The same, for snapshots.
    fn snapshots(&self) -> Arc<dyn Snapshots>;

    /// Ends the store without closing it and opens what it left.
    fn crash(&mut self) -> impl Future<Output = ()> + Send;
}

/// The memory driver; a crash cuts the store off its disk.
pub struct Memory(Arc<MemoryStore>);

impl Fixture for Memory {
    const CASES: u32 = 500;

    async fn new() -> Self {
        Self(Arc::new(MemoryStore::new()))
    }

    fn store(&self) -> SharedStore {
        self.0.clone()
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.0.clone()
    }

    async fn crash(&mut self) {
        self.0 = Arc::new(MemoryStore::on(self.0.crash()));
    }
}

/// redb on a file; a crash is that of the process: the file as the killed process leaves it, still marked as in use.
pub struct Redb {
    folder: TempDir,
    store: RedbStore,
}

impl Redb {
    fn open(folder: TempDir) -> Self {
        let store = RedbStore::open(folder.path()).expect("the folder opens");
        Self { folder, store }
    }
}

impl Fixture for Redb {
    const CASES: u32 = 24;

    async fn new() -> Self {
        Self::open(TempDir::new().expect("a folder"))
    }

    fn store(&self) -> SharedStore {
        Arc::new(self.store.clone())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store.clone())
    }

    async fn crash(&mut self) {
        let next = TempDir::new().expect("a folder");
        let (from, to) = (self.folder.path(), next.path());
        std::fs::copy(from.join(FILE_NAME), to.join(FILE_NAME)).expect("the file is copied");
        *self = Self::open(next);
    }
}

/// redb on a disk that loses power: what was written but not synced is there or not, page by page.
pub struct RedbPowerCut {
    disk: VolatileDisk,
    store: RedbStore,
    crashes: u64,
}

impl RedbPowerCut {
    fn open(disk: VolatileDisk, crashes: u64) -> Self {
        let store = RedbStore::on_backend(Path::new("volatile"), disk.clone());
        Self {
            disk,
            store: store.expect("the disk opens"),
            crashes,
        }
    }
}

impl Fixture for RedbPowerCut {
    const CASES: u32 = 100;

    async fn new() -> Self {
        Self::open(VolatileDisk::default(), 0)
    }

    fn store(&self) -> SharedStore {
        Arc::new(self.store.clone())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store.clone())
    }

    async fn crash(&mut self) {
        let crashes = self.crashes + 1;
        *self = Self::open(self.disk.lose_power(crashes), crashes);
    }
}
