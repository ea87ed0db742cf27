//! A backup as a stream of bytes, made of a snapshot and the files: by the serving node, or by the command itself.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rookery_actors::store::restore::is_backed_up;
use rookery_actors::store::{Snapshot, Snapshots, StoreError};
use rookery_protocol::archive::{FileHead, Header, Writer, is_path};
use rookery_protocol::document::{SCHEMA, TableId};
use rookery_protocol::limits::{ARCHIVE_CHUNK_BYTES, WALK_PAGE};
use rookery_protocol::time::Millis;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::media;
use crate::store::mongo::MongoFiles;

/// Pieces that wait to be taken; each is some rows or a piece of a file.
pub const PIECES: usize = 4;
/// Bytes of the largest piece: a page of rows may be much more, and who takes it slowly is not who takes nothing.
const PIECE_BYTES: usize = 4 * ARCHIVE_CHUNK_BYTES;

/// Where the files are.
pub enum Files {
    /// In the folder of the only node.
    Folder(PathBuf),
    /// In the database, for all nodes.
    Shared(MongoFiles),
}

impl Files {
    /// Those in a data folder, unless nodes share them.
    pub fn of(data: &Path, shared: Option<MongoFiles>) -> Self {
        shared.map_or_else(|| Self::Folder(data.join(media::FOLDER)), Self::Shared)
    }
}

/// A backup that has begun: its instant is fixed.
pub struct Source {
    snapshot: Box<dyn Snapshot>,
    header: Header,
    /// The files, when they are to be in it.
    files: Option<Files>,
}

/// Why the stream ends early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Nobody takes it any more.
    #[error("nobody takes it any more")]
    Gone,
    /// Whoever takes it has taken nothing for so long.
    #[error("nothing of it was taken for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read.
    #[error("{0}")]
    Files(#[from] io::Error),
}

/// Whoever takes a backup.
struct Taker {
    out: mpsc::Sender<Bytes>,
    /// How long he may take nothing; none: for ever.
    patience: Option<Duration>,
}

impl Taker {
    /// Gives what a buffer holds, and empties it.
    async fn give(&self, buffer: &mut Vec<u8>) -> Result<(), Stop> {
        let mut rest = Bytes::from(std::mem::take(buffer));
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            let giving = self.out.send(piece);
            let given = match self.patience {
                Some(patience) => timeout(patience, giving)
                    .await
                    .map_err(|_| Stop::Stalled(patience))?,
                None => giving.await,
            };
            given.map_err(|_| Stop::Gone)?;
        }
        Ok(())
    }
}

impl Source {
    /// Takes the snapshot. `now` is read before, so that everything acknowledged until then is in it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(
        snapshots: &dyn Snapshots,
        driver: &str,
        now: Millis,
        files: Option<Files>,
    ) -> Result<Self, StoreError> {
        let snapshot = snapshots.snapshot().await?;
        let mut rows = 0;
        for table in TableId::ALL
            .into_iter()
            .filter(|&table| is_backed_up(table))
        {
            rows += snapshot.count(table).await?;
        }
        let header = Header {
            created_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            driver: driver.to_owned(),
            schema: SCHEMA,
            files: files.is_some(),
            rows,
        };
        Ok(Self {
            snapshot,
            header,
            files,
        })
    }

    /// Sends the whole backup, or as much as can be made and why there is no more. Whoever takes nothing for as long as
    /// `patience` gets no more, so that he does not hold the snapshot for ever.
    ///
    /// # Errors
    /// It is not whole.
    pub async fn send(
        self,
        out: mpsc::Sender<Bytes>,
        patience: Option<Duration>,
    ) -> Result<(), Stop> {
        let taker = Taker { out, patience };
        let mut buffer = Vec::new();
        let mut writer = Writer::begin(&self.header, &mut buffer);
        let mut sent = self.rows(&mut writer, &mut buffer, &taker).await;
        // The store may let go of what it kept.
        let Self {
            snapshot, files, ..
        } = self;
        drop(snapshot);
        if sent.is_ok() {
            let to = &mut Sink {
                writer: &mut writer,
                buffer: &mut buffer,
                taker: &taker,
            };
            sent = match files {
                Some(Files::Folder(folder)) => to.folder(&folder).await,
                Some(Files::Shared(shared)) => to.shared(&shared).await,
                None => Ok(()),
            };
        }
        let ended = match sent {
            Ok(()) => {
                writer.finish(&mut buffer);
                taker.give(&mut buffer).await
            }
            // Nobody would read why.
            Err(stop @ (Stop::Gone | Stop::Stalled(_))) => Err(stop),
            Err(stop) => {
                writer.abandon(&stop.to_string(), &mut buffer);
                // Nobody takes it: nobody is told.
                let _ = taker.give(&mut buffer).await;
                Err(stop)
            }
        };
        if let Err(stop) = &ended
            && !matches!(stop, Stop::Gone)
        {
            tracing::warn!(error = %stop, "a backup could not be made");
        }
        ended
    }

    async fn rows(
        &self,
        writer: &mut Writer,
        buffer: &mut Vec<u8>,
        taker: &Taker,
    ) -> Result<(), Stop> {
        for table in TableId::ALL
            .into_iter()
            .filter(|&table| is_backed_up(table))
        {
            let mut after = None;
            loop {
                let rows = self.snapshot.walk(table, after.as_ref(), WALK_PAGE).await?;
                for (key, row) in &rows {
                    writer.row(table, key, row, buffer);
                }
                if buffer.len() >= ARCHIVE_CHUNK_BYTES {
                    taker.give(buffer).await?;
                }
                match rows.into_iter().next_back() {
                    Some((key, _)) => after = Some(key),
                    None => break,
                }
            }
        }
        Ok(())
    }
}

/// Where files go.
struct Sink<'a> {
    writer: &'a mut Writer,
    buffer: &'a mut Vec<u8>,
    taker: &'a Taker,
}

impl Sink<'_> {
    /// Sends the files below a folder. One that is deleted meanwhile is left out: its row, which the snapshot has, was too.
    async fn folder(&mut self, root: &Path) -> Result<(), Stop> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let mut entries = match tokio::fs::read_dir(root.join(&folder)).await {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            while let Some(entry) = entries.next_entry().await? {
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    continue;
                };
                let path = match folder.as_str() {
                    "" => name,
                    folder => format!("{folder}/{name}"),
                };
                // Uploads under way belong to no row, and what is called otherwise is none of ours.
                if path == media::TEMPORARY || !is_path(&path) {
                    continue;
                }
                let kind = entry.file_type().await?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    match File::open(root.join(&path)).await {
                        Ok(file) => self.file(file, path).await?,
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends the newest file of each name in the database.
    async fn shared(&mut self, shared: &MongoFiles) -> Result<(), Stop> {
        let mut after: Option<String> = None;
        loop {
            let page = shared.list(after.as_deref(), WALK_PAGE).await?;
            let mut names: Vec<String> = page.into_iter().map(|file| file.name).collect();
            names.dedup();
            let Some(last) = names.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for name in names.into_iter().filter(|name| is_path(name)) {
                if let Some(file) = spool(shared, &name).await? {
                    self.file(file, name).await?;
                }
            }
        }
    }

    /// Sends one file: what is in its place is whole and never written again.
    async fn file(&mut self, file: File, path: String) -> Result<(), Stop> {
        let size = file.metadata().await?.len();
        let mut missing = size;
        let mut file = file.take(size);
        self.writer.file(&FileHead { path, size }, self.buffer);
        let mut piece = vec![0; ARCHIVE_CHUNK_BYTES];
        while missing > 0 {
            let read = file.read(&mut piece).await?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            missing -= read as u64;
            self.writer.bytes(&piece[..read], self.buffer);
            if self.buffer.len() >= ARCHIVE_CHUNK_BYTES {
                self.taker.give(self.buffer).await?;
            }
        }
        // Many small files go together.
        Ok(())
    }
}

/// A shared file as one that has no name here, from its beginning: a backup says the size of a file before its bytes, and
/// this one may be deleted while it is read. None if it was.
async fn spool(shared: &MongoFiles, name: &str) -> Result<Option<File>, Stop> {
    let Some(mut download) = shared.open(name).await? else {
        return Ok(None);
    };
    let file = tokio::task::spawn_blocking(tempfile::tempfile).await;
    let mut file = File::from_std(file.map_err(io::Error::other)??);
    loop {
        match download.next().await {
            Ok(Some(piece)) => file.write_all(&piece).await?,
            Ok(None) => break,
            Err(_) if shared.present(&[name.to_owned()]).await?.is_empty() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    file.flush().await?;
    file.seek(SeekFrom::Start(0)).await?;
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use rookery_actors::store::memory::MemoryStore;
    use rookery_actors::store::{Store, Write};
    use rookery_protocol::archive::{ArchiveError, Counts, Fault, Reader};
    use rookery_protocol::document::Key;

    use super::*;

    /// A backup of more than what waits to be taken.
    async fn source() -> Source {
        let store = MemoryStore::new();
        let writes: Vec<Write> = (0..2 * PIECES as u64)
            .map(|n| Write::Put {
                table: TableId::Messages,
                key: Key::new(7, n),
                row: vec![0; PIECE_BYTES],
            })
            .collect();
        let decide = |_: &[Option<Vec<u8>>]| writes.clone();
        store.transact(&[], &decide).await.unwrap();
        Source::begin(&store, "memory", Millis(1), None)
            .await
            .unwrap()
    }

    /// What a reader makes of all that comes.
    async fn read(mut pieces: mpsc::Receiver<Bytes>) -> Result<Counts, ArchiveError> {
        let mut reader = Reader::default();
        while let Some(piece) = pieces.recv().await {
            assert!(piece.len() <= PIECE_BYTES);
            reader.feed(&piece);
            while reader.next_record()?.is_some() {}
        }
        reader.finish()
    }

    #[tokio::test]
    async fn who_takes_nothing_gets_no_more_and_sees_it() {
        let patience = Duration::from_millis(20);
        let (out, pieces) = mpsc::channel(PIECES);
        let sent = source().await.send(out, Some(patience)).await;
        assert!(matches!(sent, Err(Stop::Stalled(time)) if time == patience));
        assert_eq!(read(pieces).await.unwrap_err().fault, Fault::Cut);
    }

    #[tokio::test]
    async fn who_takes_it_gets_all_of_it() {
        let (out, pieces) = mpsc::channel(PIECES);
        let reading = tokio::spawn(read(pieces));
        let patience = Duration::from_secs(60);
        let sent = source().await.send(out, Some(patience)).await;
        assert!(sent.is_ok(), "{sent:?}");
        let counts = reading.await.unwrap().unwrap();
        assert_eq!(counts.all_rows(), 2 * PIECES as u64);
    }
}
