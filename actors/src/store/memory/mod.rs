//! The memory driver: for tests and simulation. It injects the faults of a script; it has no clock and no randomness.

mod disk;
mod faults;

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_protocol::document::{Key, TableId};
use tokio::sync::watch;

use super::{
    Commit, CommitError, Committed, Decide, LaneId, Order, RawRow, Scan, Snapshot, Snapshots,
    Store, StoreError,
};

pub use self::disk::Disk;
use self::faults::{Calls, Verdict};
pub use self::faults::{CommitFault, Faults};

/// A store in memory. What is committed is on its [`Disk`], from which another store can be made after a crash.
#[derive(Debug)]
pub struct MemoryStore {
    disk: Disk,
    script: Mutex<Script>,
    gate: watch::Sender<Gate>,
}

#[derive(Debug, Default)]
struct Script {
    faults: Faults,
    calls: Calls,
    /// No call reaches the disk any more.
    crashed: bool,
    /// The store does not answer.
    away: bool,
}

/// Holds commits back, so that a test can look at what must not be shown yet.
#[derive(Debug, Clone, Copy, Default)]
struct Gate {
    held: bool,
    waiting: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self::on(Disk::default())
    }

    /// A store over what another one left, without faults.
    pub fn on(disk: Disk) -> Self {
        Self {
            disk,
            script: Mutex::default(),
            gate: watch::Sender::new(Gate::default()),
        }
    }

    /// A store over what another one left, that fails as scripted.
    pub fn with_faults(disk: Disk, faults: Faults) -> Self {
        let store = Self::on(disk);
        store.script.lock().faults = faults;
        store
    }

    /// What is durable; shared with this store.
    pub fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// Cuts the store off from its disk: commits end as unknown, reads as unavailable, nothing more is written. What a
    /// new store finds is what was committed, and what a late commit may still add.
    pub fn crash(&self) -> Disk {
        self.script.lock().crashed = true;
        self.release_commits();
        self.disk.clone()
    }

    /// Whether calls fail without reaching the disk, until set back.
    pub fn set_unavailable(&self, away: bool) {
        self.script.lock().away = away;
    }

    /// Holds every commit that starts from now on, until [`MemoryStore::release_commits`].
    pub fn hold_commits(&self) {
        self.gate.send_modify(|gate| gate.held = true);
    }

    /// Lets held commits go on.
    pub fn release_commits(&self) {
        self.gate.send_modify(|gate| gate.held = false);
    }

    /// Waits until a commit is being held.
    pub async fn commit_is_held(&self) {
        let mut gate = self.gate.subscribe();
        // The sender lives as long as this store.
        let _ = gate.wait_for(|gate| gate.held && gate.waiting > 0).await;
    }

    /// How many commits were handed in, repetitions included.
    pub fn commits(&self) -> u64 {
        self.script.lock().calls.commits
    }

    /// How many reads were asked for.
    pub fn reads(&self) -> u64 {
        self.script.lock().calls.reads
    }

    async fn pass_gate(&self) {
        let mut gate = self.gate.subscribe();
        if !gate.borrow_and_update().held {
            return;
        }
        self.gate.send_modify(|gate| gate.waiting += 1);
        // The sender lives as long as this store.
        let _ = gate.wait_for(|gate| !gate.held).await;
        self.gate.send_modify(|gate| gate.waiting -= 1);
    }

    fn read<T>(&self, of: impl FnOnce(&disk::Contents) -> T) -> Result<T, StoreError> {
        let unavailable = |why: &str| Err(StoreError::Unavailable(why.to_owned()));
        {
            let mut script = self.script.lock();
            script.calls.reads += 1;
            let n = script.calls.reads;
            if script.crashed {
                return unavailable("it crashed");
            }
            if script.away || script.faults.fails_read(n) {
                return unavailable("it is scripted to be");
            }
        }
        Ok(self.disk.with(|contents| of(contents)))
    }

    fn check(&self) -> Result<(), CommitError> {
        let script = self.script.lock();
        if script.crashed || script.away {
            return Err(CommitError::Unknown("no answer".to_owned()));
        }
        Ok(())
    }

    fn verdict(&self) -> Verdict {
        let mut script = self.script.lock();
        script.calls.commits += 1;
        let n = script.calls.commits;
        if script.crashed || script.away {
            return Verdict::Fail(CommitFault::Lost);
        }
        script.faults.of_commit(n)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, table: TableId, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|contents| contents.get(table, key))
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RawRow>, StoreError> {
        self.read(|contents| contents.scan(scan))
    }

    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        self.read(|contents| contents.walk(table, after, limit))
    }

    async fn open_lane(&self, lane: &LaneId) -> Result<u64, CommitError> {
        self.check()?;
        self.disk.with(|contents| contents.open_lane(lane))
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, CommitError> {
        self.pass_gate().await;
        let unknown = || CommitError::Unknown("scripted".to_owned());
        match self.verdict() {
            Verdict::Answer => self.disk.with(|contents| contents.commit(commit)),
            Verdict::Fail(CommitFault::Lost) => Err(unknown()),
            Verdict::Fail(CommitFault::Unacknowledged) => {
                // What it would have answered is what the caller never hears.
                let _ = self.disk.with(|contents| contents.commit(commit));
                Err(unknown())
            }
            Verdict::Fail(CommitFault::Late { calls }) => {
                self.disk
                    .with(|contents| contents.postpone(Arc::new(commit.clone()), calls));
                Err(unknown())
            }
        }
    }

    async fn transact(
        &self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.check()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(self.disk.with(|contents| contents.transact(rows, decide)))
    }

    async fn fence(&self, lane: &LaneId) -> Result<(), CommitError> {
        self.check()?;
        self.disk.with(|contents| contents.fence(lane));
        Ok(())
    }
}

#[async_trait]
impl Snapshots for MemoryStore {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        // A call as every other: it may fail, and late commits arrive before it.
        self.read(|_| ())?;
        Ok(Box::new(self.disk.snapshot()))
    }
}

/// A copy: nobody else has it.
#[async_trait]
impl Snapshot for Disk {
    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        Ok(self.look(|contents| contents.walk(table, after, limit)))
    }

    async fn count(&self, table: TableId) -> Result<u64, StoreError> {
        Ok(self.look(|contents| contents.count(table)))
    }
}
