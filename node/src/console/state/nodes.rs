//! The screen of the nodes.

use rookery_protocol::inspect::{NodeRow, Nodes, Silent};

use super::cursor::Cursor;

/// A node, whether it answered or not.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// It did.
    Up(&'a NodeRow),
    /// It did not.
    Silent(&'a Silent),
}

impl<'a> Entry<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        match self {
            Self::Up(row) => &row.node,
            Self::Silent(silent) => &silent.node,
        }
    }
}

/// All nodes by name: one that falls silent keeps its place.
pub fn entries(nodes: &Nodes) -> Vec<Entry<'_>> {
    let up = nodes.nodes.iter().map(Entry::Up);
    let mut all: Vec<_> = up.chain(nodes.silent.iter().map(Entry::Silent)).collect();
    all.sort_by_key(|entry| entry.name());
    all
}

/// Names of all nodes, in that order.
pub fn names(nodes: &Nodes) -> Vec<String> {
    let entries = entries(nodes).into_iter();
    entries.map(|entry| entry.name().to_owned()).collect()
}

/// What of the nodes is looked at.
#[derive(Debug, Default)]
pub struct NodesScreen {
    /// The chosen one.
    pub cursor: Cursor<String>,
    /// The one whose details are shown.
    pub detail: Option<String>,
    /// How far the details are scrolled.
    pub scroll: usize,
}
