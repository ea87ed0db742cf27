//! One topic: who is on it, how far its log was followed, and what waits while a gap is being healed.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Dispatch, Event, SharedFrame};
use rookery_protocol::ids::GroupId;

use super::sight::{Holder, Passed, Picture, Sight};
use super::wire::{SessionRef, Viewpoint};

/// Frames that wait for a gap to be healed; what comes on top is read from the event log afterwards.
const WAITING_FRAMES: usize = 1_024;

/// An answered question that waits until the topic has come as far as the answer.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) session: SessionRef,
    pub(super) topic: EntityRef,
    /// Up to which event the answer goes.
    pub(super) gseq: u64,
    pub(super) start: Start,
    pub(super) view: Option<Viewpoint>,
}

/// What a session that joins a topic gets at first.
#[derive(Debug)]
pub(super) enum Start {
    /// A picture.
    Picture {
        body: Box<Dispatch>,
        groups: Vec<GroupId>,
    },
    /// Everything above `since`: it was on the topic before.
    Again {
        since: u64,
        events: Vec<SharedFrame>,
        /// The event that `view` and `body` are of.
        seen: u64,
        body: Option<Box<Dispatch>>,
    },
}

/// What waits while a gap is being healed.
#[derive(Debug)]
pub(super) enum Waiting {
    Frame(SharedFrame),
    Join(Join),
}

/// Where a logged event stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It was there before.
    Known,
    /// The next one.
    Next,
    /// At least one is missing before it.
    Gap,
}

/// A topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// The last event that was followed; none before the first.
    pub(super) last: Option<u64>,
    /// Every event above it, up to `last`, went into the lane's log.
    pub(super) floor: u64,
    /// The newest event that is known to exist.
    pub(super) known: u64,
    /// Questions that are not yet answered.
    pub(super) asked: u32,
    /// Of `last`, what the buddy was told.
    pub(super) told: Option<u64>,
    /// Slots on it, rising.
    members: Vec<u32>,
    /// The same as a snapshot that log entries share; made when the next event needs it.
    shared: Option<Arc<[u32]>>,
    /// Of a group with members: who of them sees what.
    sight: Option<Sight>,
    /// Set while a gap is being healed.
    healing: Option<VecDeque<Waiting>>,
}

impl Topic {
    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Nobody is on it and nobody asked for it.
    pub(super) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.asked == 0
    }

    pub(super) fn members(&self) -> &[u32] {
        &self.members
    }

    /// The slots on it, for a log entry.
    pub(super) fn recipients(&mut self) -> Arc<[u32]> {
        self.shared
            .get_or_insert_with(|| Arc::from(self.members.as_slice()))
            .clone()
    }

    pub(super) fn insert(&mut self, slot: u32) {
        if let Err(at) = self.members.binary_search(&slot) {
            self.members.insert(at, slot);
            self.shared = None;
        }
    }

    pub(super) fn remove(&mut self, slot: u32) {
        if let Ok(at) = self.members.binary_search(&slot) {
            self.members.remove(at);
            self.shared = None;
            if self.members.is_empty() {
                self.sight = None;
            } else if let Some(sight) = &mut self.sight {
                sight.remove(slot);
            }
        }
    }

    /// Takes note of a group's event and says who gets what of it.
    pub(super) fn pass(&mut self, event: &Event) -> Passed {
        let recipients = self.recipients();
        match &mut self.sight {
            Some(sight) => sight.pass(event, &recipients),
            None => Passed::to(recipients),
        }
    }

    /// What a session that joins sees at first. If nothing changed since, that is what the topic has already.
    pub(super) fn sight_of(
        &self,
        group: GroupId,
        view: &Viewpoint,
        holder: Holder,
        changed: bool,
    ) -> Sight {
        let picture = match &self.sight {
            Some(sight) if !changed => sight.picture(),
            _ => Arc::new(Picture::new(group, &view.access)),
        };
        Sight::of_one(picture, holder)
    }

    /// Takes in the sight of a session that has caught up.
    pub(super) fn take_in(&mut self, caught_up: Sight) {
        match &mut self.sight {
            Some(sight) => {
                for holder in caught_up.into_holders() {
                    sight.insert(holder);
                }
            }
            None => self.sight = Some(caught_up),
        }
    }

    /// Takes note of a logged event and says where it stands. Without members a gap is nobody's loss.
    pub(super) fn place(&mut self, gseq: u64) -> Place {
        self.known = self.known.max(gseq);
        match self.last {
            Some(last) if gseq <= last => Place::Known,
            Some(last) if gseq == last + 1 => {
                self.last = Some(gseq);
                Place::Next
            }
            Some(_) if self.has_members() => Place::Gap,
            _ => {
                self.last = Some(gseq);
                self.floor = gseq.saturating_sub(1);
                Place::Next
            }
        }
    }

    /// Starts over at `gseq`.
    pub(super) fn restart(&mut self, gseq: u64) {
        self.last = Some(gseq);
        self.floor = gseq;
        self.known = self.known.max(gseq);
    }

    pub(super) fn is_healing(&self) -> bool {
        self.healing.is_some()
    }

    pub(super) fn start_healing(&mut self) {
        self.healing.get_or_insert_with(VecDeque::new);
    }

    pub(super) fn stop_healing(&mut self) -> VecDeque<Waiting> {
        self.healing.take().unwrap_or_default()
    }

    /// Puts something off until the gap is healed. Frames beyond the bound are dropped: `known` remembers them.
    pub(super) fn wait(&mut self, what: Waiting) {
        if let Some(waiting) = &mut self.healing
            && (matches!(what, Waiting::Join(_)) || waiting.len() < WAITING_FRAMES)
        {
            waiting.push_back(what);
        }
    }
}
