//! The archive: what is written reads back whatever the pieces it comes in, no change of any byte goes unnoticed, and the bytes
//! do not change by accident. A changed snapshot here means that older backups cannot be read: raise the format.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is the report"
)]

use proptest::prelude::*;
use rookery_protocol::archive::{
    ArchiveError, Counts, Fault, FileHead, Header, Reader, Record, Row, Writer, is_path,
};
use rookery_protocol::document::{Key, Part, TableId};
use rookery_protocol::limits::ARCHIVE_RECORD_BYTES;
use rookery_protocol::time::Millis;

/// Bytes in front of the first record.
const START: usize = 12;

fn header() -> Header {
    Header {
        created_at: Millis(1_795_412_460_123),
        version: "0.1.0".into(),
        driver: "redb".into(),
        schema: 1,
        files: true,
        rows: 3,
    }
}

fn row(table: TableId, key: Key, row: &[u8]) -> Row {
    let row = row.to_vec();
    Row { table, key, row }
}

fn rows() -> Vec<Row> {
    vec![
        row(TableId::Usernames, Key::single("ada"), b"first"),
        row(TableId::Messages, Key::new(30, 31), b""),
        row(TableId::Messages, Key::new(30, 32), b"third"),
    ]
}

fn files() -> Vec<(String, Vec<u8>)> {
    vec![
        ("attachments/30/33".into(), b"a file".to_vec()),
        ("avatars/1/0f.png".into(), Vec::new()),
    ]
}

/// A backup with these contents, and where its records end.
fn archive(rows: &[Row], files: &[(String, Vec<u8>)]) -> (Vec<u8>, Vec<usize>, Counts) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let mut writer = Writer::begin(&header(), &mut bytes);
    ends.push(bytes.len());
    for row in rows {
        writer.row(row.table, &row.key, &row.row, &mut bytes);
        ends.push(bytes.len());
    }
    for (path, contents) in files {
        let (path, size) = (path.clone(), contents.len() as u64);
        writer.file(&FileHead { path, size }, &mut bytes);
        ends.push(bytes.len());
        for piece in contents.chunks(4) {
            writer.bytes(piece, &mut bytes);
            ends.push(bytes.len());
        }
    }
    let counts = writer.finish(&mut bytes);
    ends.push(bytes.len());
    (bytes, ends, counts)
}

/// Reads a backup that comes in pieces of a size.
fn read(bytes: &[u8], piece: usize) -> Result<(Vec<Record>, Counts), ArchiveError> {
    let mut reader = Reader::default();
    let mut records = Vec::new();
    for piece in bytes.chunks(piece) {
        reader.feed(piece);
        while let Some(record) = reader.next_record()? {
            records.push(record);
        }
    }
    Ok((records, reader.finish()?))
}

fn small() -> (Vec<u8>, Vec<usize>, Counts) {
    archive(&rows(), &files())
}

#[test]
fn a_backup_on_disk() {
    let (bytes, _, _) = small();
    let lines: Vec<String> = bytes
        .chunks(16)
        .map(|line| {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = line.iter().map(|&b| match b {
                b' '..=b'~' => char::from(b),
                _ => '.',
            });
            format!("{:<47}  {}", hex.join(" "), text.collect::<String>())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_changed_byte_is_noticed() {
    let (bytes, ..) = small();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(read(&changed, 64).is_err(), "byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn every_cut_and_everything_behind_the_end_is_noticed() {
    let (bytes, ..) = small();
    for end in 0..bytes.len() {
        let error = read(&bytes[..end], 7).unwrap_err();
        assert_eq!(error.fault, Fault::Cut, "at {end}");
    }
    for tail in [&b"\0"[..], b"ROOKERY\n", &bytes[START..]] {
        let more = [&bytes, tail].concat();
        assert_eq!(read(&more, 7).unwrap_err().fault, Fault::Excess);
    }
}

#[test]
fn a_record_that_is_left_out_repeated_or_moved_is_told_where_it_stands() {
    let (bytes, ends, _) = small();
    let starts: Vec<usize> = [START].iter().chain(&ends).copied().collect();
    let records: Vec<&[u8]> = starts
        .iter()
        .zip(&ends)
        .map(|(&from, &to)| &bytes[from..to])
        .collect();
    let assembled = |order: &[usize]| {
        let records = order.iter().map(|&n| records[n]);
        let bytes: Vec<&[u8]> = [&bytes[..START]].into_iter().chain(records).collect();
        read(&bytes.concat(), 100)
    };
    let all: Vec<usize> = (0..records.len()).collect();
    assert!(assembled(&all).is_ok());
    for n in 0..records.len() - 1 {
        let mut without = all.clone();
        without.remove(n);
        let mut twice = all.clone();
        twice.insert(n, n);
        let mut swapped = all.clone();
        swapped.swap(n, n + 1);
        for (order, wrong) in [(without, n), (twice, n + 1), (swapped, n)] {
            let error = assembled(&order).unwrap_err();
            let expected = (wrong as u64 + 1, Fault::Check);
            assert_eq!((error.record, error.fault), expected, "{order:?}");
        }
    }
    // The sentence that an operator reads.
    let mut changed = bytes.clone();
    changed[ends[1] + 20] ^= 1;
    assert_eq!(
        read(&changed, 100).unwrap_err().to_string(),
        format!(
            "record 3 at byte {} does not match its checksum: the file was changed",
            ends[1]
        )
    );
}

/// Who can compute checksums can still not make a reader go where it must not.
#[test]
fn what_a_writer_must_not_write_is_refused() {
    let misplaced = |write: &dyn Fn(&mut Writer, &mut Vec<u8>)| {
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&header(), &mut bytes);
        write(&mut writer, &mut bytes);
        writer.finish(&mut bytes);
        read(&bytes, 50).unwrap_err().fault
    };
    let key = Key::single(1);
    let file = |path: &str, size| FileHead {
        path: path.into(),
        size,
    };
    assert!(matches!(
        misplaced(&|writer, out| {
            writer.file(&file("a", 0), out);
            writer.row(TableId::Users, &key, b"", out);
        }),
        Fault::Misplaced("a row")
    ));
    assert!(matches!(
        misplaced(&|writer, out| writer.bytes(b"x", out)),
        Fault::Misplaced("a piece of no file")
    ));
    assert!(matches!(
        misplaced(&|writer, out| {
            writer.file(&file("a", 3), out);
            writer.bytes(b"four", out);
        }),
        Fault::Misplaced("a piece of no file")
    ));
    assert!(matches!(
        misplaced(&|writer, out| writer.file(&file("a", 3), out)),
        Fault::Misplaced("something else than the rest of a file")
    ));
    for path in ["../etc/passwd", "/etc/passwd", "a//b", "a/.", ""] {
        let fault = misplaced(&|writer, out| writer.file(&file(path, 0), out));
        assert!(matches!(fault, Fault::Malformed(_)), "{path}: {fault}");
    }
    let bad = Key::new("a\0b", 1);
    let fault = misplaced(&|writer, out| writer.row(TableId::Users, &bad, b"", out));
    assert!(matches!(fault, Fault::Malformed(_)), "{fault}");
}

#[test]
fn another_file_another_format_and_a_length_that_no_record_has_are_told_apart() {
    let fault = |bytes: &[u8]| read(bytes, 1_000).unwrap_err().fault;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    assert_eq!(fault(png), Fault::NoArchive);
    assert_eq!(fault(b"R\0"), Fault::NoArchive);
    let (bytes, ..) = small();
    let mut newer = bytes.clone();
    newer[8] = 2;
    assert_eq!(fault(&newer), Fault::Format(2));
    let mut long = bytes;
    let length = u32::try_from(ARCHIVE_RECORD_BYTES + 1).unwrap();
    long[START + 1..START + 5].copy_from_slice(&length.to_le_bytes());
    assert_eq!(fault(&long), Fault::Length(length));
}

#[test]
fn a_writer_that_gives_up_says_why() {
    let mut bytes = Vec::new();
    let writer = Writer::begin(&header(), &mut bytes);
    writer.abandon("the disk is broken", &mut bytes);
    let error = read(&bytes, 10).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("says that the backup was given up: the disk is broken"),
        "{error}"
    );
}

#[test]
fn paths_lead_nowhere_else() {
    for path in ["a", "attachments/1/2", "avatars/1/0f3.png", "a.b-c_d"] {
        assert!(is_path(path), "{path}");
    }
    let long = "a/".repeat(600) + "a";
    for path in [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a\\b", "C:a", "a\0", "é",
        &long,
    ] {
        assert!(!is_path(path), "{path}");
    }
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (0..=i64::MAX as u64).prop_map(Part::Num),
        "[^\0]{0,12}".prop_map(Part::Text)
    ]
}

prop_compose! {
    fn any_row()(
        table in proptest::sample::select(&TableId::ALL[..]), partition in part(), sort in part(),
        row in proptest::collection::vec(any::<u8>(), 0..60),
    ) -> Row {
        Row { table, key: Key { partition, sort }, row }
    }
}

prop_compose! {
    fn any_file()(
        path in "[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,3}", contents in proptest::collection::vec(any::<u8>(), 0..30),
    ) -> (String, Vec<u8>) {
        (path, contents)
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_in_any_pieces(
        rows in proptest::collection::vec(any_row(), 0..12), files in proptest::collection::vec(any_file(), 0..5),
        piece in 1..80usize,
    ) {
        let (bytes, ends, counts) = archive(&rows, &files);
        let (records, read_counts) = read(&bytes, piece).unwrap();
        prop_assert_eq!(&read_counts, &counts);
        prop_assert_eq!(counts.all_rows(), rows.len() as u64);
        prop_assert_eq!(records.len(), ends.len());
        prop_assert_eq!(&records[0], &Record::Header(header()));
        let read_rows: Vec<Row> = records.iter().filter_map(|record| match record {
            Record::Row(row) => Some(row.clone()),
            _ => None,
        }).collect();
        prop_assert_eq!(read_rows, rows);
        let mut read_files: Vec<(String, Vec<u8>)> = Vec::new();
        for record in records {
            match record {
                Record::File(head) => read_files.push((head.path, Vec::new())),
                Record::Bytes(piece) => read_files.last_mut().unwrap().1.extend(piece),
                _ => {}
            }
        }
        prop_assert_eq!(read_files, files);
    }

    #[test]
    fn a_changed_byte_of_any_backup_is_noticed(
        rows in proptest::collection::vec(any_row(), 0..12), files in proptest::collection::vec(any_file(), 0..5),
        at in any::<proptest::sample::Index>(), flip in 1..=255u8, piece in 1..80usize,
    ) {
        let (mut bytes, ..) = archive(&rows, &files);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(read(&bytes, piece).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_no_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..200), keep in 0..60usize, piece in 1..80usize,
    ) {
        let (bytes, ..) = small();
        let bytes = [&bytes[..keep], &tail].concat();
        prop_assert!(read(&bytes, piece).is_err());
    }
}
