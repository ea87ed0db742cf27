//! Reading a backup as its bytes come in, believing none of them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::write::{check, sha256};
use super::{
    ArchiveError, CHECK, Counts, FORMAT, Fault, FileHead, HEAD, Header, MAGIC, Record, Row,
    Trailer, is_path, kind, part,
};
use crate::document::{Key, Part, TableId};
use crate::limits::ARCHIVE_RECORD_BYTES;

/// Bytes in front of the first record.
const START: usize = MAGIC.len() + 4;

/// Takes the bytes of a backup in pieces of any size and gives its records. It holds at most one record and one piece.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    /// What of the buffer is used up.
    used: usize,
    digest: Sha256,
    stage: Stage,
    /// Bytes of the file at hand that are to come.
    missing: u64,
    counts: Counts,
    /// The record at hand, and where it begins.
    record: u64,
    offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Nothing has been read.
    #[default]
    Start,
    /// The header comes.
    Header,
    /// Rows, then files, then the trailer.
    Rows,
    Files,
    /// Nothing more may come.
    End,
}

impl Reader {
    /// Adds bytes. What [`Reader::next_record`] can give is to be taken first, or they pile up.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// What has been read so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Bytes of the records that have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record, if all of it has come.
    ///
    /// # Errors
    /// It is not what was written, or cannot stand here.
    pub fn next_record(&mut self) -> Result<Option<Record>, ArchiveError> {
        self.read().map_err(|fault| self.error(fault))
    }

    /// Ends the reading: the trailer must have come, and nothing behind it.
    ///
    /// # Errors
    /// The file is cut.
    pub fn finish(self) -> Result<Counts, ArchiveError> {
        if self.stage != Stage::End || self.used < self.buffer.len() {
            return Err(self.cut());
        }
        Ok(self.counts)
    }

    /// What is wrong if nothing more comes, although more is missing.
    pub fn cut(&self) -> ArchiveError {
        self.error(Fault::Cut)
    }

    fn error(&self, fault: Fault) -> ArchiveError {
        ArchiveError {
            record: self.record,
            offset: self.offset,
            fault,
        }
    }

    fn read(&mut self) -> Result<Option<Record>, Fault> {
        if self.stage == Stage::Start && !self.start()? {
            return Ok(None);
        }
        let Some((&kind, rest)) = self.buffer[self.used..].split_first() else {
            return Ok(None);
        };
        if self.stage == Stage::End {
            return Err(Fault::Excess);
        }
        let Some((length, rest)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length);
        let size = length as usize;
        if size > ARCHIVE_RECORD_BYTES {
            return Err(Fault::Length(length));
        }
        let Some((body, rest)) = rest.split_at_checked(size) else {
            return Ok(None);
        };
        let Some(found) = rest.first_chunk::<CHECK>() else {
            return Ok(None);
        };
        // The trailer's digest is of what stands in front of it.
        let before = (kind == kind::TRAILER).then(|| sha256(&self.digest));
        let end = self.used + HEAD + size;
        self.digest.update(&self.buffer[self.used..end]);
        if check(&self.digest) != *found {
            return Err(Fault::Check);
        }
        let record = parse(kind, body)?;
        self.digest.update(&self.buffer[end..end + CHECK]);
        self.admit(&record, before.as_ref())?;
        self.used = end + CHECK;
        self.offset += (HEAD + size + CHECK) as u64;
        self.record += 1;
        Ok(Some(record))
    }

    /// Reads what stands in front of the first record; whether it has come.
    fn start(&mut self) -> Result<bool, Fault> {
        let have = self.buffer.len().min(MAGIC.len());
        if self.buffer[..have] != MAGIC[..have] {
            return Err(Fault::NoArchive);
        }
        let Some(start) = self.buffer.first_chunk::<START>() else {
            return Ok(false);
        };
        let [.., a, b, c, d] = *start;
        let format = u32::from_le_bytes([a, b, c, d]);
        if format != FORMAT {
            return Err(Fault::Format(format));
        }
        self.digest.update(start);
        self.used = START;
        self.offset = START as u64;
        self.record = 1;
        self.stage = Stage::Header;
        Ok(true)
    }

    /// Whether a record can stand here; counts it.
    fn admit(&mut self, record: &Record, digest: Option<&bson::Binary>) -> Result<(), Fault> {
        if self.missing > 0 && !matches!(record, Record::Bytes(_)) {
            return Err(Fault::Misplaced("something else than the rest of a file"));
        }
        match (record, self.stage) {
            (Record::Header(_), Stage::Header) => self.stage = Stage::Rows,
            (Record::Header(_), _) => return Err(Fault::Misplaced("a second header")),
            (_, Stage::Header) => return Err(Fault::Misplaced("no header")),
            (Record::Row(row), Stage::Rows) => {
                *self.counts.rows.entry(row.table).or_default() += 1;
            }
            (Record::Row(_), _) => return Err(Fault::Misplaced("a row")),
            (Record::File(head), _) => {
                self.stage = Stage::Files;
                self.missing = head.size;
                self.counts.files += 1;
                self.counts.file_bytes = self.counts.file_bytes.saturating_add(head.size);
            }
            (Record::Bytes(bytes), _) => {
                let left = self.missing.checked_sub(bytes.len() as u64);
                let left = left.filter(|_| !bytes.is_empty());
                self.missing = left.ok_or(Fault::Misplaced("a piece of no file"))?;
            }
            (Record::Trailer(trailer), _) => {
                let rows = self.counts.rows.iter();
                let rows: BTreeMap<String, u64> = rows
                    .map(|(table, count)| (table.name().to_owned(), *count))
                    .collect();
                let is_right = trailer.rows == rows
                    && trailer.files == self.counts.files
                    && trailer.file_bytes == self.counts.file_bytes
                    && Some(&trailer.sha256) == digest;
                if !is_right {
                    return Err(Fault::Miscounted);
                }
                self.stage = Stage::End;
            }
        }
        Ok(())
    }
}

fn parse(kind: u8, body: &[u8]) -> Result<Record, Fault> {
    match kind {
        kind::HEADER => document::<Header>(body).map(Record::Header),
        kind::ROW => row(body).map(Record::Row),
        kind::FILE => file(body).map(Record::File),
        kind::BYTES => Ok(Record::Bytes(body.to_vec())),
        kind::TRAILER => document::<Trailer>(body).map(Record::Trailer),
        kind::ABANDONED => Err(Fault::Abandoned(String::from_utf8_lossy(body).into_owned())),
        other => Err(malformed(format!("its kind {other} is unknown"))),
    }
}

fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    bson::deserialize_from_slice(body).map_err(|error| malformed(error.to_string()))
}

fn row(body: &[u8]) -> Result<Row, Fault> {
    let (table, rest) = text(body)?;
    let known = TableId::ALL.into_iter().find(|id| id.name() == table);
    let table = known.ok_or_else(|| Fault::Table(table.to_owned()))?;
    let (partition, rest) = key_part(rest)?;
    let (sort, row) = key_part(rest)?;
    let key = Key { partition, sort };
    if !key.is_storable() {
        return Err(malformed("no store takes its key"));
    }
    Ok(Row {
        table,
        key,
        row: row.to_vec(),
    })
}

fn file(body: &[u8]) -> Result<FileHead, Fault> {
    let (size, path) = body
        .split_first_chunk()
        .ok_or_else(|| malformed("it is short"))?;
    let path = std::str::from_utf8(path)
        .ok()
        .filter(|path| is_path(path))
        .ok_or_else(|| malformed("its path leads out of the folder"))?;
    Ok(FileHead {
        path: path.to_owned(),
        size: u64::from_le_bytes(*size),
    })
}

fn key_part(body: &[u8]) -> Result<(Part, &[u8]), Fault> {
    match body.split_first() {
        Some((&part::NUM, rest)) => {
            let (number, rest) = rest
                .split_first_chunk()
                .ok_or_else(|| malformed("its key is short"))?;
            Ok((Part::Num(u64::from_le_bytes(*number)), rest))
        }
        Some((&part::TEXT, rest)) => {
            let (text, rest) = text(rest)?;
            Ok((Part::Text(text.to_owned()), rest))
        }
        _ => Err(malformed("its key is none")),
    }
}

fn text(body: &[u8]) -> Result<(&str, &[u8]), Fault> {
    let read = || {
        let (length, rest) = body.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        Some((std::str::from_utf8(text).ok()?, rest))
    };
    read().ok_or_else(|| malformed("a text of it is none"))
}

fn malformed(what: impl Into<String>) -> Fault {
    Fault::Malformed(what.into())
}
