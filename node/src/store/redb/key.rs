//! Keys as bytes whose order is the keys' order.
//!
//! A number is `1` and 8 bytes, big endian; a text is `2`, its bytes and a NUL, which no storable text contains. So no
//! part is a prefix of another, and a key is its two parts one after the other.

use rookery_protocol::document::{Key, Part};

const NUM: u8 = 1;
const TEXT: u8 = 2;
const END: u8 = 0;

/// Above the first byte of every part: closes the range of a partition.
const ABOVE: u8 = 0xff;

fn push(out: &mut Vec<u8>, part: &Part) {
    match part {
        Part::Num(n) => {
            out.push(NUM);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Part::Text(text) => {
            out.push(TEXT);
            out.extend_from_slice(text.as_bytes());
            out.push(END);
        }
    }
}

/// Writes a row's key over `out`.
pub(super) fn encode<'a>(out: &'a mut Vec<u8>, key: &Key) -> &'a [u8] {
    out.clear();
    push(out, &key.partition);
    push(out, &key.sort);
    out
}

/// The key of a place in a partition.
pub(super) fn place(partition: &Part, sort: &Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    push(&mut out, partition);
    push(&mut out, sort);
    out
}

/// Below every row of a partition.
pub(super) fn before(partition: &Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    push(&mut out, partition);
    out
}

/// Above every row of a partition, below every row of the next one.
pub(super) fn after(partition: &Part) -> Vec<u8> {
    let mut out = before(partition);
    out.push(ABOVE);
    out
}

/// Reads a row's key back; `None` if it is none.
pub(super) fn decode(bytes: &[u8]) -> Option<Key> {
    let (partition, rest) = pop(bytes)?;
    let (sort, rest) = pop(rest)?;
    rest.is_empty().then_some(Key { partition, sort })
}

fn pop(bytes: &[u8]) -> Option<(Part, &[u8])> {
    match bytes.split_first()? {
        (&NUM, rest) => {
            let (number, rest) = rest.split_first_chunk()?;
            Some((Part::Num(u64::from_be_bytes(*number)), rest))
        }
        (&TEXT, rest) => {
            let end = rest.iter().position(|&byte| byte == END)?;
            let text = std::str::from_utf8(&rest[..end]).ok()?;
            Some((Part::Text(text.to_owned()), &rest[end + 1..]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            prop_oneof![0..300u64, Just(i64::MAX as u64), any::<u64>()].prop_map(Part::Num),
            "[\u{1}-\u{3}a-cé\u{10ffff}]{0,4}".prop_map(Part::Text),
        ]
    }

    fn key() -> impl Strategy<Value = Key> {
        (part(), part()).prop_map(|(partition, sort)| Key { partition, sort })
    }

    proptest! {
        #[test]
        fn bytes_order_as_keys_do_and_read_back(one in key(), other in key()) {
            let bytes = |key: &Key| place(&key.partition, &key.sort);
            prop_assert_eq!(bytes(&one).cmp(&bytes(&other)), one.cmp(&other));
            prop_assert_eq!(decode(&bytes(&one)), Some(one));
        }

        #[test]
        fn a_partition_lies_between_its_bounds(key in key(), partition in part()) {
            let bytes = place(&key.partition, &key.sort);
            let within = before(&partition) <= bytes && bytes < after(&partition);
            prop_assert_eq!(within, key.partition == partition);
        }

        #[test]
        fn arbitrary_bytes_are_no_panic(bytes in proptest::collection::vec(0u8..4, 0..24)) {
            if let Some(key) = decode(&bytes) {
                prop_assert_eq!(place(&key.partition, &key.sort), bytes);
            }
        }
    }
}
