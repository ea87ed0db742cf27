//! Sessions that move: looked for at other nodes, handed over, told to a buddy. As `node/src/cluster/{sessions, buddy}` and
//! `node/src/relay/tell` do it.

use rookery_actors::ownership::Boot;
use rookery_actors::relay::{Input, Refusal, Search, Step};
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::limits::{CHECKPOINT_BYTES, COPY_WAIT_MS, TAKE_MS};
use rookery_protocol::session::{Claim, SessionKey, Taken};

use super::Hands;
use crate::broken::Broken;
use crate::packet::Timer;

/// The pause before everybody is asked again.
const AGAIN_MS: u64 = 250;

/// A session that is looked for.
#[derive(Debug)]
pub(super) struct Looking {
    tube: u64,
    claim: Claim,
    search: Search,
    until: Boot,
}

impl Hands<'_> {
    /// The session of a socket is not here.
    pub(super) fn look_for(&mut self, tube: u64) {
        let (id, until) = (self.number(), self.boot().plus(COPY_WAIT_MS));
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let Some(claim) = relay
            .sockets
            .get_mut(&tube)
            .and_then(|socket| socket.claim.take())
        else {
            return;
        };
        let search = Search::new(claim.key.run.clone());
        let looking = Looking {
            tube,
            claim,
            search,
            until,
        };
        relay.searches.insert(id, looking);
        self.look_again_for(id);
    }

    /// A round of a search.
    pub(in crate::process) fn look_again_for(&mut self, id: u64) {
        let links = &self.process.links;
        let is_asked =
            |peer: &&_| links.contains_key(*peer) || !self.sim.is(Broken::CopyOfUnlinked);
        let others = self.process.member.others().filter(is_asked);
        let living = others.cloned().collect();
        let may_hold = self.may_hold();
        let Some(looking) = self.looking(id) else {
            return;
        };
        let step = if may_hold {
            looking.search.begin(living)
        } else {
            Step::Again
        };
        self.search_step(id, step);
    }

    fn looking(&mut self, id: u64) -> Option<&mut Looking> {
        self.process.relay.as_mut()?.searches.get_mut(&id)
    }

    pub(super) fn search_answered(&mut self, id: u64, peer: &IncarnationId, taken: Option<Taken>) {
        let index = self.node.index;
        self.sim
            .note(|| format!("n{index} hears of {peer} for search {id}: {taken:?}"));
        if let Some(looking) = self.looking(id) {
            let step = looking.search.answered(peer, taken);
            self.search_step(id, step);
        }
    }

    fn search_step(&mut self, id: u64, step: Step) {
        let now = self.boot();
        let Some(looking) = self.looking(id) else {
            return;
        };
        match step {
            Step::Wait => {}
            Step::Ask { peers, copy } => {
                let claim = looking.claim.clone();
                for peer in peers {
                    self.ask_for(id, &peer, claim.clone(), copy);
                }
            }
            Step::Kept => {
                let claim = looking.claim.clone();
                let taken = self.copy(&claim);
                if let Some(looking) = self.looking(id) {
                    let step = looking.search.kept(taken);
                    self.search_step(id, step);
                }
            }
            Step::Again if now >= looking.until => self.found(id, Taken::Alive),
            Step::Again => self.remind(AGAIN_MS, Timer::LookAgain(id)),
            Step::Done(taken) => self.found(id, taken),
        }
    }

    fn ask_for(&mut self, id: u64, peer: &IncarnationId, claim: Claim, copy: bool) {
        let call = self.number();
        if self.post(peer, Envelope::TakeSession { call, claim, copy }) {
            if let Some(relay) = &mut self.process.relay {
                relay.calls.insert(call, (id, peer.clone()));
            }
            self.remind(TAKE_MS, Timer::TakeTimeout(call));
        } else {
            self.search_answered(id, peer, None);
        }
    }

    pub(in crate::process) fn take_timeout(&mut self, call: u64) {
        let relay = self.process.relay.as_mut();
        if let Some((id, peer)) = relay.and_then(|relay| relay.calls.remove(&call)) {
            self.search_answered(id, &peer, None);
        }
    }

    /// A search is over.
    fn found(&mut self, id: u64, taken: Taken) {
        let end = self.end();
        let Some(relay) = &mut self.process.relay else {
            return;
        };
        let Some(looking) = relay.searches.remove(&id) else {
            return;
        };
        let Looking {
            tube,
            claim,
            search,
            ..
        } = looking;
        let is_copy = search.is_copy();
        let refusal = match taken {
            Taken::Handed(parcel) => {
                let key = claim.key;
                if let Some(socket) = relay.sockets.get_mut(&tube) {
                    socket.arrival = Some(key.clone());
                }
                let index = self.node.index;
                self.sim
                    .note(|| format!("n{index} takes {key:?} over, as a copy: {is_copy}"));
                self.sim.oracles.sessions.moved(&key, end, is_copy);
                if is_copy {
                    self.continued(&key);
                }
                return self.step_lane(Input::Adopt { parcel, wire: tube });
            }
            Taken::Unknown => Refusal::Unknown,
            Taken::Alive => Refusal::NotNow,
            Taken::Invalid => Refusal::InvalidSession,
            Taken::InvalidSeq => Refusal::InvalidSeq,
        };
        self.refuse(tube, refusal);
    }

    /// A session goes on from a copy: there is to be no other one of it.
    fn continued(&mut self, key: &SessionKey) {
        if let Some(relay) = &mut self.process.relay {
            relay.keeper.forget(&relay.me, key);
        }
        for peer in self.process.links.keys().cloned().collect::<Vec<_>>() {
            let key = key.clone();
            self.post(&peer, Envelope::Continued { key });
        }
    }

    /// Hands over the copy that is kept here.
    fn copy(&mut self, claim: &Claim) -> Taken {
        if !self.may_hold() {
            return Taken::Alive;
        }
        let relay = self.process.relay.as_mut();
        relay.map_or(Taken::Unknown, |relay| relay.keeper.hand_over(claim))
    }

    /// A peer wants a session.
    pub(super) fn give(&mut self, to: &IncarnationId, call: u64, claim: &Claim, copy: bool) {
        let answer = if copy {
            self.copy(claim)
        } else {
            self.hand_over(claim)
        };
        self.post(to, Envelope::Session { call, answer });
    }

    fn hand_over(&mut self, claim: &Claim) -> Taken {
        let may_answer = self.may_hold();
        let Some(relay) = &mut self.process.relay else {
            return Taken::Unknown;
        };
        let born = |_, session| Some(session);
        let Some(session) = relay.names.place_of(&claim.key, &relay.me, born) else {
            return Taken::Unknown;
        };
        if !may_answer {
            return Taken::Alive;
        }
        let taken = self.with_lane(|lane, now, effects| lane.take(now, session, claim, effects));
        match taken {
            Some(Ok(parcel)) => Taken::Handed(parcel),
            Some(Err(Refusal::InvalidSession)) => Taken::Invalid,
            Some(Err(Refusal::InvalidSeq)) => Taken::InvalidSeq,
            Some(Err(Refusal::Unknown | Refusal::NotNow)) | None => Taken::Unknown,
        }
    }

    /// Tells the buddy what has changed; a new one everything.
    pub(super) fn tell_buddy(&mut self) {
        let is_never_new = self.sim.is(Broken::TellNotAnew);
        let may_tell = self.may_hold();
        let Some(relay) = self.process.relay.as_mut().filter(|relay| !relay.is_over) else {
            return;
        };
        if !may_tell {
            relay.buddy = None;
            return;
        }
        let Some(buddy) = relay.choice.current() else {
            relay.buddy = None;
            return relay.lane.stop_telling();
        };
        let is_new = relay.buddy != Some(buddy) && !(is_never_new && relay.buddy.is_some());
        let mut checkpoint = relay.lane.checkpoint(is_new, CHECKPOINT_BYTES);
        for opened in &mut checkpoint.opened {
            let session = rookery_actors::relay::SessionRef {
                slot: opened.at.slot,
                generation: opened.at.generation,
            };
            opened.key = relay.names.name(session);
        }
        if self.sim.is(Broken::TellNoNumbers) && !is_new {
            checkpoint.numbers.clear();
        }
        let peer = relay.choice.peer(buddy).cloned();
        let lane = 0;
        let index = self.node.index;
        self.sim
            .note(|| format!("n{index} tells {peer:?}: {checkpoint:?}"));
        let is_told =
            peer.is_some_and(|peer| self.post(&peer, Envelope::Checkpoint { lane, checkpoint }));
        if let Some(relay) = &mut self.process.relay {
            relay.buddy = is_told.then_some(buddy);
        }
    }
}
