//! Paces what a session is given in many pieces: the next one is made when the last one is written.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::presence::At;

/// Who waits for which session.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<At, Vec<oneshot::Sender<()>>>>);

impl Pace {
    /// Ends when what the session is given next is written; with an error when the session is over.
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

    /// The session is over.
    pub(super) fn ended(&self, at: At) {
        self.0.lock().remove(&at);
    }
}
