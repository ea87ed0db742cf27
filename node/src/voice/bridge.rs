//! Between the rooms and the media workers.

use async_trait::async_trait;
use rookery_actors::room;
use rookery_protocol::client::voice::{MediaRights, Streams, VoiceClose, Want};
use rookery_protocol::ids::UserId;
use rookery_protocol::voice::RoomId;

use super::media::{Media, MediaEvent, OfferError, PeerId, RoomMedia};

/// The media workers as rooms see them.
#[derive(Clone)]
pub(super) struct Maker(pub(super) Media);

impl room::MediaMaker for Maker {
    fn open(
        &self,
        room: RoomId,
        events: Box<dyn Fn(room::MediaEvent) + Send + Sync>,
    ) -> Box<dyn room::Media> {
        let told = move |event| events(translated(event));
        Box::new(Bridge(self.0.open(room.channel.0, told)))
    }
}

fn translated(event: MediaEvent) -> room::MediaEvent {
    let peer = |peer: PeerId| room::PeerId(peer.0);
    match event {
        MediaEvent::Connected(id) => room::MediaEvent::Connected(peer(id)),
        MediaEvent::Lost(id) => room::MediaEvent::Lost(peer(id)),
        MediaEvent::Gone(id, _) => room::MediaEvent::Gone(peer(id)),
        MediaEvent::Speaking(user, is_speaking) => room::MediaEvent::Speaking(user, is_speaking),
        MediaEvent::Slots(id, slots) => room::MediaEvent::Slots(peer(id), slots),
        MediaEvent::Stats(id, stats) => room::MediaEvent::Stats(peer(id), stats),
        MediaEvent::Demand(id, stream, height) => {
            room::MediaEvent::Demand(peer(id), stream, height)
        }
        MediaEvent::Ended => room::MediaEvent::Ended,
    }
}

/// The media of one room.
struct Bridge(RoomMedia);

#[async_trait]
impl room::Media for Bridge {
    async fn answer(
        &self,
        peer: room::PeerId,
        user: UserId,
        rights: MediaRights,
        offer: String,
    ) -> Result<String, VoiceClose> {
        let answer = self.0.answer(PeerId(peer.0), user, rights, &offer).await;
        answer.map_err(|error| {
            tracing::debug!(%user, %error, "an offer is not answered");
            match error {
                // Not the client's fault: it identifies again.
                OfferError::Full
                | OfferError::Busy
                | OfferError::Superseded
                | OfferError::Ended => VoiceClose::ServerCrashed,
                _ => VoiceClose::BadRequest,
            }
        })
    }

    fn allow(&self, peer: room::PeerId, rights: MediaRights) {
        self.0.allow(PeerId(peer.0), rights);
    }

    fn streams(&self, peer: room::PeerId, streams: Streams) {
        self.0.streams(PeerId(peer.0), streams);
    }

    fn want(&self, peer: room::PeerId, wants: Vec<Want>) {
        self.0.want(PeerId(peer.0), wants);
    }

    fn slots(&self, peer: room::PeerId) {
        self.0.slots(PeerId(peer.0));
    }

    fn leave(&self, peer: room::PeerId) {
        self.0.leave(PeerId(peer.0));
    }
}
