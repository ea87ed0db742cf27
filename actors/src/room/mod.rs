//! A voice room: who is in it, whose socket and whose media belong together, and who may do what.
//!
//! The core ([`Room`]) is a state machine; its ractor shell is [`shell`], the rooms of a node are [`rooms`]. Packets never
//! come here: what is forwarded to whom is the media worker's ([`Media`] is what a room tells it).
//!
//! Nothing of a room is durable. The group says who may be in it ([`RoomOrders`]) whenever it is asked, and it is asked
//! often; a room that is started anew learns everything from it and from the clients that come back.

mod core;
mod ports;
mod rooms;
mod seats;
mod shell;
#[cfg(test)]
mod tests;

pub use self::core::{Effect, Input, PeerView, Room, Served};
pub use self::ports::{Media, MediaEvent, MediaMaker, PeerId, SocketId, VoicePort};
pub use self::rooms::{Busy, RoomView, RoomWorld, Rooms};
