//! A room with clients in it, driven in real time by the test's thread.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rookery_node::voice::media::{Media, MediaEvent, MediaSettings, OfferError, PeerId, RoomMedia};
use rookery_protocol::client::voice::{MediaRights, Slot, StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use tokio::runtime::Runtime;

use super::client::{Client, Layout};
use super::impair::Relay;

/// All rights.
pub const ALL: MediaRights = MediaRights {
    speak: true,
    stream: true,
    hear: true,
};

/// Media workers, one room, and clients.
pub struct World {
    /// The workers.
    pub media: Media,
    /// The room.
    pub room: RoomMedia,
    /// Whoever is in it.
    pub clients: Vec<Client>,
    events: Arc<Mutex<Vec<MediaEvent>>>,
    runtime: Runtime,
}

impl World {
    /// One worker on the loopback, and an empty room.
    pub fn new() -> Self {
        Self::with(&settings())
    }

    /// With other settings.
    pub fn with(settings: &MediaSettings) -> Self {
        let media = Media::start(settings).expect("media workers start");
        let events: Arc<Mutex<Vec<MediaEvent>>> = Arc::default();
        let heard = events.clone();
        let room = media.open(1, move |event| heard.lock().push(event));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime starts");
        Self {
            media,
            room,
            clients: Vec::new(),
            events,
            runtime,
        }
    }

    /// Where the worker listens.
    pub fn address(&self) -> SocketAddr {
        self.media.addresses()[0]
    }

    /// Gives an offer to the room.
    pub fn offer(
        &self,
        peer: u64,
        user: u64,
        rights: MediaRights,
        offer: &str,
    ) -> Result<String, OfferError> {
        let answer = self.room.answer(PeerId(peer), UserId(user), rights, offer);
        self.runtime.block_on(answer)
    }

    /// A client comes in that says it sends its camera; its place in `clients`. Its peer and its user have its place's
    /// number, plus one.
    pub fn join(&mut self, layout: Layout) -> usize {
        self.admit(layout, None)
    }

    fn admit(&mut self, layout: Layout, relay: Option<&Relay>) -> usize {
        let place = self.clients.len();
        let user = place as u64 + 1;
        let (mut client, offer) = Client::new(user, layout).expect("a client starts");
        let mut answer = self.offer(user, user, ALL, &offer).expect("an answer");
        if let Some(relay) = relay {
            let said = |address: SocketAddr| format!(" {} {} ", address.ip(), address.port());
            let through = answer.replace(&said(self.address()), &said(relay.address));
            assert_ne!(through, answer, "the candidate is replaced");
            answer = through;
        }
        client.accept(&answer).expect("the answer is taken");
        self.clients.push(client);
        self.room.streams(
            PeerId(user),
            Streams {
                camera: layout.camera > 0,
                screen: false,
            },
        );
        place
    }

    /// The same over a bad network.
    pub fn join_through(&mut self, layout: Layout, relay: &Relay) -> usize {
        self.admit(layout, Some(relay))
    }

    /// Somebody wants to see the cameras of others (places), so many pixels high.
    pub fn want(&self, place: usize, cameras: &[(usize, u32)]) {
        let wants = cameras
            .iter()
            .map(|(of, height)| Want {
                user_id: UserId(*of as u64 + 1),
                stream: StreamKind::Camera,
                height: *height,
            })
            .collect();
        self.room.want(PeerId(place as u64 + 1), wants);
    }

    /// Runs until something holds; false if it does not in time.
    pub fn until(&mut self, most: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + most;
        loop {
            let now = Instant::now();
            for client in &mut self.clients {
                client.step(now);
            }
            if holds(self) {
                return true;
            }
            if now >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Runs for a time.
    pub fn run(&mut self, time: Duration) {
        self.until(time, |_| false);
    }

    /// All are connected.
    pub fn connected(&mut self) -> bool {
        self.until(Duration::from_secs(10), |world| {
            world.clients.iter().all(|c| c.connected.is_some())
        })
    }

    /// What happened since the last time.
    pub fn events(&self) -> Vec<MediaEvent> {
        std::mem::take(&mut *self.events.lock())
    }

    /// What a client's slots show by what it was told, over what it was told before.
    pub fn learn(&self, place: usize, slots: &mut Vec<Slot>) {
        for event in self.events() {
            let MediaEvent::Slots(PeerId(peer), changed) = event else {
                continue;
            };
            if peer != place as u64 + 1 {
                continue;
            }
            for slot in changed {
                slots.retain(|known| known.mid != slot.mid);
                slots.push(slot);
            }
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// One worker on the loopback.
pub fn settings() -> MediaSettings {
    MediaSettings {
        listen: vec![std::net::Ipv4Addr::LOCALHOST.into()],
        ..MediaSettings::default()
    }
}

/// An address of this machine that is not the loopback, which aiortc and Janus do not use.
pub fn own_address() -> IpAddr {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // Only the route is looked up; nothing is sent (RFC 5737).
    socket.connect("192.0.2.1:9").expect("a route");
    socket.local_addr().expect("an address").ip()
}
