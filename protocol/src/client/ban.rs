//! Ban objects.
//!
//! Source: <https://discord.com/developers/docs/resources/guild#ban-object>

use serde_json::{Value, json};

use super::user::UserJson;
use crate::document::BanRow;
use crate::profile::Profile;

/// A ban.
pub fn ban(row: &BanRow, profile: &Profile) -> Value {
    json!({ "reason": row.reason, "user": UserJson::from(profile) })
}
