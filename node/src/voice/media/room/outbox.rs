//! What peers are to be sent, from the packet that came until their sessions have it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_protocol::limits;

use super::{Desk, Room, Wake};
use crate::voice::media::load::count;
use crate::voice::media::session::Packet;

impl Room {
    /// Puts a packet into the outboxes of those who get it. They are sent when the worker has read what there is; one within a
    /// picture waits a little for the rest, without which nobody could show it.
    pub(super) fn post(&mut self, desk: &mut Desk<'_>, packet: Packet, whole: bool) {
        let packet = Arc::new(packet);
        for forward in self.forwards.drain(..) {
            let Some(receiver) = self.peers.get_mut(&forward.to) else {
                continue;
            };
            if receiver.outbox.is_empty() {
                self.receivers.push(forward.to);
            }
            receiver.outbox.push((forward, packet.clone()));
        }
        if self.receivers.is_empty() || self.forwarding {
            return;
        }
        self.posted += 1;
        if whole || self.posted >= limits::PICTURE_PACKETS {
            self.forwarding = true;
            desk.forwarding.push(self.key);
        } else if self.waits.is_none() {
            let until = desk.now + Duration::from_millis(limits::PICTURE_WAIT_MS);
            self.wait(desk, Some(until));
        }
    }

    /// Moves the end of the waiting for a picture's rest.
    pub(super) fn wait(&mut self, desk: &mut Desk<'_>, until: Option<Instant>) {
        desk.timers
            .set(Wake::Picture(self.key), &mut self.waits, until);
    }

    /// The rest of a picture did not come in time.
    pub(in super::super) fn waited(&mut self, desk: &mut Desk<'_>) {
        // It was taken out of the timers.
        self.waits = None;
        self.forward(desk);
    }

    /// Sends what is in the outboxes. Who gets several packets is worked on once for all of them: it is the first that is dear.
    pub(in super::super) fn forward(&mut self, desk: &mut Desk<'_>) {
        self.forwarding = false;
        self.posted = 0;
        self.wait(desk, None);
        for index in std::mem::take(&mut self.receivers) {
            let Some(peer) = self.peers.get_mut(&index) else {
                continue;
            };
            let mut outbox = std::mem::take(&mut peer.outbox);
            let mut sent = 0;
            self.with(
                index,
                |session, now, out| {
                    sent = session.send(now, &outbox, out)?;
                    Ok(())
                },
                desk,
            );
            count(&desk.counters.forwarded, sent);
            outbox.clear();
            if let Some(peer) = self.peers.get_mut(&index) {
                peer.outbox = outbox;
            }
            // Its datagrams one after another: those of a size leave together.
            self.pump(desk);
        }
    }
}
