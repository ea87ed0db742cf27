//! What entities need of the node around them.

use std::sync::Arc;

use rookery_protocol::event::Frame;
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;

/// The clock. Milliseconds since the Unix epoch; never goes back.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Millis;
}

/// Carries frames to the relay lanes of every node that subscribed to their topic. Never blocks: a lane that is
/// behind sees a gap and asks for what it missed.
pub trait Publisher: Send + Sync + 'static {
    /// Hands a frame on. Frames of one topic are handed on in order.
    fn publish(&self, frame: Arc<Frame>);
}

/// Told when an account has changed, before the change is answered.
pub trait AccountCache: Send + Sync + 'static {
    /// Whatever is cached of `user` below `version` is void.
    fn invalidate(&self, user: UserId, version: u64);
}
