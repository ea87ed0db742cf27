//! Looking into the entities of a node, and steering them: for operators. Nothing here starts an entity.

#![allow(
    clippy::disallowed_methods,
    reason = "an entity that is busy is not waited for without end"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::inspect::{Sort, TracePart};
use rookery_protocol::limits;
use tokio::sync::oneshot;

use super::counters::{Counters, CountersView};
use super::directory::Directory;
use super::incidents::Incident;
use super::kinds::Kinds;
use super::mailbox::Message;
use super::tap::TooManyTraces;

/// Figures of an entity's state, by name.
pub type Figures = Vec<(&'static str, u64)>;

/// The entities of a node in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Active accounts.
    pub users: u64,
    /// Active groups.
    pub groups: u64,
    /// Messages that wait.
    pub depth: u64,
    /// Messages that were handled by those that are active.
    pub handled: u64,
    /// Nanoseconds that they spent.
    pub busy_ns: u64,
}

/// An entity and its counters, ordered by how much there is of what is asked for.
struct Ranked(u64, EntityRef, Arc<Counters>);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// How much there is of what actors are sorted by.
pub fn rank(sort: Sort, counters: &Counters) -> u64 {
    match sort {
        Sort::Depth => counters.depth(),
        Sort::Restarts => counters.restarts(),
        Sort::Busy => counters.lately().busy_ns,
        Sort::Rate => counters.lately().handled,
        Sort::Wait => {
            let lately = counters.lately();
            lately.wait_ns / lately.handled.max(1)
        }
    }
}

impl Directory {
    /// The entities in figures.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        self.roster().each(|entity, counters| {
            match entity.kind {
                EntityKind::User => census.users += 1,
                EntityKind::Group => census.groups += 1,
            }
            census.depth += counters.depth();
            let (handled, busy_ns) = counters.work();
            census.handled += handled;
            census.busy_ns += busy_ns;
        });
        census
    }

    /// How many entities are active.
    pub fn active(&self) -> u64 {
        self.roster().len() as u64
    }

    /// The entities with the most of something, at most `limit`, the first first. Memory is that of so many.
    pub fn top(
        &self,
        sort: Sort,
        kind: Option<EntityKind>,
        limit: usize,
    ) -> Vec<(EntityRef, CountersView)> {
        let mut best: BinaryHeap<Reverse<Ranked>> = BinaryHeap::with_capacity(limit + 1);
        self.roster().each(|entity, counters| {
            if kind.is_some_and(|kind| kind != entity.kind) {
                return;
            }
            let rank = rank(sort, counters);
            let is_better = best
                .peek()
                .is_none_or(|Reverse(worst)| (rank, entity) > (worst.0, worst.1));
            if best.len() < limit || is_better {
                best.push(Reverse(Ranked(rank, entity, Arc::clone(counters))));
                if best.len() > limit {
                    best.pop();
                }
            }
        });
        // Sorted upwards, with the order turned over: the largest first.
        let best = best.into_sorted_vec().into_iter();
        best.map(|Reverse(Ranked(_, entity, counters))| (entity, counters.view()))
            .collect()
    }

    /// Begins another span of what is called lately, and notes who is crowded: one walk for both, since of 100,000 actors most
    /// of the cost is to reach their counters.
    pub fn mark(&self) {
        let now_ns = self.world().clock.monotonic_ns();
        let mut crowded = Vec::new();
        self.roster().each(|entity, counters| {
            counters.mark(now_ns);
            let depth = counters.depth();
            if depth > limits::CROWDED_MAILBOX && crowded.len() < limits::INCIDENTS {
                crowded.push((entity, depth));
            }
        });
        *self.crowd().lock() = crowded;
    }

    /// Those for whom more messages waited than they should, with how many, at the last [`Directory::mark`].
    pub fn crowded(&self) -> Vec<(EntityRef, u64)> {
        self.crowd().lock().clone()
    }

    /// Those that are active although they belong to another node, and are not on their way there.
    pub fn misplaced(&self) -> Vec<EntityRef> {
        let mut misplaced = Vec::new();
        self.roster().each(|entity, _| {
            if misplaced.len() < limits::INCIDENTS && !self.world().placement.is_here(entity) {
                misplaced.push(entity);
            }
        });
        misplaced
    }

    /// What went wrong since it was last asked; one asks.
    pub fn take_incidents(&self) -> Vec<Incident> {
        self.incidents().take()
    }

    /// Messages by kind.
    pub fn kinds(&self) -> &Kinds {
        self.kinds_of_messages()
    }

    /// The counters of an entity, if it is active here.
    pub fn look(&self, entity: EntityRef) -> Option<CountersView> {
        Some(self.counters_of(entity)?.view())
    }

    /// Figures of its state; none if it is not here, or did not say in time.
    pub async fn describe(&self, entity: EntityRef, within: Duration) -> Option<Figures> {
        let (port, figures) = oneshot::channel();
        self.tell(entity, Message::Describe(port)).then_some(())?;
        tokio::time::timeout(within, figures).await.ok()?.ok()
    }

    /// Throws its state away and loads it anew; what is under way is answered as unknown. Whether it is here.
    pub fn restart(&self, entity: EntityRef) -> bool {
        self.tell(entity, Message::Restart)
    }

    /// Puts it to sleep if it is idle; whether it was. None: it is not here, or did not say in time.
    pub async fn passivate(&self, entity: EntityRef, within: Duration) -> Option<bool> {
        let (port, told) = oneshot::channel();
        self.tell(entity, Message::Passivate(Some(port)))
            .then_some(())?;
        tokio::time::timeout(within, told).await.ok()?.ok()
    }

    /// What a trace has seen of an entity since it was last asked; the first time begins it. None: it is not here.
    ///
    /// # Errors
    /// There are too many traces.
    pub fn trace(&self, trace: u64, entity: EntityRef) -> Option<Result<TracePart, TooManyTraces>> {
        let counters = self.counters_of(entity)?;
        let now = self.world().clock.now();
        Some(self.taps().take(trace, entity, &counters, now))
    }
}
