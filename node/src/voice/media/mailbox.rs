//! What the control plane has to say to a worker: of each peer only the latest, so that it never grows and nothing is lost.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use parking_lot::Mutex;
use rookery_protocol::client::voice::{MediaRights, Streams, Want};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rustix::event::{EventfdFlags, eventfd};
use str0m::change::SdpOffer;
use tokio::sync::oneshot;

use super::load::Counters;
use super::offer::{Built, OfferError};
use super::{MediaEvent, PeerId};

/// Tells what happens in a room.
pub(super) type Events = Box<dyn Fn(MediaEvent) + Send>;
/// Tells who asked what became of an offer: the answer.
pub(super) type Ack = oneshot::Sender<Result<String, OfferError>>;

/// A room of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RoomKey(pub(super) u64);

/// A session for a worker to take.
pub(super) struct Adopt {
    pub(super) user: UserId,
    pub(super) rights: MediaRights,
    pub(super) built: Box<Built>,
    pub(super) answer: String,
    pub(super) ack: Ack,
}

/// An offer to a living session.
pub(super) struct Reoffer {
    pub(super) offer: Box<SdpOffer>,
    pub(super) ack: Ack,
}

/// What waits for a peer; in the order in which it is done.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) leave: bool,
    pub(super) adopt: Option<Adopt>,
    pub(super) reoffer: Option<Reoffer>,
    pub(super) rights: Option<MediaRights>,
    pub(super) streams: Option<Streams>,
    pub(super) wants: Option<Vec<Want>>,
    pub(super) slots: bool,
}

/// What waits for a worker.
#[derive(Default)]
pub(super) struct Post {
    pub(super) opened: Vec<(RoomKey, u64, Events)>,
    pub(super) mail: HashMap<(RoomKey, PeerId), Mail>,
    pub(super) closed: Vec<RoomKey>,
    pub(super) stop: bool,
}

/// A worker's mailbox.
pub(super) struct Mailbox {
    post: Mutex<Post>,
    bell: OwnedFd,
    pub(super) counters: Counters,
}

impl Mailbox {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            post: Mutex::default(),
            bell: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            counters: Counters::default(),
        })
    }

    /// Readable while something waits.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn ring(&self) {
        // It fails only if it rings already.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    /// Takes all that waits.
    pub(super) fn take(&self) -> Post {
        let mut number = [0; 8];
        let _ = rustix::io::read(&self.bell, &mut number);
        std::mem::take(&mut *self.post.lock())
    }

    pub(super) fn open(&self, key: RoomKey, label: u64, events: Events) {
        self.post.lock().opened.push((key, label, events));
        super::load::count(&self.counters.rooms, 1);
        self.ring();
    }

    pub(super) fn close(&self, key: RoomKey) {
        {
            let mut post = self.post.lock();
            post.mail.retain(|(room, _), _| *room != key);
            post.closed.push(key);
        }
        self.ring();
    }

    pub(super) fn stop(&self) {
        self.post.lock().stop = true;
        self.ring();
    }

    /// A peer leaves: what else waits for it is void.
    pub(super) fn leave(&self, key: RoomKey, peer: PeerId) {
        let mail = Mail {
            leave: true,
            ..Mail::default()
        };
        self.post.lock().mail.insert((key, peer), mail);
        self.ring();
    }

    /// Changes what waits for a peer that is known to be in the room; there are never more of those than may be.
    pub(super) fn note(&self, key: RoomKey, peer: PeerId, note: impl FnOnce(&mut Mail)) {
        note(self.post.lock().mail.entry((key, peer)).or_default());
        self.ring();
    }

    /// A session for a peer.
    pub(super) fn adopt(&self, key: RoomKey, peer: PeerId, adopt: Adopt) -> Result<(), OfferError> {
        self.offered(key, peer, |mail| {
            mail.reoffer = None;
            mail.adopt = Some(adopt);
        })
    }

    /// An offer to the session that a peer has.
    pub(super) fn reoffer(
        &self,
        key: RoomKey,
        peer: PeerId,
        offer: Box<SdpOffer>,
        ack: Ack,
    ) -> Result<(), OfferError> {
        self.offered(key, peer, |mail| {
            mail.reoffer = Some(Reoffer { offer, ack })
        })
    }

    fn offered(
        &self,
        key: RoomKey,
        peer: PeerId,
        note: impl FnOnce(&mut Mail),
    ) -> Result<(), OfferError> {
        {
            let mut post = self.post.lock();
            if post.stop || post.mail.len() >= limits::MEDIA_ORDERS {
                return Err(OfferError::Busy);
            }
            note(post.mail.entry((key, peer)).or_default());
        }
        self.ring();
        Ok(())
    }
}
