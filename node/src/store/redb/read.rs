//! Reads, each of what is committed when it begins, and snapshots, which are reads that last.

use std::ops::Bound;

use ::redb::{
    AccessGuard, Database, Error, ReadTransaction, ReadableDatabase, ReadableTableMetadata,
    StorageError,
};
use rookery_actors::store::{Order, RawRow, Scan, StoreError};
use rookery_protocol::document::{CorruptRow, Key, TableId};
use serde::de::Error as _;

use super::{Bytes, key, rows};

pub(super) fn get(
    database: &Database,
    table: TableId,
    key: &Key,
) -> Result<Option<Vec<u8>>, StoreError> {
    let read = || {
        let rows = database.begin_read()?.open_table(rows(table))?;
        let row = rows.get(key::place(&key.partition, &key.sort).as_slice())?;
        Ok(row.map(|row| row.value().to_vec()))
    };
    read().map_err(unavailable)
}

pub(super) fn scan(database: &Database, scan: &Scan) -> Result<Vec<RawRow>, StoreError> {
    let Scan {
        table, partition, ..
    } = scan;
    if matches!((&scan.above, &scan.below), (Some(above), Some(below)) if above >= below) {
        return Ok(Vec::new());
    }
    let first = match &scan.above {
        Some(sort) => Bound::Excluded(key::place(partition, sort)),
        None => Bound::Included(key::before(partition)),
    };
    let last = Bound::Excluded(match &scan.below {
        Some(sort) => key::place(partition, sort),
        None => key::after(partition),
    });
    let reading = begin(database)?;
    range(&reading, *table, (first, last), scan.order, scan.limit)
}

/// A read of what is committed now.
pub(super) fn begin(database: &Database) -> Result<ReadTransaction, StoreError> {
    database
        .begin_read()
        .map_err(|error| unavailable(error.into()))
}

/// About how many rows a table has; redb counts them as they come and go.
pub(super) fn count(reading: &ReadTransaction, table: TableId) -> Result<u64, StoreError> {
    let count = || Ok(reading.open_table(rows(table))?.len()?);
    count().map_err(unavailable)
}

pub(super) fn walk(
    reading: &ReadTransaction,
    table: TableId,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<RawRow>, StoreError> {
    let first = match after {
        Some(key) => Bound::Excluded(key::place(&key.partition, &key.sort)),
        None => Bound::Unbounded,
    };
    let all = (first, Bound::Unbounded);
    range(reading, table, all, Order::Ascending, limit)
}

fn range(
    reading: &ReadTransaction,
    table: TableId,
    (first, last): (Bound<Vec<u8>>, Bound<Vec<u8>>),
    order: Order,
    limit: usize,
) -> Result<Vec<RawRow>, StoreError> {
    let bounds = (
        first.as_ref().map(Vec::as_slice),
        last.as_ref().map(Vec::as_slice),
    );
    let read = || {
        let rows = reading.open_table(rows(table))?;
        let range = rows.range::<&[u8]>(bounds)?;
        match order {
            Order::Ascending => take(range, limit),
            Order::Descending => take(range.rev(), limit),
        }
    };
    let bytes: Vec<Encoded> = read().map_err(unavailable)?;
    let typed = bytes.into_iter().map(|(bytes, row)| {
        let key = key::decode(&bytes).ok_or_else(|| CorruptRow {
            table,
            source: bson::error::Error::custom("its key is malformed"),
        })?;
        Ok((key, row))
    });
    typed.collect()
}

type Item<'a> = Result<(AccessGuard<'a, Bytes>, AccessGuard<'a, Bytes>), StorageError>;

/// A row with its key, still encoded.
type Encoded = (Vec<u8>, Vec<u8>);

fn take<'a>(range: impl Iterator<Item = Item<'a>>, limit: usize) -> Result<Vec<Encoded>, Error> {
    let mut out = Vec::new();
    for item in range.take(limit) {
        let (key, row) = item?;
        out.push((key.value().to_vec(), row.value().to_vec()));
    }
    Ok(out)
}

fn unavailable(error: Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
