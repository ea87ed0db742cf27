//! Reads, each a snapshot of what is committed.

use std::ops::Bound;

use ::redb::{AccessGuard, Database, Error, ReadableDatabase, StorageError};
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
    range(database, *table, (first, last), scan.order, scan.limit)
}

pub(super) fn walk(
    database: &Database,
    table: TableId,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<RawRow>, StoreError> {
    let first = match after {
        Some(key) => Bound::Excluded(key::place(&key.partition, &key.sort)),
        None => Bound::Unbounded,
    };
    let all = (first, Bound::Unbounded);
    range(database, table, all, Order::Ascending, limit)
}

fn range(
    database: &Database,
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
        let rows = database.begin_read()?.open_table(rows(table))?;
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
