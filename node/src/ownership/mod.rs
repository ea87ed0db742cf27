//! The shell of the rules of ownership: a task that carries out what the [`rookery_actors::ownership::Member`] wants of the store, and tells the node
//! what it may do: which incarnation it is, how long its answers are true, up to where it may mint ids.
//!
//! The member outlives incarnations. One that is fenced is over for ever; what ran under it is torn down, and the member
//! begins the next one, unless another process runs under the node's name by then.

mod driver;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rookery_actors::commit::CommitLane;
use rookery_actors::entity::SharedMinter;
use rookery_actors::ownership::{Facts, Input, Placement, Read, Settings, Tenure, Timing, read};
use rookery_actors::store::SharedStore;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{LANES_PER_NODE, RENEW_MS, SHARDS};
use tokio::sync::{mpsc, watch};

use self::driver::Driver;
use crate::clock::SystemClock;
use crate::cluster::Cluster;
use crate::link::Identity;
use crate::random;

/// What may wait for the member; it looks at everything again with the next tick, so nothing depends on it.
const INBOX: usize = 1_024;
/// How long the first incarnation may take to begin: longer than it takes to condemn a node that is dead.
const BEGIN: Duration = Duration::from_secs(30);
/// How long the other nodes may take to take over what this one has.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the end of an incarnation may take.
const END: Duration = Duration::from_secs(3);

/// Why a node has no incarnation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipError {
    /// Somebody else runs under the name.
    #[error(
        "another process runs as the node `{0}` on this store and began later: give each node a name of its own with --node"
    )]
    Superseded(String),
    /// A node that this one cannot talk to has the shards.
    #[error(
        "the store is in use by the node `{0}`: stop that one first, nodes of this version do not share a store yet"
    )]
    InUse(String),
    /// The node serves, and a command is not to throw it out.
    #[error("the node `{0}` is running on this store: stop it first")]
    Running(String),
    /// Other nodes cannot be reached, nor reach this one.
    #[error("{0}")]
    Links(String),
    /// The store did not answer for too long.
    #[error("the store did not answer while the node began")]
    Silent,
}

/// An incarnation that may write.
#[derive(Debug, Clone)]
pub struct Run {
    /// Which.
    pub id: IncarnationId,
    /// Its lane.
    pub lane: CommitLane,
    /// Mints its ids, below the ceiling that is durable.
    pub minter: SharedMinter,
    /// How long its answers are true.
    pub tenure: Tenure,
    /// Which entities are here.
    pub placement: Placement,
    /// The other nodes; none when the store is shared with nobody.
    pub cluster: Option<Arc<Cluster>>,
    phase: watch::Receiver<Phase>,
}

impl Run {
    /// Waits until the incarnation is over: fenced by somebody.
    pub async fn lost(&self) {
        let mut phase = self.phase.clone();
        // A driver that is gone renews nothing any more.
        let _ = phase.wait_for(|phase| !phase.is(&self.id)).await;
    }
}

/// How far the member is, as far as the node is concerned.
#[derive(Debug, Clone)]
enum Phase {
    Beginning,
    /// It has begun, and is ready: each shard is somewhere.
    Running(Box<Run>, bool),
    Failed(OwnershipError),
    Over,
}

impl Phase {
    fn is(&self, id: &IncarnationId) -> bool {
        matches!(self, Self::Running(run, _) if run.id == *id)
    }

    /// A failure stays what it is; whether anything changed.
    fn end_unless_failed(&mut self) -> bool {
        let ends = !matches!(self, Self::Failed(_));
        if ends {
            *self = Self::Over;
        }
        ends
    }
}

/// Fails if the node serves at this moment: its lease is being renewed.
///
/// # Errors
/// It does, or the store does not answer.
pub async fn is_not_running(store: &SharedStore, node: &str) -> Result<(), OwnershipError> {
    let counter = async || {
        let what = Read::Start {
            node: node.to_owned(),
        };
        match read(store.as_ref(), &what).await {
            Ok(Facts::Start { row, .. }) => Ok(row.map(|row| (row.process, row.counter))),
            Ok(_) | Err(_) => Err(OwnershipError::Silent),
        }
    };
    let before = counter().await?;
    tokio::time::sleep(Duration::from_millis(RENEW_MS * 3 / 2)).await;
    if counter().await? == before {
        Ok(())
    } else {
        Err(OwnershipError::Running(node.to_owned()))
    }
}

/// A node's part in the cluster, running beside it.
#[derive(Debug)]
pub struct Ownership {
    node: String,
    inbox: mpsc::Sender<Input>,
    phase: watch::Receiver<Phase>,
    may_end: watch::Sender<bool>,
    is_quiet: watch::Receiver<bool>,
    /// Whether it shares its store with others that it talks to.
    is_linked: bool,
}

/// With whom a node shares its store.
#[derive(Debug, Clone)]
pub enum Sharing {
    /// With nobody: it is this process's own.
    Alone,
    /// With nobody that could be talked to: whoever else is there has to stop first.
    Unlinked,
    /// With the nodes of a cluster.
    Linked(Neighbours),
}

/// How the nodes of a cluster reach each other.
#[derive(Debug, Clone)]
pub struct Neighbours {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Where the others reach it, as host and port.
    pub address: String,
    /// Its certificate, and whom it believes.
    pub identity: Identity,
}

/// What the driver says and hears beside its inputs.
struct Signals {
    phase: watch::Sender<Phase>,
    may_end: watch::Receiver<bool>,
    is_quiet: watch::Sender<bool>,
}

impl Ownership {
    /// Starts the member of a node. Must be called within a tokio runtime.
    pub fn start(
        store: SharedStore,
        sharing: Sharing,
        node: &str,
        clock: Arc<SystemClock>,
    ) -> Self {
        let alone = matches!(sharing, Sharing::Alone);
        let neighbours = match sharing {
            Sharing::Linked(neighbours) => Some(neighbours),
            Sharing::Alone | Sharing::Unlinked => None,
        };
        let address = neighbours
            .as_ref()
            .map(|neighbours| neighbours.address.clone());
        let settings = Settings {
            node: node.to_owned(),
            address: address.unwrap_or_default(),
            process: u64::from_le_bytes(random::bytes()) >> 1,
            lanes: LANES_PER_NODE,
            shards: SHARDS,
            alone,
            timing: Timing::default(),
        };
        let is_linked = neighbours.is_some();
        let (inbox, inputs) = mpsc::channel(INBOX);
        let (tell, phase) = watch::channel(Phase::Beginning);
        let (may_end, told) = watch::channel(false);
        let (say, is_quiet) = watch::channel(false);
        let signals = Signals {
            phase: tell,
            may_end: told,
            is_quiet: say,
        };
        Driver::new(settings, store, clock, neighbours, inbox.clone(), signals).start(inputs);
        Self {
            node: node.to_owned(),
            inbox,
            phase,
            may_end,
            is_quiet,
            is_linked,
        }
    }

    /// The incarnation that may write, once there is one and it has every shard.
    ///
    /// # Errors
    /// There will be none.
    pub async fn run(&self) -> Result<Run, OwnershipError> {
        let mut phase = self.phase.clone();
        let decided = |phase: &Phase| match phase {
            Phase::Beginning => false,
            Phase::Running(_, is_ready) => *is_ready,
            Phase::Failed(_) | Phase::Over => true,
        };
        let reached = loop {
            let reached = tokio::time::timeout(BEGIN, phase.wait_for(decided)).await;
            match reached {
                Ok(reached) => break reached.ok(),
                // It takes as long as links with all others take, and as dead nodes take to be fenced.
                Err(_) if self.is_linked => tracing::warn!(
                    "the node is not ready yet: it has to reach every node that is up, and each shard has to be taken over"
                ),
                Err(_) => break None,
            }
        };
        match reached {
            Some(phase) => match &*phase {
                Phase::Running(run, _) => Ok((**run).clone()),
                Phase::Failed(error) => Err(error.clone()),
                Phase::Beginning | Phase::Over => {
                    Err(OwnershipError::Superseded(self.node.clone()))
                }
            },
            None => Err(OwnershipError::Silent),
        }
    }

    /// Gives all shards to the other nodes, while everything goes on; or gives up when they do not take them in time.
    pub async fn drain(&self) {
        let _ = self.inbox.send(Input::Drain).await;
        let mut is_quiet = self.is_quiet.clone();
        let quiet = is_quiet.wait_for(|is_quiet| *is_quiet);
        if tokio::time::timeout(DRAIN, quiet).await.is_err() {
            tracing::warn!("not all shards were taken over by other nodes in time");
        }
    }

    /// Ends the incarnation in order, when nothing writes or mints any more; or gives up when the store does not answer, and
    /// leaves it to the next one to fence this one.
    pub async fn end(&self) {
        self.may_end.send_replace(true);
        let _ = self.inbox.send(Input::Drain).await;
        let mut phase = self.phase.clone();
        let over = phase.wait_for(|phase| matches!(phase, Phase::Over | Phase::Failed(_)));
        if tokio::time::timeout(END, over).await.is_err() {
            tracing::warn!("the incarnation could not be ended in order");
        }
    }
}
