//! The view: who is in the cluster.

use rookery_protocol::document::{
    IncarnationId, IncarnationRow, Incarnations, Key, NodeState, Phase, Pin, TableId, View,
    ViewNode, ViewRow,
};
use rookery_protocol::limits::CLUSTER_NODES;

use super::is_live;
use super::op::{Decision, Refusal, Verdict, done, refused};
use super::shard::preferred;
use crate::store::{Named, put};

/// Changes the view, if it still is the one that the change was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who wants it.
    pub by: IncarnationId,
    /// The view as it shall be; its version is one more than that of the view before.
    pub view: ViewRow,
    /// Who is evicted with it although it lives: its lease is not renewed any more, so it ends before anybody may fence
    /// it. To fence it at once would let it answer, from what it knows, beside the next owner.
    pub cut: Option<IncarnationId>,
}

impl Change {
    pub(super) fn rows(&self) -> Vec<(TableId, Key)> {
        let of_incarnation = |id: &IncarnationId| (TableId::Incarnations, id.key());
        let mut rows = vec![of_incarnation(&self.by), (TableId::View, Key::single(0))];
        rows.extend(self.cut.as_ref().map(of_incarnation));
        rows
    }

    pub(super) fn decide(&self, rows: &Named<'_>) -> Decision {
        if !is_live(rows.get::<Incarnations>(&self.by.key())?.as_ref()) {
            return refused(Refusal::Fenced);
        }
        let view = rows.get::<View>(&Key::single(0))?.unwrap_or_default();
        if view == self.view {
            return done();
        }
        if view.version + 1 != self.view.version {
            return refused(Refusal::Stale);
        }
        let mut writes = vec![put::<View>(Key::single(0), &self.view)];
        if let Some(cut) = &self.cut {
            let row = rows.get::<Incarnations>(&cut.key())?;
            let Some(row) = row.filter(|row| is_live(Some(row))) else {
                return refused(Refusal::Stale);
            };
            let phase = Phase::Evicted;
            let row = IncarnationRow { phase, ..row };
            writes.push(put::<Incarnations>(cut.key(), &row));
        }
        Ok((writes, Verdict::Done))
    }
}

/// The view with a node's new incarnation in it, in the place of its last one; none when there is no room.
pub(super) fn joined(mut view: ViewRow, id: IncarnationId, address: &str) -> Option<ViewRow> {
    view.version += 1;
    view.nodes.retain(|node| node.id.node != id.node);
    if view.nodes.len() >= CLUSTER_NODES {
        let is_gone = |node: &ViewNode| node.state == NodeState::Evicted;
        let gone = view.nodes.iter().position(is_gone)?;
        view.nodes.remove(gone);
    }
    let node = ViewNode {
        id,
        state: NodeState::Joining,
        joined: view.version,
        address: address.to_owned(),
    };
    let place = view
        .nodes
        .partition_point(|other| other.id.node < node.id.node);
    view.nodes.insert(place, node);
    Some(view)
}

/// The nodes that are up, by name.
pub(super) fn up(view: &ViewRow) -> impl Iterator<Item = &str> {
    let is_up = |node: &&ViewNode| node.state == NodeState::Up;
    view.nodes
        .iter()
        .filter(is_up)
        .map(|node| node.id.node.as_str())
}

/// The node that each shard of so many belongs to: the one that an operator chose, if it is up, or else the one it prefers.
pub(super) fn homes(view: &ViewRow, shards: u16) -> impl Iterator<Item = (u16, Option<&str>)> {
    let mut pins = view.pins.iter().peekable();
    (0..shards).map(move |shard| {
        while pins.next_if(|pin| pin.shard < shard).is_some() {}
        let pin = pins.next_if(|pin| pin.shard == shard);
        let pinned = pin.and_then(|pin| up(view).find(|node| *node == pin.node));
        (shard, pinned.or_else(|| preferred(shard, up(view))))
    })
}

/// The view with a shard at a node of an operator's choice, or at the one it prefers.
pub(super) fn pin(view: &mut ViewRow, shard: u16, node: Option<&str>) {
    let place = view.pins.partition_point(|pin| pin.shard < shard);
    let is_pinned = view.pins.get(place).is_some_and(|pin| pin.shard == shard);
    if is_pinned {
        view.pins.remove(place);
    }
    if let Some(node) = node {
        let node = node.to_owned();
        view.pins.insert(place, Pin { shard, node });
    }
}

/// Whether a shard is pinned to a node, or to none.
pub(super) fn is_pinned(view: &ViewRow, shard: u16, node: Option<&str>) -> bool {
    let found = view.pins.iter().find(|pin| pin.shard == shard);
    found.map(|pin| pin.node.as_str()) == node
}

/// An incarnation's place in the view.
pub(super) fn node<'a>(view: &'a ViewRow, id: &IncarnationId) -> Option<&'a ViewNode> {
    view.nodes.iter().find(|node| node.id == *id)
}
