//! Application objects.
//!
//! Source: <https://discord.com/developers/docs/resources/application#application-object>

use serde_json::{Value, json};

use super::user::UserJson;
use crate::command::user::Account;
use crate::document::Application;
use crate::profile::Profile;

/// GATEWAY_PRESENCE, GATEWAY_GUILD_MEMBERS and GATEWAY_MESSAGE_CONTENT: granted to every application so far.
const FLAGS: u32 = 1 << 12 | 1 << 14 | 1 << 18;

/// An application; `owner` is its owner's profile.
pub fn application(account: &Account, application: &Application, owner: &Profile) -> Value {
    let mut object = json!({
        "id": account.profile.id,
        "name": application.name,
        "icon": null,
        "description": "",
        "summary": "",
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "flags": FLAGS,
        "owner": UserJson::from(owner),
        "team": null,
        "redirect_uris": [],
        "tags": [],
    });
    if application.token_generation > 0 {
        object["bot"] = json!(UserJson::from(&account.profile));
    }
    object
}

/// The part of it that READY carries.
pub fn ready_application(account: &Account) -> Value {
    json!({ "id": account.profile.id, "flags": FLAGS })
}
