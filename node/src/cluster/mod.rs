//! A node among others: what it asks them and answers them, what it wants to hear of their entities and they of its.
//!
//! One [`Cluster`] per incarnation. It sits between the links ([`rookery_actors::link`]), the rules of ownership and what
//! runs here: what comes in over a link is given to the entities ([`calls`]) or to the relay lanes ([`interests`]);
//! shards that come and go are seen to by the [`steward`].

mod buddy;
mod calls;
mod catch_up;
mod fanout;
mod inbound;
mod interests;
mod sessions;
mod steward;

use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use rookery_actors::entity::{Clock as _, Directory, Publisher};
use rookery_actors::link::{Class, Inbound, NodeLink as _};
use rookery_actors::ownership::{Input, Placement, Tenure};
use rookery_actors::store::SharedStore;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::{IncarnationId, ShardRow, ViewRow};
use rookery_protocol::ids::ChannelId;
use rookery_protocol::limits::REMOTE_CALLS;
use rookery_protocol::voice::MediaNode;
use tokio::sync::{Semaphore, mpsc};

use self::buddy::Buddy;
use self::calls::Calls;
use self::catch_up::Moved;
use self::inbound::Door;
use self::interests::Interests;
use crate::clock::SystemClock;
use crate::inspect::Inspector;
use crate::link::{Counters as LinkCounters, Links};
use crate::relay::Hub;
use crate::voice::Voice;

pub use self::fanout::Fanout;
pub use self::steward::Steward;

/// What of this node others reach.
struct Local {
    directory: Directory,
    hub: Arc<Hub>,
    /// Frames for the lanes.
    publisher: Arc<dyn Publisher>,
    store: SharedStore,
    /// It has the cluster.
    voice: Weak<Voice>,
}

/// This incarnation's part in the cluster.
pub struct Cluster {
    me: IncarnationId,
    placement: Placement,
    ownership: mpsc::Sender<Input>,
    tenure: Tenure,
    clock: Arc<SystemClock>,
    /// The other nodes that are not known to be over, linked or not.
    living: Mutex<Vec<IncarnationId>>,
    calls: Calls,
    interests: Interests,
    moved: Moved,
    buddy: Buddy,
    /// Questions of others that are under way here.
    serving: Arc<Semaphore>,
    links: OnceLock<Arc<Links>>,
    local: OnceLock<Local>,
    view: Mutex<ViewRow>,
    /// Answers operators. It has the cluster.
    inspector: OnceLock<Weak<Inspector>>,
}

impl Cluster {
    /// The cluster as seen by an incarnation that has just begun; nobody is reached before [`Cluster::connect`].
    pub fn new(
        me: IncarnationId,
        placement: Placement,
        ownership: mpsc::Sender<Input>,
        tenure: Tenure,
        clock: Arc<SystemClock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            me,
            placement,
            ownership,
            tenure,
            clock,
            living: Mutex::default(),
            calls: Calls::new(),
            interests: Interests::default(),
            moved: Moved::default(),
            buddy: Buddy::new(),
            serving: Arc::new(Semaphore::new(REMOTE_CALLS)),
            links: OnceLock::new(),
            local: OnceLock::new(),
            view: Mutex::default(),
            inspector: OnceLock::new(),
        })
    }

    /// Where what comes in over the links goes.
    pub fn door(self: &Arc<Self>) -> Arc<dyn Inbound> {
        Arc::new(Door(Arc::clone(self)))
    }

    /// Says over what others are reached; once.
    pub fn connect(&self, links: Arc<Links>) {
        let _ = self.links.set(links);
    }

    /// Says what of this node others reach; once, when it runs. Until then they are told that nothing is here.
    pub fn open(
        self: &Arc<Self>,
        directory: Directory,
        hub: Arc<Hub>,
        publisher: Arc<dyn Publisher>,
        store: SharedStore,
        voice: &Arc<Voice>,
    ) {
        hub.set_watcher(Arc::clone(self) as Arc<_>);
        hub.set_buddies(Arc::clone(self) as Arc<_>);
        let _ = self.local.set(Local {
            directory,
            hub,
            publisher,
            store,
            voice: Arc::downgrade(voice),
        });
        catch_up::start(self);
    }

    /// These other nodes are not known to be over.
    pub fn live(&self, others: Vec<IncarnationId>) {
        *self.living.lock() = others;
    }

    /// Who is in the cluster.
    pub fn see(&self, view: &ViewRow) {
        self.view.lock().clone_from(view);
    }

    /// Who is in the cluster, as this node knows.
    pub fn view(&self) -> ViewRow {
        self.view.lock().clone()
    }

    /// Says who answers operators; once.
    pub fn inspected_by(&self, inspector: &Arc<Inspector>) {
        let _ = self.inspector.set(Arc::downgrade(inspector));
    }

    /// Milliseconds that are left of the lease.
    pub fn lease_left_ms(&self) -> u64 {
        self.tenure.left(self.clock.boot())
    }

    /// What the links count.
    pub fn link_counters(&self) -> LinkCounters {
        let links = self.links.get();
        links.map(|links| links.counters()).unwrap_or_default()
    }

    /// Gives all shards away and stays (true), or takes part again (false).
    pub async fn give_way(&self, gives_way: bool) -> bool {
        self.ownership.send(Input::Yield(gives_way)).await.is_ok()
    }

    /// Has a shard be at a node, or (none) where it belongs.
    pub async fn pin(&self, shard: u16, node: Option<String>) -> bool {
        let pin = Input::Pin { shard, node };
        self.ownership.send(pin).await.is_ok()
    }

    /// A node is fenced, or has ended.
    pub fn over(&self, node: &IncarnationId) {
        self.buddy.over(node);
    }

    /// Shards are, or may be, somewhere else than before.
    pub fn moved(&self, shards: impl IntoIterator<Item = u16>) {
        self.moved.add(shards);
    }

    /// Has a room of another node ask its group.
    pub fn nudge(&self, node: &IncarnationId, channel: ChannelId) {
        self.send(node, Envelope::Nudge { channel }, Class::Must);
    }

    /// Tells the others how many people the rooms here have.
    pub fn tell_load(&self, node: &MediaNode, load: u64) {
        let node = node.clone();
        self.broadcast(&Envelope::Voice { node, load });
    }

    /// The nodes that are linked.
    pub fn linked_nodes(&self) -> Vec<IncarnationId> {
        let linked = self.interests.linked();
        linked.iter().map(|peer| peer.id.clone()).collect()
    }

    fn voice(&self) -> Option<Arc<Voice>> {
        self.local.get()?.voice.upgrade()
    }

    /// Sends to one node; whether it was taken.
    fn send(&self, to: &IncarnationId, envelope: Envelope, class: Class) -> bool {
        let links = self.links.get();
        links.is_some_and(|links| links.send(to, envelope, class).is_ok())
    }

    /// Tells the others that shards or the view have changed.
    pub fn hint(&self) {
        self.broadcast(&Envelope::Hint);
    }

    /// Tells the others what has become of shards.
    pub fn tell_moved(&self, shards: Vec<(u16, ShardRow)>) {
        self.broadcast(&Envelope::Moved { shards });
    }

    fn broadcast(&self, envelope: &Envelope) {
        for peer in self.interests.linked() {
            self.send(&peer.id, envelope.clone(), Class::May);
        }
    }

    /// Tells the rules of ownership something. Nothing depends on it: they look at everything again with each tick.
    fn tell(&self, input: Input) {
        let _ = self.ownership.try_send(input);
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}
