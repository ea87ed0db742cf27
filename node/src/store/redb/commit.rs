//! One commit as one redb transaction.

use ::redb::{Database, Error, ReadableTable, Table, WriteTransaction};
use rookery_actors::store::{Commit, CommitError, Committed, Decide, LaneId, Unit, Write, lane};
use rookery_protocol::document::{Key, LaneRow, TableId};

use super::{Bytes, LANES, key, rows};

/// What the store answers; the outer error is one of the disk.
type Answer<T> = Result<Result<T, CommitError>, Error>;

/// Applies a commit, durably, unless the lane's row says otherwise.
pub(super) fn commit(database: &Database, commit: &Commit) -> Answer<Committed> {
    let transaction = database.begin_write()?;
    let id = lane_key(&commit.lane);
    let row = read_lane(&transaction, &id)?;
    match lane::admit(row.as_ref(), commit.seq) {
        Ok(None) => {}
        Ok(Some(done)) => return Ok(Ok(done)),
        Err(error) => return Ok(Err(error)),
    }
    let mut refused = Vec::new();
    let mut tables = Tables::new(&transaction);
    for (index, unit) in commit.units.iter().enumerate() {
        if tables.takes(unit)? {
            for write in &unit.writes {
                tables.write(write)?;
            }
        } else {
            refused.push(index);
        }
    }
    drop(tables);
    write_lane(&transaction, &id, &lane::advanced(commit.seq, &refused))?;
    transaction.commit()?;
    Ok(Ok(Committed { refused }))
}

/// Makes the lane's row unless there is one.
pub(super) fn open_lane(database: &Database, lane: &LaneId) -> Answer<u64> {
    let transaction = database.begin_write()?;
    let id = lane_key(lane);
    if let Some(row) = read_lane(&transaction, &id)? {
        return Ok(lane::open(&row));
    }
    write_lane(&transaction, &id, &LaneRow::default())?;
    transaction.commit()?;
    Ok(Ok(0))
}

/// Marks the lane's row, making it if there is none.
pub(super) fn fence(database: &Database, lane: &LaneId) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    let id = lane_key(lane);
    let row = read_lane(&transaction, &id)?.unwrap_or_default();
    write_lane(
        &transaction,
        &id,
        &LaneRow {
            fenced: true,
            ..row
        },
    )?;
    transaction.commit()?;
    Ok(())
}

/// Reads rows and writes what the decision makes of them.
pub(super) fn transact(
    database: &Database,
    rows: &[(TableId, Key)],
    decide: Decide<'_>,
) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let transaction = database.begin_write()?;
    let mut tables = Tables::new(&transaction);
    let mut found = Vec::with_capacity(rows.len());
    for (table, key) in rows {
        found.push(tables.get(*table, key)?);
    }
    let writes = decide(&found);
    for write in &writes {
        tables.write(write)?;
    }
    drop(tables);
    if !writes.is_empty() {
        transaction.commit()?;
    }
    Ok(found)
}

/// A lane's key: its fixed-size parts first, so that the name needs no end.
fn lane_key(lane: &LaneId) -> Vec<u8> {
    let mut out = Vec::with_capacity(10 + lane.node.len());
    out.extend_from_slice(&lane.incarnation.to_be_bytes());
    out.extend_from_slice(&lane.index.to_be_bytes());
    out.extend_from_slice(lane.node.as_bytes());
    out
}

fn read_lane(transaction: &WriteTransaction, id: &[u8]) -> Result<Option<LaneRow>, Error> {
    let lanes = transaction.open_table(LANES)?;
    let row = lanes.get(id)?;
    row.map(|row| bson::deserialize_from_slice(row.value()).map_err(corrupt))
        .transpose()
}

fn write_lane(transaction: &WriteTransaction, id: &[u8], row: &LaneRow) -> Result<(), Error> {
    let bytes = bson::serialize_to_vec(row).map_err(corrupt)?;
    let mut lanes = transaction.open_table(LANES)?;
    lanes.insert(id, bytes.as_slice())?;
    Ok(())
}

fn corrupt(error: bson::error::Error) -> Error {
    Error::Corrupted(format!("row of a lane: {error}"))
}

/// The tables of a transaction, each opened when it is first needed: opening one costs a look-up and, at the end, a
/// write of its root.
struct Tables<'txn> {
    transaction: &'txn WriteTransaction,
    opened: [Option<Table<'txn, Bytes, Bytes>>; TableId::ALL.len()],
    /// The key at hand; one buffer for all of them.
    key: Vec<u8>,
}

impl<'txn> Tables<'txn> {
    fn new(transaction: &'txn WriteTransaction) -> Self {
        Self {
            transaction,
            opened: [const { None }; TableId::ALL.len()],
            key: Vec::with_capacity(64),
        }
    }

    /// The table, and the buffer for a key.
    fn of(
        &mut self,
        table: TableId,
    ) -> Result<(&mut Table<'txn, Bytes, Bytes>, &mut Vec<u8>), Error> {
        let slot = &mut self.opened[table as usize];
        let opened = match slot {
            Some(opened) => opened,
            None => slot.insert(self.transaction.open_table(rows(table))?),
        };
        Ok((opened, &mut self.key))
    }

    fn takes(&mut self, unit: &Unit) -> Result<bool, Error> {
        if !unit.is_storable() {
            return Ok(false);
        }
        for (table, key) in &unit.absent {
            if self.get(*table, key)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn get(&mut self, table: TableId, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        let (rows, buffer) = self.of(table)?;
        let row = rows.get(key::encode(buffer, key))?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn write(&mut self, write: &Write) -> Result<(), Error> {
        match write {
            Write::Put { table, key, row } | Write::Insert { table, key, row } => {
                let (rows, buffer) = self.of(*table)?;
                rows.insert(key::encode(buffer, key), row.as_slice())?;
            }
            Write::Delete { table, key } => {
                let (rows, buffer) = self.of(*table)?;
                rows.remove(key::encode(buffer, key))?;
            }
            Write::DeleteUpTo {
                table,
                partition,
                last,
            } => {
                let (rows, _) = self.of(*table)?;
                let range = key::before(partition)..=key::place(partition, last);
                let (first, last) = (range.start().as_slice(), range.end().as_slice());
                rows.retain_in(first..=last, |_, _| false)?;
            }
            Write::DeleteRange {
                table,
                partition,
                first,
                last,
            } => {
                let (rows, _) = self.of(*table)?;
                let (first, last) = (key::place(partition, first), key::place(partition, last));
                if first <= last {
                    rows.retain_in(first.as_slice()..=last.as_slice(), |_, _| false)?;
                }
            }
        }
        Ok(())
    }
}
