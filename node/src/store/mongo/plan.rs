//! What many units want written, as few commands: per table the ranges that go, then each row as it is in the end.
//!
//! Units apply in order, and MongoDB applies a command's statements in order; but a command per write would be a round trip
//! each. So the writes are played into a map first, and of each row only its last state is sent.

use std::collections::BTreeMap;

use bson::raw::{CStr, cstr};
use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use rookery_actors::store::Write;
use rookery_protocol::document::{Key, Part, TableId};
use rookery_protocol::limits::{STORE_COMMAND_BYTES, STORE_COMMAND_WRITES};

use super::key::{self, Place};
use super::row;

/// The last state of a row that was written.
#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Gone,
    Put(&'a [u8]),
    /// Put, and known to be new.
    New(&'a [u8]),
}

#[derive(Debug, Default)]
struct Changes<'a> {
    /// Partitions whose rows up to a place go.
    up_to: BTreeMap<&'a Part, &'a Part>,
    /// Partitions whose rows from one place to another go.
    between: Vec<(&'a Part, &'a Part, &'a Part)>,
    /// Partition, place: what becomes of the row after the ranges went.
    rows: BTreeMap<&'a Part, BTreeMap<&'a Part, Change<'a>>>,
}

/// The writes of a commit or a decision.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    tables: BTreeMap<TableId, Changes<'a>>,
}

impl<'a> Plan<'a> {
    /// Adds a write behind those that are there.
    pub(super) fn apply(&mut self, write: &'a Write) {
        match write {
            Write::Put { table, key, row } => {
                let rows = self.rows(*table, &key.partition);
                let change = match rows.get(&key.sort) {
                    Some(Change::New(_)) => Change::New(row),
                    _ => Change::Put(row),
                };
                rows.insert(&key.sort, change);
            }
            Write::Insert { table, key, row } => {
                let rows = self.rows(*table, &key.partition);
                let change = match rows.get(&key.sort) {
                    Some(Change::Put(_) | Change::Gone) => Change::Put(row),
                    _ => Change::New(row),
                };
                rows.insert(&key.sort, change);
            }
            Write::Delete { table, key } => {
                let rows = self.rows(*table, &key.partition);
                rows.insert(&key.sort, Change::Gone);
            }
            Write::DeleteUpTo {
                table,
                partition,
                last,
            } => {
                let changes = self.tables.entry(*table).or_default();
                if let Some(rows) = changes.rows.get_mut(partition) {
                    rows.retain(|place, _| *place > last);
                }
                let up_to = changes.up_to.entry(partition).or_insert(last);
                *up_to = last.max(up_to);
            }
            Write::DeleteRange {
                table,
                partition,
                first,
                last,
            } if first <= last => {
                let changes = self.tables.entry(*table).or_default();
                if let Some(rows) = changes.rows.get_mut(partition) {
                    rows.retain(|place, _| *place < first || *place > last);
                }
                changes.between.push((partition, first, last));
            }
            // Crossed bounds are an empty range.
            Write::DeleteRange { .. } => {}
        }
    }

    fn rows(&mut self, table: TableId, partition: &'a Part) -> &mut BTreeMap<&'a Part, Change<'a>> {
        let changes = self.tables.entry(table).or_default();
        changes.rows.entry(partition).or_default()
    }

    /// Whether a row is there after the writes so far; `None` if they do not say.
    pub(super) fn is_there(&self, table: TableId, key: &Key) -> Option<bool> {
        let changes = self.tables.get(&table)?;
        let row = changes.rows.get(&key.partition);
        if let Some(change) = row.and_then(|rows| rows.get(&key.sort)) {
            return Some(!matches!(change, Change::Gone));
        }
        changes.clears(key).then_some(false)
    }

    /// The commands, table by table. With `trusting`, rows that are said to be new are inserted, which costs MongoDB a third
    /// of replacing them (measured) and fails if one is there; else every row is replaced or inserted.
    pub(super) fn commands(&self, trusting: bool) -> Vec<RawDocumentBuf> {
        let mut out = Vec::new();
        for (table, changes) in &self.tables {
            let [deletes, updates, inserts] = changes.statements(trusting);
            for (verb, list, statements) in [
                (cstr!("delete"), cstr!("deletes"), deletes),
                (cstr!("update"), cstr!("updates"), updates),
                (cstr!("insert"), cstr!("documents"), inserts),
            ] {
                commands(verb, *table, list, statements, &mut out);
            }
        }
        out
    }
}

impl Changes<'_> {
    /// Whether a range takes the row away.
    fn clears(&self, key: &Key) -> bool {
        let up_to = self.up_to.get(&key.partition);
        up_to.is_some_and(|last| key.sort <= **last)
            || self.between.iter().any(|(partition, first, last)| {
                **partition == key.partition && **first <= key.sort && key.sort <= **last
            })
    }

    /// Statements that delete, that replace, and documents to insert.
    fn statements(&self, trusting: bool) -> [Vec<RawDocumentBuf>; 3] {
        let (mut deletes, mut updates, mut inserts) = (Vec::new(), Vec::new(), Vec::new());
        let ranges = self
            .up_to
            .iter()
            .map(|(partition, last)| (*partition, Place::Before, *last));
        let between = self.between.iter();
        let between = between.map(|(partition, first, last)| (*partition, Place::At(first), *last));
        for (partition, first, last) in ranges.chain(between) {
            let range = rawdoc! {
                "$gte": key::place(partition, first),
                "$lte": key::place(partition, Place::At(last)),
            };
            deletes.push(rawdoc! { "q": { "_id": range }, "limit": 0 });
        }
        for (partition, rows) in &self.rows {
            for (sort, change) in rows {
                let key = Key {
                    partition: (*partition).clone(),
                    sort: (*sort).clone(),
                };
                match change {
                    Change::Gone => {
                        deletes.push(rawdoc! { "q": { "_id": key::id(&key) }, "limit": 1 });
                    }
                    Change::New(row) if trusting => inserts.push(row::document(&key, row)),
                    Change::Put(row) | Change::New(row) => updates.push(rawdoc! {
                        "q": { "_id": key::id(&key) },
                        "u": row::document(&key, row),
                        "upsert": true,
                    }),
                }
            }
        }
        [deletes, updates, inserts]
    }
}

/// Adds statements as one command, or as few as MongoDB's bounds allow.
fn commands(
    verb: &CStr,
    table: TableId,
    list: &CStr,
    statements: Vec<RawDocumentBuf>,
    out: &mut Vec<RawDocumentBuf>,
) {
    let mut statements = statements.into_iter().peekable();
    while statements.peek().is_some() {
        let (mut bytes, mut count) = (0, 0);
        let mut array = RawArrayBuf::new();
        while let Some(statement) = statements.next_if(|statement| {
            let fits = bytes + statement.as_bytes().len() <= STORE_COMMAND_BYTES;
            count == 0 || (fits && count < STORE_COMMAND_WRITES)
        }) {
            bytes += statement.as_bytes().len();
            count += 1;
            array.push(statement);
        }
        let mut command = RawDocumentBuf::new();
        command.append(verb, table.name());
        command.append(list, array);
        out.push(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: TableId = TableId::Messages;

    fn put(sort: u64, row: &[u8]) -> Write {
        Write::Put {
            table: TABLE,
            key: Key::new(1, sort),
            row: row.to_vec(),
        }
    }

    fn insert(sort: u64, row: &[u8]) -> Write {
        Write::Insert {
            table: TABLE,
            key: Key::new(1, sort),
            row: row.to_vec(),
        }
    }

    fn delete(sort: u64) -> Write {
        Write::Delete {
            table: TABLE,
            key: Key::new(1, sort),
        }
    }

    fn up_to(last: u64) -> Write {
        Write::DeleteUpTo {
            table: TABLE,
            partition: 1.into(),
            last: last.into(),
        }
    }

    /// Verbs with how many statements each has.
    fn shape(writes: &[Write], trusting: bool) -> Vec<(String, usize)> {
        let mut plan = Plan::default();
        writes.iter().for_each(|write| plan.apply(write));
        let commands = plan.commands(trusting).into_iter().map(|command| {
            let mut fields = command.iter().map(|field| field.unwrap());
            let (verb, _) = fields.next().unwrap();
            let (_, list) = fields.next().unwrap();
            let count = list.as_array().unwrap().into_iter().count();
            (verb.as_str().to_owned(), count)
        });
        commands.collect()
    }

    fn is(verb: &str, count: usize) -> (String, usize) {
        (verb.to_owned(), count)
    }

    #[test]
    fn only_the_last_state_of_a_row_is_sent() {
        let writes = [
            put(1, b"a"),
            put(1, b"b"),
            delete(2),
            put(2, b"a"),
            put(3, b"a"),
            delete(3),
        ];
        assert_eq!(shape(&writes, true), [is("delete", 1), is("update", 2)]);
    }

    #[test]
    fn ranges_go_first_and_swallow_what_was_written_before() {
        let writes = [
            insert(1, b"a"),
            up_to(1),
            up_to(5),
            up_to(3),
            insert(4, b"b"),
        ];
        assert_eq!(shape(&writes, true), [is("delete", 1), is("insert", 1)]);
        assert_eq!(shape(&writes, false), [is("delete", 1), is("update", 1)]);
    }

    #[test]
    fn a_row_is_new_only_if_nothing_says_otherwise() {
        let new = [
            insert(1, b"a"),
            put(1, b"b"),
            insert(2, b"a"),
            insert(2, b"b"),
        ];
        assert_eq!(shape(&new, true), [is("insert", 2)]);
        let known = [put(1, b"a"), insert(1, b"b"), delete(2), insert(2, b"a")];
        assert_eq!(shape(&known, true), [is("update", 2)]);
    }

    #[test]
    fn what_the_writes_say_of_a_row_is_known() {
        let writes = [
            put(1, b"a"),
            up_to(3),
            put(2, b"a"),
            delete(7),
            insert(8, b"a"),
        ];
        let mut plan = Plan::default();
        writes.iter().for_each(|write| plan.apply(write));
        let known = (0..10).map(|sort| plan.is_there(TABLE, &Key::new(1, sort)));
        let no = Some(false);
        let yes = Some(true);
        let expected = [no, no, yes, no, None, None, None, no, yes, None];
        assert_eq!(known.collect::<Vec<_>>(), expected);
        assert_eq!(plan.is_there(TABLE, &Key::new(2, 1)), None);
        assert_eq!(plan.is_there(TableId::Events, &Key::new(1, 1)), None);
    }

    #[test]
    fn commands_are_bounded_in_bytes() {
        let big = vec![b'x'; STORE_COMMAND_BYTES / 3];
        let writes: Vec<_> = (0..7).map(|n| insert(n, &big)).collect();
        let counts: Vec<_> = shape(&writes, true).into_iter().map(|(_, n)| n).collect();
        assert_eq!(counts, [2, 2, 2, 1]);
        let huge = vec![b'x'; STORE_COMMAND_BYTES + 1];
        let writes = [insert(1, &huge), insert(2, b"a"), insert(3, &huge)];
        let counts: Vec<_> = shape(&writes, true).into_iter().map(|(_, n)| n).collect();
        assert_eq!(counts, [1, 1, 1]);
    }
}
