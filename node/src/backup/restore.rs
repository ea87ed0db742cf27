//! `rookery backup restore`: fills an empty store from a backup. While it does, a row says so: a node refuses to start on the
//! half of a store, and the restore can be run again, which begins anew.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rookery_actors::commit::{CommitLane, Outcome, QueueFull};
use rookery_actors::ownership::NODE;
use rookery_actors::store::restore::{Restore, is_backed_up};
use rookery_actors::store::{self, CommitError, LaneId, SharedStore, StoreError, Unit, Write};
use rookery_protocol::archive::{Counts, Header, Record, Row};
use rookery_protocol::document::{Key, RestoreRow, Restores, Table, TableId};
use rookery_protocol::limits::{RESTORE_BYTES, RESTORE_ROWS, WALK_PAGE};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::verify::{describe, read};
use super::{BackupError, summary};
use crate::config::Config;
use crate::media;
use crate::progress::{Progress, Tally};
use crate::store::Opened;
use crate::store::mongo::MongoFiles;

/// The lane that rows are committed on: no node can have this name.
const LANE: &str = "rookery backup restore";
/// Batches that wait to be committed.
const BATCHES: usize = 2;

/// Where the mark of an unfinished restore is.
fn mark() -> Key {
    Key::single(0)
}

/// Whether a restore into this store has begun and not ended.
///
/// # Errors
/// The store does not answer.
pub async fn is_marked(store: &SharedStore) -> Result<bool, StoreError> {
    // Whatever the row says.
    let row = store.get(Restores::ID, &mark()).await?;
    Ok(row.is_some())
}

/// What the reading thread hands over.
enum Piece {
    /// The header, and who waits until the store is marked.
    Header(Header, oneshot::Sender<()>),
    Rows(Vec<Row>),
}

/// Restores a backup and says what was in it.
///
/// # Errors
/// One sentence; when it had begun, the store stays marked.
pub async fn restore(config: &Config, path: &Path) -> Result<String, BackupError> {
    // A file that is no backup is told before a store is made.
    let probed = path.to_owned();
    let probing = tokio::task::spawn_blocking(move || super::verify::header(&probed));
    match probing.await {
        Ok(header) => header?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    let opened = Opened::open(config).await?;
    let store = opened.shared();
    let filling = fill(config, path, SharedStore::clone(&store), opened.files());
    let filled = tokio::select! {
        filled = filling => filled,
        () = super::interrupted() => Err(BackupError::Interrupted("not everything was restored")),
    };
    let filled = match filled {
        Err(error) if is_marked(&store).await.unwrap_or_default() => {
            Err(BackupError::Unfinished(Box::new(error)))
        }
        filled => filled,
    };
    drop(store);
    opened.close().await;
    let (header, counts) = filled?;
    let what = describe(path, Some(&header));
    let place = crate::store::place(config);
    Ok(summary(&format!("{what}; restored into {place}"), &counts))
}

async fn fill(
    config: &Config,
    path: &Path,
    store: SharedStore,
    shared: Option<MongoFiles>,
) -> Result<(Header, Counts), BackupError> {
    let is_again = check_empty(config, &store).await?;
    let (out, mut pieces) = mpsc::channel(BATCHES);
    let (from, folder) = (path.to_owned(), config.data.join(media::FOLDER));
    let files = shared.clone();
    let reading = tokio::task::spawn_blocking(move || feed(&from, &folder, files, &out));
    let mut filler: Option<(Filler, Restore, Header)> = None;
    while let Some(piece) = pieces.recv().await {
        match (piece, &mut filler) {
            (Piece::Header(header, marked), _) => {
                let begun = Filler::begin(SharedStore::clone(&store), &header).await?;
                if is_again {
                    begun.empty().await?;
                    if let Some(shared) = &shared {
                        shared.clear().await?;
                    }
                }
                // Who no longer waits has met an error, which is told at the end.
                let _ = marked.send(());
                filler = Some((begun, Restore::new(header.created_at), header));
            }
            (Piece::Rows(rows), Some((filler, restore, _))) => {
                let mut writes = Vec::with_capacity(rows.len());
                for row in rows {
                    writes.extend(restore.take(row)?);
                }
                filler.commit(writes).await?;
            }
            (Piece::Rows(_), None) => {}
        }
    }
    let counts = match reading.await {
        Ok(counts) => counts?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    // The reader gave a whole backup, so there was a header.
    let Some((filler, restore, header)) = filler else {
        return Err(BackupError::Interrupted("the backup has no header"));
    };
    filler.commit(restore.finish()).await?;
    count(&store, &counts).await?;
    let unmark = store::delete::<Restores>(mark());
    filler.commit(vec![unmark]).await?;
    Ok((header, counts))
}

/// Whether the store is empty; one that a restore has left unfinished counts as such.
async fn check_empty(config: &Config, store: &SharedStore) -> Result<bool, BackupError> {
    if is_marked(store).await? {
        return Ok(true);
    }
    for table in TableId::ALL {
        if !store.walk(table, None, 1).await?.is_empty() {
            return Err(BackupError::NotEmpty {
                place: crate::store::place(config),
                table,
            });
        }
    }
    Ok(false)
}

/// Reads the backup: rows go to the store in batches, files to their places. Blocks.
fn feed(
    path: &Path,
    folder: &Path,
    shared: Option<MongoFiles>,
    out: &mpsc::Sender<Piece>,
) -> Result<Counts, BackupError> {
    let gone = || BackupError::Interrupted("the store takes no more");
    let mut batch = Vec::new();
    let mut bytes = 0;
    let mut files = Files::new(folder, shared);
    let counts = read(path, Progress::new("restore"), |record| match record {
        Record::Header(header) => {
            let (marked, is_marked) = oneshot::channel();
            let piece = Piece::Header(header, marked);
            out.blocking_send(piece).map_err(|_| gone())?;
            // No file is written into a store that does not say that it is unfinished.
            is_marked.blocking_recv().map_err(|_| gone())
        }
        Record::Row(row) => {
            bytes += row.row.len();
            batch.push(row);
            if batch.len() < RESTORE_ROWS && bytes < RESTORE_BYTES {
                return Ok(());
            }
            bytes = 0;
            let rows = std::mem::take(&mut batch);
            out.blocking_send(Piece::Rows(rows)).map_err(|_| gone())
        }
        Record::File(head) => files.begin(&head.path, head.size),
        Record::Bytes(piece) => files.write(&piece),
        Record::Trailer(_) => Ok(()),
    })?;
    files.finish()?;
    out.blocking_send(Piece::Rows(batch)).map_err(|_| gone())?;
    Ok(counts)
}

/// Files on their way to their places, one at a time.
struct Files<'a> {
    root: &'a Path,
    /// Where all nodes have them, if not in the folder.
    shared: Option<MongoFiles>,
    /// The one at hand, its place, and how many of its bytes are to come.
    current: Option<(File, PathBuf, u64)>,
    /// The folder of the last one, whose names are not durable yet.
    folder: Option<PathBuf>,
}

impl<'a> Files<'a> {
    fn new(root: &'a Path, shared: Option<MongoFiles>) -> Self {
        Self {
            root,
            shared,
            current: None,
            folder: None,
        }
    }

    /// The path was checked by the reader: it leads to a place below the folder.
    fn begin(&mut self, path: &str, size: u64) -> Result<(), BackupError> {
        let place = self.root.join(path);
        let failed = BackupError::file(&place);
        let folder = place.parent().map(Path::to_owned);
        if folder != self.folder {
            self.sync_folder()?;
            if let Some(folder) = &folder {
                media::create_folder(folder).map_err(&failed)?;
            }
            self.folder = folder;
        }
        // Until the end nobody looks at it, so it may be written where it is to be.
        let file = File::create(&place).map_err(failed)?;
        self.current = Some((file, place, size));
        self.settle()
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        if let Some((file, place, missing)) = &mut self.current {
            file.write_all(piece).map_err(BackupError::file(place))?;
            *missing = missing.saturating_sub(piece.len() as u64);
        }
        self.settle()
    }

    /// Makes the file at hand durable, once it is whole.
    fn settle(&mut self) -> Result<(), BackupError> {
        if let Some((file, place, 0)) = &self.current {
            let failed = BackupError::file(place);
            file.sync_all().map_err(&failed)?;
            if let Some(shared) = &self.shared {
                let name = place.strip_prefix(self.root).unwrap_or(place);
                let name = name.to_string_lossy();
                Handle::current().block_on(shared.put(&name, place))?;
                // A node fetches what it is asked for.
                std::fs::remove_file(place).map_err(failed)?;
            }
            self.current = None;
        }
        Ok(())
    }

    fn sync_folder(&mut self) -> Result<(), BackupError> {
        match self.folder.take() {
            Some(folder) => media::sync_folder(&folder).map_err(BackupError::file(&folder)),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Result<(), BackupError> {
        self.sync_folder()
    }
}

/// The store while it is being filled.
struct Filler {
    store: SharedStore,
    lane: CommitLane,
}

impl Filler {
    /// Marks the store, before anything else is written.
    async fn begin(store: SharedStore, header: &Header) -> Result<Self, BackupError> {
        let id = LaneId {
            node: LANE.to_owned(),
            incarnation: header.created_at.0,
            index: 0,
        };
        let lane = CommitLane::open(SharedStore::clone(&store), id).await?;
        let filler = Self { store, lane };
        let row = RestoreRow {
            created_at: header.created_at,
        };
        filler
            .commit(vec![store::put::<Restores>(mark(), &row)])
            .await?;
        Ok(filler)
    }

    /// Deletes what an earlier attempt left.
    async fn empty(&self) -> Result<(), BackupError> {
        for table in TableId::ALL.into_iter().filter(|&id| id != Restores::ID) {
            loop {
                let rows = self.store.walk(table, None, WALK_PAGE).await?;
                if rows.is_empty() {
                    break;
                }
                let rows = rows.into_iter();
                let deletes = rows.map(|(key, _)| Write::Delete { table, key });
                self.commit(deletes.collect()).await?;
            }
        }
        Ok(())
    }

    /// Commits, again and again while the outcome is unknown.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), BackupError> {
        if writes.is_empty() {
            return Ok(());
        }
        let unit = Unit {
            entity: NODE,
            absent: Vec::new(),
            writes,
        };
        match self.lane.submit_and_wait(unit).await {
            Ok(Outcome::Committed) => Ok(()),
            Ok(Outcome::Refused) => Err(BackupError::Refused),
            Ok(Outcome::Fenced) | Err(QueueFull) => Err(CommitError::Fenced.into()),
        }
    }
}

/// Whether the store has what was in the backup.
async fn count(store: &SharedStore, expected: &Counts) -> Result<(), BackupError> {
    let of = expected.all_rows();
    let mut progress = Progress::new("count");
    let mut all = 0;
    for table in TableId::ALL
        .into_iter()
        .filter(|&table| is_backed_up(table))
    {
        let mut found = 0;
        let mut after = None;
        loop {
            let rows = store.walk(table, after.as_ref(), WALK_PAGE).await?;
            found += rows.len() as u64;
            all += rows.len() as u64;
            progress.show(Tally {
                done: all,
                of,
                rows: all,
                files: 0,
                bytes: 0,
            });
            match rows.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => break,
            }
        }
        let expected = expected.rows.get(&table).copied().unwrap_or_default();
        if found != expected {
            return Err(BackupError::Differs {
                table,
                found,
                expected,
            });
        }
    }
    Ok(())
}
