//! The drivers of the store, and which of them the settings mean.

pub mod check;
pub mod migrate;
pub mod mongo;
pub mod redb;

use std::io;
use std::path::Path;
use std::sync::Arc;

use rookery_actors::store::{SharedStore, Snapshots, StoreError};

use crate::backup::restore;
use crate::config::Config;
use mongo::{MongoFiles, MongoStore};
use redb::{FILE_NAME, RedbStore};

/// Why a store cannot be opened: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded one.
    #[error(transparent)]
    Redb(#[from] redb::OpenError),
    /// MongoDB.
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
    /// There is nothing, and nothing is to be made.
    #[error(
        "there is no store in {place}: start the node once, name another with --data or `store.url`, or restore a backup"
    )]
    Missing {
        /// Where it would be.
        place: String,
    },
    /// It is not whole.
    #[error(
        "the store in {place} is not whole: a restore into it was interrupted or is under way; run `rookery backup restore` again"
    )]
    Unfinished {
        /// Where it is.
        place: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process could not do it.
    #[error("the store could not be opened: {0}")]
    System(io::Error),
}

/// A store that is open, whichever driver it has.
#[derive(Clone)]
pub enum Opened {
    /// The embedded one.
    Redb(RedbStore),
    /// MongoDB.
    Mongo(MongoStore),
}

impl Opened {
    /// Opens the store of the settings, making an empty one if there is none.
    ///
    /// # Errors
    /// One sentence.
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        if let Some(url) = &config.store {
            return Ok(Self::Mongo(MongoStore::connect(url.expose()).await?));
        }
        let folder = config.data.clone();
        let opened = tokio::task::spawn_blocking(move || RedbStore::open(&folder)).await;
        let opened = opened.map_err(|error| OpenError::System(io::Error::other(error)))?;
        Ok(Self::Redb(opened?))
    }

    /// Opens the store of the settings for a node, making an empty one if there is none; one that is being restored is no store
    /// yet.
    ///
    /// # Errors
    /// One sentence.
    pub async fn open_whole(config: &Config) -> Result<Self, OpenError> {
        let opened = Self::open(config).await?;
        if restore::is_marked(&opened.shared()).await? {
            opened.close().await;
            let place = place(config);
            return Err(OpenError::Unfinished { place });
        }
        Ok(opened)
    }

    /// Opens the store of the settings, which must be there and have all its tables.
    ///
    /// # Errors
    /// One sentence.
    pub async fn open_existing(config: &Config) -> Result<Self, OpenError> {
        let is_there = match &config.store {
            Some(url) => MongoStore::inspect(url.expose()).await?,
            None => config.data.join(FILE_NAME).exists(),
        };
        if !is_there {
            let place = place(config);
            return Err(OpenError::Missing { place });
        }
        Self::open(config).await
    }

    /// Whether it belongs to this process alone, as long as it is open.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Redb(_))
    }

    /// The store as entities need it.
    pub fn shared(&self) -> SharedStore {
        match self {
            Self::Redb(store) => Arc::new(store.clone()),
            Self::Mongo(store) => Arc::new(store.clone()),
        }
    }

    /// The store as backups need it.
    pub fn snapshots(&self) -> Arc<dyn Snapshots> {
        match self {
            Self::Redb(store) => Arc::new(store.clone()),
            Self::Mongo(store) => Arc::new(store.clone()),
        }
    }

    /// The files beside the rows, when the store can be that of many nodes.
    pub fn files(&self) -> Option<MongoFiles> {
        match self {
            Self::Redb(_) => None,
            Self::Mongo(store) => Some(store.files()),
        }
    }

    /// Looks at the driver's own structures, below the rows; a sentence if something is wrong with them. MongoDB looks after
    /// its own.
    pub async fn check_integrity(&self) -> Option<String> {
        let Self::Redb(store) = self else {
            return None;
        };
        let store = store.clone();
        match tokio::task::spawn_blocking(move || store.check_integrity()).await {
            Ok(Ok(true)) => None,
            Ok(Ok(false)) => Some(
                "the data file did not match its checksums and was repaired: what was written last may be missing"
                    .to_owned(),
            ),
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(format!("the data file cannot be checked: {error}")),
        }
    }

    /// Closes it; the embedded one blocks on the disk, on the blocking pool.
    pub async fn close(self) {
        match self {
            Self::Redb(store) => {
                let _ = tokio::task::spawn_blocking(move || store.close()).await;
            }
            Self::Mongo(store) => store.close().await,
        }
    }
}

/// Whether the process that serves holds the store for itself, so that only it can read it.
pub fn is_embedded(config: &Config) -> bool {
    config.store.is_none()
}

/// The driver that the settings mean.
pub fn driver(config: &Config) -> &'static str {
    if is_embedded(config) {
        "redb"
    } else {
        "mongodb"
    }
}

/// Where the store of the settings is, for people; without credentials.
pub fn place(config: &Config) -> String {
    match &config.store {
        Some(url) => url.to_string(),
        None => config.data.display().to_string(),
    }
}

/// Makes the data folder unless it is there. It holds password hashes, signing keys and the admin socket: nobody else may look
/// into one that we create.
pub(crate) fn create_data_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
