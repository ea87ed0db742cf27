//! Writing a backup: each call gives the bytes that come next.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{CHECK, Counts, FORMAT, FileHead, Header, MAGIC, Trailer, kind, part};
use crate::document::{Key, Part, TableId};

/// Writes one backup: header, rows, files, trailer, in this order. Appends to a buffer that the caller empties.
#[derive(Debug, Default)]
pub struct Writer {
    digest: Sha256,
    counts: Counts,
}

impl Writer {
    /// Begins a backup.
    pub fn begin(header: &Header, out: &mut Vec<u8>) -> Self {
        let mut writer = Self::default();
        let from = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        writer.digest.update(&out[from..]);
        writer.record(kind::HEADER, out, |out| push_document(header, out));
        writer
    }

    /// A row.
    pub fn row(&mut self, table: TableId, key: &Key, row: &[u8], out: &mut Vec<u8>) {
        *self.counts.rows.entry(table).or_default() += 1;
        self.record(kind::ROW, out, |out| {
            push_text(table.name(), out);
            push_part(&key.partition, out);
            push_part(&key.sort, out);
            out.extend_from_slice(row);
        });
    }

    /// A file; exactly its bytes must follow.
    pub fn file(&mut self, head: &FileHead, out: &mut Vec<u8>) {
        self.counts.files += 1;
        self.counts.file_bytes += head.size;
        self.record(kind::FILE, out, |out| {
            out.extend_from_slice(&head.size.to_le_bytes());
            out.extend_from_slice(head.path.as_bytes());
        });
    }

    /// The next bytes of the file, at most [`crate::limits::ARCHIVE_CHUNK_BYTES`].
    pub fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.record(kind::BYTES, out, |out| out.extend_from_slice(bytes));
    }

    /// Ends the backup, and says what is in it.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Counts {
        let rows = self.counts.rows.iter();
        let rows: BTreeMap<String, u64> = rows
            .map(|(table, count)| (table.name().to_owned(), *count))
            .collect();
        let trailer = Trailer {
            rows,
            files: self.counts.files,
            file_bytes: self.counts.file_bytes,
            sha256: sha256(&self.digest),
        };
        self.record(kind::TRAILER, out, |out| push_document(&trailer, out));
        self.counts
    }

    /// Ends what will be no backup, and says why.
    pub fn abandon(mut self, why: &str, out: &mut Vec<u8>) {
        self.record(kind::ABANDONED, out, |out| {
            out.extend_from_slice(why.as_bytes());
        });
    }

    fn record(&mut self, kind: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        let from = out.len();
        out.push(kind);
        out.extend_from_slice(&[0; 4]);
        body(out);
        // No body comes near 4 GiB: rows are bounded by the stores, pieces by their caller.
        let length = u32::try_from(out.len() - from - super::HEAD).unwrap_or(u32::MAX);
        out[from + 1..from + super::HEAD].copy_from_slice(&length.to_le_bytes());
        self.digest.update(&out[from..]);
        let check = check(&self.digest);
        self.digest.update(check);
        out.extend_from_slice(&check);
    }
}

/// The digest of everything so far.
pub(super) fn sha256(digest: &Sha256) -> bson::Binary {
    bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: digest.clone().finalize().to_vec(),
    }
}

/// The begin of the digest of everything so far.
pub(super) fn check(digest: &Sha256) -> [u8; CHECK] {
    let whole = digest.clone().finalize();
    let mut check = [0; CHECK];
    check.copy_from_slice(&whole[..CHECK]);
    check
}

fn push_document(document: &impl Serialize, out: &mut Vec<u8>) {
    #[allow(
        clippy::expect_used,
        reason = "invariant: header and trailer are plain structs with string keys"
    )]
    let bytes = bson::serialize_to_vec(document).expect("header and trailer are valid BSON");
    out.extend_from_slice(&bytes);
}

fn push_part(part: &Part, out: &mut Vec<u8>) {
    match part {
        Part::Num(number) => {
            out.push(part::NUM);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Part::Text(text) => {
            out.push(part::TEXT);
            push_text(text, out);
        }
    }
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
