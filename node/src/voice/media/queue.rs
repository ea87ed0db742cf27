//! What waits for a socket. Datagrams of a size for one receiver are a train, which the kernel takes as one.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::load::{Counters, count};

/// Bytes that one call to the kernel may have for one receiver: below what UDP over IPv6 bears.
const TRAIN_BYTES: usize = 65_000;

/// A datagram that is to be sent.
pub(super) struct Outgoing {
    /// Our side as the session knows it: an advertised address.
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// Datagrams for one receiver, all of one size but the last, which may be smaller: one call to the kernel sends them.
pub(super) struct Train {
    pub(super) to: SocketAddr,
    /// Bytes of each but the last.
    pub(super) segment: usize,
    pub(super) bytes: Vec<u8>,
}

impl Train {
    fn datagrams(&self) -> usize {
        self.bytes.len().div_ceil(self.segment.max(1)).max(1)
    }

    pub(super) fn is_single(&self) -> bool {
        self.bytes.len() <= self.segment
    }

    /// Whether another datagram may follow.
    fn takes(&self, next: &Outgoing, most: usize) -> bool {
        let bytes = next.bytes.len();
        self.to == next.destination
            && (1..=self.segment).contains(&bytes)
            && self.bytes.len().is_multiple_of(self.segment)
            && self.bytes.len() + bytes <= TRAIN_BYTES
            && self.datagrams() < most
    }
}

/// What waits to be sent, in order.
#[derive(Default)]
pub(super) struct Queue {
    trains: VecDeque<Train>,
    datagrams: usize,
}

impl Queue {
    /// The trains, the next to leave first.
    pub(super) fn trains(&self) -> impl Iterator<Item = &Train> {
        self.trains.iter()
    }

    /// The one that leaves next.
    pub(super) fn first(&self) -> Option<&Train> {
        self.trains.front()
    }

    /// How many wait.
    pub(super) fn datagrams(&self) -> usize {
        self.datagrams
    }

    /// Appends a datagram; it joins the train before it if it may. Trains have at most so many.
    pub(super) fn push(&mut self, outgoing: Outgoing, most: usize) {
        self.datagrams += 1;
        match self.trains.back_mut() {
            Some(train) if train.takes(&outgoing, most) => train.bytes.extend(outgoing.bytes),
            _ => self.trains.push_back(Train {
                to: outgoing.destination,
                segment: outgoing.bytes.len(),
                bytes: outgoing.bytes,
            }),
        }
    }

    /// So many trains of the begin are gone.
    pub(super) fn sent(&mut self, trains: usize, counters: &Counters) {
        for train in self.trains.drain(..trains.min(self.trains.len())) {
            self.datagrams -= train.datagrams();
            count(&counters.sent, train.datagrams() as u64);
            count(&counters.sent_bytes, train.bytes.len() as u64);
        }
    }

    /// The kernel refuses the first train: its datagrams are tried one by one, and a single one is dropped.
    pub(super) fn refused(&mut self, counters: &Counters) {
        let Some(train) = self.trains.pop_front() else {
            return;
        };
        if train.is_single() {
            self.datagrams -= 1;
            count(&counters.unsendable, 1);
            return;
        }
        for datagram in train.bytes.chunks(train.segment).rev() {
            self.trains.push_front(Train {
                to: train.to,
                segment: datagram.len(),
                bytes: datagram.to_vec(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::atomic::Ordering::Relaxed;

    use super::{Outgoing, Queue, TRAIN_BYTES};
    use crate::voice::media::load::Counters;

    fn address(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// Datagrams, each a receiver and a size, and what they became: of each train the receiver and its datagrams' sizes.
    fn queued(datagrams: &[(u16, usize)], most: usize) -> (Queue, Vec<(u16, Vec<usize>)>) {
        let mut queue = Queue::default();
        for (number, (port, size)) in datagrams.iter().enumerate() {
            let outgoing = Outgoing {
                source: address(1),
                destination: address(*port),
                bytes: vec![u8::try_from(number % 256).unwrap(); *size],
            };
            queue.push(outgoing, most);
        }
        let trains = shape(&queue);
        (queue, trains)
    }

    fn shape(queue: &Queue) -> Vec<(u16, Vec<usize>)> {
        queue
            .trains()
            .map(|train| {
                let cut = train.bytes.chunks(train.segment).map(<[u8]>::len);
                (train.to.port(), cut.collect())
            })
            .collect()
    }

    #[test]
    fn datagrams_of_a_size_for_one_receiver_are_a_train_and_a_smaller_one_ends_it() {
        let (queue, trains) = queued(&[(7, 900), (7, 900), (7, 300), (7, 300), (7, 900)], 64);
        assert_eq!(
            trains,
            [(7, vec![900, 900, 300]), (7, vec![300]), (7, vec![900])]
        );
        assert_eq!(queue.datagrams(), 5);
    }

    #[test]
    fn another_receiver_begins_another_train_and_nobody_is_overtaken() {
        let (_, trains) = queued(&[(7, 900), (8, 900), (8, 900), (7, 900)], 64);
        assert_eq!(
            trains,
            [(7, vec![900]), (8, vec![900, 900]), (7, vec![900])]
        );
    }

    #[test]
    fn a_train_has_no_more_datagrams_and_bytes_than_the_kernel_takes() {
        let (_, trains) = queued(&[(7, 10); 5], 2);
        assert_eq!(
            trains,
            [(7, vec![10, 10]), (7, vec![10, 10]), (7, vec![10])]
        );
        let (_, trains) = queued(&[(7, 10); 3], 1);
        assert_eq!(trains.len(), 3);
        let (queue, _) = queued(&[(7, 1_300); 60], 64);
        assert!(queue.trains().all(|train| train.bytes.len() <= TRAIN_BYTES));
        assert_eq!(queue.trains().count(), 2);
    }

    #[test]
    fn what_is_sent_is_counted_by_datagrams() {
        let counters = Counters::default();
        let (mut queue, _) = queued(&[(7, 900), (7, 900), (7, 200), (8, 100)], 64);
        queue.sent(1, &counters);
        assert_eq!(
            (
                counters.sent.load(Relaxed),
                counters.sent_bytes.load(Relaxed)
            ),
            (3, 2_000)
        );
        assert_eq!(queue.datagrams(), 1);
        queue.sent(5, &counters);
        assert_eq!((counters.sent.load(Relaxed), queue.datagrams()), (4, 0));
    }

    #[test]
    fn a_train_that_is_refused_is_tried_one_by_one_in_its_order() {
        let counters = Counters::default();
        let (mut queue, _) = queued(&[(7, 900), (7, 900), (7, 200), (8, 100)], 64);
        queue.refused(&counters);
        let singles = [
            (7, vec![900]),
            (7, vec![900]),
            (7, vec![200]),
            (8, vec![100]),
        ];
        assert_eq!(shape(&queue), singles);
        let order: Vec<u8> = queue.trains().map(|train| train.bytes[0]).collect();
        assert_eq!(order, [0, 1, 2, 3]);
        assert_eq!(counters.unsendable.load(Relaxed), 0);
        queue.refused(&counters);
        assert_eq!(shape(&queue), singles[1..]);
        assert_eq!(
            (counters.unsendable.load(Relaxed), queue.datagrams()),
            (1, 3)
        );
    }
}
