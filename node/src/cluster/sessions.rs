//! Sessions that move: this node asks the others for one that its client resumes here, and hands over those that others ask
//! for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rookery_actors::entity::Clock;
use rookery_actors::link::Class;
use rookery_actors::relay::{Search, Step};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{COPY_WAIT_MS, TAKE_MS};
use rookery_protocol::session::{Claim, SessionKey, Taken};
use tokio::time::Instant;

use super::Cluster;
use super::calls::Outcome;
use crate::relay::Elsewhere;

/// The pause before everybody is asked again.
const AGAIN: Duration = Duration::from_millis(250);

#[async_trait]
impl Elsewhere for Cluster {
    async fn take(&self, claim: Claim) -> Taken {
        let mut search = Search::new(claim.key.run.clone());
        let until = Instant::now() + Duration::from_millis(COPY_WAIT_MS);
        // Never cut off in the middle of a round: somebody may be handing it over.
        loop {
            match self.look_for(&claim, &mut search).await {
                Some(taken) => return taken,
                None if Instant::now() >= until => return Taken::Alive,
                None => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn is_there(&self) -> bool {
        !self.interests.linked().is_empty()
    }

    fn may_answer(&self) -> bool {
        self.tenure.holds(self.clock.boot())
    }
}

impl Cluster {
    /// Asks everybody once; none: not now.
    async fn look_for(&self, claim: &Claim, search: &mut Search) -> Option<Taken> {
        // Who is fenced, and does not know it yet, knows neither who lives.
        if !self.may_answer() {
            return None;
        }
        let mut asked = FuturesUnordered::new();
        let mut step = search.begin(self.living.lock().clone());
        loop {
            step = match step {
                Step::Ask { peers, copy } => {
                    asked.extend(peers.into_iter().map(|peer| async move {
                        let taken = self.take_from(&peer, claim, copy).await;
                        (peer, taken)
                    }));
                    Step::Wait
                }
                Step::Wait => {
                    let (peer, taken) = asked.next().await?;
                    search.answered(&peer, taken)
                }
                Step::Kept => search.kept(self.copy(claim)),
                Step::Again => return None,
                Step::Done(taken) => {
                    if search.is_copy() && matches!(taken, Taken::Handed(_)) {
                        self.continued(&claim.key);
                    }
                    return Some(taken);
                }
            };
        }
    }

    /// Asks one peer; none when it does not answer.
    async fn take_from(&self, peer: &IncarnationId, claim: &Claim, copy: bool) -> Option<Taken> {
        let within = Duration::from_millis(TAKE_MS);
        let claim = claim.clone();
        let envelope = |call| Envelope::TakeSession { call, claim, copy };
        match self.call(peer, within, envelope).await {
            Some(Outcome::Session(taken)) => Some(*taken),
            _ => None,
        }
    }

    /// A session goes on from a copy: there is to be no other one of it.
    fn continued(&self, key: &SessionKey) {
        self.buddy.forget(&self.me, key);
        for peer in self.interests.linked() {
            let key = key.clone();
            self.send(&peer.id, Envelope::Continued { key }, Class::Must);
        }
    }

    /// Hands over the copy that is kept here.
    fn copy(&self, claim: &Claim) -> Taken {
        if self.may_answer() {
            self.buddy.hand_over(claim)
        } else {
            Taken::Alive
        }
    }

    /// A peer wants a session.
    pub(super) fn give(self: &Arc<Self>, to: &IncarnationId, call: u64, claim: Claim, copy: bool) {
        let (cluster, to) = (Arc::clone(self), to.clone());
        let Ok(permit) = Arc::clone(&self.serving).try_acquire_owned() else {
            let answer = Taken::Alive;
            self.send(&to, Envelope::Session { call, answer }, Class::Must);
            return;
        };
        tokio::spawn(async move {
            let _permit = permit;
            let answer = cluster.hand_over(claim, copy).await;
            if let Taken::Handed(_) = &answer {
                tracing::debug!(%to, "a session moves to another node");
            }
            if !cluster.send(&to, Envelope::Session { call, answer }, Class::Must) {
                tracing::warn!(%to, "an answer about a session found no room");
            }
        });
    }

    async fn hand_over(&self, claim: Claim, copy: bool) -> Taken {
        if copy {
            return self.copy(&claim);
        }
        let Some(local) = self.local.get() else {
            return Taken::Unknown;
        };
        match local.hub.place_of(&claim.key, &self.me) {
            // Fenced without knowing it: a copy may have gone on elsewhere.
            Some(_) if !self.may_answer() => Taken::Alive,
            Some(at) => local.hub.take(at, claim).await,
            None => Taken::Unknown,
        }
    }
}
