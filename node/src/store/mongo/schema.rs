//! The database's schema: its version, the steps from one to the next, and the collections.
//!
//! No index is made beside that of `_id`, which every read goes by. Collections are made here and not by the first write:
//! one that appears within a transaction makes all others collide with it.

use bson::{Document, doc};
use mongodb::Database;
use mongodb::error::Error;
use rookery_protocol::document::TableId;

use super::commit::durable;
use super::error::{NAMESPACE_EXISTS, OpenError, code};
use super::lane::LANES;

/// One forward migration. It may be run again after it was cut off.
type Step = for<'a> fn(
    &'a Database,
) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// The migrations: the `n`-th one leads from version `n` to `n + 1`. A fresh database has version 0 and goes through all.
const STEPS: &[Step] = &[|database| Box::pin(first(database))];

/// The version of the schema that this code reads and writes.
#[allow(clippy::cast_possible_truncation, reason = "a handful")]
pub const SCHEMA: u32 = STEPS.len() as u32;

/// The collection with the one document about the database as a whole.
const META: &str = "meta";

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version it found; 0 for an empty database.
    pub from: u32,
    /// The version it left.
    pub to: u32,
}

/// The version of the database; what is fresh is version 0, and marked as ours before anything else is made in it.
pub(super) async fn version(database: &Database) -> Result<u32, OpenError> {
    let failed = |error| failed(database, &error);
    let present = database.list_collection_names().await.map_err(failed)?;
    // Looked up after the names: who makes collections has marked the database before.
    let meta = database.collection::<Document>(META);
    let mark = doc! { "_id": "schema" };
    let found = meta.find_one(mark.clone()).await.map_err(failed)?;
    if let Some(found) = found {
        let version = found.get("version").and_then(bson::Bson::as_i64);
        let version = version.and_then(|version| u32::try_from(version).ok());
        return version.ok_or_else(|| OpenError::Failed {
            hosts: database.name().to_owned(),
            reason: "its schema version is no number".to_owned(),
        });
    }
    // With no document but the mark it is what another node has made that marks the database just now.
    let other = meta.find_one(doc! { "_id": { "$ne": "schema" } });
    let is_in_use = other.await.map_err(failed)?.is_some();
    let ours = |name: &&String| {
        (*name == META && is_in_use)
            || *name == LANES
            || TableId::ALL.iter().any(|table| table.name() == **name)
    };
    if let Some(collection) = present.iter().find(ours) {
        return Err(OpenError::Foreign {
            database: database.name().to_owned(),
            collection: collection.clone(),
        });
    }
    let update = doc! { "$setOnInsert": { "version": 0_i64 } };
    let marking = meta.update_one(mark, update).upsert(true);
    marking.write_concern(durable()).await.map_err(failed)?;
    Ok(0)
}

/// What must hold before the database is used: the schema is ours, all collections are there, and it can be written.
pub(super) async fn open(database: &Database) -> Result<(), OpenError> {
    let name = || database.name().to_owned();
    match version(database).await? {
        0 => {
            migrate(database).await?;
        }
        SCHEMA => {}
        found if found > SCHEMA => {
            return Err(OpenError::Newer {
                database: name(),
                found,
            });
        }
        found => {
            return Err(OpenError::Older {
                database: name(),
                found,
            });
        }
    }
    let failed = |error| failed(database, &error);
    make_collections(database).await.map_err(failed)?;
    // Who may only read learns it now, and not by the first commit.
    let meta = database.collection::<Document>(META);
    let mark = doc! { "_id": "schema" };
    let noted = meta.update_one(mark, doc! { "$currentDate": { "opened": true } });
    noted.write_concern(durable()).await.map_err(failed)?;
    Ok(())
}

/// Whether the database is ours and not empty; then its collections must all be there. Changes nothing.
pub(super) async fn inspect(database: &Database) -> Result<bool, OpenError> {
    let failed = |error| failed(database, &error);
    let meta = database.collection::<Document>(META);
    let mark = meta
        .find_one(doc! { "_id": "schema" })
        .await
        .map_err(failed)?;
    let version = mark.and_then(|mark| mark.get_i64("version").ok());
    if version != Some(i64::from(SCHEMA)) {
        // Nothing, or what opening says a sentence about.
        return Ok(version.is_some_and(|version| version > 0));
    }
    let present = database.list_collection_names().await.map_err(failed)?;
    let ours = TableId::ALL.iter().map(|table| table.name());
    for name in ours.chain([LANES]) {
        if !present.iter().any(|there| there == name) {
            return Err(OpenError::Incomplete {
                database: database.name().to_owned(),
                collection: name.to_owned(),
            });
        }
    }
    Ok(true)
}

/// Runs the steps that are missing, in order; each is noted when it is done.
pub(super) async fn migrate(database: &Database) -> Result<Migrated, OpenError> {
    migrate_by(database, STEPS).await
}

async fn migrate_by(database: &Database, steps: &[Step]) -> Result<Migrated, OpenError> {
    let from = version(database).await?;
    let missing = steps.get(from as usize..).ok_or_else(|| OpenError::Newer {
        database: database.name().to_owned(),
        found: from,
    })?;
    let mut to = from;
    for step in missing {
        let failed = |error| failed(database, &error);
        step(database).await.map_err(failed)?;
        let meta = database.collection::<Document>(META);
        // Where two do it at once, each step is done twice and noted once.
        let mark = doc! { "_id": "schema", "version": i64::from(to) };
        to += 1;
        let noted = meta.update_one(mark, doc! { "$set": { "version": i64::from(to) } });
        noted.write_concern(durable()).await.map_err(failed)?;
    }
    Ok(Migrated { from, to })
}

/// Version 1: the collections.
async fn first(database: &Database) -> Result<(), Error> {
    make_collections(database).await
}

/// Makes the collections that are missing.
async fn make_collections(database: &Database) -> Result<(), Error> {
    let present = database.list_collection_names().await?;
    let ours = TableId::ALL.iter().map(|table| table.name());
    for name in ours.chain([LANES]) {
        if present.iter().any(|there| there == name) {
            continue;
        }
        match database
            .create_collection(name)
            .write_concern(durable())
            .await
        {
            Ok(()) => {}
            Err(error) if code(&error) == Some(NAMESPACE_EXISTS) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn failed(database: &Database, error: &Error) -> OpenError {
    super::connect::explain(error, database.name())
}
