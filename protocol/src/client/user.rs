//! User objects.
//!
//! Source: <https://discord.com/developers/docs/resources/user#user-object>

use serde::Serialize;
use serde_json::{Value, json};

use crate::command::user::Account;
use crate::ids::UserId;
use crate::profile::Profile;

/// A user as others see him.
#[derive(Debug, Clone, Serialize)]
pub struct UserJson<'a> {
    id: UserId,
    username: &'a str,
    discriminator: &'static str,
    global_name: Option<&'a str>,
    avatar: Option<&'a str>,
    bot: bool,
    public_flags: u32,
}

impl<'a> From<&'a Profile> for UserJson<'a> {
    fn from(profile: &'a Profile) -> Self {
        Self {
            id: profile.id,
            username: &profile.username,
            discriminator: "0",
            global_name: profile.global_name.as_deref(),
            avatar: profile.avatar.as_deref(),
            bot: profile.bot,
            public_flags: 0,
        }
    }
}

/// A user as he sees himself.
pub fn self_user(account: &Account) -> Value {
    let profile = &account.profile;
    json!({
        "id": profile.id,
        "username": profile.username,
        "discriminator": "0",
        "global_name": profile.global_name,
        "avatar": profile.avatar,
        "banner": null,
        "accent_color": null,
        "bot": profile.bot,
        "system": false,
        "mfa_enabled": false,
        "verified": true,
        "email": account.email,
        "locale": "en-US",
        "flags": 0,
        "public_flags": 0,
        "premium_type": 0,
    })
}
