//! Snapshots: every read names the same instant to the server, which keeps it for a while.

use std::time::Duration;

use async_trait::async_trait;
use bson::{Bson, Document, RawDocumentBuf, Timestamp, doc, rawdoc};
use mongodb::error::Error;
use rookery_actors::store::{RawRow, Snapshot, Snapshots, StoreError};
use rookery_protocol::document::{Key, TableId};

use super::error::{Failure, SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE, code};
use super::{MongoStore, key, row};

/// What a page may take; nobody waits for it but a command.
const PAGE: Duration = Duration::from_secs(60);

#[async_trait]
impl Snapshots for MongoStore {
    /// It lasts as long as the servers keep the state of an instant: `minSnapshotHistoryWindowInSeconds`, 5 minutes unless
    /// they are told otherwise.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        // The primary's last operation: not before anything that was acknowledged, whoever wrote it. A read waits until a
        // majority has it.
        let admin = self.shared.client.database("admin");
        let hello = admin.run_command(doc! { "hello": 1 }).await;
        let hello = hello.map_err(|error| StoreError::from(Failure::from(error)))?;
        let at = match hello.get("operationTime") {
            Some(Bson::Timestamp(at)) => *at,
            _ => {
                let why = "the server does not tell its time".to_owned();
                return Err(StoreError::Unavailable(why));
            }
        };
        let store = self.clone();
        Ok(Box::new(MongoSnapshot { store, at }))
    }
}

/// The store as it was at an instant.
struct MongoSnapshot {
    store: MongoStore,
    at: Timestamp,
}

impl MongoSnapshot {
    async fn read(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let filter = match after {
            Some(key) => rawdoc! { "_id": { "$gt": key::id(key) } },
            None => RawDocumentBuf::new(),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let command = rawdoc! {
            "find": table.name(),
            "filter": filter,
            "sort": { "_id": 1 },
            "limit": limit,
            "batchSize": limit,
            "readConcern": { "level": "snapshot", "atClusterTime": self.at },
        };
        let database = &self.store.shared.database;
        let mut cursor = database
            .run_raw_cursor_command(command)
            .await
            .map_err(failed)?;
        let mut rows = Vec::new();
        while cursor.advance().await.map_err(failed)? {
            rows.push(row::decode(table, cursor.current())?);
        }
        Ok(rows)
    }
}

#[async_trait]
impl Snapshot for MongoSnapshot {
    async fn walk(
        &self,
        table: TableId,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        // MongoDB takes 0 for no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let read = tokio::time::timeout(PAGE, self.read(table, after, limit)).await;
        read.map_err(|_| StoreError::Unavailable("no answer within a minute".to_owned()))?
    }

    /// What the server's statistics say, of now.
    async fn count(&self, table: TableId) -> Result<u64, StoreError> {
        let collection = self
            .store
            .shared
            .database
            .collection::<Document>(table.name());
        let count = collection.estimated_document_count().await;
        count.map_err(failed)
    }
}

fn failed(error: Error) -> StoreError {
    if matches!(code(&error), Some(SNAPSHOT_TOO_OLD | SNAPSHOT_UNAVAILABLE)) {
        return StoreError::Unavailable(
            "MongoDB has dropped the instant that is read: raise minSnapshotHistoryWindowInSeconds on every member (300 if \
             nobody did), with db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 7200})"
                .to_owned(),
        );
    }
    Failure::from(error).into()
}
