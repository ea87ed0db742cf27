//! One link: what is queued for the peer within its budget, what it has acknowledged, and the task that sends.
//!
//! Envelopes are encoded by who sends them, straight into the next frame. A frame leaves when the peer has taken what left
//! before it, up to a window; everything else waits here, where it is counted, and not in ractor's queues, which have no bound.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ractor::ActorRef;
use rookery_actors::link::{Class, Inbound, SendError};
use rookery_protocol::cluster::{Batch, Envelope, HEADER_BYTES, LinkFrame, TooLarge};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{
    LINK_ACK_BYTES, LINK_ACK_FRAMES, LINK_ALIVE_MS, LINK_BUDGET_BYTES, LINK_TICK_MS,
    LINK_WINDOW_BYTES, LINK_WINDOW_FRAMES,
};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use super::counters::Traffic;
use super::line::{Death, Line};
use super::switchboard::Wire;

/// A link to one incarnation, from the greeting to its end.
pub(super) struct Link {
    pub(super) peer: IncarnationId,
    pub(super) line: Arc<Line>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) since: Instant,
    /// What the peer puts into its frames, and what it wants to see in ours.
    pub(super) ours: u64,
    theirs: u64,
    outgoing: Mutex<Outgoing>,
    incoming: Mutex<Incoming>,
    /// Held while anybody is told what comes from the peer, so that it is told one thing at a time.
    hearing: Mutex<Hearing>,
    is_up: AtomicBool,
    was_up: AtomicBool,
    /// Something is to be sent or acknowledged.
    wake: Notify,
    /// Everything was acknowledged.
    idle: Notify,
    over: watch::Sender<bool>,
}

/// What goes to the peer.
#[derive(Default)]
struct Outgoing {
    batches: VecDeque<Batch>,
    /// Bytes of the batches.
    queued: usize,
    /// Bytes of frames with envelopes that have left, and those of them that were acknowledged.
    sent: u64,
    acked: u64,
    /// Where each frame ends that was not acknowledged.
    ends: VecDeque<u64>,
}

impl Outgoing {
    fn in_flight(&self) -> usize {
        usize::try_from(self.sent - self.acked).unwrap_or(usize::MAX)
    }

    fn used(&self) -> usize {
        self.queued + self.in_flight()
    }

    /// Takes an acknowledgement; whether it was news.
    fn acknowledge(&mut self, acked: u64) -> bool {
        // A peer that acknowledges what it was not sent is not believed.
        let acked = acked.min(self.sent);
        if acked <= self.acked {
            return false;
        }
        self.acked = acked;
        while self.ends.front().is_some_and(|&end| end <= acked) {
            self.ends.pop_front();
        }
        true
    }
}

/// What comes from the peer.
#[derive(Default)]
struct Incoming {
    /// Bytes of frames with envelopes that were taken, and what the peer knows of that.
    taken: u64,
    said: u64,
    /// Frames since it was told.
    frames: usize,
}

impl Incoming {
    /// Whether the peer is to be told by now what was taken.
    fn is_due(&self) -> bool {
        let untold = self.taken - self.said;
        self.frames >= LINK_ACK_FRAMES || untold >= LINK_ACK_BYTES as u64
    }
}

/// Whether anybody hears what comes from the peer.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Hearing {
    #[default]
    NotYet,
    Now,
    Over,
}

impl Link {
    pub(super) fn new(
        peer: IncarnationId,
        line: Arc<Line>,
        traffic: Arc<Traffic>,
        ours: u64,
        theirs: u64,
    ) -> Self {
        Self {
            peer,
            line,
            traffic,
            since: Instant::now(),
            ours,
            theirs,
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
            hearing: Mutex::default(),
            is_up: AtomicBool::new(false),
            was_up: AtomicBool::new(false),
            wake: Notify::new(),
            idle: Notify::new(),
            over: watch::Sender::new(false),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// Whether it ever was up.
    pub(super) fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Acquire)
    }

    /// Bytes that are queued or not acknowledged.
    pub(super) fn used(&self) -> usize {
        self.outgoing.lock().used()
    }

    /// Queues an envelope.
    pub(super) fn send(&self, envelope: &Envelope, class: Class) -> Result<(), SendError> {
        if !self.is_up() || self.line.is_dead() {
            return Err(SendError::Down);
        }
        let budget = match class {
            Class::Must => LINK_BUDGET_BYTES,
            Class::May => LINK_BUDGET_BYTES / 2,
        };
        let mut outgoing = self.outgoing.lock();
        // Room for one more header, should it start a frame.
        let room = budget.saturating_sub(outgoing.used() + HEADER_BYTES);
        let pushed = outgoing.push(envelope, room);
        drop(outgoing);
        match pushed {
            Ok(true) => {
                self.wake.notify_one();
                Ok(())
            }
            Ok(false) => {
                let counter = match class {
                    Class::Must => &self.traffic.refused,
                    Class::May => &self.traffic.dropped,
                };
                counter.fetch_add(1, Ordering::Relaxed);
                Err(SendError::Full)
            }
            Err(error) => {
                tracing::error!(%error, envelope = envelope.name(), "an envelope was not sent");
                Err(SendError::TooLarge)
            }
        }
    }

    /// The link is up: tells it once.
    pub(super) fn bring_up(&self, inbound: &dyn Inbound) {
        self.hear(&mut self.hearing.lock(), inbound);
    }

    /// Whether what comes is heard.
    fn hear(&self, hearing: &mut Hearing, inbound: &dyn Inbound) -> bool {
        if *hearing == Hearing::NotYet {
            *hearing = Hearing::Now;
            self.is_up.store(true, Ordering::Release);
            self.was_up.store(true, Ordering::Release);
            self.traffic.links.fetch_add(1, Ordering::Relaxed);
            tracing::info!(peer = %self.peer, "linked");
            inbound.linked(&self.peer, true);
        }
        *hearing == Hearing::Now
    }

    /// The line is dead: tells it, if the link was up. Nothing is heard of it afterwards.
    pub(super) fn end(&self, inbound: &dyn Inbound, death: Death) {
        let mut hearing = self.hearing.lock();
        self.is_up.store(false, Ordering::Release);
        if *hearing == Hearing::Now {
            tracing::info!(peer = %self.peer, why = ?death, "the link is down");
            inbound.linked(&self.peer, false);
        } else {
            tracing::info!(peer = %self.peer, why = ?death, "the link did not come up");
        }
        *hearing = Hearing::Over;
        drop(hearing);
        *self.outgoing.lock() = Outgoing::default();
        self.idle.notify_waiters();
    }

    /// A frame of this link was received; it was so many bytes long.
    pub(super) fn received(&self, frame: LinkFrame, bytes: usize, inbound: &dyn Inbound) {
        self.line.took();
        let mut outgoing = self.outgoing.lock();
        let is_news = outgoing.acknowledge(frame.acked);
        let is_idle = outgoing.used() == 0;
        drop(outgoing);
        let count = frame.envelopes.len();
        let mut hearing = self.hearing.lock();
        if !self.hear(&mut hearing, inbound) {
            return;
        }
        for envelope in frame.envelopes {
            inbound.received(&self.peer, envelope);
        }
        drop(hearing);
        let is_due = count > 0 && {
            self.traffic.received.add(count, bytes);
            let mut incoming = self.incoming.lock();
            incoming.taken += bytes as u64;
            incoming.frames += 1;
            incoming.is_due()
        };
        if is_news || is_due {
            self.wake.notify_one();
        }
        if is_idle {
            self.idle.notify_waiters();
        }
    }

    /// The next frame that may leave: with envelopes, or without if the peer is to be told something, or if `must`.
    fn next_frame(&self, must: bool) -> Option<Vec<u8>> {
        let batch = self.outgoing.lock().pop();
        let mut incoming = self.incoming.lock();
        let batch = match batch {
            Some(batch) => batch,
            None if must || incoming.is_due() => Batch::default(),
            None => return None,
        };
        (incoming.said, incoming.frames) = (incoming.taken, 0);
        let acked = incoming.taken;
        drop(incoming);
        let count = usize::from(batch.count());
        if count > 0 {
            self.traffic.sent.add(count, batch.len());
        }
        Some(batch.seal(self.theirs, acked))
    }

    fn has_untold(&self) -> bool {
        let incoming = self.incoming.lock();
        incoming.taken > incoming.said
    }

    /// Sends what is queued until the line is dead.
    pub(super) async fn pump(&self, remote: &ActorRef<Wire>) {
        let mut beat = tokio::time::interval(Duration::from_millis(LINK_TICK_MS));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let dead = self.line.dead();
        tokio::pin!(dead);
        let mut spoke = Instant::now();
        let mut must = true;
        loop {
            while let Some(frame) = self.next_frame(std::mem::take(&mut must)) {
                if remote.cast(Wire::Frame(frame)).is_err() {
                    self.line.kill(Death::Closed);
                }
                spoke = Instant::now();
            }
            tokio::select! {
                () = self.wake.notified() => {}
                _ = &mut dead => return,
                _ = beat.tick() => {
                    self.line.check();
                    let is_silent = spoke.elapsed() >= Duration::from_millis(LINK_ALIVE_MS);
                    must = is_silent || self.has_untold();
                }
            }
        }
    }

    /// Waits until everything was acknowledged, or the link is over.
    pub(super) async fn flushed(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.used() == 0 || self.line.is_dead() {
                return;
            }
            idle.await;
        }
    }

    /// ractor has forgotten it: another link may take its place.
    pub(super) fn leave(&self) {
        self.over.send_replace(true);
    }

    /// Waits until another link may take its place.
    pub(super) async fn left(&self) {
        // The sender is here.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

impl Outgoing {
    /// Adds an envelope to the last frame, or to a new one, unless there is no room for so many bytes.
    fn push(&mut self, envelope: &Envelope, room: usize) -> Result<bool, TooLarge> {
        if let Some(last) = self.batches.back_mut().filter(|last| !last.is_full())
            && let Some(added) = last.push(envelope, room)?
        {
            self.queued += added;
            return Ok(true);
        }
        let mut batch = Batch::default();
        let added = batch.push(envelope, room)?;
        if added.is_some() {
            self.queued += batch.len();
            self.batches.push_back(batch);
        }
        Ok(added.is_some())
    }

    /// The next frame, unless too much is under way.
    fn pop(&mut self) -> Option<Batch> {
        if self.in_flight() >= LINK_WINDOW_BYTES || self.ends.len() >= LINK_WINDOW_FRAMES {
            return None;
        }
        let batch = self.batches.pop_front()?;
        self.queued -= batch.len();
        self.sent += batch.len() as u64;
        self.ends.push_back(self.sent);
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        let peer = IncarnationId {
            node: "b".into(),
            number: 1,
        };
        let link = Link::new(peer, Line::new("b".into()), Arc::default(), 1, 2);
        link.is_up.store(true, Ordering::Release);
        link
    }

    fn sized(bytes: usize) -> Envelope {
        Envelope::Refused {
            by: "x".repeat(bytes),
            peer: IncarnationId {
                node: "b".into(),
                number: 1,
            },
        }
    }

    #[test]
    fn what_may_be_lost_gives_way_at_half_of_the_budget_and_the_rest_at_all_of_it() {
        let link = link();
        let large = sized(LINK_BUDGET_BYTES / 8);
        let fill = |class| {
            (0..)
                .take_while(|_| link.send(&large, class).is_ok())
                .count()
        };
        assert_eq!(fill(Class::May), 3);
        assert_eq!(link.send(&large, Class::May), Err(SendError::Full));
        assert_eq!(fill(Class::Must), 4);
        assert!(link.send(&Envelope::Hint, Class::Must).is_ok());
        assert_eq!(link.send(&Envelope::Hint, Class::May), Err(SendError::Full));
        assert!(link.used() <= LINK_BUDGET_BYTES);
        // What has left still counts, until it is acknowledged.
        let mut sent = 0;
        while let Some(frame) = link.next_frame(false) {
            sent += frame.len();
        }
        assert!(sent >= LINK_WINDOW_BYTES);
        assert_eq!(link.send(&large, Class::Must), Err(SendError::Full));
        assert!(link.outgoing.lock().acknowledge(sent as u64));
        assert!(link.next_frame(false).is_some());
        assert!(link.send(&large, Class::Must).is_ok());
        // An acknowledgement of what was not sent is none.
        let mut outgoing = link.outgoing.lock();
        outgoing.acknowledge(u64::MAX);
        assert_eq!(outgoing.in_flight(), 0);
        assert!(!outgoing.acknowledge(1));
    }

    #[test]
    fn envelopes_share_frames_in_order() {
        let link = link();
        for call in 0..300 {
            link.send(&Envelope::Noticed { call }, Class::Must).unwrap();
        }
        let mut calls = Vec::new();
        while let Some(frame) = link.next_frame(false) {
            let frame = LinkFrame::decode(&frame).unwrap();
            assert_eq!(frame.link, 2);
            calls.extend(frame.envelopes);
        }
        let expected = (0..300).map(|call| Envelope::Noticed { call });
        assert_eq!(calls, expected.collect::<Vec<_>>());
    }

    #[test]
    fn so_many_small_frames_leave_and_no_more() {
        let link = link();
        let mut left = 0;
        for call in 0..2 * LINK_WINDOW_FRAMES as u64 {
            link.send(&Envelope::Noticed { call }, Class::Must).unwrap();
            left += usize::from(link.next_frame(false).is_some());
        }
        assert_eq!(left, LINK_WINDOW_FRAMES);
    }

    #[test]
    fn a_link_that_is_down_takes_nothing() {
        let link = link();
        link.line.kill(Death::Idle);
        let sent = link.send(&Envelope::Hint, Class::Must);
        assert_eq!(sent, Err(SendError::Down));
    }
}
