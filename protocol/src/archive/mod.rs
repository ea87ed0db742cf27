//! A backup as one file, the same whichever store it was made of.
//!
//! ```text
//! file   = "ROOKERY\n" format:u32 record*
//! record = kind:u8 length:u32 body check:8
//! ```
//!
//! Numbers are little endian. The first record is the [`Header`]; then come the rows, table by table, each as one record;
//! then the files, each as its [`FileHead`] and the bytes that follow in pieces; the last is the [`Trailer`]. A record's
//! check is the begin of the SHA-256 of everything in front of it, from the first byte of the file on; the trailer holds
//! all of that digest. A writer that cannot go on says why in a last record of another kind. So a record that was changed, left out, repeated or moved is told where it stands, a file that was
//! cut has no trailer, and both sides read and write in constant memory.

mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{Key, TableId};
use crate::time::Millis;

pub use read::Reader;
pub use write::Writer;

/// The begin of every backup.
const MAGIC: [u8; 8] = *b"ROOKERY\n";
/// The layout of records that this code writes and reads.
pub const FORMAT: u32 = 1;
/// Bytes in front of a record's body: its kind and the length.
const HEAD: usize = 5;
/// Bytes of a check.
const CHECK: usize = 8;

/// Kinds of records.
mod kind {
    pub(super) const HEADER: u8 = 1;
    pub(super) const ROW: u8 = 2;
    pub(super) const FILE: u8 = 3;
    pub(super) const BYTES: u8 = 4;
    pub(super) const TRAILER: u8 = 5;
    pub(super) const ABANDONED: u8 = 6;
}

/// Kinds of key parts.
mod part {
    pub(super) const NUM: u8 = 1;
    pub(super) const TEXT: u8 = 2;
}

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// When it was begun: everything acknowledged before is in it.
    pub created_at: Millis,
    /// The version of Rookery that wrote it.
    pub version: String,
    /// The driver of the store it was made of.
    pub driver: String,
    /// The schema of its rows.
    pub schema: u32,
    /// Whether the files are in it too.
    pub files: bool,
    /// About how many rows there are, for progress.
    pub rows: u64,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Table.
    pub table: TableId,
    /// Address.
    pub key: Key,
    /// BSON.
    pub row: Vec<u8>,
}

/// A file, whose bytes follow in records of [`Record::Bytes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// Where it lies below the folder of files, with `/` between names; [`is_path`].
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// How much of what a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows of each table that has any.
    pub rows: BTreeMap<TableId, u64>,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub file_bytes: u64,
}

impl Counts {
    /// Rows of all tables.
    pub fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// The end of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Rows of each table that has any, by its name.
    pub rows: BTreeMap<String, u64>,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub file_bytes: u64,
    /// The SHA-256 of everything in front of the trailer.
    pub sha256: bson::Binary,
}

/// A record, as a reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The first one.
    Header(Header),
    /// A row.
    Row(Row),
    /// A file begins.
    File(FileHead),
    /// The next piece of that file.
    Bytes(Vec<u8>),
    /// The last one: the backup is whole.
    Trailer(Trailer),
}

/// Where and why a file is no whole backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {record} at byte {offset} {fault}")]
pub struct ArchiveError {
    /// Which record, from 1; 0 is what stands in front of the first.
    pub record: u64,
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file begins with something else.
    #[error("is not the begin of a Rookery backup")]
    NoArchive,
    /// Another layout.
    #[error("says format {0}, but this version of Rookery reads format {FORMAT}")]
    Format(u32),
    /// Whoever wrote it could not go on.
    #[error("says that the backup was given up: {0}")]
    Abandoned(String),
    /// Longer than any record is.
    #[error("claims {0} bytes, more than any record has: the file was changed")]
    Length(u32),
    /// The bytes are not those that were written.
    #[error("does not match its checksum: the file was changed")]
    Check,
    /// It ends too early.
    #[error("is not there: the file was cut off")]
    Cut,
    /// There is more than there should be.
    #[error("comes behind the end of the backup")]
    Excess,
    /// Not what can stand here.
    #[error("is {0} where none can be")]
    Misplaced(&'static str),
    /// Its body cannot be read.
    #[error("cannot be read: {0}")]
    Malformed(String),
    /// A table that this version does not have.
    #[error("is of the table {0:?}, which this version of Rookery does not know: use a newer one")]
    Table(String),
    /// The trailer does not tell what came.
    #[error("does not count what is in the backup")]
    Miscounted,
}

/// Whether a path is one of a file in a backup: names of letters, digits, `.`, `_` and `-` that do not begin with a period, with
/// `/` between them; so it leads nowhere else, on any system.
pub fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain)
    };
    path.len() <= crate::limits::ARCHIVE_PATH_BYTES && path.split('/').all(is_name)
}

impl fmt::Display for Counts {
    /// A table for people: a line for each kind of what there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, count) in &self.rows {
            writeln!(f, "{:>14}  {table}", grouped(*count))?;
        }
        writeln!(f, "{:>14}  rows in all", grouped(self.all_rows()))?;
        write!(
            f,
            "{:>14}  files, {} bytes",
            grouped(self.files),
            grouped(self.file_bytes)
        )
    }
}

/// A number with a comma after every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
