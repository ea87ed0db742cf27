//! The bench's clients: they identify, hang up, resume, read, and check every number.

use std::collections::VecDeque;

use rookery_protocol::command::user::Proof;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{LoginId, UserId};
use rookery_protocol::intents::Intents;
use serde_json::Value;

use super::bench::{Bench, Client, Socket};
use crate::relay::{Flush, Identity, Input, Refusal, Secret, Shard};

impl Bench {
    pub(super) fn client(&mut self, user: u64, intents: Intents) -> usize {
        let n = self.clients.len();
        let identity = Identity {
            user: UserId(user),
            proof: Proof::Login(LoginId(n as u64 + 1)),
            intents,
            shard: None,
            secret: Secret([n as u8; 16]),
        };
        self.open(identity)
    }

    /// A client of one shard.
    pub(super) fn sharded(&mut self, user: u64, shard: Shard) -> usize {
        let identity = Identity {
            user: UserId(user),
            proof: Proof::Bot(1),
            intents: Intents::ALL,
            shard: Some(shard),
            secret: Secret([shard.index as u8; 16]),
        };
        self.open(identity)
    }

    pub(super) fn open(&mut self, identity: Identity) -> usize {
        let client = self.clients.len();
        self.clients.push(Client {
            identity,
            session: None,
            socket: None,
            received: Vec::new(),
            replay: VecDeque::new(),
            is_over: false,
            has_moved: false,
        });
        let wire = self.socket(client);
        self.step(Input::Open { identity, wire });
        client
    }

    pub(super) fn socket(&mut self, client: usize) -> usize {
        self.sockets.push(Socket {
            client,
            ..Socket::default()
        });
        self.sockets.len() - 1
    }

    /// Cuts or ends a client's socket.
    pub(super) fn hangup(&mut self, client: usize, end: bool) {
        if let Some(socket) = self.clients[client].socket {
            let link = self.sockets[socket].link.unwrap();
            self.step(Input::Hangup {
                link,
                end,
                answer: None,
                code: None,
            });
        }
    }

    /// Resumes as if the last `back` events had not arrived.
    pub(super) fn resume(&mut self, client: usize, back: usize) -> Option<Refusal> {
        let session = self.clients[client].session?;
        let identity = self.clients[client].identity;
        let cursor = self.clients[client].received.len().saturating_sub(back);
        let wire = self.socket(client);
        self.step(Input::Resume {
            session,
            user: identity.user,
            secret: identity.secret,
            seq: cursor as u64,
            wire,
        });
        // A refused resume leaves a socket that is still there as it is.
        if self.sockets[wire].refused.is_none() {
            self.rewind(client, back);
        }
        self.sockets[wire].refused
    }

    /// The last `back` events have not arrived, and come again.
    pub(super) fn rewind(&mut self, client: usize, back: usize) {
        let client = &mut self.clients[client];
        let cursor = client.received.len().saturating_sub(back);
        let mut again = client.received.split_off(cursor);
        again.extend(std::mem::take(&mut client.replay));
        again.retain(|(name, _)| *name != EventName::Resumed);
        client.replay = again.into();
    }

    pub(super) fn flush(&mut self) {
        let mut effects = Vec::new();
        let (sockets, clients) = (&mut self.sockets, &mut self.clients);
        self.lane
            .flush(&mut effects, |session, wire, controls, mut deliveries| {
                let socket = &mut sockets[*wire];
                if socket.is_full {
                    return Flush::Blocked;
                }
                socket.words.append(controls);
                let client = &mut clients[socket.client];
                assert_eq!(client.session, Some(session));
                for delivery in deliveries.by_ref() {
                    let body: Value = serde_json::from_slice(delivery.body).unwrap();
                    let item = (delivery.name, body);
                    if let Some(before) = client.replay.pop_front() {
                        assert_eq!(before, item, "a replay is what was sent");
                    }
                    client.received.push(item);
                    let seq = client.received.len() as u64;
                    assert_eq!(delivery.seq, seq, "numbers are dense");
                }
                Flush::Done
            });
        self.run(effects);
    }

    /// Tells the lane how far every topic has come, as nudges and announcements do.
    pub(super) fn reveal(&mut self) {
        let topics: Vec<_> = self.logs.keys().copied().collect();
        for topic in topics {
            let gseq = self.gseq(topic);
            self.step(Input::Behind {
                topic,
                gseq,
                announced: false,
            });
        }
    }

    /// What a client received of one topic since it last joined: names and numbers.
    pub(super) fn names(&self, client: usize) -> Vec<(EventName, String)> {
        let received = self.clients[client].received.iter();
        received
            .map(|(name, body)| (*name, body["id"].as_str().unwrap_or("").to_owned()))
            .collect()
    }
}
