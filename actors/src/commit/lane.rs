//! The shell of the commit lane: a thread that hands commits to the store, one at a time.
//!
//! A thread of its own, not a task: a commit on an embedded store blocks (fsync), and through `spawn_blocking` every
//! commit would pay two more thread wake-ups than it needs. The thread sleeps on a condition variable, so a unit that
//! finds the lane idle is on its way after one futex wake, and a unit that finds it busy costs a push under a short
//! lock. An asynchronous driver is polled on the same thread, with the runtime of whoever opened the lane under it.

#![allow(
    clippy::disallowed_methods,
    reason = "the shell measures commits and waits out the pause that its core decides"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::QueueFull;
use super::core::{Grouping, Next, Outcome, Settled};
use super::counters::{Cells, CommitCounters};
use crate::store::{Commit, CommitError, Committed, LaneId, SharedStore, Unit};

/// Called once with the outcome of a unit, in commit order, on the lane's thread: it must not block.
pub type Done = Box<dyn FnOnce(Outcome) + Send>;

/// A handle to a lane. When the last one is dropped the lane settles what is queued and ends.
#[derive(Clone)]
pub struct CommitLane {
    handle: Arc<LaneHandle>,
}

/// Closes the lane on drop.
struct LaneHandle {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    cells: Cells,
}

struct State {
    grouping: Grouping<Done>,
    /// Units ever submitted, and how many of them have had their outcome.
    submitted: u64,
    settled: u64,
    /// Who waits until so many units are settled.
    drains: Vec<(u64, oneshot::Sender<()>)>,
    closed: bool,
}

impl CommitLane {
    /// Opens the lane in the store and starts its thread. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What [`crate::store::Store::open_lane`] says, or no thread could be started.
    pub async fn open(store: SharedStore, id: LaneId) -> Result<Self, CommitError> {
        let at = store.open_lane(&id).await?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                grouping: Grouping::new(id, at),
                submitted: 0,
                settled: 0,
                drains: Vec::new(),
                closed: false,
            }),
            work: Condvar::new(),
            cells: Cells::default(),
        });
        let runtime = Handle::current();
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("commit-lane".to_owned())
            .spawn(move || of_thread.run(&store, &runtime))
            .map_err(|error| CommitError::Unknown(format!("no thread for the lane: {error}")))?;
        let handle = Arc::new(LaneHandle { shared });
        Ok(Self { handle })
    }

    /// Queues a unit. Never blocks and never calls `done` itself.
    ///
    /// # Errors
    /// The queue is full; `done` is dropped uncalled.
    pub fn submit(&self, unit: Unit, done: Done) -> Result<(), QueueFull> {
        let shared = &self.handle.shared;
        let mut state = shared.state.lock();
        state.grouping.submit(unit, done)?;
        state.submitted += 1;
        shared.cells.submitted();
        drop(state);
        shared.work.notify_one();
        Ok(())
    }

    /// Queues a unit and waits for its outcome.
    ///
    /// # Errors
    /// The queue is full.
    pub async fn submit_and_wait(&self, unit: Unit) -> Result<Outcome, QueueFull> {
        let (tell, told) = oneshot::channel();
        self.submit(
            unit,
            Box::new(move |outcome| {
                // Nobody waits any more: the unit is committed all the same.
                let _ = tell.send(outcome);
            }),
        )?;
        // The lane calls every `done`; it is gone only if its thread could not go on.
        Ok(told.await.unwrap_or(Outcome::Fenced))
    }

    /// Waits until everything submitted so far has its outcome.
    pub async fn drain(&self) {
        let drained = {
            let mut state = self.handle.shared.state.lock();
            if state.settled == state.submitted {
                return;
            }
            let (tell, told) = oneshot::channel();
            let until = state.submitted;
            state.drains.push((until, tell));
            told
        };
        // An error means that the lane's thread is gone: nothing is outstanding then either.
        let _ = drained.await;
    }

    /// How the lane is doing.
    pub fn counters(&self) -> CommitCounters {
        self.handle.shared.cells.read()
    }
}

impl std::fmt::Debug for CommitLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CommitLane").field(&self.counters()).finish()
    }
}

impl Drop for LaneHandle {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_one();
    }
}

impl Shared {
    fn run(&self, store: &SharedStore, runtime: &Handle) {
        while let Some(next) = self.wait() {
            match next {
                Next::Commit(commit) => self.commit(store, runtime, &commit),
                Next::Fail(waiting) => {
                    self.tell(waiting.into_iter().map(|done| (done, Outcome::Fenced)));
                }
                Next::Nothing => {}
            }
        }
    }

    /// The next thing to do; `None` when all is done and every handle is gone.
    fn wait(&self) -> Option<Next<Done>> {
        let mut state = self.state.lock();
        loop {
            match state.grouping.begin() {
                Next::Nothing if state.closed => return None,
                Next::Nothing => self.work.wait(&mut state),
                next => return Some(next),
            }
        }
    }

    fn commit(&self, store: &SharedStore, runtime: &Handle, commit: &Commit) {
        let started = Instant::now();
        let result = guarded(|| runtime.block_on(store.commit(commit)));
        let ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        match &result {
            Ok(committed) => {
                let refused = committed.refused.len() as u64;
                self.cells.committed(commit.units.len() as u64, refused, ns);
            }
            Err(error @ CommitError::Unknown(_)) => {
                self.cells.unknown();
                tracing::warn!(seq = commit.seq, %error, "commit is repeated");
            }
            Err(error) => {
                tracing::error!(seq = commit.seq, %error, "commit lane stopped");
            }
        }
        let settled = self.state.lock().grouping.settle(result);
        match settled {
            Settled::Outcomes(outcomes) => self.tell(outcomes.into_iter()),
            Settled::Again { after_ms } => self.pause(Duration::from_millis(after_ms)),
        }
    }

    /// Tells outcomes, then those who wait for a drain.
    fn tell(&self, outcomes: impl ExactSizeIterator<Item = (Done, Outcome)>) {
        let count = outcomes.len() as u64;
        for (done, outcome) in outcomes {
            if catch_unwind(AssertUnwindSafe(|| done(outcome))).is_err() {
                tracing::error!("a receiver of a commit's outcome panicked");
            }
        }
        self.cells.settled(count);
        let mut state = self.state.lock();
        state.settled += count;
        let settled = state.settled;
        for (_, tell) in state.drains.extract_if(.., |(until, _)| *until <= settled) {
            // Who no longer waits need not be told.
            let _ = tell.send(());
        }
    }

    /// Waits before a repetition; units submitted meanwhile wake the thread, which goes back to waiting.
    fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state.lock();
        while !self.work.wait_until(&mut state, until).timed_out() {}
    }
}

/// Runs a commit; a driver that panics leaves its outcome unknown, which is repeated like any other.
fn guarded(
    commit: impl FnOnce() -> Result<Committed, CommitError>,
) -> Result<Committed, CommitError> {
    catch_unwind(AssertUnwindSafe(commit))
        .unwrap_or_else(|_| Err(CommitError::Unknown("the store panicked".to_owned())))
}
