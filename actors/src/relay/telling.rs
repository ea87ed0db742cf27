//! What a lane tells its buddy about once a second, so that its sessions can go on when this node is dead: only what has
//! changed, and all of it as it was at one instant. The events themselves are in the event log.

use std::collections::HashSet;

use bytes::Bytes;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::session::{Checkpoint, Opened, Place, Standing};

use super::lane::Lane;
use super::session::Session;
use super::wire::SessionRef;

/// What an opened session counts for besides its topics, in bytes.
const OPENED_BYTES: usize = 128;
/// What a topic of a session counts for.
const STANDING_BYTES: usize = 16;

/// What of a lane was told.
#[derive(Debug, Default)]
pub(super) struct Teller {
    /// Somebody is told.
    pub(super) is_on: bool,
    /// The number of the last checkpoint.
    tick: u32,
    /// Sessions that were told and have ended since.
    pub(super) ended: Vec<SessionRef>,
}

impl<W> Lane<W> {
    /// What has changed since the last checkpoint; with `anew` everything, for a buddy that knows nothing. When there is much
    /// to tell some sessions wait for the next one: at most about `limit` bytes are told of sessions that are new to it.
    /// Names of sessions and what their clients say are not known here.
    pub fn checkpoint(&mut self, anew: bool, limit: usize) -> Checkpoint {
        let teller = &mut self.teller;
        teller.is_on = true;
        teller.tick = teller.tick.wrapping_add(1);
        if anew {
            teller.tick = 1;
            teller.ended.clear();
        }
        let mut checkpoint = Checkpoint {
            tick: teller.tick,
            ended: teller.ended.drain(..).map(place).collect(),
            ..Checkpoint::default()
        };
        let mut bytes = 0;
        // Topics that a session is told to be on: the buddy may not know them, or not any more.
        let mut named = HashSet::new();
        for (slot, held) in (0..).zip(&mut self.slots) {
            let generation = held.generation;
            let Some(session) = held.session.as_mut().filter(|session| session.ready) else {
                continue;
            };
            let at = Place { slot, generation };
            if anew {
                session.told = None;
            }
            let is_new = session.told.is_none();
            if is_new {
                let standings = session.topics.len() + session.asked.len();
                bytes += OPENED_BYTES + STANDING_BYTES * standings;
                if bytes > limit.max(OPENED_BYTES + STANDING_BYTES * standings) {
                    continue;
                }
                checkpoint.opened.push(Opened {
                    at,
                    key: None,
                    identity: session.identity,
                    presence: Bytes::new(),
                });
            }
            if is_new || std::mem::take(&mut session.is_moved) {
                session.is_moved = false;
                let standings = session.standings();
                named.extend(standings.iter().map(|(topic, _)| *topic));
                checkpoint.standings.push((at, standings));
            }
            if session.told != Some(session.seq) {
                session.told = Some(session.seq);
                checkpoint.numbers.push((at, session.seq));
            }
        }
        for (reference, topic) in &mut self.topics {
            let last = topic.last.filter(|_| topic.has_members());
            if let Some(last) = last
                && (anew || topic.told != Some(last) || named.contains(reference))
            {
                topic.told = Some(last);
                checkpoint.topics.push((*reference, last));
            }
        }
        // The order of hashing is no part of what is told: a simulated run is a function of its seed.
        checkpoint.topics.sort_unstable();
        checkpoint
    }

    /// Nobody is told any more.
    pub fn stop_telling(&mut self) {
        self.teller.is_on = false;
        self.teller.ended = Vec::new();
    }
}

fn place(session: SessionRef) -> Place {
    Place {
        slot: session.slot,
        generation: session.generation,
    }
}

impl<W> Session<W> {
    /// Where it stands with each of its topics.
    fn standings(&self) -> Vec<(EntityRef, Standing)> {
        let on = self.topics.iter().map(|topic| (*topic, Standing::On));
        let from = self.rejoining.iter();
        let from = from.map(|(topic, since)| (*topic, Standing::From(*since)));
        let asked = self.unanswered().into_iter();
        let asked = asked.map(|group| (group.into(), Standing::Asked));
        on.chain(from).chain(asked).collect()
    }
}
