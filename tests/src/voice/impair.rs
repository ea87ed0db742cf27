//! A bad network: a relay for one client's datagrams that loses, delays, reorders and limits them, by a seed.
//!
//! The kernel here has no netem, and a relay needs no rights. Each way is a [`Link`], which decides without I/O.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How bad one way is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Profile {
    /// The share of datagrams that is lost, 0 to 1.
    pub loss: f64,
    /// How long each takes.
    pub delay: Duration,
    /// By how much that varies, up and down; datagrams keep their order.
    pub jitter: Duration,
    /// The share that overtakes what was sent before: it takes no delay.
    pub reorder: f64,
    /// Bits per second that pass; what waits longer than [`QUEUE`] for its turn is lost.
    pub bps: Option<u64>,
    /// Nothing passes.
    pub dark: bool,
}

/// How much of a limited rate waits: a quarter of a second, as in a home router.
pub const QUEUE: Duration = Duration::from_millis(250);

/// One way.
#[derive(Debug)]
pub struct Link {
    /// How bad it is; may change at any time.
    pub profile: Profile,
    rng: StdRng,
    /// When the wire is free again.
    free: Option<Instant>,
    /// When the last datagram arrives.
    last: Option<Instant>,
}

impl Link {
    /// A way that is good until its profile says otherwise.
    pub fn new(seed: u64) -> Self {
        Self {
            profile: Profile::default(),
            rng: StdRng::seed_from_u64(seed),
            free: None,
            last: None,
        }
    }

    /// When a datagram arrives that is sent now; none: never.
    pub fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let profile = self.profile;
        // Drawn always, so that a seed is one sequence whatever the profile.
        let (lost, overtakes, shake) = (
            self.rng.random_bool(profile.loss.clamp(0.0, 1.0)),
            self.rng.random_bool(profile.reorder.clamp(0.0, 1.0)),
            self.rng.random_range(-1.0..=1.0),
        );
        if profile.dark || lost {
            return None;
        }
        let mut sent = now;
        if let Some(bps) = profile.bps {
            let start = self.free.map_or(now, |free| free.max(now));
            if start.duration_since(now) > QUEUE {
                return None;
            }
            sent = start + Duration::from_secs_f64(bytes as f64 * 8.0 / bps.max(1) as f64);
            self.free = Some(sent);
        }
        if overtakes {
            return Some(sent);
        }
        let delay = profile.delay.as_secs_f64() + profile.jitter.as_secs_f64() * shake;
        let arrives = sent + Duration::from_secs_f64(delay.max(0.0));
        let arrives = self.last.map_or(arrives, |last| arrives.max(last));
        self.last = Some(arrives);
        Some(arrives)
    }
}

/// A relay between one client and the server.
pub struct Relay {
    /// Where the client finds it.
    pub address: SocketAddr,
    /// From the client to the server.
    pub up: Arc<Mutex<Link>>,
    /// From the server to the client.
    pub down: Arc<Mutex<Link>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A relay to a server on the loopback.
    pub fn start(server: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let bind = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            Ok::<_, std::io::Error>(socket)
        };
        let (near, far) = (bind()?, bind()?);
        let address = near.local_addr()?;
        let up = Arc::new(Mutex::new(Link::new(seed)));
        let down = Arc::new(Mutex::new(Link::new(seed ^ 0x9e37_79b9)));
        let stop = Arc::new(AtomicBool::new(false));
        let wires = Wires {
            near,
            far,
            server,
            client: None,
            up: up.clone(),
            down: down.clone(),
            waiting: BinaryHeap::new(),
            number: 0,
        };
        let ends = stop.clone();
        let thread = std::thread::spawn(move || wires.run(&ends));
        Ok(Self {
            address,
            up,
            down,
            stop,
            thread: Some(thread),
        })
    }

    /// Both ways become as bad.
    pub fn set(&self, profile: Profile) {
        self.up.lock().profile = profile;
        self.down.lock().profile = profile;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A datagram on its way: when it arrives, its number, whether it goes to the server, and its bytes.
type Waiting = (Instant, u64, bool, Vec<u8>);

struct Wires {
    near: UdpSocket,
    far: UdpSocket,
    server: SocketAddr,
    client: Option<SocketAddr>,
    up: Arc<Mutex<Link>>,
    down: Arc<Mutex<Link>>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    number: u64,
}

impl Wires {
    fn run(mut self, stop: &AtomicBool) {
        let mut buffer = [0; 2_048];
        while !stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            while let Ok((length, from)) = self.near.recv_from(&mut buffer) {
                self.client = Some(from);
                let arrives = self.up.lock().pass(now, length);
                self.keep(arrives, true, &buffer[..length]);
            }
            while let Ok((length, _)) = self.far.recv_from(&mut buffer) {
                let arrives = self.down.lock().pass(now, length);
                self.keep(arrives, false, &buffer[..length]);
            }
            self.deliver(Instant::now());
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn keep(&mut self, arrives: Option<Instant>, up: bool, bytes: &[u8]) {
        if let Some(at) = arrives {
            self.number += 1;
            self.waiting
                .push(Reverse((at, self.number, up, bytes.to_vec())));
        }
    }

    fn deliver(&mut self, now: Instant) {
        while let Some(Reverse((at, ..))) = self.waiting.peek()
            && *at <= now
        {
            let Some(Reverse((_, _, up, bytes))) = self.waiting.pop() else {
                return;
            };
            let _ = match (up, self.client) {
                (true, _) => self.far.send_to(&bytes, self.server),
                (false, Some(client)) => self.near.send_to(&bytes, client),
                (false, None) => Ok(0),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_loses_the_same_datagrams_and_about_as_many_as_it_should() {
        let lost = |seed| {
            let now = Instant::now();
            let mut link = Link::new(seed);
            link.profile.loss = 0.1;
            (0..10_000)
                .filter(|_| link.pass(now, 100).is_none())
                .collect::<Vec<_>>()
        };
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
        assert!((900..1_100).contains(&lost(1).len()), "{}", lost(1).len());
    }

    #[test]
    fn a_limited_rate_spreads_datagrams_and_loses_what_does_not_fit() {
        let now = Instant::now();
        let mut link = Link::new(1);
        link.profile.bps = Some(100_000);
        // 100 kbit/s: 1,250 bytes take 100 ms; what has to wait longer than 250 ms is lost.
        let arrivals: Vec<_> = (0..5)
            .map(|_| link.pass(now, 1_250).map(|at| (at - now).as_millis()))
            .collect();
        assert_eq!(arrivals, [Some(100), Some(200), Some(300), None, None]);
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let start = Instant::now();
        let run = |reorder| {
            let mut link = Link::new(3);
            link.profile.delay = Duration::from_millis(50);
            link.profile.jitter = Duration::from_millis(20);
            link.profile.reorder = reorder;
            let at: Vec<_> = (0..200)
                .filter_map(|n| link.pass(start + Duration::from_millis(n), 100))
                .collect();
            at.is_sorted()
        };
        assert!(run(0.0));
        assert!(!run(0.1));
    }
}
