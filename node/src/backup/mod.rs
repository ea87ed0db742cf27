//! Backups of a store and its files: made of a snapshot while nodes serve, looked through, and put into an empty store,
//! whichever driver either store has. Everything is streamed: none of it takes more memory for more data.

pub mod create;
mod partial;
pub mod produce;
pub mod restore;
pub mod verify;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use rookery_actors::store::{CommitError, StoreError};
use rookery_protocol::archive::{ArchiveError, Counts, FORMAT};
use rookery_protocol::document::{CorruptRow, SCHEMA, TableId};

use crate::admin::client::AdminError;
use crate::store::OpenError;

/// Why something with a backup went wrong: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something of that name.
    #[error("{} is already there: choose another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// Two at once.
    #[error("another backup is being written to {}", .0.display())]
    InUse(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no whole backup.
    #[error("{}: {source}", path.display())]
    Archive {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        source: ArchiveError,
    },
    /// A newer version wrote it.
    #[error(
        "{} holds rows of schema {found}, but this version of Rookery reads up to schema {SCHEMA}: use a newer version",
        path.display()
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// The schema of its rows.
        found: u32,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The serving node does not help.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store takes no commits.
    #[error("the store cannot be written: {0}")]
    Commit(#[from] CommitError),
    /// A row that this store cannot hold.
    #[error("the store refuses a row of the backup")]
    Refused,
    /// A row that is adapted cannot be read.
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
    /// A backup is only put into an empty store.
    #[error(
        "the store {place} is not empty (there are rows of {table}): restore into another one, or move that one away"
    )]
    NotEmpty {
        /// Where it is.
        place: String,
        /// A table with rows.
        table: TableId,
    },
    /// What is in the store is not what was in the backup.
    #[error(
        "after the restore the store has {found} rows of {table} instead of {expected}: somebody else wrote to it; empty it and restore again"
    )]
    Differs {
        /// Table.
        table: TableId,
        /// In the store.
        found: u64,
        /// In the backup.
        expected: u64,
    },
    /// A restore that had begun.
    #[error(
        "{0}; the store is marked as unfinished and no node starts on it: run the restore again, or remove the store"
    )]
    Unfinished(Box<BackupError>),
    /// Ctrl-C, or the process is to end.
    #[error("interrupted: {0}")]
    Interrupted(&'static str),
}

impl BackupError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File {
            path: path.clone(),
            source,
        }
    }

    fn archive(path: &Path) -> impl Fn(ArchiveError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Archive {
            path: path.clone(),
            source,
        }
    }
}

/// What a command says at its end, above the table of counts.
fn summary(what: &str, counts: &Counts) -> String {
    format!("{counts}\n{what} (format {FORMAT}, every checksum matches)")
}

/// Ends when the process is to end: Ctrl-C, or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    if io::stderr().is_terminal() {
        // The terminal has echoed the key behind the bar.
        let _ = writeln!(io::stderr());
    }
}
