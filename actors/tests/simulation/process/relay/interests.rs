//! Which events go where, and how what was missed is found: as `node/src/cluster/{interests, catch_up, fanout}` do it.

use std::sync::Arc;

use rookery_actors::ownership::Place as At;
use rookery_actors::relay::Input;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Frame, FrameSeq};
use rookery_protocol::limits::ASK_MS;

use super::clerk::Kind;
use super::{Hands, Relay};
use crate::broken::Broken;

impl Hands<'_> {
    /// An event of an entity of this node, for the lane here and the nodes that want it.
    pub(in crate::process) fn publish(&mut self, frame: Frame) {
        let Some(relay) = &self.process.relay else {
            return;
        };
        let topic = frame.topic;
        let wanting = relay.wanted.get(&topic).cloned().unwrap_or_default();
        let (FrameSeq::Logged(gseq) | FrameSeq::Value(gseq)) = frame.seq;
        for peer in wanting {
            if !self.post(&peer, Envelope::Event(frame.clone())) {
                self.fell_behind(&peer, topic, gseq);
            }
        }
        self.frame(frame);
    }

    fn frame(&mut self, frame: Frame) {
        let is_watched = |relay: &Relay| relay.watched.contains(&frame.topic);
        if self.process.relay.as_ref().is_some_and(is_watched) {
            self.step_lane(Input::Frame(Arc::new(frame)));
        }
    }

    fn fell_behind(&mut self, peer: &IncarnationId, topic: EntityRef, gseq: u64) {
        if self.sim.is(Broken::ForgetBehind) {
            return;
        }
        if let Some(link) = self.process.links.get_mut(peer) {
            let known = link.behind.entry(topic).or_default();
            *known = gseq.max(*known);
        }
    }

    fn behind(&mut self, topic: EntityRef, gseq: u64) {
        self.step_lane(Input::Behind {
            topic,
            gseq,
            announced: false,
        });
    }

    /// A topic is watched, or not any more.
    pub(super) fn watched(&mut self, topic: EntityRef, is_watched: bool) {
        let peers: Vec<_> = self.process.links.keys().cloned().collect();
        for peer in peers {
            let Some(link) = self.process.links.get_mut(&peer) else {
                continue;
            };
            if link.told.changed(topic, is_watched) {
                let topics = vec![(topic, is_watched)];
                if !self.post(&peer, Envelope::Interest { topics })
                    && let Some(link) = self.process.links.get_mut(&peer)
                {
                    link.told.anew();
                }
            }
        }
    }

    pub(in crate::process) fn link_of_relay(&mut self, peer: &IncarnationId, is_up: bool) {
        let now = self.wall();
        let linked: Vec<_> = self.process.links.keys().cloned().collect();
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        relay.keeper.tick(now);
        relay.keeper.linked(peer, is_up);
        if !is_up && self.sim.is(Broken::CopyOfUnlinked) {
            relay.keeper.over(peer);
        }
        relay.choice.linked(&relay.me, peer, &linked);
        if is_up {
            return;
        }
        for peers in relay.wanted.values_mut() {
            peers.remove(peer);
        }
        let lost = relay.calls.extract_if(.., |_, (_, at)| at == peer);
        for (_, (search, peer)) in lost.collect::<Vec<_>>() {
            self.search_answered(search, &peer, None);
        }
    }

    /// Several times a second.
    pub(in crate::process) fn catch_up(&mut self) {
        let (now, boot) = (self.wall(), self.boot());
        let places = self.process.member.places();
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        relay.keeper.tick(now);
        for (shard, place) in (0..).zip(&places) {
            if relay.places.get(usize::from(shard)) != Some(place) {
                relay.moved.insert(shard);
            }
        }
        relay.places = places;
        let moved = std::mem::take(&mut relay.moved);
        let links = &self.process.links;
        let oracles = &self.sim.oracles;
        let is_ready = |topic: &&EntityRef| {
            let shard = oracles.shard(**topic);
            moved.contains(&shard)
                && match &relay.places[usize::from(shard)] {
                    At::Here(_) => true,
                    At::At(owner, _) => {
                        let peer = links.get(&**owner);
                        peer.is_some_and(|peer| peer.told.is_all())
                    }
                    At::Leaving(_) | At::Nowhere => false,
                }
        };
        let topics: Vec<_> = relay.watched.iter().filter(is_ready).copied().collect();
        for topic in topics {
            self.question(topic, Kind::Look);
        }
        for peer in self.process.links.keys().cloned().collect::<Vec<_>>() {
            let Some(link) = self.process.links.get_mut(&peer) else {
                continue;
            };
            // Who is not told in time that it knows all is told anew.
            if link
                .flush
                .is_some_and(|(_, since)| boot.since(since) > ASK_MS)
            {
                link.flush = None;
                link.told.anew();
            }
            if link.told.begin() && !self.tell_all(&peer) {
                self.tell_anew(&peer);
            }
            self.tell_behind(&peer);
        }
    }

    fn tell_anew(&mut self, peer: &IncarnationId) {
        if let Some(link) = self.process.links.get_mut(peer) {
            link.told.anew();
        }
    }

    fn tell_behind(&mut self, peer: &IncarnationId) {
        let Some(link) = self.process.links.get_mut(peer) else {
            return;
        };
        for (topic, gseq) in std::mem::take(&mut link.behind) {
            if !self.post(peer, Envelope::Behind { topic, gseq }) {
                self.fell_behind(peer, topic, gseq);
            }
        }
    }

    /// Tells a peer everything that is wanted here; whether it found room.
    fn tell_all(&mut self, peer: &IncarnationId) -> bool {
        let Some(relay) = &self.process.relay else {
            return false;
        };
        let topics = relay.watched.iter().copied().collect();
        if !self.post(peer, Envelope::InterestAll { topics }) {
            return false;
        }
        loop {
            let Some(link) = self.process.links.get_mut(peer) else {
                return false;
            };
            let topics = link.told.go_on();
            if topics.is_empty() {
                break;
            }
            if !self.post(peer, Envelope::Interest { topics }) {
                return false;
            }
        }
        let (call, now) = (self.number(), self.boot());
        if !self.post(peer, Envelope::Flush { call }) {
            return false;
        }
        if let Some(link) = self.process.links.get_mut(peer) {
            link.flush = Some((call, now));
        }
        true
    }

    /// A peer has taken everything that it was told.
    fn flushed(&mut self, peer: &IncarnationId, call: u64) {
        let Some(link) = self.process.links.get_mut(peer) else {
            return;
        };
        if link.flush.is_none_or(|(open, _)| open != call) {
            return;
        }
        link.flush = None;
        let member = &self.process.member;
        let Some(relay) = &self.process.relay else {
            return;
        };
        let is_there = |topic: &&EntityRef| {
            let owner = member.owner(self.sim.oracles.shard(**topic));
            owner.is_some_and(|row| row.owner == *peer)
        };
        let topics: Vec<_> = relay.watched.iter().filter(is_there).copied().collect();
        if self.sim.is(Broken::LookNotAtLinks) {
            return;
        }
        for topic in topics {
            self.question(topic, Kind::Look);
        }
    }

    /// Something came from a peer.
    pub(in crate::process) fn received(&mut self, from: &IncarnationId, envelope: Envelope) {
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        match envelope {
            Envelope::Interest { topics } => {
                for (topic, is_wanted) in topics {
                    relay.wants(from, topic, is_wanted);
                }
            }
            Envelope::InterestAll { topics } => {
                for peers in relay.wanted.values_mut() {
                    peers.remove(from);
                }
                for topic in topics {
                    relay.wants(from, topic, true);
                }
            }
            Envelope::Flush { call } => {
                self.post(from, Envelope::Noticed { call });
            }
            Envelope::Noticed { call } => self.flushed(from, call),
            Envelope::Event(frame) => self.frame(frame),
            Envelope::Continued { key } => relay.keeper.forget(from, &key),
            Envelope::Behind { topic, gseq } => self.behind(topic, gseq),
            Envelope::TakeSession { call, claim, copy } => self.give(from, call, &claim, copy),
            Envelope::Session { call, answer } => {
                let search = relay.calls.remove(&call);
                if let Some((search, peer)) = search.filter(|(_, peer)| peer == from) {
                    self.search_answered(search, &peer, Some(answer));
                }
            }
            Envelope::Checkpoint { lane, checkpoint } => {
                relay.keeper.take(from, lane, checkpoint);
            }
            other => panic!("{} is not sent here", other.name()),
        }
    }

    /// The event log says how far a topic has come.
    pub(super) fn looked(&mut self, topic: EntityRef, gseq: u64) {
        self.behind(topic, gseq);
    }

    /// It could not be asked: again, when it is looked for moved shards.
    pub(super) fn look_again(&mut self, topic: EntityRef) {
        let shard = self.sim.oracles.shard(topic);
        if let Some(relay) = &mut self.process.relay {
            relay.moved.insert(shard);
        }
    }
}

impl Relay {
    fn wants(&mut self, peer: &IncarnationId, topic: EntityRef, is_wanted: bool) {
        let peers = self.wanted.entry(topic).or_default();
        if is_wanted {
            peers.insert(peer.clone());
        } else {
            peers.remove(peer);
        }
    }
}
