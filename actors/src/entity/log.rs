//! What is loaded with a core: where its log stands, what its outbox holds, what it took and did of others.

use std::collections::BTreeMap;

use rookery_protocol::document::{
    Events, Key, Marks, Outbox, OutboxRow, Part, RequestRow, Requests, TableId, decode,
};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::core::LoadError;
use crate::store::{self, Order, Scan, Store};

/// Rows of one page.
const PAGE: usize = 1_000;

/// The oldest events that are looked at when an entity is loaded: more than most have that are old.
const FIRST: usize = 16;

/// What surrounds a core, as it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// The number of the newest event.
    pub gseq: u64,
    /// The number of the oldest event.
    pub oldest: u64,
    /// Events up to here need not be kept any longer: earlier lives ended before they could delete them.
    pub expired: u64,
    /// The outbox.
    pub outbox: BTreeMap<u64, OutboxRow>,
    /// How far each sender's outbox was taken. The entity's own mark is the last number its outbox used, so that the
    /// numbers go on rising when the outbox was empty in between.
    pub marks: BTreeMap<EntityRef, u64>,
    /// Requests that were done.
    pub requests: BTreeMap<u64, RequestRow>,
}

impl Log {
    /// Reads it at `now`, when nothing of the entity is in flight.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn load(
        entity: EntityRef,
        store: &dyn Store,
        now: Millis,
    ) -> Result<Self, LoadError> {
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
            log.find_expired(entity, store, now).await?;
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

    /// Finds out what of the events is older, or more, than is kept.
    async fn find_expired(
        &mut self,
        entity: EntityRef,
        store: &dyn Store,
        now: Millis,
    ) -> Result<(), LoadError> {
        let is_old = |at: Millis| now.since(at) > limits::EVENT_MS;
        let first = times(entity, store, 0, FIRST).await?;
        self.oldest = first.first().map_or(self.gseq, |&(n, _)| n);
        let mut low = first
            .iter()
            .take_while(|&&(_, at)| is_old(at))
            .last()
            .map_or(0, |&(n, _)| n);
        if first.last().is_some_and(|&(n, _)| n == low) {
            // All of these: times rise with the numbers, so the end is found by halves.
            let mut high = self.gseq;
            while high > low + 1 {
                let middle = low + (high - low) / 2;
                match times(entity, store, middle - 1, 1).await?.first() {
                    Some(&(n, at)) if is_old(at) => low = n,
                    _ => high = middle,
                }
            }
        }
        let too_many = self.gseq.saturating_sub(limits::EVENTS_PER_ENTITY);
        self.expired = low.max(too_many).min(self.gseq.saturating_sub(1));
        if self.expired < self.oldest {
            self.expired = 0;
        }
        Ok(())
    }
}

/// Numbers and times of the first events above a number. One that cannot be read is of no time that is known, and is not
/// old: an entity is not spoiled by what it will delete.
async fn times(
    entity: EntityRef,
    store: &dyn Store,
    above: u64,
    limit: usize,
) -> Result<Vec<(u64, Millis)>, LoadError> {
    let scan = Scan {
        table: TableId::Events,
        partition: entity.into(),
        above: Some(Part::Num(above)),
        below: None,
        order: Order::Ascending,
        limit,
    };
    let rows = store.scan(&scan).await?.into_iter();
    let time = |bytes: &[u8]| decode::<Events>(bytes).map_or(Millis(u64::MAX), |row| row.at);
    Ok(rows
        .map(|(key, bytes)| (number(&key), time(&bytes)))
        .collect())
}

/// The number a row of an entity's own partitions is placed at.
fn number(key: &Key) -> u64 {
    match key.sort {
        Part::Num(n) => n,
        Part::Text(_) => 0,
    }
}
