//! The client's request that a task works for. It goes with the task, so nothing in between has to pass it on: from HTTP to
//! the entity, over a link to another node, and to what the commit lane says of it in the log.

use std::fmt;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// Names a client's request; sent back to it as `X-Request-Id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(pub u64);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Origin {
    /// Does something for this request.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(self, work).await
    }

    /// The request that the current task works for.
    pub fn current() -> Option<Self> {
        ORIGIN.try_with(|origin| *origin).ok()
    }
}
