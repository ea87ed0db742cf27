//! What comes in over the links.

use std::sync::{Arc, Weak};

use rookery_actors::entity::{Astray, Origin};
use rookery_actors::link::{Class, Inbound};
use rookery_actors::ownership::{Input, Place, shard_of};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::{IncarnationId, ShardRow};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::inspect::Said;

use super::Cluster;
use super::calls::Outcome;

/// A node's door for the others.
#[derive(Debug)]
pub(super) struct Door(pub(super) Arc<Cluster>);

impl Inbound for Door {
    fn received(&self, from: &IncarnationId, envelope: Envelope) {
        let cluster = &self.0;
        match envelope {
            Envelope::Answer { call, answer } => {
                let outcome = Outcome::Answer(Box::new(answer));
                cluster.calls.end(from, call, outcome);
            }
            Envelope::Noticed { call } => cluster.calls.end(from, call, Outcome::Taken),
            Envelope::NotOwner { call, shard, row } => {
                if let Some(row) = row {
                    cluster.tell(Input::Learned(vec![(shard, row)]));
                }
                cluster.calls.end(from, call, Outcome::Astray);
            }
            Envelope::Hint => cluster.tell(Input::Hint),
            Envelope::Moved { shards } => cluster.tell(Input::Learned(shards)),
            Envelope::Refused { by, peer } => cluster.tell(Input::Refused { by, peer }),
            Envelope::Interest { topics } => cluster.interests.wants(from, topics, false),
            Envelope::InterestAll { topics } => {
                let topics = topics.into_iter().map(|topic| (topic, true));
                cluster.interests.wants(from, topics, true);
            }
            Envelope::TakeSession { call, claim, copy } => cluster.give(from, call, claim, copy),
            Envelope::Session { call, answer } => {
                let outcome = Outcome::Session(Box::new(answer));
                cluster.calls.end(from, call, outcome);
            }
            Envelope::Checkpoint { lane, checkpoint } => {
                cluster.buddy.keep(from, lane, checkpoint);
            }
            Envelope::Continued { key } => cluster.buddy.forget(from, &key),
            Envelope::Flush { call } => {
                cluster.send(from, Envelope::Noticed { call }, Class::Must);
            }
            Envelope::Event(frame) => {
                if let Some(local) = cluster.local.get() {
                    local.publisher.publish(Arc::new(frame));
                }
            }
            Envelope::Nudge { channel } => {
                if let Some(voice) = cluster.voice() {
                    voice.nudged(channel);
                }
            }
            Envelope::Voice { node, load } => {
                // Nobody speaks for another.
                if let Some(voice) = cluster.voice().filter(|_| node.node == *from) {
                    voice.heard(node, load);
                }
            }
            Envelope::Behind { topic, gseq } => {
                if let Some(local) = cluster.local.get() {
                    local.hub.behind(topic, gseq);
                }
            }
            Envelope::Ask {
                call,
                request,
                to,
                command,
                deadline_ms: _,
                origin,
            } => self.serve(from, call, to, move |cluster| async move {
                let directory = &cluster.local.get().ok_or(Astray)?.directory;
                let asking = directory.ask_for(to, command, request);
                let answer = match origin {
                    Some(origin) => Origin(origin).scope(asking).await?,
                    None => asking.await?,
                };
                Ok(Some(Envelope::Answer { call, answer }))
            }),
            Envelope::Inspect { call, question } => self.inspected(from, call, question),
            Envelope::Inspected { call, said } => {
                cluster.calls.end(from, call, Outcome::Said(said));
            }
            Envelope::Notice {
                call,
                to,
                from: sender,
                seq,
                notice,
            } => self.serve(from, call, to, move |cluster| async move {
                let directory = &cluster.local.get().ok_or(Astray)?.directory;
                let taken = directory.take(to, sender, seq, notice).await?;
                // Who is not told so sends it again.
                Ok(taken.then_some(Envelope::Noticed { call }))
            }),
        }
    }

    fn linked(&self, peer: &IncarnationId, is_up: bool) {
        tracing::info!(%peer, is_up, "link");
        let cluster = &self.0;
        if is_up {
            cluster.interests.came(peer);
        } else {
            cluster.interests.went(peer);
            cluster.calls.lost(peer);
        }
        let linked: Vec<_> = cluster.interests.linked();
        let linked: Vec<_> = linked.iter().map(|peer| peer.id.clone()).collect();
        cluster.buddy.linked(&cluster.me, peer, is_up, &linked);
        let peer = peer.clone();
        cluster.tell(Input::Link { peer, is_up });
    }

    fn refused(&self, peer: &IncarnationId) {
        let cluster = &self.0;
        let refused = (cluster.me.node.clone(), peer.clone());
        let (by, peer) = refused.clone();
        cluster.broadcast(&Envelope::Refused { by, peer });
        let (by, peer) = refused;
        cluster.tell(Input::Refused { by, peer });
    }
}

impl Door {
    /// Answers another node's operator, in a task; what cannot be taken now is not answered.
    fn inspected(&self, from: &IncarnationId, call: u64, question: String) {
        let cluster = Arc::clone(&self.0);
        let inspector = cluster.inspector.get().and_then(Weak::upgrade);
        let permit = Arc::clone(&cluster.serving).try_acquire_owned();
        let (Some(inspector), Ok(permit)) = (inspector, permit) else {
            return;
        };
        let from = from.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let said = match serde_json::from_str(&question) {
                Ok(question) => inspector.answer(question).await,
                Err(error) => Said::Refused(format!("this node does not understand: {error}")),
            };
            if let Ok(said) = serde_json::to_string(&said) {
                cluster.send(&from, Envelope::Inspected { call, said }, Class::Must);
            }
        });
    }

    /// Gives something to an entity of this node, in a task, and sends back what comes of it.
    fn serve<F>(
        &self,
        from: &IncarnationId,
        call: u64,
        to: EntityRef,
        work: impl FnOnce(Arc<Cluster>) -> F,
    ) where
        F: Future<Output = Result<Option<Envelope>, Astray>> + Send + 'static,
    {
        let (cluster, from) = (Arc::clone(&self.0), from.clone());
        let Ok(permit) = Arc::clone(&cluster.serving).try_acquire_owned() else {
            let answer = Err(ErrorCode::Busy.into());
            cluster.send(&from, Envelope::Answer { call, answer }, Class::Must);
            return;
        };
        let working = work(Arc::clone(&cluster));
        tokio::spawn(async move {
            let _permit = permit;
            let back = match working.await {
                Ok(None) => return,
                Ok(Some(envelope)) => envelope,
                Err(Astray) => cluster.not_owner(call, to),
            };
            // If it finds no room the caller hears nothing, and asks again.
            cluster.send(&from, back, Class::Must);
        });
    }
}

impl Cluster {
    /// The answer to who asked in vain: who has the entity, as far as is known here.
    pub(super) fn not_owner(&self, call: u64, to: EntityRef) -> Envelope {
        let row = match self.placement.of(to) {
            Place::At(owner, epoch) => Some(ShardRow {
                owner: (*owner).clone(),
                lane: 0,
                epoch,
                released: false,
            }),
            Place::Here(_) | Place::Leaving(_) | Place::Nowhere => None,
        };
        Envelope::NotOwner {
            call,
            shard: shard_of(to),
            row,
        }
    }
}
