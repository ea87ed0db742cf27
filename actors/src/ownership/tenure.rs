//! The lease as everything on a node sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::lease::Boot;

/// How long the node's answers are true: a handle that its ownership sets and everybody looks at. Over until it is set.
#[derive(Debug, Clone, Default)]
pub struct Tenure(Arc<AtomicU64>);

impl Tenure {
    /// One that never ends, for a node that shares its store with nobody.
    pub fn endless() -> Self {
        let tenure = Self::default();
        tenure.set(Boot(u64::MAX));
        tenure
    }

    /// Answers are true before this instant.
    pub fn set(&self, until: Boot) {
        self.0.store(until.0, Relaxed);
    }

    /// Milliseconds for which answers are true still.
    pub fn left(&self, now: Boot) -> u64 {
        self.0.load(Relaxed).saturating_sub(now.0)
    }

    /// Whether an answer at `now` is true.
    pub fn holds(&self, now: Boot) -> bool {
        now.0 < self.0.load(Relaxed)
    }
}
