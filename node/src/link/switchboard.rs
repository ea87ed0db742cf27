//! The one remotable actor of a node, and what crosses between two of them.
//!
//! A remotable actor is mirrored on every peer, so there is one, and it carries the frames for all entities. Its peers find it
//! in the process group that is called after its incarnation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};
use rookery_protocol::cluster::{LinkFrame, full_name};
use rookery_protocol::document::IncarnationId;

use super::counters::Refusal;
use super::line::Death;
use super::shared::Shared;

/// What crosses. Frozen: versions are told apart within the bytes, which are a [`LinkFrame`].
#[derive(Debug)]
pub(super) enum Wire {
    /// A frame of a link.
    Frame(Vec<u8>),
}

/// The name of the one variant.
const FRAME: &str = "Frame";

impl ractor::Message for Wire {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        let Self::Frame(args) = self;
        Ok(SerializedMessage::Cast {
            variant: FRAME.to_owned(),
            args,
            metadata: None,
        })
    }

    /// ractor drops what this refuses.
    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { variant, args, .. } if variant == FRAME => {
                Ok(Self::Frame(args))
            }
            _ => Err(BoxedDowncastErr),
        }
    }
}

/// The process group of an incarnation's switchboard.
fn group(of: &IncarnationId) -> String {
    format!("switchboard/{}", full_name(of))
}

/// The switchboard of a peer as ractor's session of that number shows it. A member from another session is not believed.
pub(super) fn of_peer(peer: &IncarnationId, session: u64) -> Option<ActorRef<Wire>> {
    let members = ractor::pg::get_members(&group(peer));
    let theirs = |cell: &ractor::ActorCell| matches!(cell.get_id(), ActorId::Remote { node_id, .. } if node_id == session);
    members.into_iter().find(theirs).map(ActorRef::from)
}

/// The actor.
pub(super) struct Switchboard;

impl Actor for Switchboard {
    type Msg = Wire;
    type State = Arc<Shared>;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        myself: ActorRef<Wire>,
        shared: Arc<Shared>,
    ) -> Result<Arc<Shared>, ActorProcessingErr> {
        ractor::pg::join(group(&shared.me), vec![myself.get_cell()]);
        Ok(shared)
    }

    async fn handle(
        &self,
        _: ActorRef<Wire>,
        Wire::Frame(bytes): Wire,
        shared: &mut Arc<Shared>,
    ) -> Result<(), ActorProcessingErr> {
        let link = LinkFrame::link_of(&bytes).and_then(|ours| shared.link_of_frame(ours));
        let Some(link) = link else {
            shared.refusals.count(Refusal::Stray);
            return Ok(());
        };
        match LinkFrame::decode(&bytes) {
            Ok(frame) => {
                // All links go through this actor: what panics over one of them ends that one.
                let received = AssertUnwindSafe(|| {
                    link.received(frame, bytes.len(), shared.inbound.as_ref());
                });
                if catch_unwind(received).is_err() {
                    tracing::error!(peer = %link.peer, "a panic over what a node sent");
                    link.line.kill(Death::Closed);
                }
            }
            Err(error) => {
                tracing::warn!(peer = %link.peer, %error, "a frame cannot be read");
                link.line.kill(Death::Refused(Refusal::Junk));
            }
        }
        Ok(())
    }
}
