//! What the tasks of the links share: the links there are, the peers that are known, and how a connection becomes a link.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use ractor::ActorRef;
use ractor_cluster::NodeServerMessage;
use rookery_actors::link::Inbound;
use rookery_protocol::cluster::{Verdict, full_name};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{CLUSTER_NODES, LINK_READY_MS, LINK_STRANGER_MS};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::counters::{Counters, PeerCounters, Refusal, Refusals, Traffic};
use super::dial;
use super::greet::Greeted;
use super::identity::Identity;
use super::line::{Death, Line, LineStream, Stage};
use super::link::Link;
use super::scan::End;
use super::switchboard;

/// How long ractor may take to forget a session that is over.
const FORGET: Duration = Duration::from_secs(1);

/// A node that the view shows.
struct Known {
    number: u64,
    address: String,
    /// Cancelled when it is not shown any more, or another incarnation is.
    over: CancellationToken,
}

#[derive(Default)]
struct Table {
    known: HashMap<String, Known>,
    /// By node; there is one link to each at most.
    links: HashMap<String, Arc<Link>>,
    traffic: HashMap<String, (u64, Arc<Traffic>)>,
}

/// What the tasks of the links share.
pub(super) struct Shared {
    pub(super) me: IncarnationId,
    pub(super) identity: Identity,
    pub(super) inbound: Arc<dyn Inbound>,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) refusals: Refusals,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    table: Mutex<Table>,
    /// Links by the number in the frames that come over them.
    by_frame: RwLock<HashMap<u64, Arc<Link>>>,
    /// Links by incarnation.
    by_peer: RwLock<HashMap<IncarnationId, Arc<Link>>>,
    /// Links by the label that ractor's events have.
    by_label: Mutex<HashMap<String, Arc<Link>>>,
    labels: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        me: IncarnationId,
        identity: Identity,
        inbound: Arc<dyn Inbound>,
        server: ActorRef<NodeServerMessage>,
    ) -> Self {
        Self {
            me,
            identity,
            inbound,
            server,
            refusals: Refusals::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            table: Mutex::default(),
            by_frame: RwLock::default(),
            by_peer: RwLock::default(),
            by_label: Mutex::default(),
            labels: AtomicU64::new(0),
        }
    }

    pub(super) fn link_of_frame(&self, ours: u64) -> Option<Arc<Link>> {
        self.by_frame.read().get(&ours).cloned()
    }

    pub(super) fn link_to(&self, peer: &IncarnationId) -> Option<Arc<Link>> {
        self.by_peer.read().get(peer).cloned()
    }

    pub(super) fn link_of_label(&self, label: &str) -> Option<Arc<Link>> {
        self.by_label.lock().get(label).cloned()
    }

    /// The link to any incarnation of a node.
    pub(super) fn link_to_node(&self, node: &str) -> Option<Arc<Link>> {
        self.table.lock().links.get(node).cloned()
    }

    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.table.lock().links.values().cloned().collect()
    }

    /// Whether this end dials: the smaller name does.
    pub(super) fn dials(&self, node: &str) -> bool {
        self.me.node.as_str() < node
    }

    /// What to say to somebody who dialled and is who he says.
    pub(super) fn judge(&self, peer: &IncarnationId) -> Verdict {
        if peer.node >= self.me.node {
            return Verdict::Direction;
        }
        let table = self.table.lock();
        let known = table.known.get(&peer.node).map(|known| known.number);
        let linked = table.links.get(&peer.node).map(|link| link.peer.number);
        if known.max(linked) > Some(peer.number) {
            return Verdict::Old;
        }
        if linked.is_none() && table.links.len() >= CLUSTER_NODES {
            return Verdict::Full;
        }
        Verdict::Welcome
    }

    /// Takes the peers of the view in the place of those before.
    pub(super) fn learn(self: &Arc<Self>, peers: Vec<(IncarnationId, String)>) {
        let mut newest: HashMap<String, (u64, String)> = HashMap::new();
        for (peer, address) in peers {
            if peer.node == self.me.node {
                continue;
            }
            match newest.entry(peer.node) {
                Entry::Occupied(mut other) if other.get().0 < peer.number => {
                    other.insert((peer.number, address));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(place) => {
                    place.insert((peer.number, address));
                }
            }
        }
        let mut table = self.table.lock();
        if self.stopping.is_cancelled() {
            return;
        }
        let mut dropped = Vec::new();
        table.known.retain(|node, known| {
            let stays = newest.get(node).is_some_and(|(number, address)| {
                *number == known.number && *address == known.address
            });
            if !stays {
                known.over.cancel();
            }
            if !newest.contains_key(node) {
                dropped.push(node.clone());
            }
            stays
        });
        let links = std::mem::take(&mut table.links);
        for (node, link) in &links {
            let stranger = Duration::from_millis(LINK_STRANGER_MS);
            let is_out = match newest.get(node) {
                Some((number, _)) => *number > link.peer.number,
                None => dropped.contains(node) || link.since.elapsed() >= stranger,
            };
            if is_out {
                link.line.kill(Death::Forgotten);
            }
        }
        table.links = links;
        for (node, (number, address)) in newest {
            if table.known.contains_key(&node) {
                continue;
            }
            let over = self.stopping.child_token();
            let known = Known {
                number,
                address: address.clone(),
                over: over.clone(),
            };
            table.known.insert(node.clone(), known);
            let peer = IncarnationId { node, number };
            let keeper = dial::keep(Arc::clone(self), peer, address, over);
            self.tasks.spawn(keeper);
        }
    }

    /// Ends the link to a node, and waits until another one may take its place.
    pub(super) async fn make_room(&self, node: &str, death: Death) {
        if let Some(link) = self.link_to_node(node) {
            link.line.kill(death);
            link.left().await;
        }
    }

    /// Makes a link of a connection whose ends have greeted each other; none when another one was faster.
    pub(super) fn adopt(self: &Arc<Self>, greeted: Greeted, end: End) -> Option<Arc<Link>> {
        let Greeted {
            stream,
            peer,
            ours,
            theirs,
        } = greeted;
        let name = full_name(&peer);
        let label = format!("{name}#{}", self.labels.fetch_add(1, Ordering::Relaxed));
        let line = Line::new(label.clone());
        let mut table = self.table.lock();
        if self.stopping.is_cancelled() || table.links.contains_key(&peer.node) {
            return None;
        }
        let (number, traffic) = table.traffic.entry(peer.node.clone()).or_default();
        *number = peer.number;
        let traffic = Arc::clone(traffic);
        let link = Link::new(peer.clone(), Arc::clone(&line), traffic, ours, theirs);
        let link = Arc::new(link);
        table.links.insert(peer.node.clone(), Arc::clone(&link));
        drop(table);
        self.by_label.lock().insert(label, Arc::clone(&link));
        self.by_frame.write().insert(ours, Arc::clone(&link));
        self.by_peer.write().insert(peer, Arc::clone(&link));
        let stream = Box::new(LineStream {
            line: Arc::clone(&line),
            stream,
            end,
            name,
        });
        let opened = NodeServerMessage::ConnectionOpenedExternal {
            stream,
            is_server: end == End::Dialler,
        };
        if self.server.cast(opened).is_err() {
            line.kill(Death::Stopped);
        }
        self.tasks.spawn(Arc::clone(self).tend(Arc::clone(&link)));
        Some(link)
    }

    /// Sees a link through its life.
    async fn tend(self: Arc<Self>, link: Arc<Link>) {
        let mut stages = link.line.stages();
        let opened = stages.wait_for(|stage| *stage != Stage::Opening);
        let opened = tokio::time::timeout(Duration::from_millis(LINK_READY_MS), opened).await;
        match opened.map(|stage| stage.map(|stage| *stage)) {
            Ok(Ok(Stage::Ready(session))) => match switchboard::of_peer(&link.peer, session) {
                Some(remote) => {
                    link.bring_up(self.inbound.as_ref());
                    link.pump(&remote).await;
                }
                None => link.line.kill(Death::Refused(Refusal::Protocol)),
            },
            Ok(_) => {}
            Err(_) => link.line.kill(Death::Unready),
        }
        let death = link.line.dead().await;
        if let Death::Refused(refusal) = death {
            self.refusals.count(refusal);
        }
        self.by_peer.write().remove(&link.peer);
        self.by_frame.write().remove(&link.ours);
        link.end(self.inbound.as_ref(), death);
        // A new session of the same name would lose against this one in ractor's election.
        if tokio::time::timeout(FORGET, link.line.gone())
            .await
            .is_err()
        {
            tracing::debug!(peer = %link.peer, "a session was not forgotten in time");
        }
        self.by_label.lock().remove(link.line.label());
        self.table.lock().links.remove(&link.peer.node);
        link.leave();
    }

    pub(super) fn counters(&self) -> Counters {
        let table = self.table.lock();
        let of = |(node, (number, traffic)): (&String, &(u64, Arc<Traffic>))| {
            let link = table.links.get(node).filter(|link| link.is_up());
            let queued = link.map_or(0, |link| link.used());
            let peer = IncarnationId {
                node: node.clone(),
                number: *number,
            };
            PeerCounters::new(peer, link.is_some(), queued, traffic)
        };
        let mut peers: Vec<_> = table.traffic.iter().map(of).collect();
        peers.sort_by(|a, b| a.peer.cmp(&b.peer));
        Counters {
            peers,
            refusals: self.refusals.read(),
        }
    }
}
