//! Tokens of the admin API.

use serde::{Deserialize, Serialize};

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Read,
    /// Looks, and acts.
    Act,
}

impl Role {
    /// The name in commands and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// Its name: 1 to 64 letters, digits, `-` or `_`.
    pub name: String,
    /// What it is good for.
    pub role: Role,
    /// Days that it is good for.
    pub days: u32,
}

/// A token, without what it is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// What it is good for.
    pub role: Role,
    /// Who made it.
    pub by: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub made_ms: u64,
    /// Until when it is good.
    pub ends_ms: u64,
}
