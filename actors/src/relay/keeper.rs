//! What a buddy keeps of other nodes' sessions: for the last two minutes how far each session and each topic had come at each
//! checkpoint. So a session goes on from the newest checkpoint at which it had no more events than its client has received:
//! nothing is lost, and what came after that checkpoint comes again.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bytes::Bytes;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::ids::GroupId;
use rookery_protocol::limits::{
    CHECKPOINTS_KEPT, KEPT_ENTRIES, KEPT_SESSIONS, KEPT_TOPICS, RESUME_MS, STALE_COPY_MS,
};
use rookery_protocol::session::{
    Checkpoint, Claim, Identity, Opened, Parcel, Place, SessionKey, Standing, Taken,
};
use rookery_protocol::time::Millis;

/// Checkpoints between two looks for topics that no session is on.
const SWEEP: u32 = 64;

/// Something as it was from one checkpoint on, until the next entry's.
type History<T> = VecDeque<(u32, T)>;

/// How something stood at a checkpoint.
fn at<T>(history: &History<T>, tick: u32) -> Option<&T> {
    let found = history.iter().rev().find(|(since, _)| *since <= tick);
    found.map(|(_, value)| value)
}

/// Forgets how something stood before a checkpoint; answers what it weighs now.
fn trim<T>(history: &mut History<T>, oldest: u32, weigh: impl Fn(&T) -> usize) -> usize {
    while history.get(1).is_some_and(|(since, _)| *since <= oldest) {
        history.pop_front();
    }
    history.iter().map(|(_, value)| weigh(value)).sum()
}

/// A session of another node.
#[derive(Debug)]
struct Kept {
    key: SessionKey,
    identity: Identity,
    presence: Bytes,
    numbers: History<u64>,
    standings: History<Vec<(EntityRef, Standing)>>,
}

impl Kept {
    /// The last checkpoint at which it had no more events than `seq`; `newest` is the last one there is.
    fn checkpoint(&self, seq: u64, newest: u32) -> Option<u32> {
        let mut until = newest;
        for (since, number) in self.numbers.iter().rev() {
            if *number <= seq {
                return (*since <= until).then_some(until);
            }
            until = since.checked_sub(1)?;
        }
        None
    }
}

/// A lane of another node.
#[derive(Debug, Default)]
struct LaneCopy {
    newest: u32,
    sessions: HashMap<Place, Kept>,
    topics: HashMap<EntityRef, History<u64>>,
    /// Numbers and standings that it holds.
    entries: usize,
}

/// Another node.
#[derive(Debug, Default)]
struct NodeCopy {
    lanes: BTreeMap<u16, LaneCopy>,
    /// Since when it is not linked.
    gone: Option<Millis>,
    /// When it last told something, or its link came up.
    heard: Millis,
}

/// Copies of other nodes' sessions.
#[derive(Debug, Default)]
pub struct Keeper {
    nodes: HashMap<IncarnationId, NodeCopy>,
    places: HashMap<SessionKey, (IncarnationId, u16, Place)>,
    /// Nodes that are fenced or have ended: of each the last such run.
    over: BTreeMap<String, u64>,
    now: Millis,
}

impl Keeper {
    /// How many sessions are kept.
    pub fn sessions(&self) -> usize {
        self.places.len()
    }

    /// A node tells of one of its lanes. What is too much is not kept.
    pub fn take(&mut self, from: &IncarnationId, lane: u16, checkpoint: Checkpoint) {
        if checkpoint.tick == 1 {
            self.forget_lane(from, lane);
        }
        let Self { nodes, places, .. } = self;
        let others = nodes.values().flat_map(|node| node.lanes.values());
        let (mut entries, mut topics) = (0, 0);
        for other in others {
            entries += other.entries;
            topics += other.topics.len();
        }
        let node = nodes.entry(from.clone()).or_default();
        node.heard = self.now;
        let copy = node.lanes.entry(lane).or_default();
        if checkpoint.tick != copy.newest.wrapping_add(1) {
            // Something is missing in front of it: it begins anew, or is of no use.
            return;
        }
        let tick = checkpoint.tick;
        copy.newest = tick;
        for at in checkpoint.ended {
            // If it has moved on, who has it now may have told of it before.
            let is_here = |(of, on, place): &(IncarnationId, u16, Place)| {
                (of, *on, *place) == (from, lane, at)
            };
            if let Some(kept) = copy.sessions.remove(&at)
                && places.get(&kept.key).is_some_and(is_here)
            {
                places.remove(&kept.key);
            }
        }
        for Opened {
            at,
            key,
            identity,
            presence,
        } in checkpoint.opened
        {
            if places.len() >= KEPT_SESSIONS {
                continue;
            }
            let key = key.unwrap_or_else(|| SessionKey {
                run: from.clone(),
                lane,
                slot: at.slot,
                generation: at.generation,
            });
            places.insert(key.clone(), (from.clone(), lane, at));
            let kept = Kept {
                key,
                identity,
                presence,
                numbers: History::new(),
                standings: History::new(),
            };
            copy.sessions.insert(at, kept);
        }
        for (at, standings) in checkpoint.standings {
            if let Some(kept) = copy.sessions.get_mut(&at) {
                kept.standings.push_back((tick, standings));
            }
        }
        for (at, number) in checkpoint.numbers {
            if let Some(kept) = copy.sessions.get_mut(&at) {
                kept.numbers.push_back((tick, number));
            }
        }
        for (topic, gseq) in checkpoint.topics {
            let is_known = copy.topics.contains_key(&topic);
            if is_known || topics < KEPT_TOPICS {
                topics += usize::from(!is_known);
                let history = copy.topics.entry(topic).or_default();
                history.push_back((tick, gseq));
            }
        }
        // With too much of it only the last moments are kept.
        let kept = if entries > KEPT_ENTRIES {
            CHECKPOINTS_KEPT / 16
        } else {
            CHECKPOINTS_KEPT
        };
        copy.trim(tick.saturating_sub(kept));
    }

    /// The link with a node is up, or not any more.
    pub fn linked(&mut self, node: &IncarnationId, is_up: bool) {
        let now = self.now;
        if let Some(copy) = self.nodes.get_mut(node) {
            copy.gone = (!is_up).then_some(now);
            copy.heard = now;
        }
    }

    /// A node is fenced, or has ended: whatever it still holds, it hands nothing over any more.
    pub fn over(&mut self, node: &IncarnationId) {
        let last = self.over.entry(node.node.clone()).or_default();
        *last = node.number.max(*last);
    }

    /// Time passes: what nobody can resume any more is forgotten.
    pub fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        let now = self.now;
        // Who is linked and tells nothing any more has another buddy: what is kept here goes stale.
        let is_over = |copy: &NodeCopy| match copy.gone {
            Some(gone) => now.since(gone) > RESUME_MS,
            None => now.since(copy.heard) > STALE_COPY_MS,
        };
        let over = self.nodes.iter().filter(|(_, copy)| is_over(copy));
        let over: Vec<IncarnationId> = over.map(|(node, _)| node.clone()).collect();
        for node in over {
            self.nodes.remove(&node);
            self.places.retain(|_, (of, ..)| *of != node);
        }
    }

    /// Hands a copy over, if its node is over. Whoever asks has asked everybody else for the session itself.
    pub fn hand_over(&mut self, claim: &Claim) -> Taken {
        let Some((node, lane, place)) = self.places.get(&claim.key).cloned() else {
            return Taken::Unknown;
        };
        let last = self.over.get(&node.node);
        let is_over = last.is_some_and(|last| node.number <= *last);
        let copy = self.nodes.get_mut(&node);
        let Some(copy) = copy.and_then(|node| node.lanes.get_mut(&lane)) else {
            return Taken::Unknown;
        };
        let Some(kept) = copy.sessions.get(&place) else {
            return Taken::Unknown;
        };
        let identity = kept.identity;
        if identity.user != claim.user || !identity.secret.matches(&claim.secret) {
            return Taken::Invalid;
        }
        if !is_over {
            return Taken::Alive;
        }
        let Some(parcel) = copy.parcel(kept, claim.seq) else {
            return Taken::Invalid;
        };
        copy.sessions.remove(&place);
        self.places.remove(&claim.key);
        Taken::Handed(Box::new(parcel))
    }

    /// A node has gone on with a copy: what was kept here of the session before numbers its events differently.
    pub fn forget(&mut self, by: &IncarnationId, key: &SessionKey) {
        let Some((of, lane, place)) = self.places.get(key) else {
            return;
        };
        if of == by {
            return;
        }
        let copy = self.nodes.get_mut(of);
        if let Some(copy) = copy.and_then(|node| node.lanes.get_mut(lane)) {
            copy.sessions.remove(place);
        }
        self.places.remove(key);
    }

    fn forget_lane(&mut self, node: &IncarnationId, lane: u16) {
        if let Some(copy) = self.nodes.get_mut(node) {
            copy.lanes.remove(&lane);
        }
        self.places
            .retain(|_, (of, on, _)| (&*of, *on) != (node, lane));
    }
}

impl LaneCopy {
    /// A session whose client has received everything up to `seq`.
    fn parcel(&self, kept: &Kept, seq: u64) -> Option<Parcel> {
        let tick = kept.checkpoint(seq, self.newest)?;
        let mut parcel = Parcel {
            identity: kept.identity,
            seq,
            missed: Vec::new(),
            topics: Vec::new(),
            asked: Vec::new(),
            presence: kept.presence.clone(),
        };
        for (topic, standing) in at(&kept.standings, tick)? {
            match standing {
                Standing::On => {
                    let last = *at(self.topics.get(topic)?, tick)?;
                    parcel.topics.push((*topic, last));
                }
                Standing::From(since) => parcel.topics.push((*topic, *since)),
                Standing::Asked => parcel.asked.push(GroupId(topic.id)),
            }
        }
        Some(parcel)
    }

    fn trim(&mut self, oldest: u32) {
        let mut entries = 0;
        for kept in self.sessions.values_mut() {
            entries += trim(&mut kept.numbers, oldest, |_| 1);
            entries += trim(&mut kept.standings, oldest, Vec::len);
        }
        if self.newest.is_multiple_of(SWEEP) {
            let standings = self.sessions.values().flat_map(|kept| &kept.standings);
            let named = standings.flat_map(|(_, standings)| standings);
            let named: HashSet<EntityRef> = named.map(|(topic, _)| *topic).collect();
            // One that is nobody's any more is told again with the next session that is on it.
            self.topics.retain(|topic, _| named.contains(topic));
        }
        for history in self.topics.values_mut() {
            entries += trim(history, oldest, |_| 1);
        }
        self.entries = entries;
    }
}
