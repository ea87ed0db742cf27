//! The lanes' threads: how they start, and how they end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rookery_actors::entity::Clock;
use rookery_actors::relay::Config;
use tokio::sync::oneshot;

use super::clerk::Clerk;
use super::hub::{Hub, Inboxes};
use super::lane::{Message, Thread};

/// The lanes' threads.
pub struct Lanes {
    hub: Arc<Hub>,
}

impl Lanes {
    /// Starts a thread for each inbox, and their clock. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(
        hub: &Arc<Hub>,
        inboxes: Inboxes,
        clerk: &Arc<Clerk>,
        clock: &Arc<dyn Clock>,
        config: Config,
    ) -> io::Result<Self> {
        for (index, inbox) in inboxes.0.into_iter().enumerate() {
            let thread = Thread::new(index, hub, clerk, clock, config);
            std::thread::Builder::new()
                .name(format!("relay-{index}"))
                .spawn(move || thread.run(inbox))?;
        }
        let ticking = Arc::downgrade(hub);
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_secs(1));
            loop {
                beat.tick().await;
                let Some(hub) = ticking.upgrade() else { return };
                hub.tick();
            }
        });
        Ok(Self { hub: hub.clone() })
    }

    /// Tells every client to reconnect, and waits at most `within` for other nodes to take the sessions. Sockets must not be
    /// admitted any more.
    pub async fn release(&self, within: Duration) {
        let released = self.tell_all(Message::Release);
        if tokio::time::timeout(within, released).await.is_err() {
            tracing::info!("some clients have not come back at another node yet");
        }
    }

    /// Tells every lane something and waits until all have answered.
    async fn tell_all(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        let mut told = Vec::new();
        for lane in 0..self.hub.lanes() {
            let (done, waiting) = oneshot::channel();
            if self.hub.tell(lane, message(done)).await {
                told.push(waiting);
            }
        }
        for waiting in told {
            // A lane that is gone has nothing left to do.
            let _ = waiting.await;
        }
    }

    /// Tells every client to reconnect, lets what waits be written for at most `within`, and ends the threads.
    pub async fn shutdown(&self, within: Duration) {
        let drain = self.tell_all(Message::Drain);
        if tokio::time::timeout(within, drain).await.is_err() {
            tracing::warn!("clients were cut off before their last words were written");
        }
        for door in &self.hub.doors {
            door.nudge();
        }
        for lane in 0..self.hub.lanes() {
            self.hub.tell(lane, Message::Stop).await;
        }
    }
}
