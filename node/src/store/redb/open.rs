//! Opening the data folder, with a sentence for everything that can be wrong with it.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::redb::backends::FileBackend;
use ::redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError,
    TableDefinition, TableHandle,
};
use rookery_protocol::document::TableId;
use rookery_protocol::limits::STORE_CACHE_BYTES;

use super::{LANES, rows};
use crate::store::create_data_folder;

/// The file in the data folder.
pub const FILE_NAME: &str = "rookery.redb";

/// The layout of tables and keys this code writes. A file of a newer one is refused.
pub const FORMAT: u64 = 1;

const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("meta");

/// Why the data folder cannot be used. Each is a sentence for whoever started the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the lock.
    #[error(
        "the data folder {} is in use by another rookery process: stop that one, or choose another folder with --data",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be made.
    #[error("the data folder {} cannot be created: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened, read or written.
    #[error("the data file {} cannot be read and written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else, or damaged.
    #[error(
        "the data file {} is damaged or no Rookery store ({reason}): restore it from a backup, or move it away to start empty",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer version wrote the file.
    #[error(
        "the data file {} has store format {found}, but this version of Rookery reads up to {FORMAT}: use a newer version",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
}

/// Opens the store of a data folder, creating both if need be.
pub(super) fn folder(folder: &Path) -> Result<Database, OpenError> {
    create_data_folder(folder).map_err(|source| OpenError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    let path = folder.join(FILE_NAME);
    let file = open_file(folder, &path).map_err(|source| OpenError::File {
        path: path.clone(),
        source,
    })?;
    let backend = FileBackend::new(file).map_err(|error| explain(&path, error))?;
    on_backend(&path, backend)
}

/// Opens a store on any backend; `path` is what errors call it.
pub(super) fn on_backend(path: &Path, backend: impl StorageBackend) -> Result<Database, OpenError> {
    // redb may panic over a damaged file that its checks do not cover.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = Builder::new();
        builder.set_cache_size(STORE_CACHE_BYTES);
        let told = Cell::new(0);
        builder.set_repair_callback(move |session| {
            #[allow(clippy::cast_possible_truncation, reason = "a float in 0..=1")]
            let percent = (session.progress() * 100.0) as u32;
            if told.get() == 0 || percent >= told.get() + 10 {
                told.set(percent.max(1));
                tracing::info!(percent, "the store was not closed properly, checking it");
            }
        });
        let database = builder.create_with_backend(backend)?;
        let found = create_tables(&database).map_err(flatten)?;
        Ok((database, found))
    }));
    match opened {
        Ok(Ok((database, FORMAT))) => Ok(database),
        Ok(Ok((_, found))) => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
        }),
        Ok(Err(error)) => Err(explain(path, error)),
        Err(_) => Err(contradictory(path)),
    }
}

/// What a panic of redb means.
pub(super) fn contradictory(path: &Path) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        reason: "its pages contradict each other".to_owned(),
    }
}

fn open_file(folder: &Path, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let is_new = !path.exists();
    let file = options.open(path)?;
    if is_new && cfg!(unix) {
        // The file's own fsync does not make its name durable.
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

/// Makes the tables that are missing, so that no read ever finds one missing. Returns the format of the file; touches
/// nothing of a newer one.
fn create_tables(database: &Database) -> Result<u64, ::redb::Error> {
    let reading = database.begin_read()?;
    let present: Vec<String> = reading
        .list_tables()?
        .map(|table| table.name().to_owned())
        .collect();
    let found = if present.iter().any(|name| name == META.name()) {
        let meta = reading.open_table(META)?;
        meta.get("format")?.map(|format| format.value())
    } else {
        None
    };
    drop(reading);
    let has_all = TableId::ALL
        .iter()
        .all(|table| present.iter().any(|name| name == table.name()));
    match found {
        Some(format) if format != FORMAT || has_all => return Ok(format),
        None if !present.is_empty() => {
            return Err(::redb::Error::Corrupted(
                "a redb file of another program".to_owned(),
            ));
        }
        _ => {}
    }
    let writing = database.begin_write()?;
    for table in TableId::ALL {
        writing.open_table(rows(table))?;
    }
    writing.open_table(LANES)?;
    writing.open_table(META)?.insert("format", FORMAT)?;
    writing.commit()?;
    Ok(FORMAT)
}

fn flatten(error: ::redb::Error) -> DatabaseError {
    DatabaseError::Storage(match error {
        ::redb::Error::Io(error) => StorageError::Io(error),
        ::redb::Error::Corrupted(reason) => StorageError::Corrupted(reason),
        other => StorageError::Corrupted(other.to_string()),
    })
}

pub(super) fn explain(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse {
                folder: path.parent().map_or_else(PathBuf::new, Path::to_owned),
            }
        }
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => OpenError::Damaged {
                path,
                reason: source.to_string(),
            },
            _ => OpenError::File { path, source },
        },
        DatabaseError::Storage(StorageError::Corrupted(reason)) => {
            OpenError::Damaged { path, reason }
        }
        other => OpenError::Damaged {
            path,
            reason: other.to_string(),
        },
    }
}
