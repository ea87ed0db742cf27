//! A media worker's thread: reads datagrams, finds whose they are, wakes who is due, sends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use quinn_udp::BATCH_SIZE;
use rookery_actors::sfu::PeerIndex;
use rookery_protocol::time::Millis;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::demux::{Datagram, Demux, classify, local_ufrag};
use super::load::count;
use super::mailbox::{Mailbox, RoomKey};
use super::room::{Desk, Room, Wake};
use super::socket::Sockets;
use super::timers::Timers;

/// Batches that are read from a socket before timers have their turn.
const ROUNDS: usize = 8;
/// What is added to the thread's niceness.
const NICE: i32 = -10;
/// The longest that the thread sleeps.
const SLEEP: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    sockets: Sockets,
    mailbox: Arc<Mailbox>,
    rooms: HashMap<RoomKey, Room>,
    demux: Demux<(RoomKey, PeerIndex)>,
    timers: Timers<Wake>,
    /// Rooms that have packets to send on.
    forwarding: Vec<RoomKey>,
    start: Instant,
    /// When rates were counted last, and what was counted then.
    counted: (Instant, u64, u64),
}

impl Worker {
    pub(super) fn new(sockets: Sockets, mailbox: Arc<Mailbox>) -> Self {
        let now = Instant::now();
        Self {
            sockets,
            mailbox,
            rooms: HashMap::new(),
            demux: Demux::new(),
            timers: Timers::new(),
            forwarding: Vec::new(),
            start: now,
            counted: (now, 0, 0),
        }
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        // Of this thread alone, on Linux; who may not does without. Voice that comes late is lost, all else here can wait.
        let _ = rustix::process::nice(NICE);
        let mut readable = vec![true; self.sockets.waits().count()];
        loop {
            if self.post() {
                return;
            }
            for (index, readable) in readable.iter().enumerate() {
                if *readable {
                    self.read(index);
                }
            }
            self.due();
            self.forward();
            self.sockets.flush(&self.mailbox.counters);
            self.rates();
            self.sleep(&mut readable);
        }
    }

    /// What the control plane said. True: stop.
    fn post(&mut self) -> bool {
        let post = self.mailbox.take();
        for (key, label, events) in post.opened {
            self.rooms.insert(key, Room::new(key, label, events));
        }
        for ((key, peer), mail) in post.mail {
            self.room(key, |room, desk| room.mail(desk, peer, mail));
        }
        for key in post.closed {
            self.room(key, |room, desk| room.close(desk));
            if self.rooms.remove(&key).is_some() {
                self.mailbox.counters.rooms.fetch_sub(1, Relaxed);
            }
        }
        post.stop
    }

    /// Reads what came to a socket.
    fn read(&mut self, index: usize) {
        let mut batch: Vec<(SocketAddr, SocketAddr, Vec<u8>)> = Vec::new();
        for _ in 0..ROUNDS {
            let more = self.sockets.receive(index, |source, here, bytes| {
                batch.push((source, here, bytes.to_vec()));
            });
            if !more {
                return;
            }
            for (number, (source, here, bytes)) in batch.drain(..).enumerate() {
                self.datagram(source, here, &bytes);
                // The kernel may have joined a thousand.
                if number % BATCH_SIZE == BATCH_SIZE - 1 {
                    self.forward();
                }
            }
            self.forward();
            self.sockets.flush(&self.mailbox.counters);
        }
    }

    fn datagram(&mut self, source: SocketAddr, here: SocketAddr, bytes: &[u8]) {
        let mailbox = self.mailbox.clone();
        let counters = &mailbox.counters;
        count(&counters.received, 1);
        count(&counters.received_bytes, bytes.len() as u64);
        if bytes.len() > rookery_protocol::limits::DATAGRAM_BYTES {
            count(&counters.malformed, 1);
            return;
        }
        let peer = match classify(bytes) {
            Datagram::Other => {
                count(&counters.malformed, 1);
                return;
            }
            Datagram::StunRequest => match local_ufrag(bytes) {
                Some(name) => self.demux.by_name(name),
                None => {
                    count(&counters.malformed, 1);
                    return;
                }
            },
            _ => self.demux.by_address(source),
        };
        let Some((key, index)) = peer else {
            count(&counters.unknown, 1);
            return;
        };
        self.room(key, |room, desk| {
            room.receive(desk, index, source, here, bytes);
        });
    }

    /// Sends on what came.
    fn forward(&mut self) {
        while let Some(key) = self.forwarding.pop() {
            self.room(key, Room::forward);
        }
    }

    /// Wakes whose deadline has come.
    fn due(&mut self) {
        let now = Instant::now();
        while let Some(wake) = self.timers.pop(now) {
            match wake {
                Wake::Room(key) => self.room(key, |room, desk| room.tick(desk)),
                Wake::Picture(key) => self.room(key, Room::waited),
                Wake::Peer(key, index) => self.room(key, |room, desk| room.timeout(desk, index)),
            }
        }
    }

    /// Works on a room. A panic in it ends that room, not the others.
    fn room(&mut self, key: RoomKey, work: impl FnOnce(&mut Room, &mut Desk<'_>)) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let now = Instant::now();
        let mut desk = Desk {
            now,
            millis: Millis(millis(now.duration_since(self.start))),
            sockets: &mut self.sockets,
            demux: &mut self.demux,
            timers: &mut self.timers,
            counters: &self.mailbox.counters,
            forwarding: &mut self.forwarding,
        };
        if catch_unwind(AssertUnwindSafe(|| work(room, &mut desk))).is_err() {
            tracing::error!("a room of a media worker panicked");
            count(&self.mailbox.counters.failed, 1);
            room.fail(&mut desk);
            if self.rooms.remove(&key).is_some() {
                self.mailbox.counters.rooms.fetch_sub(1, Relaxed);
            }
        }
    }

    fn rates(&mut self) {
        let now = Instant::now();
        let passed = millis(now.duration_since(self.counted.0));
        if passed < 1_000 {
            return;
        }
        let counters = &self.mailbox.counters;
        let load = counters.read();
        let (packets, bytes) = (
            load.received + load.sent,
            load.received_bytes + load.sent_bytes,
        );
        let rate = |new: u64, old: u64| new.saturating_sub(old).saturating_mul(1_000) / passed;
        counters
            .packets_per_second
            .store(rate(packets, self.counted.1), Relaxed);
        counters
            .bits_per_second
            .store(rate(bytes, self.counted.2) * 8, Relaxed);
        self.counted = (now, packets, bytes);
    }

    /// Sleeps until a socket, the mailbox or a deadline has something.
    fn sleep(&self, readable: &mut [bool]) {
        let now = Instant::now();
        let until = self
            .timers
            .next()
            .map_or(SLEEP, |at| at.saturating_duration_since(now).min(SLEEP));
        let timeout = Timespec {
            tv_sec: i64::try_from(until.as_secs()).unwrap_or(1),
            tv_nsec: i64::from(until.subsec_nanos()),
        };
        let bell = self.mailbox.bell();
        let mut fds: Vec<_> = self
            .sockets
            .waits()
            .map(|(fd, writes)| {
                let flags = if writes {
                    PollFlags::IN | PollFlags::OUT
                } else {
                    PollFlags::IN
                };
                PollFd::from_borrowed_fd(fd, flags)
            })
            .collect();
        fds.push(PollFd::from_borrowed_fd(bell, PollFlags::IN));
        // Interrupted: the loop looks at everything anyway.
        let woken = poll(&mut fds, Some(&timeout)).is_ok();
        for (readable, fd) in readable.iter_mut().zip(&fds) {
            *readable = !woken || !fd.revents().is_empty();
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::{Arc, mpsc};

    use super::Worker;
    use crate::voice::media::MediaEvent;
    use crate::voice::media::mailbox::{Mailbox, RoomKey};
    use crate::voice::media::socket;

    #[test]
    fn a_room_that_panics_is_told_to_have_ended_and_others_go_on() {
        let sockets = socket::bind(0, &[IpAddr::V4(Ipv4Addr::LOCALHOST)], &[]).unwrap();
        let mailbox = Arc::new(Mailbox::new().unwrap());
        let mut worker = Worker::new(sockets, mailbox.clone());
        let (told, heard) = mpsc::channel::<MediaEvent>();
        let events = move |event| told.send(event).unwrap();
        mailbox.open(RoomKey(1), 1, Box::new(events));
        mailbox.open(RoomKey(2), 2, Box::new(|_| {}));
        worker.post();
        worker.room(RoomKey(1), |_, _| panic!("a defect of the core"));
        let events: Vec<_> = heard.try_iter().collect();
        assert!(matches!(events[..], [MediaEvent::Ended]), "{events:?}");
        assert_eq!(mailbox.counters.read().rooms, 1);
        assert!(worker.rooms.contains_key(&RoomKey(2)));
    }
}
