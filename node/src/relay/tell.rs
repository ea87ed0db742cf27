//! A lane and other nodes: its sessions go there and come from there, and a buddy is told how far they have come.

use bytes::Bytes;
use rookery_actors::relay::{Identity, Refusal, SessionRef};
use rookery_protocol::limits::CHECKPOINT_BYTES;
use rookery_protocol::session::{Claim, Opened, Taken};
use rookery_protocol::time::Millis;

use super::lane::{Arrival, Thread};
use crate::presence::{At, carried};

impl Thread {
    /// Tells the buddy what has changed, if there is one; a new one everything.
    pub(super) fn tell_buddy(&mut self) {
        let Some(buddies) = self.hub.buddies().filter(|_| !self.is_over) else {
            return;
        };
        if !buddies.may_tell() {
            // It is told everything anew: it may drop what is not told on.
            self.buddy = None;
            return;
        }
        let Some(buddy) = buddies.current() else {
            self.buddy = None;
            return self.core.stop_telling();
        };
        let is_new = self.buddy != Some(buddy);
        let mut checkpoint = self.core.checkpoint(is_new, CHECKPOINT_BYTES);
        let lane = u16::try_from(self.index).unwrap_or_default();
        for opened in &mut checkpoint.opened {
            self.name(lane, opened);
        }
        // What found no room is told with everything else the next time.
        let is_told = buddies.tell(buddy, lane, checkpoint);
        self.buddy = is_told.then_some(buddy);
    }

    /// Adds what the lane's core does not know.
    fn name(&self, lane: u16, opened: &mut Opened) {
        let session = SessionRef {
            slot: opened.at.slot,
            generation: opened.at.generation,
        };
        let at = At { lane, session };
        opened.key = self.hub.moves().name(at);
        let registry = self.clerk.world().registry();
        if let Some(said) = registry.said(at, opened.identity.user) {
            opened.presence = carried::encode(&said);
        }
    }

    /// Hands a session over to another node.
    pub(super) fn take(&mut self, now: Millis, session: SessionRef, claim: &Claim) -> Taken {
        let taken = self.core.take(now, session, claim, &mut self.effects);
        let answer = match taken {
            Ok(mut parcel) => {
                let lane = u16::try_from(self.index).unwrap_or_default();
                let said = self
                    .clerk
                    .world()
                    .registry()
                    .said(At { lane, session }, claim.user);
                parcel.presence = said.map_or_else(Bytes::new, |said| carried::encode(&said));
                Taken::Handed(parcel)
            }
            Err(Refusal::Unknown) => Taken::Unknown,
            Err(Refusal::InvalidSession) => Taken::Invalid,
            Err(Refusal::InvalidSeq) => Taken::InvalidSeq,
            Err(Refusal::NotNow) => Taken::Alive,
        };
        self.run_effects(now);
        answer
    }

    /// A session has come from another node.
    pub(super) fn arrived(&self, at: At, identity: &Identity, arrival: Arrival) {
        let (said, platform) = carried::decode(&arrival.presence);
        let registry = self.clerk.world().registry();
        registry.open(at, identity.user, said, platform);
        self.hub.moves.came(arrival.key, at);
    }
}
