//! Keys as `_id`s: a document of the two parts, whose order in MongoDB is the keys' order.
//!
//! MongoDB compares documents field by field, numbers before texts, texts by their bytes: as [`Part`] does. So a partition is
//! a range of the `_id` index, and no other index is needed.

use bson::raw::{CStr, cstr};
use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use rookery_protocol::document::{Key, Part};

/// A place in a partition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// Below every row.
    Before,
    /// At a row, or where it would be.
    At(&'a Part),
    /// Above every row.
    After,
}

/// A row's `_id`.
pub(super) fn id(key: &Key) -> RawDocumentBuf {
    place(&key.partition, Place::At(&key.sort))
}

/// A bound in the order of `_id`s.
pub(super) fn place(partition: &Part, sort: Place<'_>) -> RawDocumentBuf {
    let mut out = RawDocumentBuf::new();
    push(&mut out, cstr!("p"), partition);
    match sort {
        Place::Before => out.append(cstr!("s"), RawBsonRef::MinKey),
        Place::At(part) => push(&mut out, cstr!("s"), part),
        Place::After => out.append(cstr!("s"), RawBsonRef::MaxKey),
    }
    out
}

fn push(out: &mut RawDocumentBuf, name: &CStr, part: &Part) {
    match part {
        Part::Num(n) => match i64::try_from(*n) {
            Ok(n) => out.append(name, n),
            // Only a bound can be so large: above every number that is stored, below every text.
            Err(_) => out.append(name, f64::INFINITY),
        },
        Part::Text(text) => out.append(name, text.as_str()),
    }
}

/// Reads a row's `_id` back; `None` if it is none.
pub(super) fn decode(id: &RawDocument) -> Option<Key> {
    let mut fields = id.iter();
    let mut next = |name: &str| match fields.next()?.ok()? {
        (field, RawBsonRef::Int64(n)) if field.as_str() == name => {
            u64::try_from(n).ok().map(Part::Num)
        }
        (field, RawBsonRef::String(text)) if field.as_str() == name => {
            Some(Part::Text(text.to_owned()))
        }
        _ => None,
    };
    let key = Key {
        partition: next("p")?,
        sort: next("s")?,
    };
    fields.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::rawdoc;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            prop_oneof![0..300u64, Just(i64::MAX as u64)].prop_map(Part::Num),
            ".{0,4}".prop_map(Part::Text),
        ]
    }

    proptest! {
        #[test]
        fn an_id_reads_back(partition in part(), sort in part()) {
            let key = Key { partition, sort };
            prop_assert_eq!(decode(&id(&key)), Some(key));
        }
    }

    #[test]
    fn what_is_no_id_of_ours_is_none() {
        for other in [
            rawdoc! {},
            rawdoc! { "p": 1_i64 },
            rawdoc! { "s": 1_i64, "p": 1_i64 },
            rawdoc! { "p": 1_i64, "s": -1_i64 },
            rawdoc! { "p": 1_i64, "s": 1_i32 },
            rawdoc! { "p": 1_i64, "s": 1_i64, "t": 1_i64 },
        ] {
            assert_eq!(decode(&other), None, "{other:?}");
        }
    }
}
