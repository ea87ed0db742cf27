//! What is counted of every actor; relaxed atomics, read by the console while the actor works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock};

use super::world::Clock;

/// A message in a mailbox.
pub struct Timed<M> {
    /// When it was put there, on [`Clock::monotonic_ns`].
    at_ns: u64,
    /// What.
    pub message: M,
}

/// Never crosses nodes: actors are local, and a switchboard carries what is for others.
impl<M: Send + 'static> ractor::Message for Timed<M> {}

/// Messages that wait for one life of an actor. What is sent to a life that is over counts for that one only: its commits and
/// reads may come back when the next one has long begun.
#[derive(Debug, Default)]
pub struct Waiting(AtomicU64);

/// Counters of one actor. They outlive its restarts.
pub struct Counters {
    clock: Arc<dyn Clock>,
    /// Of the present life.
    waiting: RwLock<Arc<Waiting>>,
    handled: AtomicU64,
    busy_ns: AtomicU64,
    wait_ns: AtomicU64,
    slowest_ns: AtomicU64,
    slowest_kind: Mutex<&'static str>,
    restarts: AtomicU64,
    /// When it last took a message, on [`Clock::monotonic_ns`].
    last_active_ns: AtomicU64,
    last_crash: Mutex<Option<Box<str>>>,
    is_tapped: AtomicBool,
    /// Where they stood a while ago, the older first: what is shown of the last seconds is the difference to it.
    marks: Mutex<[Mark; 2]>,
}

/// What counters were at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mark {
    at_ns: u64,
    handled: u64,
    busy_ns: u64,
    wait_ns: u64,
}

/// How one message was handled, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// It waited so long.
    pub wait_ns: u64,
    /// Handling it took so long.
    pub busy_ns: u64,
}

/// Counters at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountersView {
    /// Messages that wait.
    pub depth: u64,
    /// Messages ever taken out of the mailbox and done with.
    pub handled: u64,
    /// Nanoseconds spent handling.
    pub busy_ns: u64,
    /// Nanoseconds that messages waited, in all.
    pub wait_ns: u64,
    /// Nanoseconds of the slowest message.
    pub slowest_ns: u64,
    /// The kind of the slowest message; empty before the first.
    pub slowest_kind: &'static str,
    /// How often it crashed and was started again.
    pub restarts: u64,
    /// What it crashed of last.
    pub last_crash: Option<String>,
    /// When it last handled a message, in milliseconds since the Unix epoch.
    pub last_active_ms: u64,
    /// What of it happened in the last seconds.
    pub lately: Lately,
}

/// What happened in the last seconds: since the second-last [`Counters::mark`], or since the actor was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lately {
    /// Nanoseconds that these are.
    pub span_ns: u64,
    /// Messages handled.
    pub handled: u64,
    /// Nanoseconds spent handling.
    pub busy_ns: u64,
    /// Nanoseconds that messages waited, in all.
    pub wait_ns: u64,
}

impl Lately {
    /// Messages handled a second.
    pub fn per_second(&self) -> f64 {
        ratio(self.handled, self.span_ns) * 1e9
    }

    /// The share of a core that handling took, 0 to 1.
    pub fn busy(&self) -> f64 {
        ratio(self.busy_ns, self.span_ns).min(1.0)
    }

    /// Milliseconds that a message waited, on average.
    pub fn wait_ms(&self) -> f64 {
        ratio(self.wait_ns, self.handled) / 1e6
    }
}

/// Adds to what one thread at a time writes, the actor's: no need of a locked instruction.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        part as f64 / of as f64
    }
}

impl Counters {
    /// Counters that begin now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let now = Mark {
            at_ns: clock.monotonic_ns(),
            ..Mark::default()
        };
        Self {
            clock,
            waiting: RwLock::default(),
            handled: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            wait_ns: AtomicU64::new(0),
            slowest_ns: AtomicU64::new(0),
            slowest_kind: Mutex::new(""),
            restarts: AtomicU64::new(0),
            last_active_ns: AtomicU64::new(now.at_ns),
            last_crash: Mutex::new(None),
            is_tapped: AtomicBool::new(false),
            marks: Mutex::new([now; 2]),
        }
    }

    /// Begins a life, for which nothing waits.
    pub(super) fn begin(&self) -> Arc<Waiting> {
        let waiting = Arc::<Waiting>::default();
        *self.waiting.write() = Arc::clone(&waiting);
        waiting
    }

    /// What waits for the present life.
    pub fn waiting(&self) -> Arc<Waiting> {
        Arc::clone(&self.waiting.read())
    }

    /// Counts a message that is about to be put into the mailbox of a life.
    pub fn enqueue<M>(&self, waiting: &Waiting, message: M) -> Timed<M> {
        waiting.0.fetch_add(1, Relaxed);
        Timed {
            at_ns: self.clock.monotonic_ns(),
            message,
        }
    }

    /// The instant, for [`Counters::handle`].
    pub fn now_ns(&self) -> u64 {
        self.clock.monotonic_ns()
    }

    /// Counts a message that was put into the mailbox of a life at `put_ns`, and taken out of it at `taken_ns`.
    pub fn handle(
        &self,
        waiting: &Waiting,
        kind: &'static str,
        put_ns: u64,
        taken_ns: u64,
    ) -> Handled {
        let handled = Handled {
            wait_ns: taken_ns.saturating_sub(put_ns),
            busy_ns: self.clock.monotonic_ns().saturating_sub(taken_ns),
        };
        waiting.0.fetch_sub(1, Relaxed);
        add(&self.handled, 1);
        add(&self.busy_ns, handled.busy_ns);
        add(&self.wait_ns, handled.wait_ns);
        self.last_active_ns.store(taken_ns, Relaxed);
        if handled.busy_ns > self.slowest_ns.load(Relaxed) {
            self.slowest_ns.store(handled.busy_ns, Relaxed);
            *self.slowest_kind.lock() = kind;
        }
        handled
    }

    /// Counts the end of a life by a crash. What is in its mailbox is lost.
    pub(super) fn crash(&self, why: &str) {
        self.restarts.fetch_add(1, Relaxed);
        self.begin();
        *self.last_crash.lock() = Some(why.into());
    }

    pub(super) fn touch(&self) {
        self.last_active_ns.store(self.now_ns(), Relaxed);
    }

    /// Milliseconds since it last took a message.
    pub(super) fn idle_ms(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.last_active_ns.load(Relaxed)) / 1_000_000
    }

    /// Whether somebody wants to see what it handles.
    pub(super) fn is_tapped(&self) -> bool {
        self.is_tapped.load(Relaxed)
    }

    pub(super) fn tap(&self, is_tapped: bool) {
        self.is_tapped.store(is_tapped, Relaxed);
    }

    /// Messages that wait.
    pub fn depth(&self) -> u64 {
        self.waiting.read().0.load(Relaxed)
    }

    /// How often it crashed and was started again.
    pub(super) fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    /// Messages ever taken out of the mailbox and done with, and nanoseconds spent handling them.
    pub(super) fn work(&self) -> (u64, u64) {
        (self.handled.load(Relaxed), self.busy_ns.load(Relaxed))
    }

    fn standing(&self, at_ns: u64) -> Mark {
        Mark {
            at_ns,
            handled: self.handled.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
            wait_ns: self.wait_ns.load(Relaxed),
        }
    }

    /// Begins another span of what is called lately, at [`Counters::now_ns`].
    pub fn mark(&self, now_ns: u64) {
        let now = self.standing(now_ns);
        let mut marks = self.marks.lock();
        *marks = [marks[1], now];
    }

    /// Nanoseconds since the last mark.
    pub(crate) fn since_mark_ns(&self) -> u64 {
        let [_, mark] = *self.marks.lock();
        self.clock.monotonic_ns().saturating_sub(mark.at_ns)
    }

    /// What happened in the last seconds.
    pub fn lately(&self) -> Lately {
        let now = self.standing(self.now_ns());
        let [mark, _] = *self.marks.lock();
        Lately {
            span_ns: now.at_ns.saturating_sub(mark.at_ns),
            handled: now.handled.saturating_sub(mark.handled),
            busy_ns: now.busy_ns.saturating_sub(mark.busy_ns),
            wait_ns: now.wait_ns.saturating_sub(mark.wait_ns),
        }
    }

    /// All of them.
    pub fn view(&self) -> CountersView {
        CountersView {
            handled: self.handled.load(Relaxed),
            depth: self.depth(),
            busy_ns: self.busy_ns.load(Relaxed),
            wait_ns: self.wait_ns.load(Relaxed),
            slowest_ns: self.slowest_ns.load(Relaxed),
            slowest_kind: *self.slowest_kind.lock(),
            restarts: self.restarts.load(Relaxed),
            last_crash: self.last_crash.lock().as_deref().map(str::to_owned),
            last_active_ms: self
                .clock
                .now()
                .0
                .saturating_sub(self.idle_ms(self.now_ns())),
            lately: self.lately(),
        }
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Counters").field(&self.view()).finish()
    }
}

impl<M> Timed<M> {
    /// A message that is not counted.
    pub fn uncounted(message: M) -> Self {
        Self { at_ns: 0, message }
    }

    /// When it was put into the mailbox, on [`Clock::monotonic_ns`].
    pub fn at_ns(&self) -> u64 {
        self.at_ns
    }
}
