//! The row that is chosen, known by what it is: lists are sorted anew every second.

use crate::console::input::Key;

/// A chosen row.
#[derive(Debug, Clone)]
pub struct Cursor<K> {
    key: Option<K>,
    /// Where it was, for when it is gone.
    index: usize,
}

impl<K> Default for Cursor<K> {
    fn default() -> Self {
        Self {
            key: None,
            index: 0,
        }
    }
}

impl<K: Clone + PartialEq> Cursor<K> {
    /// Where the chosen one is.
    pub fn index(&self, rows: &[K]) -> Option<usize> {
        let key = self.key.as_ref()?;
        rows.iter().position(|row| row == key)
    }

    /// The chosen one, if it is there.
    pub fn chosen(&self, rows: &[K]) -> Option<K> {
        self.index(rows).map(|index| rows[index].clone())
    }

    /// Chooses.
    pub fn choose(&mut self, key: K) {
        self.key = Some(key);
    }

    /// The rows have changed. Whoever took the place of one that is gone is chosen.
    pub fn settle(&mut self, rows: &[K]) {
        match self.index(rows) {
            Some(index) => self.index = index,
            None if rows.is_empty() => {}
            None => self.put(rows, self.index),
        }
    }

    /// Moves by a key, and says whether it was one that moves.
    pub fn step(&mut self, rows: &[K], key: Key, page: usize) -> bool {
        let from = self.index(rows).unwrap_or(self.index);
        let to = match key {
            Key::Up | Key::Char('k') => from.saturating_sub(1),
            Key::Down | Key::Char('j') => from.saturating_add(1),
            Key::PageUp => from.saturating_sub(page),
            Key::PageDown => from.saturating_add(page),
            Key::Home => 0,
            Key::End => usize::MAX,
            _ => return false,
        };
        self.put(rows, to);
        true
    }

    fn put(&mut self, rows: &[K], index: usize) {
        let index = index.min(rows.len().saturating_sub(1));
        if let Some(key) = rows.get(index) {
            self.key = Some(key.clone());
            self.index = index;
        }
    }
}
