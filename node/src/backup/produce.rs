//! A backup as a stream of bytes, made of a snapshot and the files: by the serving node, or by the command itself.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rookery_actors::store::restore::is_backed_up;
use rookery_actors::store::{Snapshot, Snapshots, StoreError};
use rookery_protocol::archive::{FileHead, Header, Writer, is_path};
use rookery_protocol::document::{SCHEMA, TableId};
use rookery_protocol::limits::{ARCHIVE_CHUNK_BYTES, WALK_PAGE};
use rookery_protocol::time::Millis;
use tokio::sync::mpsc;

use crate::media;

/// Pieces that wait to be taken; each is a page of rows or a piece of a file.
pub const PIECES: usize = 4;

/// A backup that has begun: its instant is fixed.
pub struct Source {
    snapshot: Box<dyn Snapshot>,
    header: Header,
    /// The folder of files, when they are to be in it.
    media: Option<PathBuf>,
}

/// Why the stream ends early.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Nobody takes it any more.
    #[error("nobody takes it")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Files(#[from] io::Error),
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
        media: Option<PathBuf>,
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
            files: media.is_some(),
            rows,
        };
        Ok(Self {
            snapshot,
            header,
            media,
        })
    }

    /// Sends the whole backup, or as much as can be made and why there is no more. Ends when nobody takes it any more.
    pub async fn send(self, out: mpsc::Sender<Bytes>) {
        let mut buffer = Vec::new();
        let mut writer = Writer::begin(&self.header, &mut buffer);
        let mut sent = self.rows(&mut writer, &mut buffer, &out).await;
        // The store may let go of what it kept.
        let Self {
            snapshot, media, ..
        } = self;
        drop(snapshot);
        if let (Ok(()), Some(folder)) = (&sent, media) {
            let to = out.clone();
            let files = move || {
                let sent = files(&folder, &mut writer, &mut buffer, &to);
                (sent, writer, buffer)
            };
            match tokio::task::spawn_blocking(files).await {
                Ok(done) => (sent, writer, buffer) = done,
                // A panic; what it had goes with it, so the file is cut.
                Err(_) => return,
            }
        }
        match sent {
            Ok(()) => {
                writer.finish(&mut buffer);
            }
            Err(Stop::Gone) => return,
            Err(stop) => {
                tracing::warn!(error = %stop, "a backup could not be made");
                writer.abandon(&stop.to_string(), &mut buffer);
            }
        }
        // Nobody takes it: nobody is told.
        let _ = out.send(buffer.into()).await;
    }

    async fn rows(
        &self,
        writer: &mut Writer,
        buffer: &mut Vec<u8>,
        out: &mpsc::Sender<Bytes>,
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
                    let piece = std::mem::take(buffer);
                    out.send(piece.into()).await.map_err(|_| Stop::Gone)?;
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

/// Sends the files below a folder. One that is deleted meanwhile is left out: its row, which the snapshot has, was too.
fn files(
    root: &Path,
    writer: &mut Writer,
    buffer: &mut Vec<u8>,
    out: &mpsc::Sender<Bytes>,
) -> Result<(), Stop> {
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
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
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                file(root, path, writer, buffer, out)?;
            }
        }
    }
    Ok(())
}

fn file(
    root: &Path,
    path: String,
    writer: &mut Writer,
    buffer: &mut Vec<u8>,
    out: &mpsc::Sender<Bytes>,
) -> Result<(), Stop> {
    let file = match File::open(root.join(&path)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // What is in its place is whole and never written again.
    let size = file.metadata()?.len();
    let mut missing = size;
    let mut file = file.take(size);
    writer.file(&FileHead { path, size }, buffer);
    let mut piece = vec![0; ARCHIVE_CHUNK_BYTES];
    while missing > 0 {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        missing -= read as u64;
        writer.bytes(&piece[..read], buffer);
        if buffer.len() >= ARCHIVE_CHUNK_BYTES {
            let piece = std::mem::take(buffer);
            out.blocking_send(piece.into()).map_err(|_| Stop::Gone)?;
        }
    }
    // Many small files go together.
    Ok(())
}
