//! What is found of a store.

use serde::{Deserialize, Serialize};

/// What was found of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReport {
    /// Nothing is wrong.
    pub ok: bool,
    /// `redb` or `mongodb`.
    pub driver: String,
    /// Where the store is, without credentials.
    pub place: String,
    /// The schema of its rows, if it could be opened.
    pub schema: Option<u32>,
    /// Whether a serving node looked it over.
    pub serving: bool,
    /// Rows that were read; none when the rows were not looked at.
    pub rows: Option<u64>,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

/// A line of a check that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckLine {
    /// Rows looked at so far, of about so many.
    Progress {
        /// Looked at.
        rows: u64,
        /// In the store, about.
        of: u64,
    },
    /// The end.
    Report(StoreReport),
}
