//! Paces what a session is given in many pieces: the next one is made when the last one is written.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::presence::At;

/// Who waits for which session.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<At, Vec<oneshot::Sender<()>>>>);

impl Pace {
    /// Ends when what the session is given next is written; with an error when it is not, since its socket is gone or the
    /// session is not ready, or over. What others have given it may end it early.
    pub fn wait(&self, at: At) -> oneshot::Receiver<()> {
        let (done, waiting) = oneshot::channel();
        let mut waiters = self.0.lock();
        let waiters = waiters.entry(at).or_default();
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(done);
        waiting
    }

    /// It is written.
    pub(super) fn drained(&self, at: At) {
        for done in self.0.lock().remove(&at).into_iter().flatten() {
            // Nobody waits any more when the socket broke meanwhile.
            let _ = done.send(());
        }
    }

    /// It is not written.
    pub(super) fn unwritten(&self, at: At) {
        self.0.lock().remove(&at);
    }
}

#[cfg(test)]
mod tests {
    use rookery_actors::relay::SessionRef;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    #[test]
    fn a_wait_ends_whether_it_is_written_or_not() {
        let pace = Pace::default();
        let session = SessionRef {
            slot: 0,
            generation: 0,
        };
        let at = At { lane: 0, session };
        let mut written = pace.wait(at);
        assert_eq!(written.try_recv(), Err(TryRecvError::Empty));
        pace.drained(at);
        assert_eq!(written.try_recv(), Ok(()));
        let (mut unwritten, mut other) = (pace.wait(at), pace.wait(at));
        pace.unwritten(at);
        for waiting in [&mut unwritten, &mut other] {
            assert_eq!(waiting.try_recv(), Err(TryRecvError::Closed));
        }
        // Nothing is kept of who waited.
        assert!(pace.0.lock().is_empty());
    }
}
