//! The script of faults: which call fails, and how. Calls are counted from 1, repetitions included.

use std::collections::{BTreeMap, BTreeSet};

/// How a commit ends as [`crate::store::CommitError::Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// It never happened.
    Lost,
    /// It happened; only the answer was lost.
    Unacknowledged,
    /// It happens right before the `calls`-th later call of any store on the disk, if the lane then still takes it.
    Late {
        /// 1 is the very next call, which then already sees it.
        calls: u64,
    },
}

/// Which calls fail. The same script and the same calls give the same faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    commits: BTreeMap<u64, CommitFault>,
    reads: BTreeSet<u64>,
}

impl Faults {
    /// The `n`-th commit fails like this.
    #[must_use]
    pub fn commit(mut self, n: u64, fault: CommitFault) -> Self {
        self.commits.insert(n, fault);
        self
    }

    /// The `n`-th read finds the store unavailable.
    #[must_use]
    pub fn read(mut self, n: u64) -> Self {
        self.reads.insert(n);
        self
    }

    pub(super) fn of_commit(&self, n: u64) -> Verdict {
        match self.commits.get(&n) {
            Some(&fault) => Verdict::Fail(fault),
            None => Verdict::Answer,
        }
    }

    pub(super) fn fails_read(&self, n: u64) -> bool {
        self.reads.contains(&n)
    }
}

/// What the script says about one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Answer,
    Fail(CommitFault),
}

/// Calls so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    pub(super) commits: u64,
    pub(super) reads: u64,
}
