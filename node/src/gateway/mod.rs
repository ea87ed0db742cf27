//! The gateway: the WebSocket at `/` and `/gateway`, from the HTTP upgrade to the session's lane.
//!
//! A socket is one task that reads. Until the client has identified it also writes; then its write side moves to the
//! lane, and the task only reads, answers through the lane's inbox, and watches the heartbeat.

mod admit;
mod budget;
pub mod decode;
mod members;
mod resume;
mod session;
mod socket;
mod tap;
mod upgrade;
mod voice;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use rookery_actors::entity::Clock;
use rookery_actors::relay::Config;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::budget::Left;
pub use self::decode::{ClientCommand, decode, wishes};
pub use self::upgrade::{handshake, is_upgrade};
use crate::memberlist::MemberLists;
use crate::presence::Ticker;
use crate::relay::{Clerk, Elsewhere, Hub, Inboxes, Lanes, NodeName, World};

use self::budget::Budget;

/// The gateway of a node.
pub struct Gateway {
    hub: Arc<Hub>,
    elsewhere: Arc<dyn Elsewhere>,
    clerk: Arc<Clerk>,
    clock: Arc<dyn Clock>,
    lanes: Lanes,
    lists: Arc<MemberLists>,
    budget: Budget,
    tasks: TaskTracker,
    /// Cancelled when the node stops: sockets that have no session yet are closed.
    stopping: CancellationToken,
    /// Where clients reach this node; else it is what they say they reached.
    public_url: Option<String>,
}

impl Gateway {
    /// Starts the lanes. `public_url` is `http(s)://` without a trailing slash. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// A lane's thread could not be started.
    pub fn start(
        hub: Arc<Hub>,
        inboxes: Inboxes,
        elsewhere: Arc<dyn Elsewhere>,
        world: Arc<dyn World>,
        clock: Arc<dyn Clock>,
        name: NodeName,
        public_url: Option<String>,
    ) -> std::io::Result<Arc<Self>> {
        Ticker::start(&hub, Arc::clone(&world));
        let clerk = Clerk::new(hub.clone(), world, name);
        let lists = MemberLists::start(&hub, &clerk);
        let lanes = Lanes::start(&hub, inboxes, &clerk, &clock, Config::default())?;
        Ok(Arc::new(Self {
            hub,
            elsewhere,
            clerk,
            clock,
            lanes,
            lists,
            budget: Budget::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            public_url,
        }))
    }

    /// The socket's routes of its own; it is at `/`, too, which it shares: see [`Gateway::upgrade`]. The connections must be served over [`crate::net::Io`].
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/gateway", get(upgrade::upgrade))
            .route("/gateway/", get(upgrade::upgrade))
            .with_state(self.clone())
    }

    /// Answers a request for a socket, wherever it came in.
    pub async fn upgrade(self: Arc<Self>, request: Request) -> Response {
        upgrade::upgrade(State(self), request).await
    }

    /// How often a user may still identify: `session_start_limit` of `GET /gateway/bot`.
    pub fn left(&self, user: UserId) -> Left {
        self.budget.left(user, self.clock.now())
    }

    /// The lanes and their counters.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Tells every client to reconnect (opcode 7), closes the sockets resumably and waits for both at most `within`;
    /// before that, for at most [`limits::RELEASE_MS`], for the clients to come back at other nodes, if there are any.
    pub async fn shutdown(&self, within: Duration) {
        self.stopping.cancel();
        if self.elsewhere.is_there() {
            self.lanes
                .release(Duration::from_millis(limits::RELEASE_MS))
                .await;
        }
        self.lanes.shutdown(within).await;
        self.tasks.close();
        let readers = tokio::time::timeout(Duration::from_millis(200), self.tasks.wait());
        if readers.await.is_err() {
            tracing::debug!(
                left = self.tasks.len(),
                "sockets whose clients did not answer the close"
            );
        }
    }
}
