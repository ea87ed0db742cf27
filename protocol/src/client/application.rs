//! Application objects.
//!
//! Source: <https://discord.com/developers/docs/resources/application#application-object>

use serde_json::{Value, json};

use super::user::UserJson;
use crate::command::user::Account;
use crate::document::Application;
use crate::intents::Intents;
use crate::profile::Profile;

/// Flags of an application: the privileged intents it is granted. Of each there is a second one for bots in few groups,
/// which stands for the same.
///
/// Source: <https://discord.com/developers/docs/resources/application#application-object-application-flags>
const FLAGS: [(Intents, u64, u64); 3] = [
    (Intents::GUILD_PRESENCES, 1 << 12, 1 << 13),
    (Intents::GUILD_MEMBERS, 1 << 14, 1 << 15),
    (Intents::MESSAGE_CONTENT, 1 << 18, 1 << 19),
];

/// The flags of what an application is granted.
pub fn flags(privileged: Intents) -> u64 {
    let granted = FLAGS
        .iter()
        .filter(|(intent, ..)| privileged.contains(*intent));
    granted.map(|(_, flag, _)| flag).sum()
}

/// What flags ask for.
pub fn privileged(flags: u64) -> Intents {
    let asked = FLAGS
        .iter()
        .filter(|(_, flag, limited)| flags & (flag | limited) != 0);
    asked.fold(Intents::NONE, |all, (intent, ..)| all | *intent)
}

/// An application; `owner` is its owner's profile, `groups` in how many its bot is.
pub fn application(
    account: &Account,
    application: &Application,
    owner: &Profile,
    groups: usize,
) -> Value {
    let mut object = json!({
        "id": account.profile.id,
        "name": application.name,
        "icon": null,
        "description": application.description,
        "summary": "",
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "flags": flags(application.privileged),
        "owner": UserJson::from(owner),
        "team": null,
        "redirect_uris": [],
        "tags": [],
        "rpc_origins": [],
        "hook": true,
        "approximate_guild_count": groups,
        "install_params": null,
        "integration_types_config": {},
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        "terms_of_service_url": null,
        "privacy_policy_url": null,
        "custom_install_url": null,
        "cover_image": null,
    });
    if application.token_generation > 0 {
        object["bot"] = json!(UserJson::from(&account.profile));
    }
    object
}

/// The part of it that READY carries.
pub fn ready_application(account: &Account) -> Value {
    let application = account.application.as_ref();
    let privileged = application.map_or(Intents::NONE, |application| application.privileged);
    json!({ "id": account.profile.id, "flags": flags(privileged) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_what_was_granted_and_both_kinds_ask() {
        let all = [Intents::NONE, Intents::GUILD_MEMBERS, Intents::PRIVILEGED];
        for granted in all {
            assert_eq!(privileged(flags(granted)), granted);
        }
        assert_eq!(flags(Intents::PRIVILEGED), 1 << 12 | 1 << 14 | 1 << 18);
        assert_eq!(privileged(1 << 15 | 1 << 23), Intents::GUILD_MEMBERS);
    }
}
