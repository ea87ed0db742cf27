//! Looking into a node and steering it, for its operator: [`Inspector::answer`] is about this node, [`survey`] about all.
//!
//! Nothing here waits in a mailbox for longer than [`PATIENCE`], and nothing starts an entity.

mod act;
mod metrics;
mod process;
mod rows;
pub mod survey;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_actors::commit::CommitLane;
use rookery_actors::entity::{Clock, TooManyTraces};
use rookery_actors::ownership::{Place, Placement, shard_of};
use rookery_protocol::document::{IncarnationId, NodeState};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::{
    ActorDetail, ActorId, ActorKind, ActorRow, Question, Said, Sort, Top, Warnings,
};
use rookery_protocol::limits;

use self::metrics::Metrics;
use self::watch::Watchman;
use crate::app::App;
use crate::cluster::Cluster;
use crate::relay::Hub;

/// How long a node, or an actor, may take to answer.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// How long an actor of this node may take: less, so that the node's own answer is in time.
const ACTOR_PATIENCE: Duration = Duration::from_millis(350);

/// How often the watchman looks.
const LOOK: Duration = Duration::from_secs(1);

/// The parts of a node that are looked into.
pub struct Parts {
    /// The node.
    pub app: App,
    /// Its run.
    pub id: IncarnationId,
    /// The relay lanes.
    pub hub: Arc<Hub>,
    /// The commit lane.
    pub lane: CommitLane,
    /// Which entities are here.
    pub placement: Placement,
    /// The other nodes.
    pub cluster: Option<Arc<Cluster>>,
}

/// Looks into this node.
pub struct Inspector {
    parts: Parts,
    /// When it was started, on the monotonic clock.
    started_ns: u64,
    watchman: Mutex<Watchman>,
    metrics: Metrics,
}

impl Inspector {
    /// Starts looking; it ends when the inspector is dropped. Must be called within a tokio runtime.
    pub fn start(parts: Parts) -> Arc<Self> {
        let cluster = parts.cluster.clone();
        let inspector = Arc::new(Self {
            started_ns: parts.app.clock.monotonic_ns(),
            watchman: Mutex::default(),
            metrics: Metrics::new(&parts.id.node),
            parts,
        });
        if let Some(cluster) = cluster {
            cluster.inspected_by(&inspector);
        }
        let weak: Weak<Self> = Arc::downgrade(&inspector);
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(LOOK);
            loop {
                beat.tick().await;
                let Some(inspector) = weak.upgrade() else {
                    return;
                };
                inspector.aside(Self::look).await;
            }
        });
        inspector
    }

    /// Does what looks at all actors beside the workers: of a million it takes a tenth of a second.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let inspector = Arc::clone(self);
        match tokio::task::spawn_blocking(move || look(&inspector)).await {
            Ok(seen) => seen,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and with it whoever waits.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.parts.id.node
    }

    /// The app of the node.
    pub fn app(&self) -> &App {
        &self.parts.app
    }

    fn look(&self) {
        let seen = self.sight();
        self.watchman.lock().look(seen);
        self.metrics.feed(self);
    }

    /// The metrics in Prometheus' text form.
    pub async fn metrics(self: &Arc<Self>) -> String {
        self.aside(|inspector| inspector.metrics.render(inspector))
            .await
    }

    /// Answers a question about this node.
    pub async fn answer(self: &Arc<Self>, question: Question) -> Said {
        match question {
            Question::Node => Said::Node(self.aside(Self::node_row).await),
            Question::Top { sort, kind, limit } => {
                let top = self.aside(move |inspector| inspector.top(sort, kind, limit));
                Said::Top(top.await)
            }
            Question::Actor { actor } => match self.actor(actor).await {
                Some(detail) => Said::Actor(detail),
                None => Said::Elsewhere,
            },
            Question::Tree => Said::Tree(self.aside(Self::tree).await),
            Question::Rooms => Said::Rooms(self.room_rows()),
            Question::Sessions { user } => Said::Sessions(self.session_rows(UserId(user)).await),
            Question::Warnings => Said::Warnings(self.warnings()),
            Question::Trace { trace, actor } => self.trace(trace, actor),
            Question::Act { act } => self.act(act).await,
        }
    }

    fn warnings(&self) -> Warnings {
        let watchman = self.watchman.lock();
        Warnings {
            warnings: watchman.current(),
            counts: watchman
                .counts()
                .map(|(kind, count)| (kind.name().to_owned(), count))
                .collect(),
            silent: Vec::new(),
        }
    }

    fn top(&self, sort: Sort, kind: Option<ActorKind>, limit: u32) -> Top {
        let limit = usize::try_from(limit).map_or(1_000, |limit| limit.clamp(1, 1_000));
        let directory = &self.parts.app.directory;
        let mut actors: Vec<ActorRow> = Vec::new();
        let entity = match kind {
            None => Some(None),
            Some(ActorKind::User) => Some(Some(EntityKind::User)),
            Some(ActorKind::Group) => Some(Some(EntityKind::Group)),
            Some(ActorKind::Room) => None,
        };
        let mut active = 0;
        if let Some(entity) = entity {
            let top = directory.top(sort, entity, limit);
            actors.extend(top.into_iter().map(|(entity, view)| self.row(entity, view)));
            active += match entity {
                None => directory.active(),
                Some(EntityKind::User) => directory.census().users,
                Some(EntityKind::Group) => directory.census().groups,
            };
        }
        if matches!(kind, None | Some(ActorKind::Room)) {
            let rooms = self.parts.app.voice.rooms();
            active += rooms.len() as u64;
            let rows = rooms
                .into_iter()
                .map(|room| self.row(room.id.channel, room.counters));
            actors.extend(rows);
        }
        survey::sort(&mut actors, sort);
        actors.truncate(limit);
        Top {
            actors,
            active,
            silent: Vec::new(),
        }
    }

    async fn actor(&self, actor: ActorId) -> Option<ActorDetail> {
        match actor.entity() {
            Some(entity) => self.entity(entity).await,
            None => {
                let rooms = self.parts.app.voice.rooms();
                let mut rooms = rooms.into_iter();
                let room = rooms.find(|room| room.id.channel.0 == actor.id)?;
                let state = BTreeMap::from([
                    ("people".to_owned(), room.served.people as u64),
                    ("cameras".to_owned(), room.served.cameras as u64),
                    ("screens".to_owned(), room.served.screens as u64),
                ]);
                Some(ActorDetail {
                    row: self.row(room.id.channel, room.counters),
                    shard: None,
                    epoch: None,
                    incarnation: self.parts.id.number,
                    pinned_to: None,
                    state: Some(state),
                })
            }
        }
    }

    async fn entity(&self, entity: EntityRef) -> Option<ActorDetail> {
        let directory = &self.parts.app.directory;
        let view = directory.look(entity)?;
        let figures = directory.describe(entity, ACTOR_PATIENCE).await;
        let shard = shard_of(entity);
        let pinned_to = self.parts.cluster.as_ref().and_then(|cluster| {
            let pins = cluster.view().pins;
            let pin = pins.into_iter().find(|pin| pin.shard == shard)?;
            Some(pin.node)
        });
        let epoch = match self.parts.placement.of(entity) {
            Place::Here(epoch) | Place::Leaving(epoch) => Some(epoch),
            Place::At(..) | Place::Nowhere => None,
        };
        Some(ActorDetail {
            row: self.row(entity, view),
            shard: Some(shard),
            epoch,
            incarnation: self.parts.id.number,
            pinned_to,
            state: figures.map(|figures| {
                let figures = figures.into_iter();
                figures
                    .map(|(name, count)| (name.to_owned(), count))
                    .collect()
            }),
        })
    }

    fn trace(&self, trace: u64, actor: ActorId) -> Said {
        let Some(entity) = actor.entity() else {
            return Said::Refused("rooms cannot be traced: trace the group".to_owned());
        };
        match self.parts.app.directory.trace(trace, entity) {
            None => Said::Elsewhere,
            Some(Ok(part)) => Said::Trace(part),
            Some(Err(TooManyTraces)) => Said::Refused(format!(
                "there are {} traces at {} already",
                limits::TRACES,
                self.node()
            )),
        }
    }

    /// How this node takes part in the cluster.
    fn standing(&self) -> &'static str {
        let Some(cluster) = &self.parts.cluster else {
            return "alone";
        };
        if self
            .parts
            .app
            .is_draining
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            return "ending";
        }
        let view = cluster.view();
        let me = view.nodes.iter().find(|node| node.id == self.parts.id);
        match me.map(|node| node.state) {
            Some(NodeState::Up) => "up",
            Some(NodeState::Draining) => "draining",
            Some(NodeState::Evicted) => "evicted",
            Some(NodeState::Joining) | None => "joining",
        }
    }
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspector")
            .field("node", &self.parts.id)
            .finish_non_exhaustive()
    }
}
