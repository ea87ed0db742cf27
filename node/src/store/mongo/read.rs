//! Reads: each one point in time, of what a majority has.
//!
//! Every read asks for a time not before the newest write of this store that was acknowledged. Right after an election
//! the new primary has those writes but may not know yet that a majority does; without that time it would answer from before
//! them. It is also what makes a load see everything that happened before its claim: the claim was such a write.

use std::collections::HashMap;

use bson::{Document, RawArrayBuf, RawDocumentBuf, rawdoc};
use mongodb::options::ReadConcern;
use mongodb::{ClientSession, SessionCursor};
use rookery_actors::store::{Order, RawRow, Scan, StoreError};
use rookery_protocol::document::{Key, TableId};

use super::error::Failure;
use super::key::{self, Place};
use super::{MongoStore, row};

/// Rows asked for at once; MongoDB ends a batch at 16 MiB anyway.
const BATCH: u32 = 10_000;

impl MongoStore {
    /// One row.
    pub(super) async fn read_one(
        &self,
        table: TableId,
        key: &Key,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let filter = rawdoc! { "_id": key::id(key) };
        let found = self.find(table, filter, Order::Ascending, 1).await?;
        Ok(found.into_iter().next().map(|(_, row)| row))
    }

    /// Rows of a partition.
    pub(super) async fn read_partition(&self, scan: &Scan) -> Result<Vec<RawRow>, StoreError> {
        let at = |bound: &Option<_>, none| match bound {
            Some(sort) => key::place(&scan.partition, Place::At(sort)),
            None => key::place(&scan.partition, none),
        };
        let range = rawdoc! {
            "$gt": at(&scan.above, Place::Before),
            "$lt": at(&scan.below, Place::After),
        };
        let filter = rawdoc! { "_id": range };
        self.find(scan.table, filter, scan.order, scan.limit).await
    }

    /// Rows of a table.
    pub(super) async fn read_table(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let filter = match after {
            Some(key) => rawdoc! { "_id": { "$gt": key::id(key) } },
            None => RawDocumentBuf::new(),
        };
        self.find(table, filter, Order::Ascending, limit).await
    }

    async fn find(
        &self,
        table: TableId,
        filter: RawDocumentBuf,
        order: Order,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        // MongoDB takes 0 for no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let failed = |error| StoreError::from(Failure::from(error));
        let mut session = self.shared.client.start_session().await.map_err(failed)?;
        if let Some(seen) = *self.shared.seen.lock() {
            session.advance_operation_time(seen);
        }
        let collection = self.collection(table.name());
        let direction = match order {
            Order::Ascending => 1,
            Order::Descending => -1,
        };
        let mut find = collection
            .find(to_document(filter)?)
            .sort(bson::doc! { "_id": direction })
            .batch_size(u32::try_from(limit).map_or(BATCH, |limit| limit.min(BATCH)))
            .read_concern(ReadConcern::snapshot());
        if let Ok(limit) = i64::try_from(limit) {
            find = find.limit(limit);
        }
        let mut cursor = find.session(&mut session).await.map_err(failed)?;
        let mut rows = Vec::new();
        while cursor.advance(&mut session).await.map_err(failed)? {
            rows.push(row::decode(table, cursor.current())?);
        }
        Ok(rows)
    }

    /// Those of some rows that are there, within a transaction; their bytes are empty unless asked for.
    pub(super) async fn read_in(
        &self,
        session: &mut ClientSession,
        table: TableId,
        keys: &[Key],
        with_rows: bool,
    ) -> Result<HashMap<Key, Vec<u8>>, Failure> {
        let ids: RawArrayBuf = keys.iter().map(key::id).collect();
        let filter = to_document(rawdoc! { "_id": { "$in": ids } })?;
        let collection = self.collection(table.name());
        let mut find = collection.find(filter).batch_size(BATCH);
        if !with_rows {
            find = find.projection(bson::doc! { "_id": 1 });
        }
        let mut cursor: SessionCursor<RawDocumentBuf> = find.session(&mut *session).await?;
        let mut found = HashMap::with_capacity(keys.len());
        while cursor.advance(&mut *session).await? {
            let document = cursor.current();
            let (key, row) = if with_rows {
                row::decode(table, document)?
            } else {
                (row::key_of(table, document)?, Vec::new())
            };
            found.insert(key, row);
        }
        Ok(found)
    }
}

fn to_document(filter: RawDocumentBuf) -> Result<Document, Failure> {
    Document::try_from(filter).map_err(|error| Failure::Final(error.to_string()))
}
