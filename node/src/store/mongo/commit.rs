//! One commit of a lane as one transaction.

use std::collections::HashSet;
use std::time::Duration;

use bson::{Document, RawArrayBuf, RawDocumentBuf, rawdoc};
use mongodb::ClientSession;
use mongodb::options::{ReadConcern, TransactionOptions, WriteConcern};
use rookery_actors::store::{Commit, CommitError, Committed, lane};
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::limits::{STORE_COMMIT_TRIES, STORE_CONFLICT_PAUSE_MS};

use super::error::{DUPLICATE_KEY, Failure};
use super::lane::{LANES, Lane, id, row_of};
use super::plan::Plan;
use super::{MongoStore, error};

/// What the store answers; the outer error is one of the database.
type Answer = Result<Result<Committed, CommitError>, Failure>;

impl MongoStore {
    /// Tries a commit until it is answered, or for as long as that may help. What was lost on the way is found out by the
    /// next try: the lane's document tells whether the commit is done.
    pub(super) async fn commit_until_it_lands(
        &self,
        commit: &Commit,
    ) -> Result<Committed, CommitError> {
        let unknown = |failure: Failure| CommitError::Unknown(failure.into_text());
        let lane = self.shared.lanes.of(&self.shared.client, &commit.lane);
        let lane = lane.await.map_err(unknown)?;
        let mut lane = lane.lock().await;
        self.name_session(&commit.lane, &mut lane)
            .await
            .map_err(unknown)?;
        let mut trusting = true;
        let mut tries = 0;
        loop {
            tries += 1;
            settle(&mut lane).await;
            lane.is_unsettled = true;
            let failure = match self.try_commit(&mut lane.session, commit, trusting).await {
                Ok(answer) => {
                    lane.is_unsettled = false;
                    self.saw(&lane.session);
                    return answer;
                }
                Err(failure) => failure,
            };
            match failure {
                // Once: without trust nothing is inserted that may be there.
                Failure::Duplicate if trusting => trusting = false,
                Failure::Again(_) if tries < STORE_COMMIT_TRIES => pause(tries).await,
                failure => {
                    // So that it holds nobody up until the commit is repeated.
                    settle(&mut lane).await;
                    if matches!(failure, Failure::Again(_)) {
                        self.end_orphans().await;
                    }
                    return Err(unknown(failure));
                }
            }
        }
    }

    async fn try_commit(
        &self,
        session: &mut ClientSession,
        commit: &Commit,
        trusting: bool,
    ) -> Answer {
        begin(session).await?;
        let storable: Vec<bool> = commit.units.iter().map(|unit| unit.is_storable()).collect();
        let expected: Vec<usize> = (0..storable.len()).filter(|&n| !storable[n]).collect();
        if !self.advance(session, commit, &expected).await? {
            // Neither is what is read here written by a commit that could still be lost: the transaction has nothing to
            // write, but its own commit waits until a majority has what it read.
            let row = self.read_lane(session, commit).await?;
            session.commit_transaction().await?;
            return Ok(match lane::admit(row.as_ref(), commit.seq) {
                Ok(Some(done)) => Ok(done),
                Ok(None) => Err(CommitError::Unknown("the lane moved meanwhile".to_owned())),
                Err(error) => Err(error),
            });
        }
        let mut present = HashSet::new();
        for (table, keys) in guarded(commit, &storable) {
            let found = self.read_in(session, table, &keys, false).await?;
            present.extend(found.into_keys().map(|key| (table, key)));
        }
        let mut plan = Plan::default();
        let mut refused = Vec::new();
        for (index, unit) in commit.units.iter().enumerate() {
            let is_free = |(table, key): &(TableId, Key)| {
                let is_there = plan.is_there(*table, key);
                !is_there.unwrap_or_else(|| present.contains(&(*table, key.clone())))
            };
            if storable[index] && unit.absent.iter().all(is_free) {
                unit.writes.iter().for_each(|write| plan.apply(write));
            } else {
                refused.push(index);
            }
        }
        if refused != expected {
            self.note_refused(session, commit, &refused).await?;
        }
        self.send(session, plan.commands(trusting)).await?;
        session.commit_transaction().await?;
        Ok(Ok(Committed { refused }))
    }

    /// Moves the lane's document to this commit; `false` if it does not stand right before it.
    async fn advance(
        &self,
        session: &mut ClientSession,
        commit: &Commit,
        refused: &[usize],
    ) -> Result<bool, Failure> {
        let before = commit.seq.checked_sub(1);
        let (Some(Ok(before)), Ok(seq)) = (before.map(i64::try_from), i64::try_from(commit.seq))
        else {
            return Ok(false);
        };
        let command = update_one(
            rawdoc! { "_id": id(&commit.lane), "fenced": false, "seq": before },
            rawdoc! { "$set": { "seq": seq, "refused": indexes(refused) } },
        );
        let reply = self.run(session, command).await?;
        Ok(reply.get("n").and_then(number) == Some(1))
    }

    async fn note_refused(
        &self,
        session: &mut ClientSession,
        commit: &Commit,
        refused: &[usize],
    ) -> Result<(), Failure> {
        let command = update_one(
            rawdoc! { "_id": id(&commit.lane) },
            rawdoc! { "$set": { "refused": indexes(refused) } },
        );
        self.run(session, command).await?;
        Ok(())
    }

    async fn read_lane(
        &self,
        session: &mut ClientSession,
        commit: &Commit,
    ) -> Result<Option<rookery_protocol::document::LaneRow>, Failure> {
        let filter = Document::try_from(rawdoc! { "_id": id(&commit.lane) });
        let filter = filter.map_err(|error| Failure::Final(error.to_string()))?;
        let lanes = self.shared.database.collection::<Document>(LANES);
        let found = lanes.find_one(filter).session(session).await?;
        found.map(row_of).transpose()
    }

    /// Sends commands of a transaction, one after the other.
    pub(super) async fn send(
        &self,
        session: &mut ClientSession,
        commands: Vec<RawDocumentBuf>,
    ) -> Result<(), Failure> {
        for command in commands {
            self.run(session, command).await?;
        }
        Ok(())
    }

    /// Runs a command that writes.
    pub(super) async fn run(
        &self,
        session: &mut ClientSession,
        command: RawDocumentBuf,
    ) -> Result<Document, Failure> {
        let database = &self.shared.database;
        let reply = database.run_raw_command(command).session(session).await?;
        match first_write_error(&reply) {
            None => Ok(reply),
            Some(DUPLICATE_KEY) => Err(Failure::Duplicate),
            Some(code) => Err(Failure::Final(format!("write error {code}"))),
        }
    }
}

/// Begins a transaction that reads one point in time and is acknowledged when a majority has it in the journal.
pub(super) async fn begin(session: &mut ClientSession) -> Result<(), Failure> {
    let options = TransactionOptions::builder()
        .read_concern(ReadConcern::snapshot())
        .write_concern(durable())
        .build();
    Ok(session.start_transaction().with_options(options).await?)
}

/// When a write counts as done.
pub(super) fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(mongodb::options::Acknowledgment::Majority)
        .journal(true)
        .build()
}

/// Ends what a call that was given up may have left open.
async fn settle(lane: &mut Lane) {
    if lane.is_unsettled {
        // There was none, or the next transaction of the session ends it.
        let _ = lane.session.abort_transaction().await;
        lane.is_unsettled = false;
    }
}

/// A short random pause that grows with the tries, so that two who meet do not meet again.
pub(super) async fn pause(tries: u32) {
    let most = (1 << tries.min(16)).min(STORE_CONFLICT_PAUSE_MS);
    let micros = rand::random_range(0..=most * 1_000);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

/// The rows that units want absent, by table.
fn guarded(commit: &Commit, storable: &[bool]) -> Vec<(TableId, Vec<Key>)> {
    let mut tables: Vec<(TableId, Vec<Key>)> = Vec::new();
    let units = commit.units.iter().zip(storable);
    let units = units.filter(|(_, storable)| **storable);
    for (table, key) in units.flat_map(|(unit, _)| &unit.absent) {
        match tables.iter_mut().find(|(of, _)| of == table) {
            Some((_, keys)) => keys.push(key.clone()),
            None => tables.push((*table, vec![key.clone()])),
        }
    }
    tables
}

fn update_one(query: RawDocumentBuf, update: RawDocumentBuf) -> RawDocumentBuf {
    rawdoc! { "update": LANES, "updates": [{ "q": query, "u": update }] }
}

fn indexes(refused: &[usize]) -> RawArrayBuf {
    let index = |&index: &usize| i32::try_from(index).unwrap_or(i32::MAX);
    refused.iter().map(index).collect()
}

fn number(value: &bson::Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

/// The code of the first statement that failed: the command as a whole succeeds all the same.
fn first_write_error(reply: &Document) -> Option<i32> {
    let errors = reply.get_array("writeErrors").ok()?;
    let first = errors.first()?.as_document()?;
    Some(first.get_i32("code").unwrap_or(error::UNKNOWN))
}
