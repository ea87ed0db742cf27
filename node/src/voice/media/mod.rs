//! The data plane of voice rooms: media workers, one thread with one UDP port each, which own every WebRTC session of their
//! rooms. The control plane says who is in a room and what he may; no packet ever passes through it.
//!
//! What is forwarded to whom is decided in [`rookery_actors::sfu`]; str0m is seen by this module only.

mod demux;
mod load;
mod mailbox;
mod offer;
mod queue;
mod room;
mod section;
mod session;
mod socket;
mod stats;
mod timers;
mod vp8;
mod worker;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rookery_protocol::client::voice::{MediaRights, Slot, Stats, StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use tokio::sync::oneshot;

pub use self::demux::{Datagram, classify, local_ufrag};
pub use self::load::MediaLoad;
use self::mailbox::{Adopt, Mailbox, RoomKey};
use self::offer::{Builder, Known};
pub use self::offer::{OfferError, Outline, Section, outline};
use self::socket::Bound;

/// How media workers listen and how much they send.
#[derive(Debug, Clone)]
pub struct MediaSettings {
    /// A worker for each; 0: any free port.
    pub ports: Vec<u16>,
    /// Addresses that every worker listens on.
    pub listen: Vec<IpAddr>,
    /// Addresses that clients are told; empty: those that are listened on.
    pub public: Vec<IpAddr>,
    /// Bits per second that a client's way is thought to bear before it has been measured.
    pub start_bps: u64,
    /// The most bits per second that are sent to one client.
    pub max_bps: u64,
    /// Bandwidth is estimated for clients that negotiate transport-wide congestion control. Without it all get what they
    /// want.
    pub estimate: bool,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            ports: vec![0],
            listen: vec![IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)],
            public: Vec::new(),
            start_bps: 1_000_000,
            max_bps: 20_000_000,
            estimate: true,
        }
    }
}

/// Why media workers cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A socket cannot be had.
    #[error("cannot listen on UDP {address} for voice: {source}")]
    Bind {
        /// Address and port.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The settings have no port, no address, or too many.
    #[error("voice needs 1 to {most} ports and 1 to {most} addresses to listen on")]
    Settings {
        /// The most of each.
        most: usize,
    },
    /// A thread cannot be started.
    #[error("cannot start a media worker")]
    Thread(#[source] std::io::Error),
    /// No certificate for DTLS can be made.
    #[error("cannot make a certificate for DTLS")]
    Certificate,
}

/// Somebody's connection to a room; the number is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a peer is gone without having been told to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// It never connected.
    NeverConnected,
    /// It was lost and did not come back.
    TimedOut,
    /// It ended the connection.
    Closed,
    /// Its session failed here; the log says more.
    Failed,
}

/// What happens in a room. Told by the worker's thread: take it and return, never wait.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// Media flows.
    Connected(PeerId),
    /// Nothing is heard of a peer; it may come back by itself or by a restart of ICE.
    Lost(PeerId),
    /// A peer is gone.
    Gone(PeerId, GoneReason),
    /// Somebody began to speak, or fell silent.
    Speaking(UserId, bool),
    /// Slots that changed; after [`RoomMedia::slots`], all.
    Slots(PeerId, Vec<Slot>),
    /// How a peer's media travels.
    Stats(PeerId, Stats),
    /// How many pixels high others want to see a video that a peer sends; 0: nobody watches it.
    Demand(PeerId, StreamKind, u32),
    /// The room failed: all its peers are gone, and it answers no offer any more.
    Ended,
}

/// All media workers of a node. Cheap to clone; they end with the last clone and the last room.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    workers: Vec<Worker>,
    builder: Arc<Builder>,
    rooms: AtomicU64,
}

struct Worker {
    mailbox: Arc<Mailbox>,
    bound: Bound,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.mailbox.stop();
        }
    }
}

impl Media {
    /// Listens and starts the workers' threads.
    ///
    /// # Errors
    ///
    /// A socket or thread cannot be had, or the settings make no sense.
    pub fn start(settings: &MediaSettings) -> Result<Self, MediaError> {
        let most = rookery_protocol::limits::MEDIA_WORKERS;
        let fits = |count: usize| (1..=most).contains(&count);
        if !fits(settings.ports.len()) || !fits(settings.listen.len()) {
            return Err(MediaError::Settings { most });
        }
        let builder = Arc::new(Builder::new(settings)?);
        let mut workers = Vec::new();
        for port in &settings.ports {
            let sockets = socket::bind(*port, &settings.listen, &settings.public)?;
            let bound = sockets.bound();
            let mailbox = Arc::new(Mailbox::new().map_err(MediaError::Thread)?);
            let worker = worker::Worker::new(sockets, mailbox.clone());
            std::thread::Builder::new()
                .name(format!("media-{}", bound.port))
                .spawn(move || worker.run())
                .map_err(MediaError::Thread)?;
            workers.push(Worker { mailbox, bound });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                workers,
                builder,
                rooms: AtomicU64::new(0),
            }),
        })
    }

    /// The addresses that candidates advertise.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.inner
            .workers
            .iter()
            .flat_map(|worker| worker.bound.advertised.iter().copied())
            .collect()
    }

    /// What all workers together do.
    pub fn load(&self) -> MediaLoad {
        let mut sum = MediaLoad::default();
        for worker in &self.inner.workers {
            sum.add(&worker.mailbox.counters.read());
        }
        sum
    }

    /// Opens a room on the worker with the least to do; it ends when it is dropped. `room` is for the log.
    pub fn open(&self, room: u64, events: impl Fn(MediaEvent) + Send + 'static) -> RoomMedia {
        let key = RoomKey(self.inner.rooms.fetch_add(1, Ordering::Relaxed));
        // Rooms first: packets of a room that has just been opened are not counted yet.
        let least = (0..self.inner.workers.len())
            .min_by_key(|index| self.inner.workers[*index].mailbox.counters.weight())
            .unwrap_or(0);
        let mailbox = self.inner.workers[least].mailbox.clone();
        mailbox.open(key, room, Box::new(events));
        RoomMedia {
            media: self.clone(),
            worker: least,
            mailbox,
            key,
            known: Mutex::new(Known::default()),
        }
    }
}

/// A room's media. It ends when this is dropped.
pub struct RoomMedia {
    media: Media,
    worker: usize,
    mailbox: Arc<Mailbox>,
    key: RoomKey,
    known: Mutex<Known>,
}

impl Drop for RoomMedia {
    fn drop(&mut self) {
        self.mailbox.close(self.key);
    }
}

impl RoomMedia {
    /// Answers a peer's SDP offer; when this returns, the worker has the session. The same peer again with other ICE
    /// credentials restarts ICE on the living session; with other sections, or another DTLS certificate, it gets a new
    /// session and keeps what it said of its streams and wants.
    ///
    /// # Errors
    ///
    /// The offer cannot be answered, and why; the room is full or ended. The peer that was there before is untouched.
    pub async fn answer(
        &self,
        peer: PeerId,
        user: UserId,
        rights: MediaRights,
        offer: &str,
    ) -> Result<String, OfferError> {
        let outline = outline(offer)?;
        if self.known.lock().same(peer, &outline) {
            let text = offer.to_owned();
            let parsed = blocking(move || offer::parse(&text)).await?;
            let (ack, answered) = oneshot::channel();
            self.mailbox
                .reoffer(self.key, peer, Box::new(parsed), ack)?;
            match answered.await.map_err(|_| OfferError::Superseded)? {
                // It ended here and nobody said so to the client yet: it gets a new one.
                Err(OfferError::Ended) => {}
                result => return result,
            }
        }
        let builder = self.media.inner.builder.clone();
        let advertised = self.media.inner.workers[self.worker]
            .bound
            .advertised
            .clone();
        let (text, shape) = (offer.to_owned(), outline.clone());
        let (built, answer) = blocking(move || builder.build(&text, &outline, &advertised)).await?;
        let (ack, answered) = oneshot::channel();
        self.known.lock().insert(peer, shape)?;
        self.mailbox.adopt(
            self.key,
            peer,
            Adopt {
                user,
                rights,
                built: Box::new(built),
                answer,
                ack,
            },
        )?;
        let result = answered.await.map_err(|_| OfferError::Superseded)?;
        if result.is_err() {
            self.known.lock().remove(peer);
        }
        result
    }

    /// What a peer may do from now on. Of a peer that has not offered: nothing happens, as with the calls below.
    pub fn allow(&self, peer: PeerId, rights: MediaRights) {
        self.with(peer, |mail| mail.rights = Some(rights));
    }

    /// What a peer says it sends.
    pub fn streams(&self, peer: PeerId, streams: Streams) {
        self.with(peer, |mail| mail.streams = Some(streams));
    }

    /// What a peer wants to see, the most important first; more than there can be slots is cut off.
    pub fn want(&self, peer: PeerId, mut wants: Vec<Want>) {
        wants.truncate(rookery_protocol::limits::VIDEO_SLOTS);
        self.with(peer, |mail| mail.wants = Some(wants));
    }

    /// Tell all slots of a peer once more.
    pub fn slots(&self, peer: PeerId) {
        self.with(peer, |mail| mail.slots = true);
    }

    /// A peer leaves; it is not told as gone.
    pub fn leave(&self, peer: PeerId) {
        if self.known.lock().remove(peer) {
            self.mailbox.leave(self.key, peer);
        }
    }

    fn with(&self, peer: PeerId, note: impl FnOnce(&mut mailbox::Mail)) {
        if self.known.lock().has(peer) {
            self.mailbox.note(self.key, peer, note);
        }
    }
}

/// Work of some milliseconds, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OfferError> + Send + 'static,
) -> Result<T, OfferError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // It panicked on what the peer sent, or the process ends.
        Err(_) => Err(OfferError::Unreadable),
    }
}
