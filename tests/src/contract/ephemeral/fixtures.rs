//! The layers under the contract.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rookery_node::clock::SystemClock;
use rookery_node::ephemeral::{Ephemeral, RedisOptions, Voided};
use rookery_protocol::ids::UserId;

use super::until;
use crate::harness::RedisServer;

/// How long requests wait for a Redis that is not supposed to be slow: tests share their machine.
const PATIENT: Duration = Duration::from_secs(5);

/// A layer of one node.
pub trait Fixture: Sized {
    /// One that shares nothing yet.
    fn new() -> impl Future<Output = Self>;

    /// The layer.
    fn layer(&self) -> &Ephemeral;
}

/// In memory.
pub struct Alone(Ephemeral);

impl Fixture for Alone {
    async fn new() -> Self {
        Self(Ephemeral::alone("a", 1, Arc::new(SystemClock::new())))
    }

    fn layer(&self) -> &Ephemeral {
        &self.0
    }
}

/// Over a Redis of its own.
pub struct OnRedis {
    layer: Ephemeral,
    _server: RedisServer,
}

impl Fixture for OnRedis {
    async fn new() -> Self {
        let server = RedisServer::start().await;
        let (layer, _) = layer(&server, "a", 1, PATIENT).await;
        Self {
            layer,
            _server: server,
        }
    }

    fn layer(&self) -> &Ephemeral {
        &self.layer
    }
}

/// What a node was told is void; `None` is everything.
#[derive(Debug, Default)]
pub struct Voids(Mutex<Vec<Option<(UserId, u64)>>>);

impl Voids {
    /// What was told since it was asked last.
    pub fn take(&self) -> Vec<Option<(UserId, u64)>> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl Voided for Voids {
    fn void(&self, user: UserId, version: u64) {
        self.0
            .lock()
            .expect("nobody panicked")
            .push(Some((user, version)));
    }

    fn void_all(&self) {
        self.0.lock().expect("nobody panicked").push(None);
    }
}

/// The layer of a node over a server that is there.
pub async fn layer(
    server: &RedisServer,
    node: &str,
    incarnation: u64,
    deadline: Duration,
) -> (Ephemeral, Arc<Voids>) {
    let url = server.url().parse().expect("a URL");
    let options = RedisOptions {
        deadline,
        ..RedisOptions::new(url, node, incarnation)
    };
    let voids = Arc::new(Voids::default());
    let clock = Arc::new(SystemClock::new());
    let layer = Ephemeral::on_redis(options, clock, voids.clone()).expect("a usable URL");
    until("it is shared", async || layer.is_shared().then_some(())).await;
    (layer, voids)
}
