//! What must hold, watched from outside: the oracles see every commit that lands, every event and answer that is shown.

use std::collections::{BTreeMap, BTreeSet};

use rookery_actors::ownership::{NODE, shard_of};
use rookery_actors::store::memory::MemoryStore;
use rookery_actors::store::{self, Commit, LaneId, Unit, Write};
use rookery_protocol::document::{
    Events, IncarnationId, Incarnations, Key, Part, ShardRow, Shards, Table, Workers, decode,
};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::Event;
use rookery_protocol::snowflake::{MAX_WORKER, created_at};

use super::entity::{Reply, Row, TABLE, told};
use super::sessions::Sessions;
use super::world::ready;

/// The oracles of a run.
#[derive(Debug, Default)]
pub(crate) struct Oracles {
    shards: u16,
    /// What is wrong; the run ends with it.
    pub(crate) violation: Option<String>,
    /// Causes and ids of each entity's events.
    pub(crate) logs: BTreeMap<EntityRef, Vec<(String, u64)>>,
    causes: BTreeSet<(EntityRef, String)>,
    ids: BTreeMap<u64, EntityRef>,
    /// The highest count that anybody was told.
    told: BTreeMap<EntityRef, u64>,
    /// What happened since it was last noted.
    pub(crate) notes: Vec<String>,
    /// Operations that tell another, and whom.
    pub(crate) sends: BTreeMap<u64, EntityRef>,
    pub(crate) sessions: Sessions,
}

impl Oracles {
    pub(crate) fn new(shards: u16) -> Self {
        Self {
            shards,
            ..Self::default()
        }
    }

    pub(crate) fn shard(&self, entity: EntityRef) -> u16 {
        shard_of(entity) % self.shards
    }

    /// The first thing that is wrong is what counts.
    pub(crate) fn violated(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// What a commit would break if it landed now.
    pub(crate) fn ownership(&self, store: &MemoryStore, commit: &Commit) -> Option<String> {
        let me = IncarnationId {
            node: commit.lane.node.clone(),
            number: commit.lane.incarnation,
        };
        let mut released = BTreeSet::new();
        for unit in &commit.units {
            let shards: Vec<u16> = if unit.entity == NODE {
                unit.writes.iter().filter_map(release).collect()
            } else {
                vec![self.shard(unit.entity)]
            };
            for shard in shards {
                let key = Key::new(0, u64::from(shard));
                let row: Option<ShardRow> = ready(store::get::<Shards>(store, &key)).unwrap();
                let is_mine = row.as_ref().is_some_and(|row| {
                    row.owner == me && !row.released && row.lane == commit.lane.index
                });
                if !is_mine || released.contains(&shard) {
                    let who = unit.entity;
                    return Some(format!(
                        "{me} wrote for {who} in shard {shard}, whose row is {row:?}"
                    ));
                }
                if unit.entity == NODE {
                    released.insert(shard);
                }
            }
        }
        None
    }

    /// A commit has landed.
    pub(crate) fn landed(&mut self, store: &MemoryStore, commit: &Commit) {
        let (lane, seq) = (&commit.lane, commit.seq);
        let whose: Vec<_> = commit
            .units
            .iter()
            .map(|unit| unit.entity.to_string())
            .collect();
        let whose = whose.join(" ");
        self.notes.push(format!(
            "{}/{} lands {seq}: {whose}",
            lane.node, lane.incarnation
        ));
        for unit in commit.units.iter().filter(|unit| unit.entity != NODE) {
            for id in self.unit(unit) {
                self.minted(store, &commit.lane, id);
            }
        }
    }

    /// An id lies between what its worker's holder before had reserved and what is reserved now.
    fn minted(&mut self, store: &MemoryStore, lane: &LaneId, id: u64) {
        let worker = (id >> 12) & u64::from(MAX_WORKER);
        let row = ready(store::get::<Workers>(store, &Key::new(0, worker))).unwrap();
        let me = IncarnationId {
            node: lane.node.clone(),
            number: lane.incarnation,
        };
        let mine = ready(store::get::<Incarnations>(store, &me.key())).unwrap();
        let at = created_at(id);
        let is_below = row.is_some_and(|row| row.holder == me && at < row.ceiling);
        let is_above = mine.is_some_and(|mine| at > mine.id_floor);
        if !is_below || !is_above {
            self.violated(format!(
                "{me} gives id {id} of worker {worker}, which is not reserved for it"
            ));
        }
    }

    /// The ids of a unit's events.
    fn unit(&mut self, unit: &Unit) -> Vec<u64> {
        let entity = unit.entity;
        let mut ids = Vec::new();
        for write in &unit.writes {
            let (Write::Put { table, key, row } | Write::Insert { table, key, row }) = write else {
                continue;
            };
            if *table == Events::ID {
                let event = decode::<Events>(row).unwrap().event;
                ids.push(told(&event).1);
                self.event(entity, number(key), &event);
            } else if *table == TABLE {
                // It comes before its event.
                let row: Row = bson::deserialize_from_slice(row).unwrap();
                let expected = self.logs.get(&entity).map_or(0, Vec::len) as u64 + 1;
                if row.count != expected {
                    let count = row.count;
                    self.violated(format!("{entity} counts {count} with its event {expected}"));
                }
            }
        }
        ids
    }

    fn event(&mut self, entity: EntityRef, gseq: u64, event: &Event) {
        let (cause, id) = told(event);
        let log = self.logs.entry(entity).or_default();
        let expected = log.len() as u64 + 1;
        let last = log.last().map_or(0, |(_, id)| *id);
        log.push((cause.clone(), id));
        self.notes
            .push(format!("{entity} logs {gseq}: {cause} {id}"));
        if gseq != expected {
            self.violated(format!(
                "{entity} logs event {gseq} where {expected} is the next"
            ));
        }
        if id <= last {
            self.violated(format!("{entity} gives id {id} after {last}"));
        }
        if let Some(other) = self.ids.insert(id, entity) {
            self.violated(format!("id {id} is given by {entity} and by {other}"));
        }
        if let Some(op) = cause.strip_prefix('n') {
            let op: u64 = op.parse().unwrap();
            if self.sends.get(&op) != Some(&entity) {
                self.violated(format!(
                    "{entity} was told of operation {op}, which is not done"
                ));
            }
        }
        if !self.causes.insert((entity, cause.clone())) {
            self.violated(format!("{entity} did {cause} twice"));
        }
    }

    /// An event is shown.
    pub(crate) fn published(&mut self, entity: EntityRef, gseq: u64, event: &Event) {
        let durable = self
            .logs
            .get(&entity)
            .and_then(|log| log.get(gseq as usize - 1));
        if durable != Some(&told(event)) {
            self.violated(format!("event {gseq} of {entity} is shown and not durable"));
        }
    }

    /// A client got an answer to what it first asked when `floor` was the highest count that anybody had been told.
    pub(crate) fn answered(&mut self, entity: EntityRef, op: u64, floor: u64, reply: &Reply) {
        let log = self.logs.get(&entity).map_or(&[][..], Vec::as_slice);
        let count = match reply {
            Reply::Counted { count, id } => {
                if log.get(*count as usize - 1) != Some(&(op.to_string(), *id)) {
                    self.violated(format!(
                        "{op} of {entity} is acknowledged as {count} and not durable"
                    ));
                }
                *count
            }
            Reply::At(count) => {
                let durable = log.len() as u64;
                if *count < floor {
                    self.violated(format!(
                        "{entity} says {count} after somebody was told {floor}"
                    ));
                }
                if *count > durable {
                    self.violated(format!("{entity} says {count}, durable is {durable}"));
                }
                *count
            }
        };
        let told = self.told.entry(entity).or_default();
        *told = count.max(*told);
    }

    /// The highest count that anybody was told.
    pub(crate) fn floor(&self, entity: EntityRef) -> u64 {
        self.told.get(&entity).copied().unwrap_or(0)
    }

    /// Whether everybody was told what others did for him.
    pub(crate) fn untold(&self) -> Option<String> {
        let is_done = |op: &u64| {
            let cause = op.to_string();
            self.causes.iter().any(|(_, done)| *done == cause)
        };
        let is_told = |op: &u64, to: EntityRef| self.causes.contains(&(to, format!("n{op}")));
        let mut missing = self
            .sends
            .iter()
            .filter(|(op, to)| is_done(op) && !is_told(op, **to));
        let (op, to) = missing.next()?;
        Some(format!("{to} was never told of operation {op}"))
    }
}

/// The shard that a write releases.
fn release(write: &Write) -> Option<u16> {
    match write {
        Write::Put { table, key, .. } | Write::Insert { table, key, .. }
            if *table == Shards::ID =>
        {
            u16::try_from(number(key)).ok()
        }
        _ => None,
    }
}

pub(crate) fn number(key: &Key) -> u64 {
    match key.sort {
        Part::Num(n) => n,
        Part::Text(_) => panic!("rows of the simulation are numbered"),
    }
}
