//! Accounts: the user's snapshot and its indexes.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::ids::{LoginId, UserId};
use crate::profile::Profile;
use crate::time::Millis;

tables! {
    /// `(user)`: the user's snapshot.
    Users: UserDocument,
    /// `(username)`: who holds the name.
    Usernames: UsernameRow,
    /// `(owner, application)`: which applications a user owns.
    Applications: ApplicationRow,
}

/// The holder of a username.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsernameRow {
    /// The account of that name.
    pub user: UserId,
}

/// An entry of the index over applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// The application, which is also its bot's user.
    pub application: UserId,
}

/// A user's durable state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDocument {
    /// Version of this schema; a newer one than [`UserDocument::SCHEMA`] is refused.
    pub schema: u32,
    /// Rises with every change; orders what caches hold.
    pub version: u64,
    /// What everybody sees.
    pub profile: Profile,
    /// Only the user himself sees it.
    pub email: Option<String>,
    /// PHC string of argon2id; none for a bot.
    pub password_hash: Option<String>,
    /// May administer this server.
    pub operator: bool,
    /// Open logins, oldest first.
    pub logins: Vec<Login>,
    /// Set when the user is the bot of an application.
    pub application: Option<Application>,
    /// When the account was made.
    pub created_at: Millis,
}

impl UserDocument {
    /// The version this code writes.
    pub const SCHEMA: u32 = 1;
}

/// One login: a family of refresh tokens of which only the newest is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its id, also the `sid` of access tokens.
    pub id: LoginId,
    /// How many times the refresh token was rotated.
    pub generation: u64,
    /// SHA-256 of the valid refresh token's secret, as lower-case hex.
    pub secret_hash: String,
    /// `User-Agent` at login, shortened.
    pub device: String,
    /// Address of the client at login.
    pub address: String,
    /// When it was opened.
    pub created_at: Millis,
    /// When it was last refreshed.
    pub used_at: Millis,
}

/// An application; its id is that of its bot's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The person who made it.
    pub owner: UserId,
    /// Its name.
    pub name: String,
    /// Rises when the bot token is reset; tokens of older generations are void. 0: there is no bot yet.
    pub token_generation: u64,
}
