//! The database: one order of transactions, over the real rules of the store. A commit of a lane is two calls, as it is
//! with a real server: what it touches is held from the first one on, and shown after the second one. A process that
//! dies or hangs in between leaves its transaction open, until a fence kills it or it times out.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_actors::entity::Log;
use rookery_actors::ownership::{Facts, Op, Read, Verdict, read};
use rookery_actors::store::memory::MemoryStore;
use rookery_actors::store::{
    self, Commit, CommitError, Committed, LaneId, Order, Rule, Scan, Store, Write,
};
use rookery_protocol::document::{EventRow, Events, Key, Part, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Frame, FrameSeq};
use rookery_protocol::time::Millis;

use super::broken::Broken;
use super::entity::TABLE;
use super::oracles::{Oracles, number};
use super::world::ready;

/// Milliseconds after which a server gives an open transaction up.
const ORPHAN_MS: u64 = 90_000;

/// Events of a page: few, so that there are many pages.
const PAGE: usize = 6;

/// What a node asks of the database.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Decide(Op),
    Read(Read),
    Fence(LaneId),
    OpenLane(LaneId),
    /// The first half of a commit.
    Touch(u64, Arc<Commit>),
    /// The second half.
    Land(u64, LaneId),
    /// What is loaded of an entity, in two reads.
    Log(EntityRef, Millis),
    Row(EntityRef),
    /// Entities with undelivered notices.
    Senders,
    /// A page of an entity's events above a number.
    Events(EntityRef, u64),
    /// The number of its newest event.
    Newest(EntityRef),
}

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Verdict(Verdict),
    Facts(Facts),
    Fenced,
    Opened(Result<u64, CommitError>),
    Touched(u64, LaneId),
    Landed(Result<Committed, CommitError>),
    Log(Log),
    Row(Option<Vec<u8>>),
    Senders(Vec<EntityRef>),
    Events(Vec<Frame>),
    Newest(u64),
    /// It failed; nothing was done.
    Failed,
}

fn events(topic: EntityRef, order: Order, limit: usize) -> Scan {
    Scan {
        table: TableId::Events,
        partition: topic.into(),
        above: None,
        below: None,
        order,
        limit,
    }
}

#[derive(Debug)]
struct Open {
    attempt: u64,
    commit: Arc<Commit>,
    since: u64,
}

#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: MemoryStore,
    open: BTreeMap<LaneId, Open>,
    landed: BTreeMap<LaneId, u64>,
    /// It answers nobody before.
    pub(crate) down_until: u64,
    broken: Option<Broken>,
}

impl Database {
    pub(crate) fn new(broken: Option<Broken>) -> Self {
        Self {
            store: MemoryStore::new(),
            open: BTreeMap::new(),
            landed: BTreeMap::new(),
            down_until: 0,
            broken,
        }
    }

    /// Another server takes over after a while; what was open is gone.
    pub(crate) fn fail_over(&mut self, until: u64) {
        self.open.clear();
        self.down_until = self.down_until.max(until);
    }

    /// Does what is asked; none when it does not answer.
    pub(crate) fn call(&mut self, now: u64, call: Call, oracles: &mut Oracles) -> Option<Answer> {
        self.open.retain(|_, open| now - open.since < ORPHAN_MS);
        Some(match call {
            Call::Decide(op) if self.conflicts(&op) => Answer::Failed,
            Call::Decide(op) => Answer::Verdict(ready(store::transact(&self.store, &op)).unwrap()),
            Call::Read(what) => Answer::Facts(ready(read(&self.store, &what)).unwrap()),
            Call::Fence(lane) => {
                if self.broken == Some(Broken::FenceWithoutKill) && self.open.contains_key(&lane) {
                    return None;
                }
                self.open.remove(&lane);
                ready(self.store.fence(&lane)).unwrap();
                Answer::Fenced
            }
            Call::OpenLane(lane) => Answer::Opened(ready(self.store.open_lane(&lane))),
            Call::Touch(attempt, commit) => {
                let lane = commit.lane.clone();
                if ready(self.store.open_lane(&lane)) != Ok(commit.seq - 1) {
                    // The lane's document comes first: what does not match it holds nothing.
                    return Some(Answer::Landed(self.land(&commit, oracles)));
                }
                let since = now;
                let open = Open {
                    attempt,
                    commit,
                    since,
                };
                // The session's transaction before, if one is open, is given up with it.
                self.open.insert(lane.clone(), open);
                Answer::Touched(attempt, lane)
            }
            Call::Land(attempt, lane) => {
                match self.open.get(&lane) {
                    Some(open) if open.attempt == attempt => {}
                    _ => return Some(Answer::Failed),
                }
                let open = self.open.remove(&lane)?;
                Answer::Landed(self.land(&open.commit, oracles))
            }
            Call::Log(entity, at) => {
                Answer::Log(ready(Log::load(entity, &self.store, at)).unwrap())
            }
            Call::Row(entity) => {
                let row = ready(self.store.get(TABLE, &Key::single(entity.id)));
                Answer::Row(row.unwrap())
            }
            Call::Events(topic, above) => {
                let frame = |(key, row): (Key, EventRow)| Frame {
                    topic,
                    seq: FrameSeq::Logged(number(&key)),
                    event: row.event,
                };
                let scan = Scan {
                    above: Some(Part::Num(above)),
                    ..events(topic, Order::Ascending, PAGE)
                };
                let rows = ready(store::scan::<Events>(&self.store, scan)).unwrap();
                Answer::Events(rows.into_iter().map(frame).collect())
            }
            Call::Newest(topic) => {
                let newest = events(topic, Order::Descending, 1);
                let rows = ready(self.store.scan(&newest)).unwrap();
                Answer::Newest(rows.first().map_or(0, |(key, _)| number(key)))
            }
            Call::Senders => {
                let rows = ready(self.store.walk(TableId::Outbox, None, usize::MAX)).unwrap();
                let sender = |(key, _): (Key, Vec<u8>)| match key.partition {
                    Part::Text(sender) => sender.parse().unwrap(),
                    Part::Num(_) => panic!("a sender has a name"),
                };
                let mut senders: Vec<EntityRef> = rows.into_iter().map(sender).collect();
                senders.dedup();
                Answer::Senders(senders)
            }
        })
    }

    /// Whether a change names a row that an open transaction has written.
    fn conflicts(&self, op: &Op) -> bool {
        let names = op.rows();
        let writes_one = |write: &Write| match write {
            Write::Put { table, key, .. } | Write::Insert { table, key, .. } => {
                names.iter().any(|(t, k)| t == table && k == key)
            }
            _ => false,
        };
        let mut units = self.open.values().flat_map(|open| &open.commit.units);
        units.any(|unit| unit.writes.iter().any(writes_one))
    }

    fn land(&mut self, commit: &Commit, oracles: &mut Oracles) -> Result<Committed, CommitError> {
        let wrong = oracles.ownership(&self.store, commit);
        let result = ready(self.store.commit(commit));
        let last = self.landed.entry(commit.lane.clone()).or_default();
        if result.is_ok() && commit.seq > *last {
            *last = commit.seq;
            if let Some(wrong) = wrong {
                oracles.violated(wrong);
            }
            oracles.landed(&self.store, commit);
        }
        result
    }
}
