//! Rows of tables: what is known here, in the words of `protocol/inspect`.

use rookery_actors::commit::CommitCounters;
use rookery_actors::entity::{Clock, CountersView as ActorCounters, KindView};
use rookery_actors::room::RoomView;
use rookery_protocol::document::{IncarnationId, NodeState};
use rookery_protocol::entity::EntityKind;
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::{
    ActorId, ActorRow, CommitRow, KindRow, LinkRow, NodeRow, PeerRow, RoomRow, SessionRow, Sort,
    TreeNode,
};

use super::{Inspector, process};
use crate::relay::CountersView;

/// Kinds of messages that a node's row has.
const KINDS: usize = 10;
/// Rooms of a node that are shown.
const ROOMS: usize = 1_000;
/// Actors that a tree shows of each kind.
const IN_TREE: usize = 20;

impl Inspector {
    pub(super) fn row(&self, actor: impl Into<ActorId>, view: ActorCounters) -> ActorRow {
        ActorRow {
            actor: actor.into(),
            node: self.node().to_owned(),
            depth: view.depth,
            handled: view.handled,
            busy_ns: view.busy_ns,
            wait_ns: view.wait_ns,
            per_second: view.lately.per_second(),
            busy: view.lately.busy(),
            wait_ms: view.lately.wait_ms(),
            slowest_ns: view.slowest_ns,
            slowest_kind: view.slowest_kind.to_owned(),
            restarts: view.restarts,
            last_crash: view.last_crash,
            last_active_ms: view.last_active_ms,
        }
    }

    /// Messages by kind, of entities and rooms.
    pub(super) fn kinds(&self) -> Vec<KindView> {
        let mut kinds = self.parts.app.directory.kinds().view();
        kinds.extend(self.parts.app.voice.kinds());
        kinds
    }

    pub(super) fn relay(&self) -> CountersView {
        let lanes = self.parts.hub.counters().into_iter();
        lanes.fold(CountersView::default(), CountersView::plus)
    }

    pub(super) fn node_row(&self) -> NodeRow {
        let app = &self.parts.app;
        let census = app.directory.census();
        let (rooms, speakers) = app.voice.count();
        let relay = self.relay();
        let mut kinds = self.kinds();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.busy_ns));
        let kinds: Vec<KindRow> = kinds.iter().take(KINDS).map(KindView::row).collect();
        let up_ns = app.clock.monotonic_ns().saturating_sub(self.started_ns);
        NodeRow {
            node: self.node().to_owned(),
            incarnation: self.parts.id.number,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: self.standing().to_owned(),
            address: app.config.origin(),
            uptime_ms: up_ns / 1_000_000,
            now_ms: app.clock.now().0,
            users: census.users,
            groups: census.groups,
            rooms: rooms as u64,
            speakers: speakers as u64,
            sessions: relay.sessions,
            shards: self.parts.placement.here().len() as u64,
            depth: census.depth,
            handled: census.handled,
            busy_ns: census.busy_ns,
            deliveries: relay.deliveries,
            memory_bytes: process::memory_bytes(),
            cpu_ms: process::cpu_ms(),
            open_files: process::open_files(),
            commit: commit_row(self.parts.lane.counters()),
            links: self.link_rows(),
            kinds,
            warnings: self.watchman.lock().current().len() as u64,
        }
    }

    pub(super) fn link_rows(&self) -> Vec<LinkRow> {
        let Some(cluster) = &self.parts.cluster else {
            return Vec::new();
        };
        // What is counted of runs that are over is no link that anybody misses.
        let view = cluster.view();
        let is_there = |id: &IncarnationId| {
            let mut nodes = view.nodes.iter();
            nodes.any(|node| node.id == *id && node.state != NodeState::Evicted)
        };
        let peers = cluster.link_counters().peers.into_iter();
        let peers = peers.filter(|peer| peer.is_up || is_there(&peer.peer));
        let rows = peers.map(|peer| LinkRow {
            peer: peer.peer.node,
            is_up: peer.is_up,
            links: peer.links,
            queued_bytes: peer.queued_bytes,
            sent: peer.sent.envelopes,
            received: peer.received.envelopes,
            dropped: peer.dropped + peer.refused,
        });
        rows.collect()
    }

    pub(super) fn room_rows(&self) -> Vec<RoomRow> {
        let mut rooms = self.parts.app.voice.rooms();
        rooms.sort_by_key(|room| std::cmp::Reverse(room.served.people));
        rooms.truncate(ROOMS);
        rooms.into_iter().map(|room| self.room_row(&room)).collect()
    }

    fn room_row(&self, room: &RoomView) -> RoomRow {
        let peers = room.peers.iter().map(|peer| PeerRow {
            user: peer.user.to_string(),
            rtt_ms: peer.stats.rtt_ms,
            up_bps: peer.stats.up_bps,
            down_bps: peer.stats.down_bps,
            up_loss: peer.stats.up_loss,
            down_loss: peer.stats.down_loss,
            estimate_bps: peer.stats.estimate_bps,
            layers: peer.layers.clone(),
        });
        RoomRow {
            channel: room.id.channel.to_string(),
            group: room.id.group.to_string(),
            node: self.node().to_owned(),
            people: room.served.people as u64,
            cameras: room.served.cameras as u64,
            screens: room.served.screens as u64,
            peers: peers.collect(),
        }
    }

    pub(super) async fn session_rows(&self, user: UserId) -> Vec<SessionRow> {
        let lane = self.parts.hub.lane_of(user);
        let sessions = self.parts.hub.sessions_of(user).await.into_iter();
        let rows = sessions.map(|view| SessionRow {
            session: format!("{lane}/{}.{}", view.session.slot, view.session.generation),
            node: self.node().to_owned(),
            lane,
            is_connected: view.is_connected,
            seq: view.seq,
            topics: view.topics as u64,
            shard: view.identity.shard.map(|shard| [shard.index, shard.count]),
            intents: view.identity.intents.0.into(),
            queued_bytes: view.pending_bytes as u64,
        });
        rows.collect()
    }

    pub(super) fn tree(&self) -> TreeNode {
        let app = &self.parts.app;
        let census = app.directory.census();
        let entities = |name: &str, count: u64, kind| {
            let top = app.directory.top(Sort::Busy, Some(kind), IN_TREE);
            let children = top.into_iter().map(|(entity, view)| {
                leaf(
                    entity.to_string(),
                    format!(
                        "{} waiting, {} handled, {} restarts",
                        view.depth, view.handled, view.restarts
                    ),
                )
            });
            TreeNode {
                name: name.to_owned(),
                what: format!("{count} active"),
                children: children.collect(),
            }
        };
        let rooms = self.room_rows();
        let room_count = app.voice.count().0;
        let room_leaves = rooms.iter().take(IN_TREE).map(|room| {
            leaf(
                format!("room/{}", room.channel),
                format!("{} people", room.people),
            )
        });
        let lanes = self.parts.hub.counters();
        let relay = lanes.iter().enumerate().map(|(index, lane)| {
            let what = format!("{} sessions, {} topics", lane.sessions, lane.topics);
            leaf(format!("relay lane {index}"), what)
        });
        let commit = self.parts.lane.counters();
        let links = self.link_rows().into_iter().map(|link| {
            let state = if link.is_up { "up" } else { "down" };
            leaf(
                format!("link to {}", link.peer),
                format!("{state}, {} bytes queued", link.queued_bytes),
            )
        });
        let mut children = vec![
            TreeNode {
                name: "entities".to_owned(),
                what: format!(
                    "{} active, restarted with a growing pause",
                    census.users + census.groups
                ),
                children: vec![
                    entities("users", census.users, EntityKind::User),
                    entities("groups", census.groups, EntityKind::Group),
                ],
            },
            TreeNode {
                name: "rooms".to_owned(),
                what: format!("{room_count} active, made anew when clients come back"),
                children: room_leaves.collect(),
            },
            TreeNode {
                name: "lanes".to_owned(),
                what: format!("{} relay lanes, 1 commit lane", lanes.len()),
                children: relay
                    .chain([leaf(
                        "commit lane".to_owned(),
                        format!(
                            "{} commits, {} units wait",
                            commit.commits, commit.outstanding
                        ),
                    )])
                    .collect(),
            },
        ];
        let links: Vec<_> = links.collect();
        if !links.is_empty() {
            children.push(TreeNode {
                name: "links".to_owned(),
                what: format!("{} peers", links.len()),
                children: links,
            });
        }
        TreeNode {
            name: self.node().to_owned(),
            what: format!("incarnation {}, {}", self.parts.id.number, self.standing()),
            children,
        }
    }
}

fn leaf(name: String, what: String) -> TreeNode {
    let children = Vec::new();
    TreeNode {
        name,
        what,
        children,
    }
}

pub(super) fn commit_row(counters: CommitCounters) -> CommitRow {
    CommitRow {
        commits: counters.commits,
        units: counters.units,
        outstanding: counters.outstanding,
        unknown: counters.unknown,
        last_ns: counters.last_ns,
        slowest_ns: counters.slowest_ns,
    }
}
