//! What a room needs of the world: sockets to its clients, and the workers that carry media.

use async_trait::async_trait;
use bytes::Bytes;
use rookery_protocol::client::voice::{
    MediaRights, Slot, Stats, StreamKind, Streams, VoiceClose, Want,
};
use rookery_protocol::ids::UserId;
use rookery_protocol::voice::RoomId;

/// A voice socket of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// A client's media in a room; never used twice within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

/// What happens to media.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// Packets go both ways.
    Connected(PeerId),
    /// They do not any more; they may again after a restart of ICE.
    Lost(PeerId),
    /// The peer is no more: it failed.
    Gone(PeerId),
    /// Somebody begins or ends to speak.
    Speaking(UserId, bool),
    /// What some of a client's slots play from now on.
    Slots(PeerId, Vec<Slot>),
    /// How a client's media travels.
    Stats(PeerId, Stats),
    /// How many pixels high others want to see a video that a client sends; 0: nobody watches it.
    Demand(PeerId, StreamKind, u32),
    /// The room's media failed as a whole: nothing more comes of it, and no offer is answered.
    Ended,
}

/// The media of one room. Nothing here waits but [`Media::answer`]; the media ends when this is dropped.
#[async_trait]
pub trait Media: Send + Sync + 'static {
    /// Answers an offer. The same peer's next offer is a restart of ICE, or begins its media anew.
    ///
    /// # Errors
    /// What the client's socket is closed with.
    async fn answer(
        &self,
        peer: PeerId,
        user: UserId,
        rights: MediaRights,
        offer: String,
    ) -> Result<String, VoiceClose>;

    /// Says what somebody may do.
    fn allow(&self, peer: PeerId, rights: MediaRights);

    /// Says what somebody sends besides his voice.
    fn streams(&self, peer: PeerId, streams: Streams);

    /// Says what somebody wants to see.
    fn want(&self, peer: PeerId, wants: Vec<Want>);

    /// Asks for a [`MediaEvent::Slots`] with all slots, and for each [`MediaEvent::Demand`] that holds.
    fn slots(&self, peer: PeerId);

    /// Ends a peer.
    fn leave(&self, peer: PeerId);
}

/// Makes the media of rooms.
pub trait MediaMaker: Send + Sync + 'static {
    /// Media for a room; what happens to it is told to `events`, in order.
    fn open(&self, room: RoomId, events: Box<dyn Fn(MediaEvent) + Send + Sync>) -> Box<dyn Media>;
}

/// The writing side of a voice socket. Never waits: a client that does not read is closed.
pub trait VoicePort: Send + Sync + 'static {
    /// Sends a frame.
    fn send(&self, frame: Bytes);

    /// Closes it.
    fn close(&self, code: VoiceClose);
}
