//! Several server processes over one MongoDB and one Redis, linked with certificates that the binary itself has made.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tempfile::TempDir;

use super::RedisServer;
use super::node::{self, Node, NodeOptions, UNLIMITED};
use crate::servers::{MongoSet, Mongod, Proxy};

/// The database's name.
const DATABASE: &str = "cluster";

/// How long a node may take to be replaced, and to come back, on a machine that does other things too.
const TAKEOVER: Duration = Duration::from_secs(60);

/// A running cluster. Fields in the order in which they are to end.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes, `n0`, `n1` and so on.
    pub nodes: Vec<Node>,
    /// In front of the database for each node, so that it alone can be cut off; not if it is a set.
    pub to_mongod: Vec<Proxy>,
    /// In front of each node for the others: of two nodes the one with the smaller name connects.
    pub to_node: Vec<Proxy>,
    /// The database.
    pub database: Database,
    /// What the nodes share and may lose.
    pub redis: RedisServer,
    certificates: TempDir,
    options: ClusterOptions,
}

/// The database of a cluster.
#[derive(Debug)]
pub enum Database {
    /// One server.
    One(Mongod),
    /// A set of three.
    Set(MongoSet),
}

impl Database {
    /// The set.
    ///
    /// # Panics
    /// It is none.
    pub fn set(&mut self) -> &mut MongoSet {
        match self {
            Self::Set(set) => set,
            Self::One(_) => panic!("started without ClusterOptions::replicated"),
        }
    }
}

/// How a cluster is started.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// The database has three members.
    pub replicated: bool,
    /// A command in front of the binary of each node.
    pub wrapper: Vec<String>,
    /// The URL that people use.
    pub public_url: Option<String>,
    /// Nodes reach each other through [`Cluster::to_node`]. Then nobody sees a connection refused.
    pub proxied: bool,
}

/// A free port of this machine, below those that the system gives to connections: one of those could be taken again before
/// the node listens. Processes that run at the same time begin at places of their own.
fn free_address() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = std::process::id() * 16 + TAKEN.fetch_add(1, Relaxed);
        let port = u16::try_from(10_000 + n % 20_000).expect("below 30,000");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Cluster {
    /// Starts so many nodes, all at once, and waits until each is ready.
    pub async fn start(nodes: usize) -> Self {
        Self::start_with(nodes, ClusterOptions::default()).await
    }

    /// The same, with options.
    pub async fn start_with(nodes: usize, options: ClusterOptions) -> Self {
        let database = if options.replicated {
            Database::Set(MongoSet::start(3).await)
        } else {
            Database::One(Mongod::start().await)
        };
        let redis = RedisServer::start().await;
        let certificates = tempfile::tempdir().expect("temporary folder");
        let mut cluster = Self {
            nodes: Vec::new(),
            to_mongod: Vec::new(),
            to_node: Vec::new(),
            database,
            redis,
            certificates,
            options,
        };
        cluster.command(&["init-ca"]).await;
        let mut options = Vec::new();
        for n in 0..nodes {
            options.push(cluster.options(n).await);
        }
        let starting = options.into_iter().map(Node::start_with);
        cluster.nodes = futures_util::future::join_all(starting).await;
        cluster
    }

    /// The URL of what the nodes share, past everything that tests put in front of it.
    pub fn database_url(&self) -> String {
        match &self.database {
            Database::One(mongod) => mongod.url(DATABASE),
            Database::Set(set) => set.url(DATABASE),
        }
    }

    /// Starts one node more.
    pub async fn grow(&mut self) {
        let options = self.options(self.nodes.len()).await;
        self.nodes.push(Node::start_with(options).await);
    }

    async fn options(&mut self, n: usize) -> NodeOptions {
        let name = format!("n{n}");
        self.command(&["issue", &name]).await;
        let folder = self.certificates.path().display();
        let listen = free_address();
        let database = match &self.database {
            Database::One(mongod) => {
                self.to_mongod.push(Proxy::to(mongod.address()).await);
                mongod.url_through(&self.to_mongod[n], DATABASE)
            }
            Database::Set(set) => set.url(DATABASE),
        };
        self.to_node.push(Proxy::to(listen).await);
        let advertise = if self.options.proxied {
            self.to_node[n].address()
        } else {
            listen
        };
        let public_url = self.options.public_url.as_deref().unwrap_or_default();
        let config = format!(
            "node = \"{name}\"\npublic_url = \"{public_url}\"\n{UNLIMITED}\
             [store]\nurl = \"{database}\"\n\
             [ephemeral]\nurl = \"{}\"\n\
             [cluster]\nlisten = \"{listen}\"\nadvertise = \"{advertise}\"\nca = \"{folder}/ca.pem\"\n\
             cert = \"{folder}/{name}.pem\"\nkey = \"{folder}/{name}-key.pem\"\n",
            self.redis.url(),
        );
        NodeOptions {
            config,
            wrapper: self.options.wrapper.clone(),
            ..NodeOptions::default()
        }
    }

    /// Runs `rookery cluster ...` for the folder of certificates.
    async fn command(&self, words: &[&str]) {
        let mut command = node::untold(node::binary());
        command.arg("cluster").args(words).arg("--dir");
        command.arg(self.certificates.path());
        let output = node::run(command).await;
        assert!(
            output.status.success(),
            "rookery cluster {words:?}: {output:?}"
        );
    }

    /// Waits until a node's log says something so many times. The node itself need not answer; each look is a request to the
    /// first one apart.
    pub async fn logs(&self, n: usize, what: &str, times: usize) {
        let http = self.nodes[0].http();
        let said = async {
            while self.nodes[n].log().matches(what).count() < times {
                http.get("//healthz").await;
            }
        };
        let said = tokio::time::timeout(TAKEOVER, said).await;
        assert!(
            said.is_ok(),
            "n{n} does not say {what:?} within {TAKEOVER:?}"
        );
    }

    /// kill -9 of a node.
    pub fn kill(&mut self, n: usize) {
        self.nodes[n].kill();
    }

    /// Starts a node again that has ended.
    pub async fn restart(&mut self, n: usize) {
        self.nodes[n].restart().await;
    }
}
