//! The entities of a node in a row, so that all of them can be looked at a few at a time: whoever looks at a million holds up
//! nobody who starts one.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_protocol::entity::EntityRef;

use super::counters::Counters;

/// Entities that are looked at under one lock.
const AT_ONCE: usize = 2_048;

/// A place in the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

type Line = (EntityRef, Arc<Counters>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<Option<Line>>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Roster(Mutex<Lines>);

impl Roster {
    pub(super) fn add(&self, entity: EntityRef, counters: &Arc<Counters>) -> Place {
        let mut all = self.0.lock();
        let line = Some((entity, Arc::clone(counters)));
        let index = match all.free.pop() {
            Some(index) => {
                all.lines[index] = line;
                index
            }
            None => {
                all.lines.push(line);
                all.lines.len() - 1
            }
        };
        Place(index)
    }

    pub(super) fn remove(&self, Place(index): Place) {
        let mut all = self.0.lock();
        if all.lines[index].take().is_some() {
            all.free.push(index);
        }
    }

    /// Looks at each; one that comes or goes meanwhile may be missed.
    pub(super) fn each(&self, mut look: impl FnMut(EntityRef, &Arc<Counters>)) {
        let mut from = 0;
        loop {
            let all = self.0.lock();
            let to = all.lines.len().min(from + AT_ONCE);
            if from >= to {
                return;
            }
            for (entity, counters) in all.lines[from..to].iter().flatten() {
                look(*entity, counters);
            }
            from = to;
        }
    }

    pub(super) fn len(&self) -> usize {
        let all = self.0.lock();
        all.lines.len() - all.free.len()
    }
}
