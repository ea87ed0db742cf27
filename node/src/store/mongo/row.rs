//! Rows as MongoDB keeps them: `{_id, row}`, and the row so that an operator can read it.
//!
//! A row that is a BSON document is stored as one, byte for byte; anything else as binary. Nothing in a row is ever taken
//! for an operator or a path: it is always a value in an insert or in `$set`, and names that begin with `$` make it binary.

use bson::raw::cstr;
use bson::spec::BinarySubtype;
use bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf};
use rookery_actors::store::RawRow;
use rookery_protocol::document::{CorruptRow, Key, TableId};
use serde::de::Error as _;

use super::key;

/// Nesting beyond which a row is stored as binary; MongoDB takes 180 levels.
const DEPTH: usize = 100;

/// A whole document.
pub(super) fn document(key: &Key, row: &[u8]) -> RawDocumentBuf {
    let mut out = RawDocumentBuf::new();
    out.append(cstr!("_id"), key::id(key));
    push(&mut out, row);
    out
}

/// Appends the field `row`.
fn push(out: &mut RawDocumentBuf, row: &[u8]) {
    match RawDocument::from_bytes(row) {
        Ok(document) if is_plain(document, DEPTH) => out.append(cstr!("row"), document),
        _ => out.append(
            cstr!("row"),
            Binary {
                subtype: BinarySubtype::Generic,
                bytes: row.to_vec(),
            },
        ),
    }
}

/// Whether MongoDB keeps these bytes as they are.
fn is_plain(document: &RawDocument, depth: usize) -> bool {
    depth > 0
        && document.iter().all(|field| match field {
            Ok((name, value)) => !name.as_str().starts_with('$') && is_plain_value(value, depth),
            Err(_) => false,
        })
}

fn is_plain_value(value: RawBsonRef<'_>, depth: usize) -> bool {
    match value {
        RawBsonRef::Document(document) => is_plain(document, depth - 1),
        RawBsonRef::Array(array) => {
            depth > 1
                && array
                    .into_iter()
                    .all(|item| item.is_ok_and(|item| is_plain_value(item, depth - 1)))
        }
        RawBsonRef::JavaScriptCodeWithScope(_)
        | RawBsonRef::DbPointer(_)
        | RawBsonRef::Undefined
        | RawBsonRef::Symbol(_) => false,
        _ => true,
    }
}

/// Reads a document back.
pub(super) fn decode(table: TableId, document: &RawDocument) -> Result<RawRow, CorruptRow> {
    let corrupt = |why: &str| CorruptRow {
        table,
        source: bson::error::Error::custom(why),
    };
    let key = key_of(table, document)?;
    match document.get("row") {
        Ok(Some(RawBsonRef::Document(row))) => Ok((key, row.as_bytes().to_vec())),
        Ok(Some(RawBsonRef::Binary(row))) => Ok((key, row.bytes.to_vec())),
        _ => Err(corrupt("its document has no row")),
    }
}

/// The key of a document.
pub(super) fn key_of(table: TableId, document: &RawDocument) -> Result<Key, CorruptRow> {
    let id = match document.get("_id") {
        Ok(Some(RawBsonRef::Document(id))) => key::decode(id),
        _ => None,
    };
    id.ok_or_else(|| CorruptRow {
        table,
        source: bson::error::Error::custom("its key is malformed"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::rawdoc;
    use proptest::prelude::*;

    fn round_trip(row: &[u8]) -> RawDocumentBuf {
        let key = Key::new(1, "a");
        let document = document(&key, row);
        let read = decode(TableId::Messages, &document).unwrap();
        assert_eq!(read, (key, row.to_vec()));
        document
    }

    fn is_readable(row: &[u8]) -> bool {
        matches!(
            round_trip(row).get("row"),
            Ok(Some(RawBsonRef::Document(_)))
        )
    }

    #[test]
    fn documents_are_readable_and_the_rest_is_binary() {
        let nested = rawdoc! { "a": { "b": [1, { "c": "d" }] }, "e": null };
        assert!(is_readable(nested.as_bytes()));
        assert!(is_readable(RawDocumentBuf::new().as_bytes()));
        for row in [&b""[..], b"x", &[0; 64], &nested.as_bytes()[1..]] {
            assert!(!is_readable(row));
        }
        for named in [
            rawdoc! { "$set": 1 },
            rawdoc! { "a": [{ "$where": "x" }] },
            rawdoc! { "a": { "$ref": "users" } },
        ] {
            assert!(!is_readable(named.as_bytes()), "{named:?}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_binary() {
        let nest = |levels: usize| {
            let mut row = RawDocumentBuf::new();
            for _ in 1..levels {
                row = rawdoc! { "a": row };
            }
            row
        };
        assert!(is_readable(nest(DEPTH).as_bytes()));
        assert!(!is_readable(nest(DEPTH + 1).as_bytes()));
        assert!(!is_readable(nest(5_000).as_bytes()));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(row in proptest::collection::vec(any::<u8>(), 0..200)) {
            round_trip(&row);
        }

        #[test]
        fn a_damaged_document_comes_back(at in 0usize..60, byte in any::<u8>()) {
            let document = rawdoc! { "name": "somebody", "list": [1, "two", { "three": 3.0 }], "on": true };
            let mut row = document.into_bytes();
            let at = at % row.len();
            row[at] = byte;
            round_trip(&row);
        }
    }
}
