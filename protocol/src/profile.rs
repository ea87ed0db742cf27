//! What everybody may see of a user.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// A user's public profile, as commands, rows and caches carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose it is.
    pub id: UserId,
    /// Unique name of a person; a bot's need not be unique.
    pub username: String,
    /// Display name.
    pub global_name: Option<String>,
    /// Hash of the avatar image.
    pub avatar: Option<String>,
    /// Whether it is the account of an application.
    pub bot: bool,
}

impl Profile {
    /// The profile of an account that no longer exists.
    pub fn deleted(id: UserId) -> Self {
        Self {
            id,
            username: format!("{}{id}", crate::text::DELETED_USER),
            global_name: Some("Deleted User".to_owned()),
            avatar: None,
            bot: false,
        }
    }

    /// Whether the account no longer exists.
    pub fn is_deleted(&self) -> bool {
        *self == Self::deleted(self.id)
    }
}
