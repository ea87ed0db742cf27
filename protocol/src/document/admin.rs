//! What the admin API keeps: who may use it, and what was done with it.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::inspect::{Act, Role};
use crate::time::Millis;

tables! {
    /// `(name)`: a token of the admin API.
    AdminTokens: AdminTokenRow,
    /// `(0, act)`: something that an operator did.
    AdminActs: ActRow,
}

/// A token of the admin API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminTokenRow {
    /// Its name.
    pub name: String,
    /// What it is good for.
    pub role: Role,
    /// SHA-256 of its secret, as lower-case hex.
    pub secret_hash: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub made_at: Millis,
    /// Until when it is good.
    pub ends_at: Millis,
}

impl std::fmt::Debug for AdminTokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminTokenRow")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Something that an operator did, or wanted to: it is written down before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRow {
    /// When.
    pub at: Millis,
    /// The node that was asked.
    pub node: String,
    /// The name of the token, or `local`.
    pub by: String,
    /// What.
    pub act: Act,
    /// What became of it, in a sentence.
    pub outcome: Option<String>,
}
