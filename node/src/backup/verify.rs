//! `rookery backup verify`: reads a backup from its begin to its end. What restores it reads it the same way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rookery_protocol::archive::{Counts, Header, Reader, Record};
use rookery_protocol::document::SCHEMA;

use super::{BackupError, summary};
use crate::progress::{Progress, Tally};

/// Bytes read at once.
const PIECE: usize = 256 * 1_024;

/// Reads all of a backup and says what is in it.
///
/// # Errors
/// It is not whole: which record, where, and why.
pub async fn verify(path: &Path) -> Result<String, BackupError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut header = None;
        let progress = Progress::new("verify");
        let counts = read(&path, progress, |record| {
            if let Record::Header(found) = record {
                header = Some(found);
            }
            Ok(())
        })?;
        Ok(summary(&describe(&path, header.as_ref()), &counts))
    });
    tokio::select! {
        done = read => match done {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        () = super::interrupted() => Err(BackupError::Interrupted("the file was not read to its end")),
    }
}

/// What a backup is.
pub(super) fn describe(path: &Path, header: Option<&Header>) -> String {
    let Some(header) = header else {
        return path.display().to_string();
    };
    let files = if header.files { "with" } else { "without" };
    format!(
        "{} is whole: made {} by Rookery {} of {}, schema {}, {files} files",
        path.display(),
        header.created_at.iso8601(),
        header.version,
        header.driver,
        header.schema,
    )
}

/// The header of a backup, so that what is none is told before anything is done. Blocks.
///
/// # Errors
/// It is none, or a newer one.
pub(super) fn header(path: &Path) -> Result<Header, BackupError> {
    let failed = BackupError::file(path);
    let damaged = BackupError::archive(path);
    let mut file = File::open(path).map_err(&failed)?;
    let mut reader = Reader::default();
    let mut piece = [0; 512];
    loop {
        let read = file.read(&mut piece).map_err(&failed)?;
        reader.feed(&piece[..read]);
        match reader.next_record().map_err(&damaged)? {
            Some(Record::Header(header)) => {
                check_schema(path, &header)?;
                return Ok(header);
            }
            // The first record that a reader gives is a header.
            Some(_) => {}
            None if read == 0 => return Err(damaged(reader.cut())),
            None => {}
        }
    }
}

/// Reads a whole backup, handing on each record once it is known to be as it was written. Blocks.
///
/// # Errors
/// It is not whole, or `take` refuses a record.
pub(super) fn read(
    path: &Path,
    mut progress: Progress,
    mut take: impl FnMut(Record) -> Result<(), BackupError>,
) -> Result<Counts, BackupError> {
    let failed = BackupError::file(path);
    let damaged = BackupError::archive(path);
    let mut file = File::open(path).map_err(&failed)?;
    let of = file.metadata().map_err(&failed)?.len();
    let mut reader = Reader::default();
    let mut piece = vec![0; PIECE];
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return reader.finish().map_err(damaged),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        reader.feed(&piece[..read]);
        while let Some(record) = reader.next_record().map_err(&damaged)? {
            if let Record::Header(header) = &record {
                check_schema(path, header)?;
            }
            take(record)?;
        }
        progress.show(Tally {
            done: reader.offset(),
            of,
            rows: reader.counts().all_rows(),
            files: reader.counts().files,
            bytes: reader.offset(),
        });
    }
}

fn check_schema(path: &Path, header: &Header) -> Result<(), BackupError> {
    if header.schema > SCHEMA {
        return Err(BackupError::Newer {
            path: path.to_owned(),
            found: header.schema,
        });
    }
    Ok(())
}
