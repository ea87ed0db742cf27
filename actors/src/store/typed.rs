//! Typed access over the byte-level [`Store`].

use rookery_protocol::document::{CorruptRow, Key, Part, Table, TableId, decode, encode};

use super::{Order, Scan, Store, StoreError, Write};

/// The row at `key`.
///
/// # Errors
/// The store does not answer, or the row is corrupt.
pub async fn get<T: Table>(store: &dyn Store, key: &Key) -> Result<Option<T::Row>, StoreError> {
    let bytes = store.get(T::ID, key).await?;
    Ok(bytes.map(|bytes| decode::<T>(&bytes)).transpose()?)
}

/// The rows of a range; `scan.table` is `T`'s.
///
/// # Errors
/// The store does not answer, or a row is corrupt.
pub async fn scan<T: Table>(
    store: &dyn Store,
    scan: Scan,
) -> Result<Vec<(Key, T::Row)>, StoreError> {
    debug_assert_eq!(scan.table, T::ID);
    let rows = store.scan(&scan).await?;
    let typed = rows
        .into_iter()
        .map(|(key, bytes)| decode::<T>(&bytes).map(|row| (key, row)));
    Ok(typed.collect::<Result<_, _>>()?)
}

/// A write that inserts or replaces a row.
pub fn put<T: Table>(key: Key, row: &T::Row) -> Write {
    Write::Put {
        table: T::ID,
        key,
        row: encode::<T>(row),
    }
}

/// A write of a row that is known to be new.
pub fn insert<T: Table>(key: Key, row: &T::Row) -> Write {
    Write::Insert {
        table: T::ID,
        key,
        row: encode::<T>(row),
    }
}

/// A write that deletes a row.
pub fn delete<T: Table>(key: Key) -> Write {
    Write::Delete { table: T::ID, key }
}

/// A write that deletes a partition's rows up to and including `last`.
pub fn delete_up_to<T: Table>(partition: impl Into<Part>, last: impl Into<Part>) -> Write {
    Write::DeleteUpTo {
        table: T::ID,
        partition: partition.into(),
        last: last.into(),
    }
}

/// A write that deletes a partition's rows from `first` to `last`.
pub fn delete_range<T: Table>(
    partition: impl Into<Part>,
    first: impl Into<Part>,
    last: impl Into<Part>,
) -> Write {
    Write::DeleteRange {
        table: T::ID,
        partition: partition.into(),
        first: first.into(),
        last: last.into(),
    }
}

/// All rows of a partition in rising order, read page by page.
///
/// # Errors
/// The store does not answer, or a row is corrupt.
pub async fn scan_all<T: Table>(
    store: &dyn Store,
    partition: impl Into<Part>,
    page: usize,
) -> Result<Vec<(Key, T::Row)>, StoreError> {
    let partition = partition.into();
    let mut rows: Vec<(Key, T::Row)> = Vec::new();
    loop {
        let scan = Scan {
            table: T::ID,
            partition: partition.clone(),
            above: rows.last().map(|(key, _)| key.sort.clone()),
            below: None,
            order: Order::Ascending,
            limit: page,
        };
        let more = self::scan::<T>(store, scan).await?;
        let is_last = more.len() < page;
        rows.extend(more);
        if is_last {
            return Ok(rows);
        }
    }
}

/// What a [`Store::transact`] reads and decides, with the types of its rows.
pub trait Rule: Sync {
    /// What became of it.
    type Verdict;

    /// The rows it decides on.
    fn rows(&self) -> Vec<(TableId, Key)>;

    /// What is written, and what that means. Runs more than once, on the same rows or on others.
    ///
    /// # Errors
    /// A row is corrupt: nothing is written.
    fn decide(&self, rows: &Named<'_>) -> Result<(Vec<Write>, Self::Verdict), CorruptRow>;
}

/// The rows of a [`Rule`], as they were read.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    names: &'a [(TableId, Key)],
    rows: &'a [Option<Vec<u8>>],
}

impl<'a> Named<'a> {
    /// Rows with their names.
    pub fn new(names: &'a [(TableId, Key)], rows: &'a [Option<Vec<u8>>]) -> Self {
        Self { names, rows }
    }

    /// The row at `key`; a row that was not named does not exist.
    ///
    /// # Errors
    /// It is corrupt.
    pub fn get<T: Table>(&self, key: &Key) -> Result<Option<T::Row>, CorruptRow> {
        let is_it = |(table, name): &(TableId, Key)| *table == T::ID && name == key;
        let row = self
            .names
            .iter()
            .zip(self.rows)
            .find(|(name, _)| is_it(name));
        debug_assert!(row.is_some(), "a rule names the rows it reads");
        let bytes = row.and_then(|(_, row)| row.as_ref());
        bytes.map(|bytes| decode::<T>(bytes)).transpose()
    }
}

/// Applies a rule. Its verdict is that of the transaction that counts.
///
/// # Errors
/// The store does not answer: it may or may not have happened. Or a row is corrupt: it has not.
pub async fn transact<R: Rule>(store: &dyn Store, rule: &R) -> Result<R::Verdict, StoreError> {
    let names = rule.rows();
    let decide = |rows: &[Option<Vec<u8>>]| match rule.decide(&Named::new(&names, rows)) {
        Ok((writes, _)) => writes,
        Err(_) => Vec::new(),
    };
    let rows = store.transact(&names, &decide).await?;
    Ok(rule.decide(&Named::new(&names, &rows))?.1)
}
