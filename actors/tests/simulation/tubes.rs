//! Connections, as TCP makes them: what is sent arrives in order or, from some point on, not at all. Loss only makes it late,
//! a cut holds it back, and a process that dies takes with it what it had not sent.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::cluster::Envelope;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::event::EventName;
use rookery_protocol::session::{Claim, Identity};

use super::network::Place;
use super::packet::Event;
use super::world::Sim;

/// Messages that wait before there is no room for events, and for anything between nodes.
const ROOM: [usize; 2] = [5, 40];

/// What goes over a connection.
#[derive(Debug)]
pub(crate) enum Message {
    /// Who took the connection; the first message between nodes.
    Hello(IncarnationId),
    /// A node lives.
    Beat,
    Envelope(Box<Envelope>),
    Up(Up),
    Down(Down),
    /// Nothing more comes.
    Fin,
}

/// What a client says.
#[derive(Debug)]
pub(crate) enum Up {
    Identify(Identity),
    Resume(Claim),
    Heartbeat,
    Goodbye,
}

/// What a client is told.
#[derive(Debug)]
pub(crate) enum Down {
    Dispatch {
        seq: u64,
        name: EventName,
        body: Bytes,
    },
    Ack,
    Reconnect,
    Invalid,
    Closed(Option<CloseCode>),
}

/// Who is at an end: a place, and which process of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) place: Place,
    pub(crate) process: u64,
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    queue: VecDeque<Message>,
    is_flowing: bool,
    /// Its sender is through.
    is_shut: bool,
}

#[derive(Debug)]
struct Tube {
    ends: [End; 2],
    flows: [Flow; 2],
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Tubes {
    open: BTreeMap<u64, Tube>,
    next: u64,
}

impl Sim {
    /// Connects two ends.
    pub(crate) fn connect(&mut self, from: End, to: End) -> u64 {
        self.tubes.next += 1;
        let ends = [from, to];
        let flows = Default::default();
        let tube = Tube { ends, flows };
        self.tubes.open.insert(self.tubes.next, tube);
        self.tubes.next
    }

    /// Sends; false when there is no room, or nothing is sent any more.
    pub(crate) fn push(&mut self, number: u64, from: Place, message: Message) -> bool {
        let Some(tube) = self.tubes.open.get_mut(&number) else {
            return false;
        };
        let way = usize::from(tube.ends[0].place != from);
        let flow = &mut tube.flows[way];
        let room = match &message {
            Message::Envelope(envelope) if matches!(**envelope, Envelope::Event(_)) => ROOM[0],
            Message::Envelope(_) => ROOM[1],
            _ => usize::MAX,
        };
        if flow.is_shut || flow.queue.len() >= room {
            return false;
        }
        flow.queue.push_back(message);
        if !std::mem::replace(&mut flow.is_flowing, true) {
            self.flow_later(number, way);
        }
        true
    }

    fn flow_later(&mut self, number: u64, way: usize) {
        let Some(tube) = self.tubes.open.get(&number) else {
            return;
        };
        let (from, to) = (tube.ends[way].place, tube.ends[1 - way].place);
        let wait = if self.net.is_cut(from, to) {
            200
        } else {
            self.net.flow_delay(&mut self.random)
        };
        let tube = number;
        self.later(wait, Event::Flow { tube, way });
    }

    /// One end is through with a connection.
    pub(crate) fn shut(&mut self, number: u64, from: Place) {
        self.push(number, from, Message::Fin);
        if let Some(tube) = self.tubes.open.get_mut(&number) {
            let way = usize::from(tube.ends[0].place != from);
            tube.flows[way].is_shut = true;
        }
    }

    /// A process is gone: of what it had not sent, nothing is, or all if it ended in order.
    pub(crate) fn sever(&mut self, end: End, in_order: bool) {
        let tubes = self.tubes.open.iter_mut();
        let mine: Vec<u64> = tubes
            .filter_map(|(number, tube)| {
                let way = tube.ends.iter().position(|other| *other == end)?;
                if !in_order {
                    tube.flows[way].queue.clear();
                }
                Some(*number)
            })
            .collect();
        for number in mine {
            self.shut(number, end.place);
        }
    }

    /// What arrives, and where.
    pub(crate) fn flow(&mut self, number: u64, way: usize) -> Option<(End, Vec<Message>)> {
        let tube = self.tubes.open.get_mut(&number)?;
        let (from, to) = (tube.ends[way], tube.ends[1 - way]);
        if self.net.is_cut(from.place, to.place) {
            self.flow_later(number, way);
            return None;
        }
        let flow = &mut tube.flows[way];
        flow.is_flowing = false;
        let messages: Vec<Message> = flow.queue.drain(..).collect();
        let is_over = |flow: &Flow| flow.is_shut && flow.queue.is_empty();
        if tube.flows.iter().all(is_over) {
            self.tubes.open.remove(&number);
        }
        Some((to, messages))
    }
}
