//! The stores under the contract, and how each of them crashes.

use std::future::Future;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};
use rookery_actors::store::SharedStore;
use rookery_actors::store::memory::MemoryStore;
use rookery_node::store::redb::{FILE_NAME, RedbStore};
use tempfile::TempDir;

/// A store that can crash.
pub trait Fixture: Send {
    /// Cases of the property test; a driver that waits for a disk affords fewer.
    const CASES: u32;

    /// An empty store.
    fn new() -> Self;

    /// The store as it is now.
    fn store(&self) -> SharedStore;

    /// Ends the store without closing it and opens what it left.
    fn crash(&mut self) -> impl Future<Output = ()> + Send;
}

/// The memory driver; a crash cuts the store off its disk.
pub struct Memory(Arc<MemoryStore>);

impl Fixture for Memory {
    const CASES: u32 = 500;

    fn new() -> Self {
        Self(Arc::new(MemoryStore::new()))
    }

    fn store(&self) -> SharedStore {
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

    fn new() -> Self {
        Self::open(TempDir::new().expect("a folder"))
    }

    fn store(&self) -> SharedStore {
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

    fn new() -> Self {
        Self::open(VolatileDisk::default(), 0)
    }

    fn store(&self) -> SharedStore {
        Arc::new(self.store.clone())
    }

    async fn crash(&mut self) {
        let crashes = self.crashes + 1;
        *self = Self::open(self.disk.lose_power(crashes), crashes);
    }
}

/// A disk with a volatile cache.
#[derive(Debug, Clone, Default)]
struct VolatileDisk(Arc<Mutex<Sectors>>);

#[derive(Debug, Clone, Default)]
struct Sectors {
    /// What is written, as the running process sees it.
    written: Vec<u8>,
    /// What is on the platter.
    synced: Vec<u8>,
    /// Writes since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl VolatileDisk {
    fn sectors(&self) -> MutexGuard<'_, Sectors> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk after a power cut: of the writes that were not synced some have reached it, which ones by `seed`.
    #[must_use]
    fn lose_power(&self, seed: u64) -> Self {
        let mut sectors = self.sectors().clone();
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for (offset, data) in std::mem::take(&mut sectors.unsynced) {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            if dice & 1 == 0 {
                let end = offset + data.len();
                if sectors.synced.len() < end {
                    sectors.synced.resize(end, 0);
                }
                sectors.synced[offset..end].copy_from_slice(&data);
            }
        }
        sectors.written.clone_from(&sectors.synced);
        Self(Arc::new(Mutex::new(sectors)))
    }
}

fn offset(n: u64) -> usize {
    usize::try_from(n).expect("a test's disk fits in memory")
}

impl StorageBackend for VolatileDisk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.sectors().written.len() as u64)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let sectors = self.sectors();
        let data = sectors.written.get(offset(at)..offset(at) + out.len());
        out.copy_from_slice(data.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        let mut sectors = self.sectors();
        // Growing is at once durable here: redb syncs before it relies on it, and a file system keeps sizes apart.
        sectors.written.resize(offset(len), 0);
        sectors.synced.resize(offset(len), 0);
        sectors
            .unsynced
            .retain(|(at, data)| at + data.len() <= offset(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        let mut sectors = self.sectors();
        for (at, data) in std::mem::take(&mut sectors.unsynced) {
            sectors.synced[at..at + data.len()].copy_from_slice(&data);
        }
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> Result<(), std::io::Error> {
        let mut sectors = self.sectors();
        let at = offset(at);
        sectors.written[at..at + data.len()].copy_from_slice(data);
        sectors.unsynced.push((at, data.to_vec()));
        Ok(())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
