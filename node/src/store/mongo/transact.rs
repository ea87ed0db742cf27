//! A decision over rows that no entity owns, as one transaction.
//!
//! MongoDB's transactions read one point in time, and collide only where both write. So a row that was decided on is written
//! even if the decision leaves it as it is: then whoever changes it at the same moment collides, and one of the two begins
//! again. A decision that writes nothing needs none of that: it is true at the point in time it has read.

use std::time::{Duration, Instant};

use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use mongodb::ClientSession;
use rookery_actors::store::{Decide, StoreError};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::limits::STORE_ORPHAN_MS;

use super::MongoStore;
use super::commit::{begin, pause};
use super::error::Failure;
use super::key;
use super::lane::transaction_session;
use super::plan::Plan;

impl MongoStore {
    /// Decides again and again until nobody is in the way.
    pub(super) async fn transact_until_it_lands(
        &self,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let orphan = Duration::from_millis(STORE_ORPHAN_MS);
        let mut looked = Instant::now();
        let mut session = transaction_session(&self.shared.client).await?;
        let mut trusting = true;
        for tries in 1.. {
            let tried = self.try_transact(&mut session, rows, decide, trusting);
            match tried.await {
                Ok(found) => {
                    self.saw(&session);
                    return Ok(found);
                }
                Err(Failure::Duplicate) => trusting = false,
                Err(Failure::Again(_)) => {}
                Err(failure) => return Err(failure.into()),
            }
            // The server has ended it, or ends it when the session's next one begins.
            let _ = session.abort_transaction().await;
            if looked.elapsed() > orphan {
                self.end_orphans().await;
                looked = Instant::now();
            }
            pause(tries).await;
        }
        Err(StoreError::Unavailable("too much is in the way".to_owned()))
    }

    async fn try_transact(
        &self,
        session: &mut ClientSession,
        rows: &[(TableId, Key)],
        decide: Decide<'_>,
        trusting: bool,
    ) -> Result<Vec<Option<Vec<u8>>>, Failure> {
        begin(session).await?;
        let mut found = vec![None; rows.len()];
        for (table, places) in by_table(rows) {
            let keys: Vec<Key> = places.iter().map(|&place| rows[place].1.clone()).collect();
            let rows = self.read_in(session, table, &keys, true).await?;
            for (place, key) in places.into_iter().zip(&keys) {
                found[place] = rows.get(key).cloned();
            }
        }
        let writes = decide(&found);
        if !writes.is_empty() {
            let mut plan = Plan::default();
            writes.iter().for_each(|write| plan.apply(write));
            let read = rows.iter().zip(&found);
            let read = read.filter(|((table, key), row)| {
                row.is_some() && plan.is_there(*table, key).is_none()
            });
            let touches = touches(read.map(|((table, key), _)| (*table, key)));
            self.send(session, touches).await?;
            self.send(session, plan.commands(trusting)).await?;
        }
        session.commit_transaction().await?;
        Ok(found)
    }
}

/// Places of rows, by table.
fn by_table(rows: &[(TableId, Key)]) -> Vec<(TableId, Vec<usize>)> {
    let mut tables: Vec<(TableId, Vec<usize>)> = Vec::new();
    for (place, (table, _)) in rows.iter().enumerate() {
        match tables.iter_mut().find(|(of, _)| of == table) {
            Some((_, places)) => places.push(place),
            None => tables.push((*table, vec![place])),
        }
    }
    tables
}

/// Commands that write rows without changing what they say.
fn touches<'a>(rows: impl Iterator<Item = (TableId, &'a Key)>) -> Vec<RawDocumentBuf> {
    let mut tables: Vec<(TableId, RawArrayBuf)> = Vec::new();
    for (table, key) in rows {
        match tables.iter_mut().find(|(of, _)| *of == table) {
            Some((_, ids)) => ids.push(key::id(key)),
            None => tables.push((table, RawArrayBuf::from_iter([key::id(key)]))),
        }
    }
    let command = |(table, ids): (TableId, RawArrayBuf)| {
        rawdoc! {
            "update": table.name(),
            "updates": [{
                "q": { "_id": { "$in": ids } },
                "u": { "$inc": { "touched": 1_i64 } },
                "multi": true,
            }],
        }
    };
    tables.into_iter().map(command).collect()
}
