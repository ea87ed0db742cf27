//! RESUME: the session goes on here, wherever it is.

use std::sync::Arc;

use rookery_actors::relay::{Input, Refusal};
use rookery_protocol::client::gateway::{CloseCode, Resume};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::session::{Claim, SessionKey, Taken};
use tokio::sync::oneshot;

use super::Gateway;
use super::admit::{Candidate, Denied};
use super::socket::Seat;
use crate::presence::At;
use crate::relay::{Admission, Arrival, End, SessionId};

/// What is left to try.
enum Tried {
    /// Nothing: it is here, or refused.
    Done(Option<Seat>),
    /// It is not here.
    Elsewhere,
}

impl Candidate {
    /// `None` when the session cannot be resumed.
    pub(super) async fn resume(&mut self, resume: &Resume) -> Result<Option<Seat>, Denied> {
        let caller = self.authenticate(&resume.token).await?;
        let gateway = self.socket.gateway.clone();
        let id = SessionId::parse(&resume.session_id);
        let Some(id) = id.filter(|id| id.user == caller.id()) else {
            return Ok(None);
        };
        let claim = Claim {
            key: id.key(),
            user: caller.id(),
            secret: id.secret,
            seq: resume.seq,
        };
        if let Some(at) = gateway.place_of(&claim.key) {
            if !gateway.elsewhere.may_answer() {
                // It keeps its session, and comes again.
                return Err(CloseCode::UnknownError.into());
            }
            if let Tried::Done(outcome) = self.resume_at(at, &claim).await? {
                return Ok(outcome);
            }
        }
        let lane = gateway.hub.lane_of(caller.id());
        let (wire, admission) = self.hand_over(None)?;
        // A task of its own: a session that was handed over must arrive, also when its client has gone meanwhile.
        tokio::spawn(fetch(gateway, lane, claim, wire));
        match self.admitted(lane, admission).await? {
            Tried::Done(outcome) => Ok(outcome),
            Tried::Elsewhere => Ok(None),
        }
    }

    async fn resume_at(&mut self, at: At, claim: &Claim) -> Result<Tried, Denied> {
        let gateway = self.socket.gateway.clone();
        let (wire, admission) = self.hand_over(None)?;
        let input = Input::Resume {
            session: at.session,
            user: claim.user,
            secret: claim.secret,
            seq: claim.seq,
            wire,
        };
        gateway.hub.send(at.lane, input).await;
        self.admitted(at.lane, admission).await
    }

    /// Waits for a lane's answer.
    async fn admitted(
        &mut self,
        lane: u16,
        admission: oneshot::Receiver<Admission>,
    ) -> Result<Tried, Denied> {
        match admission.await {
            Ok(Ok((link, identity))) => Ok(Tried::Done(Some(Seat {
                lane,
                link,
                identity,
            }))),
            Ok(Err((outbox, refusal))) => {
                self.outbox = Some(outbox);
                match refusal {
                    Refusal::Unknown => Ok(Tried::Elsewhere),
                    Refusal::InvalidSession => Ok(Tried::Done(None)),
                    Refusal::InvalidSeq => Err(CloseCode::InvalidSeq.into()),
                    Refusal::NotNow => Err(CloseCode::UnknownError.into()),
                }
            }
            Err(_) => Err(Denied::Gone),
        }
    }
}

impl Gateway {
    /// Where a session is, if it is here: it came from another node, or it has always been here.
    fn place_of(&self, key: &SessionKey) -> Option<At> {
        let name = self.clerk.name();
        let me = IncarnationId {
            node: name.node.clone(),
            number: name.incarnation,
        };
        self.hub.place_of(key, &me)
    }
}

/// Takes a session over from another node, for the client at the other end of `wire`.
async fn fetch(gateway: Arc<Gateway>, lane: u16, claim: Claim, mut wire: Box<End>) {
    let key = claim.key.clone();
    let refusal = match gateway.elsewhere.take(claim).await {
        Taken::Handed(parcel) => {
            let presence = parcel.presence.clone();
            wire.arrival = Some(Box::new(Arrival { key, presence }));
            gateway.hub.send(lane, Input::Adopt { parcel, wire }).await;
            return;
        }
        Taken::Unknown => Refusal::Unknown,
        Taken::Alive => Refusal::NotNow,
        Taken::Invalid => Refusal::InvalidSession,
        Taken::InvalidSeq => Refusal::InvalidSeq,
    };
    let End {
        outbox, admission, ..
    } = *wire;
    if let Some(admission) = admission {
        // A client that has gone needs no answer.
        let _ = admission.send(Err((outbox, refusal)));
    }
}
