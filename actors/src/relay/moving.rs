//! Sessions that move between nodes: how one is packed up and ended here, and how it goes on where it arrives.

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::Dispatch;
use rookery_protocol::ids::GroupId;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits::PARCEL_BYTES;
use rookery_protocol::session::{Claim, Missed, Parcel};
use rookery_protocol::time::Millis;

use super::lane::Lane;
use super::session::{Session, WAITING_OVERHEAD};
use super::wire::{Control, Effect, Link, Refusal, SessionRef};

impl<W> Lane<W> {
    /// Hands a session over: it is checked as a resume is, then it ends here, and what is answered is all of it. What its
    /// client said of its user is not known here.
    ///
    /// # Errors
    /// The session stays as it is. [`Refusal::InvalidSession`] also when more was missed than [`PARCEL_BYTES`].
    pub fn take(
        &mut self,
        now: Millis,
        session: SessionRef,
        claim: &Claim,
        out: &mut Vec<Effect<W>>,
    ) -> Result<Box<Parcel>, Refusal> {
        self.now = self.now.max(now);
        let positions = self.resume(session, claim.user, &claim.secret, claim.seq)?;
        let found = self.at(session.slot).ok_or(Refusal::Unknown)?;
        let (user, sees_all) = (found.identity.user, found.sees_all());
        let mut missed = Vec::with_capacity(positions.len());
        let mut bytes = 0;
        for position in positions {
            let entry = self.log.get(position);
            let seen = entry.and_then(|entry| entry.seen_by(user, sees_all));
            let (name, body) = seen.ok_or(Refusal::InvalidSession)?;
            bytes += body.len() + WAITING_OVERHEAD;
            if bytes > PARCEL_BYTES {
                tracing::debug!("a session has missed too much to move");
                return Err(Refusal::InvalidSession);
            }
            let body = body.clone();
            missed.push(Missed { name, body });
        }
        let found = self.at(session.slot).ok_or(Refusal::Unknown)?;
        let mut parcel = Parcel {
            identity: found.identity,
            seq: found.seq,
            missed,
            topics: found.rejoining.clone(),
            asked: found.unanswered(),
            presence: Bytes::new(),
        };
        for topic in found.topics.clone() {
            let last = self.topics.get(&topic).and_then(|topic| topic.last);
            parcel
                .topics
                .push((topic, last.ok_or(Refusal::InvalidSession)?));
        }
        // As when another socket takes the session over.
        self.end(session.slot, Vec::new(), Some(CloseCode::UnknownError), out);
        Ok(Box::new(parcel))
    }

    /// Tells every client to reconnect. Sessions that can be resumed wait for another node.
    pub(super) fn release(&mut self, out: &mut Vec<Effect<W>>) {
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            let words = vec![Control::Reconnect];
            let code = Some(CloseCode::UnknownError);
            match self.at(slot).map(|session| session.ready) {
                Some(true) => self.detach(slot, words, code, out),
                Some(false) => self.end(slot, words, code, out),
                None => {}
            }
        }
    }

    /// Goes on with a session of another node: what was missed comes first and has the numbers it had there.
    pub(super) fn adopt(&mut self, parcel: Parcel, wire: W, out: &mut Vec<Effect<W>>) {
        let identity = parcel.identity;
        let slot = self.seat(identity, wire, out);
        let session = self.session_ref(slot);
        let Some(found) = self.at(slot) else { return };
        found.seq = parcel.seq.saturating_sub(parcel.missed.len() as u64);
        found.ready = true;
        // Its first socket was at another node.
        found.attach = 2;
        out.push(Effect::Opened(Link { session, attach: 2 }));
        for Missed { name, body } in parcel.missed {
            let dispatch = Dispatch {
                name,
                body,
                intents: Intents::NONE,
                content_for: None,
                about: None,
            };
            self.give(slot, Box::new(dispatch));
        }
        self.say_resumed(slot);
        for &(topic, since) in &parcel.topics {
            self.ask(slot, topic, out);
            if let Some(found) = self.at(slot) {
                found.rejoining.push((topic, since));
            }
        }
        out.push(Effect::Rejoin {
            session,
            identity,
            topics: parcel.topics,
        });
        self.subscribe(slot, &parcel.asked, out);
    }
}

impl<W> Session<W> {
    /// The groups that were asked for a picture and have not answered, each once.
    pub(super) fn unanswered(&self) -> Vec<GroupId> {
        let is_known = |topic: &EntityRef| {
            self.topics.contains(topic) || self.rejoining.iter().any(|(other, _)| other == topic)
        };
        let mut groups: Vec<GroupId> = self
            .asked
            .iter()
            .filter(|topic| topic.kind == EntityKind::Group && !is_known(topic))
            .map(|topic| GroupId(topic.id))
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}
