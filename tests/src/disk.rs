//! A disk in memory under redb: it loses power, remembers every moment, and fails when told to.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// A disk with a volatile cache. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct VolatileDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Sectors,
    /// The disk before each write and sync since [`VolatileDisk::record`].
    moments: Option<Vec<Sectors>>,
    fails: bool,
}

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
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(now: Sectors) -> Self {
        let state = State {
            now,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The disk after a power cut now: of the writes that were not synced some have reached it, which ones by `seed`.
    #[must_use]
    pub fn lose_power(&self, seed: u64) -> Self {
        Self::with(self.state().now.clone().after_power_cut(seed))
    }

    /// From now on keeps what the disk is before each write and each sync.
    pub fn record(&self) {
        self.state().moments = Some(Vec::new());
    }

    /// The recorded moments, as disks that can lose power.
    #[must_use]
    pub fn moments(&self) -> Vec<Self> {
        let moments = self.state().moments.take().unwrap_or_default();
        moments.into_iter().map(Self::with).collect()
    }

    /// From now on every write and sync is an I/O error.
    pub fn fail(&self) {
        self.state().fails = true;
    }

    /// Begins a change of the disk.
    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.fails {
            return Err(io::Error::other("the disk is broken"));
        }
        let State { now, moments, .. } = &mut *state;
        if let Some(moments) = moments {
            moments.push(now.clone());
        }
        Ok(state)
    }
}

impl Sectors {
    fn after_power_cut(mut self, seed: u64) -> Self {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for (offset, data) in std::mem::take(&mut self.unsynced) {
            // xorshift: any spread of bits will do.
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            if dice >> 63 == 0 {
                self.synced[offset..offset + data.len()].copy_from_slice(&data);
            }
        }
        self.written.clone_from(&self.synced);
        self
    }
}

fn offset(n: u64) -> usize {
    usize::try_from(n).expect("a test's disk fits in memory")
}

impl StorageBackend for VolatileDisk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.state().now.written.len() as u64)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.state();
        let range = offset(at)..offset(at) + out.len();
        let data = state.now.written.get(range);
        out.copy_from_slice(data.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// The length itself is durable at once, as on a file system that journals it.
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let len = offset(len);
        let mut state = self.change()?;
        state.now.written.resize(len, 0);
        state.now.synced.resize(len, 0);
        state
            .now
            .unsynced
            .retain(|(at, data)| at + data.len() <= len);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut state = self.change()?;
        for (at, data) in std::mem::take(&mut state.now.unsynced) {
            state.now.synced[at..at + data.len()].copy_from_slice(&data);
        }
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> Result<(), io::Error> {
        let at = offset(at);
        let mut state = self.change()?;
        state.now.written[at..at + data.len()].copy_from_slice(data);
        state.now.unsynced.push((at, data.to_vec()));
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
