//! Links between nodes: who is linked with whom, and who is refused a connection.

use std::collections::BTreeMap;

use rookery_actors::ownership::{Boot, Input};
use rookery_actors::relay::Told;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits::{LINK_HANDSHAKE_MS, LINK_IDLE_MS};

use super::Hands;
use crate::network::Place;
use crate::node::name;
use crate::packet::{Packet, Timer};
use crate::tubes::{End, Message};

/// Milliseconds between two ticks.
const TICK_MS: u64 = 250;

/// A node that is linked.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) tube: u64,
    /// When something of it was last heard.
    heard: Boot,
    pub(super) told: Told,
    /// How far topics had come whose frames found no room on the way to it.
    pub(super) behind: BTreeMap<EntityRef, u64>,
    /// The call that says that it knows what is wanted here.
    pub(super) flush: Option<(u64, Boot)>,
}

impl Hands<'_> {
    pub(crate) fn tick(&mut self) {
        self.process.ticks += 1;
        let minted = self.process.minter.high_water();
        self.inputs.push_back(Input::Tick { minted });
        if self.process.ticks.is_multiple_of(4) {
            self.beat();
            self.tick_lane();
        }
        if self.process.ticks.is_multiple_of(8) {
            self.passivate();
        }
        self.catch_up();
        self.remind(TICK_MS, Timer::Tick);
    }

    fn me(&self) -> Option<IncarnationId> {
        self.process.member.id().cloned()
    }

    /// The other nodes of the view, by index.
    pub(super) fn peers(&self) -> Vec<usize> {
        let nodes = self.process.member.view().nodes.iter();
        let index = nodes.filter_map(|node| self.sim.index_of(&node.id.node));
        index.filter(|&index| index != self.node.index).collect()
    }

    fn beat(&mut self) {
        let now = self.boot();
        let links = &self.process.links;
        let is_silent = |peer: &Peer| now.since(peer.heard) > LINK_IDLE_MS;
        let silent = links.iter().filter(|(_, peer)| is_silent(peer));
        let silent: Vec<_> = silent.map(|(id, _)| id.clone()).collect();
        for peer in silent {
            self.cut(&peer);
        }
        let tubes: Vec<u64> = self.process.links.values().map(|peer| peer.tube).collect();
        for tube in tubes {
            self.push(tube, Message::Beat);
        }
        let Some(by) = self.me() else { return };
        let nodes: Vec<_> = self.process.member.view().nodes.clone();
        for to in nodes.into_iter().map(|node| node.id) {
            if let Some(peer) = self.sim.index_of(&to.node)
                && peer != self.node.index
                && !self.process.links.contains_key(&to)
            {
                let by = by.clone();
                let at = self.sim.now;
                self.send(Place::Node(peer), Packet::Dial { by, to, at });
            }
        }
    }

    /// Another node connects; the one with the larger index only looks whether somebody listens.
    pub(super) fn dialled(&mut self, from: usize, by: IncarnationId, to: &IncarnationId, at: u64) {
        let Some(me) = self.me().filter(|me| me == to) else {
            return;
        };
        let is_newer = |id: &IncarnationId| id.node == by.node && id.number > by.number;
        if from > self.node.index
            || self.sim.now - at > LINK_HANDSHAKE_MS
            || self.process.links.keys().any(is_newer)
        {
            return;
        }
        let process = self.sim.processes[from];
        let place = Place::Node(from);
        let tube = self.sim.connect(self.end(), End { place, process });
        self.push(tube, Message::Hello(me));
        self.link(by, tube);
    }

    /// A link is up; another one with that node is down before.
    pub(super) fn link(&mut self, peer: IncarnationId, tube: u64) {
        let others = self.process.links.keys();
        let before = others.filter(|id| id.node == peer.node).cloned();
        for before in before.collect::<Vec<_>>() {
            self.cut(&before);
        }
        let link = Peer {
            tube,
            heard: self.boot(),
            told: Told::default(),
            behind: BTreeMap::new(),
            flush: None,
        };
        self.process.links.insert(peer.clone(), link);
        self.linked(peer, true);
    }

    /// A link is down.
    pub(super) fn cut(&mut self, peer: &IncarnationId) {
        let Some(link) = self.process.links.remove(peer) else {
            return;
        };
        self.sim.shut(link.tube, Place::Node(self.node.index));
        self.linked(peer.clone(), false);
    }

    fn linked(&mut self, peer: IncarnationId, is_up: bool) {
        let index = self.node.index;
        self.sim
            .note(|| format!("n{index} link with {peer} {is_up}"));
        self.link_of_relay(&peer, is_up);
        self.inputs.push_back(Input::Link { peer, is_up });
    }

    /// What came over a connection.
    pub(crate) fn arrived(&mut self, tube: u64, messages: Vec<Message>) {
        let now = self.boot();
        for message in messages {
            let mut links = self.process.links.iter_mut();
            let peer = links.find(|(_, peer)| peer.tube == tube).map(|(id, peer)| {
                peer.heard = now;
                id.clone()
            });
            match (peer, message) {
                (None, Message::Hello(peer)) => {
                    let newer =
                        |id: &IncarnationId| id.node == peer.node && id.number > peer.number;
                    if self.process.links.keys().any(newer) || self.me().is_none() {
                        self.sim.shut(tube, Place::Node(self.node.index));
                    } else {
                        self.link(peer, tube);
                    }
                }
                (Some(peer), Message::Envelope(envelope)) => self.received(&peer, *envelope),
                (Some(peer), Message::Fin) => self.cut(&peer),
                (None, Message::Up(up)) => self.heard(tube, up),
                (None, Message::Fin) => {
                    self.sim.shut(tube, Place::Node(self.node.index));
                    self.hung_up(tube);
                }
                _ => {}
            }
        }
    }

    /// Sends to a node that is linked; whether there was room.
    pub(super) fn post(&mut self, to: &IncarnationId, envelope: Envelope) -> bool {
        let Some(peer) = self.process.links.get(to) else {
            return false;
        };
        let tube = peer.tube;
        self.push(tube, Message::Envelope(Box::new(envelope)))
    }

    pub(super) fn push(&mut self, tube: u64, message: Message) -> bool {
        self.sim.push(tube, Place::Node(self.node.index), message)
    }

    pub(super) fn end(&self) -> End {
        End {
            place: Place::Node(self.node.index),
            process: self.process.number,
        }
    }

    /// An incarnation refuses connections: all that are in the view hear of it.
    pub(super) fn absent(&mut self, peer: IncarnationId) {
        let by = name(self.node.index);
        for other in self.peers() {
            let (by, peer) = (by.clone(), peer.clone());
            self.send(Place::Node(other), Packet::Gossip { by, peer });
        }
        self.inputs.push_back(Input::Refused { by, peer });
    }
}
