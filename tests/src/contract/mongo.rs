//! MongoDB under the contract: a database of its own for each fixture, on a server that the tests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rookery_actors::store::{SharedStore, Snapshots};
use rookery_node::store::mongo::MongoStore;
use tokio::sync::OnceCell;

use super::Fixture;
use crate::servers::Mongod;

/// The variable with the URL of a server that several test processes share.
pub const SHARED_MONGO: &str = "ROOKERY_TEST_MONGO";

/// The server of this process, if nobody gave one.
static OWN: OnceCell<Mongod> = OnceCell::const_new();

/// The URL of an empty database, until the process ends.
pub async fn fresh_database() -> String {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    let name = format!("t{}_{}", std::process::id(), NAMES.fetch_add(1, Relaxed));
    match std::env::var(SHARED_MONGO) {
        Ok(server) => format!("{}/{name}", server.trim_end_matches('/')),
        Err(_) => OWN.get_or_init(Mongod::start).await.url(&name),
    }
}

async fn connect(url: &str) -> MongoStore {
    MongoStore::connect(url).await.expect("the store opens")
}

/// A crash is that of the node: its driver is gone with everything that was under way, and a new one begins.
pub struct Mongo {
    url: String,
    store: MongoStore,
}

impl Fixture for Mongo {
    const CASES: u32 = 12;

    async fn new() -> Self {
        let url = fresh_database().await;
        let store = connect(&url).await;
        Self { url, store }
    }

    fn store(&self) -> SharedStore {
        Arc::new(self.store.clone())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store.clone())
    }

    async fn crash(&mut self) {
        self.store = connect(&self.url).await;
    }
}

/// A crash is that of the server: kill -9, and a start on what it left. The node and its driver live on.
pub struct MongoKilled {
    server: Mongod,
    store: MongoStore,
}

impl Fixture for MongoKilled {
    const CASES: u32 = 1;

    async fn new() -> Self {
        let server = Mongod::start().await;
        let store = connect(&server.url("rookery")).await;
        Self { server, store }
    }

    fn store(&self) -> SharedStore {
        Arc::new(self.store.clone())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store.clone())
    }

    async fn crash(&mut self) {
        self.server.kill().await;
        self.server.restart().await;
    }
}
