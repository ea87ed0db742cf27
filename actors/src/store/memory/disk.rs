//! What is durable in the memory driver, and commits that are still on their way to it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_protocol::document::{Key, LaneRow, Part, TableId};

use super::{Commit, CommitError, Committed, Decide, LaneId, Order, RawRow, Scan};
use crate::store::{Unit, Write, lane};

/// The durable contents; a handle, shared by the stores made from it.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    contents: Arc<Mutex<Contents>>,
}

impl Disk {
    /// A copy of the contents as they are now, of its own.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let contents = self.contents.lock().clone();
        Self {
            contents: Arc::new(Mutex::new(contents)),
        }
    }

    /// Runs one call, before which late commits arrive.
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut Contents) -> T) -> T {
        let mut contents = self.contents.lock();
        contents.arrive();
        call(&mut contents)
    }
}

impl Disk {
    /// Reads without a call: nothing late arrives.
    pub(super) fn look<T>(&self, read: impl FnOnce(&Contents) -> T) -> T {
        read(&self.contents.lock())
    }
}

type Rows = BTreeMap<Part, BTreeMap<Part, Vec<u8>>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    tables: BTreeMap<TableId, Rows>,
    lanes: HashMap<LaneId, LaneRow>,
    /// Commits that arrive before so many more calls.
    late: Vec<(u64, Arc<Commit>)>,
}

impl Contents {
    /// Counts a call, and applies the commits that are due.
    fn arrive(&mut self) {
        for (calls, _) in &mut self.late {
            *calls = calls.saturating_sub(1);
        }
        let due: Vec<_> = self.late.extract_if(.., |(calls, _)| *calls == 0).collect();
        for (_, commit) in due {
            // Its sender has long been told that the outcome is unknown.
            let _ = self.commit(&commit);
        }
    }

    pub(super) fn postpone(&mut self, commit: Arc<Commit>, calls: u64) {
        self.late.push((calls, commit));
    }

    fn partition(&self, table: TableId, partition: &Part) -> Option<&BTreeMap<Part, Vec<u8>>> {
        self.tables.get(&table)?.get(partition)
    }

    pub(super) fn get(&self, table: TableId, key: &Key) -> Option<Vec<u8>> {
        self.partition(table, &key.partition)?
            .get(&key.sort)
            .cloned()
    }

    pub(super) fn scan(&self, scan: &Scan) -> Vec<RawRow> {
        let Some(rows) = self.partition(scan.table, &scan.partition) else {
            return Vec::new();
        };
        let bounds = (&scan.above, &scan.below);
        if matches!(bounds, (Some(above), Some(below)) if above >= below) {
            return Vec::new();
        }
        let bound = |part: &Option<Part>| part.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let range = rows.range((bound(&scan.above), bound(&scan.below)));
        let row = |(sort, row): (&Part, &Vec<u8>)| {
            let key = Key {
                partition: scan.partition.clone(),
                sort: sort.clone(),
            };
            (key, row.clone())
        };
        match scan.order {
            Order::Ascending => range.take(scan.limit).map(row).collect(),
            Order::Descending => range.rev().take(scan.limit).map(row).collect(),
        }
    }

    pub(super) fn walk(&self, table: TableId, after: Option<&Key>, limit: usize) -> Vec<RawRow> {
        let Some(rows) = self.tables.get(&table) else {
            return Vec::new();
        };
        let first = after.map_or(Bound::Unbounded, |key| Bound::Included(&key.partition));
        rows.range((first, Bound::Unbounded))
            .flat_map(|(partition, rows)| rows.iter().map(move |row| (partition, row)))
            .map(|(partition, (sort, row))| {
                let key = Key {
                    partition: partition.clone(),
                    sort: sort.clone(),
                };
                (key, row)
            })
            .skip_while(|(key, _)| after.is_some_and(|after| key <= after))
            .take(limit)
            .map(|(key, row)| (key, row.clone()))
            .collect()
    }

    pub(super) fn count(&self, table: TableId) -> u64 {
        let rows = self.tables.get(&table);
        rows.map_or(0, |rows| rows.values().map(|rows| rows.len() as u64).sum())
    }

    pub(super) fn transact(
        &mut self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Vec<Option<Vec<u8>>> {
        let rows: Vec<_> = rows
            .iter()
            .map(|(table, key)| self.get(*table, key))
            .collect();
        decide(&rows).iter().for_each(|write| self.write(write));
        rows
    }

    pub(super) fn open_lane(&mut self, lane: &LaneId) -> Result<u64, CommitError> {
        lane::open(self.lanes.entry(lane.clone()).or_default())
    }

    pub(super) fn fence(&mut self, lane: &LaneId) {
        self.lanes.entry(lane.clone()).or_default().fenced = true;
    }

    pub(super) fn commit(&mut self, commit: &Commit) -> Result<Committed, CommitError> {
        if let Some(done) = lane::admit(self.lanes.get(&commit.lane), commit.seq)? {
            return Ok(done);
        }
        let mut refused = Vec::new();
        for (index, unit) in commit.units.iter().enumerate() {
            if self.takes(unit) {
                unit.writes.iter().for_each(|write| self.write(write));
            } else {
                refused.push(index);
            }
        }
        let row = lane::advanced(commit.seq, &refused);
        self.lanes.insert(commit.lane.clone(), row);
        Ok(Committed { refused })
    }

    fn takes(&self, unit: &Unit) -> bool {
        let exists = |(table, key): &(TableId, Key)| {
            self.partition(*table, &key.partition)
                .is_some_and(|rows| rows.contains_key(&key.sort))
        };
        unit.is_storable() && !unit.absent.iter().any(exists)
    }

    fn write(&mut self, write: &Write) {
        match write {
            Write::Put { table, key, row } | Write::Insert { table, key, row } => {
                let rows = self.tables.entry(*table).or_default();
                rows.entry(key.partition.clone())
                    .or_default()
                    .insert(key.sort.clone(), row.clone());
            }
            Write::Delete { table, key } => self.prune(*table, &key.partition, |rows| {
                rows.remove(&key.sort);
            }),
            Write::DeleteUpTo {
                table,
                partition,
                last,
            } => self.prune(*table, partition, |rows| {
                while rows.first_key_value().is_some_and(|(sort, _)| sort <= last) {
                    rows.pop_first();
                }
            }),
            Write::DeleteRange {
                table,
                partition,
                first,
                last,
            } => self.prune(*table, partition, |rows| {
                rows.retain(|sort, _| sort < first || sort > last);
            }),
        }
    }

    /// Removes rows of a partition, and the partition when none is left.
    fn prune(
        &mut self,
        table: TableId,
        partition: &Part,
        remove: impl FnOnce(&mut BTreeMap<Part, Vec<u8>>),
    ) {
        let Some(rows) = self.tables.get_mut(&table) else {
            return;
        };
        if let Some(in_partition) = rows.get_mut(partition) {
            remove(in_partition);
            if in_partition.is_empty() {
                rows.remove(partition);
            }
        }
    }
}
