//! What is loaded with a core: where its log stands, what its outbox holds, what it took and did of others.

use std::collections::BTreeMap;

use rookery_protocol::document::{
    Events, Key, Marks, Outbox, OutboxRow, Part, RequestRow, Requests, TableId,
};
use rookery_protocol::entity::EntityRef;

use super::core::LoadError;
use crate::store::{self, Order, Scan, Store};

/// Rows of one page.
const PAGE: usize = 1_000;

/// What surrounds a core, as it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// The number of the newest event.
    pub gseq: u64,
    /// The outbox.
    pub outbox: BTreeMap<u64, OutboxRow>,
    /// How far each sender's outbox was taken. The entity's own mark is the last number its outbox used, so that the
    /// numbers go on rising when the outbox was empty in between.
    pub marks: BTreeMap<EntityRef, u64>,
    /// Requests that were done.
    pub requests: BTreeMap<u64, RequestRow>,
}

impl Log {
    /// Reads it, when nothing of the entity is in flight.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn load(entity: EntityRef, store: &dyn Store) -> Result<Self, LoadError> {
        let newest = Scan {
            table: TableId::Events,
            partition: entity.into(),
            above: None,
            below: None,
            order: Order::Descending,
            limit: 1,
        };
        let mut log = Self::default();
        if let Some((key, _)) = store::scan::<Events>(store, newest).await?.pop() {
            log.gseq = number(&key);
        }
        for (key, row) in store::scan_all::<Outbox>(store, entity, PAGE).await? {
            log.outbox.insert(number(&key), row);
        }
        for (_, row) in store::scan_all::<Marks>(store, entity, PAGE).await? {
            log.marks.insert(row.sender, row.seq);
        }
        for (key, row) in store::scan_all::<Requests>(store, entity, PAGE).await? {
            log.requests.insert(number(&key), row);
        }
        Ok(log)
    }
}

/// The number a row of an entity's own partitions is placed at.
fn number(key: &Key) -> u64 {
    match key.sort {
        Part::Num(n) => n,
        Part::Text(_) => 0,
    }
}
