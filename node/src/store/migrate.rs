//! `rookery store migrate`: brings the store of an older version to this one's schema. Each driver has its list of steps, since
//! what changes is how it lays out its rows; the rows themselves tell their schema.

use super::mongo::{Migrated, MongoStore};
use super::redb::FORMAT;
use super::{OpenError, Opened, place};
use crate::config::Config;

/// Migrates, and says from where to where. The embedded store is refused while a node serves on it.
///
/// # Errors
/// One sentence.
pub async fn migrate(config: &Config) -> Result<String, OpenError> {
    let place = place(config);
    let Some(url) = &config.store else {
        // A file has had one format so far; opening it makes the tables that are missing, and refuses a newer one.
        Opened::open_existing(config).await?.close().await;
        return Ok(format!(
            "the store in {place} has format {FORMAT}: nothing to do"
        ));
    };
    let Migrated { from, to } = MongoStore::migrate(url.expose()).await?;
    Ok(if from == to {
        format!("the store at {place} has schema {to}: nothing to do")
    } else {
        format!("the store at {place} was brought from schema {from} to {to}")
    })
}
