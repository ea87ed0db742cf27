//! `rookery backup create`: takes a backup from the node that serves, or from the store itself, and writes it into a file
//! that gets its name once it is whole. Every record is checked on its way, so what is written was read once already.

use std::path::Path;

use bytes::Bytes;
use rookery_actors::entity::Clock;
use rookery_protocol::archive::{Counts, Fault, Header, Reader, Record};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::partial::Partial;
use super::produce::{Files, PIECES, Source, Stop};
use super::{BackupError, summary};
use crate::admin::client::{Admin, AdminError};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::progress::{Progress, Tally};
use crate::store::{self, Opened};

/// A backup that comes in.
type Pieces = mpsc::Receiver<Bytes>;
/// What this process makes it of.
type Local = (JoinHandle<Result<(), Stop>>, Opened);

/// Makes a backup and says what is in it.
///
/// # Errors
/// One sentence; nothing is left then.
pub async fn create(config: &Config, path: &Path, files: bool) -> Result<String, BackupError> {
    let partial = Partial::begin(path)?;
    let (pieces, local) = begin(config, files).await?;
    let is_serving = local.is_none();
    let target = path.to_owned();
    let (stop, stopped) = std::sync::mpsc::channel();
    let mut write = tokio::task::spawn_blocking(move || write(partial, &target, pieces, &stopped));
    let written = tokio::select! {
        written = &mut write => written,
        () = super::interrupted() => {
            // Read with the next piece; the writer deletes what it has.
            let _ = stop.send(());
            write.await
        }
    };
    if let Some((sending, opened)) = local {
        // It ends once nobody takes its pieces.
        let _ = sending.await;
        opened.close().await;
    }
    match written {
        Ok(Ok((header, counts))) => {
            let what = super::verify::describe(path, header.as_ref());
            Ok(summary(&what, &counts))
        }
        // Nobody wrote the reason down: the node was stopped or killed, or was kept waiting.
        Ok(Err(BackupError::Archive { source, .. }))
            if is_serving && source.fault == Fault::Cut =>
        {
            Err(AdminError::Cut.into())
        }
        Ok(Err(error)) => Err(error),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Asks the serving node, or opens the store when there is none.
async fn begin(config: &Config, files: bool) -> Result<(Pieces, Option<Local>), BackupError> {
    if store::is_embedded(config)
        && let Some(admin) = Admin::connect(&config.data).await?
    {
        return Ok((admin.backup(files).await?, None));
    }
    let opened = Opened::open_existing(config).await?;
    let files = files.then(|| Files::of(&config.data, opened.files()));
    let now = SystemClock::new().now();
    let snapshots = opened.snapshots();
    let driver = store::driver(config);
    let source = Source::begin(snapshots.as_ref(), driver, now, files).await?;
    let (out, pieces) = mpsc::channel(PIECES);
    // Nobody else waits for the store: a command that was stopped for a while may go on.
    let sending = tokio::spawn(source.send(out, None));
    Ok((pieces, Some((sending, opened))))
}

fn write(
    mut partial: Partial,
    target: &Path,
    mut pieces: Pieces,
    stopped: &std::sync::mpsc::Receiver<()>,
) -> Result<(Option<Header>, Counts), BackupError> {
    let damaged = BackupError::archive(target);
    let mut reader = Reader::default();
    let mut progress = Progress::new("backup");
    let mut header: Option<Header> = None;
    while let Some(piece) = pieces.blocking_recv() {
        if stopped.try_recv().is_ok() {
            return Err(BackupError::Interrupted("no backup was written"));
        }
        partial.write(&piece)?;
        reader.feed(&piece);
        while let Some(record) = reader.next_record().map_err(&damaged)? {
            if let Record::Header(found) = record {
                header = Some(found);
            }
        }
        let (rows, files) = (reader.counts().all_rows(), reader.counts().files);
        // Nobody knows how many bytes of files there are before they have been read.
        let rows_only = header.as_ref().filter(|_| files == 0);
        progress.show(Tally {
            done: rows,
            of: rows_only.map_or(0, |header| header.rows),
            rows,
            files,
            bytes: reader.offset(),
        });
    }
    let counts = reader.finish().map_err(damaged)?;
    partial.finish()?;
    Ok((header, counts))
}
