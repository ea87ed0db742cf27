//! What a user is asked.

use serde::{Deserialize, Serialize};

use super::requests;
use crate::document::{Application, Login, MentionRow, UserDocument};
use crate::event::Dispatch;
use crate::ids::{ChannelId, GroupId, LoginId, MessageId, UserId};
use crate::intents::Intents;
use crate::profile::Profile;

requests! { User, UserCommand, UserReply;
    /// Makes a person's account.
    Register -> Account,
    /// Makes an application's account.
    CreateApplication -> Account,
    /// Reads the account.
    GetAccount -> Account,
    /// Reads what a password is checked against.
    GetCredentials -> Credentials,
    /// Opens a login after the password was checked.
    OpenLogin -> Account,
    /// Exchanges a refresh token for the next one.
    RotateLogin -> Rotated,
    /// Closes a login and its sockets.
    CloseLogin -> (),
    /// Changes the profile.
    UpdateProfile -> Account,
    /// Changes the username, which must be free.
    ChangeUsername -> Account,
    /// Changes the e-mail address.
    ChangeEmail -> Account,
    /// Changes the password and closes other logins.
    ChangePassword -> Account,
    /// Deletes the account; what it wrote stays.
    DeleteAccount -> (),
    /// Changes an application.
    UpdateApplication -> Account,
    /// Sets how far a channel was read.
    Acknowledge -> (),
    /// Reads the unread mentions.
    ListMentions -> Vec<MentionRow>,
    /// Shows the user's sessions something that is not kept.
    Signal -> (),
    /// Makes a bot's older tokens void.
    ResetBotToken -> Account,
    /// Attaches a gateway session.
    Attach -> Attached,
    /// Tells that a gateway session ended.
    Detach -> (),
    /// Locks or unlocks the account, for an operator.
    Suspend -> (),
    /// Sets a password without the old one and closes all logins, for an operator.
    SetPassword -> (),
}

/// Makes a person's account at a new id. Refused with `USERNAME_ALREADY_TAKEN` on `username`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// A valid username.
    pub username: String,
    /// A clean display name.
    pub global_name: Option<String>,
    /// A plausible address.
    pub email: Option<String>,
    /// PHC string of argon2id.
    pub password_hash: String,
    /// May administer this server.
    pub operator: bool,
    /// The first login; none on the command line.
    pub login: Option<NewLogin>,
}

/// Makes an application's account at a new id; it has no bot until [`ResetBotToken`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateApplication {
    /// Who makes it.
    pub owner: UserId,
    /// A clean name.
    pub name: String,
    /// The privileged intents it is granted.
    pub privileged: Intents,
}

/// Reads the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetAccount;

/// Reads what a password is checked against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetCredentials;

/// The answer to [`GetCredentials`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credentials {
    /// PHC string; none for a bot.
    pub password_hash: Option<String>,
}

/// A login to be opened. Its id and secret were made at the edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewLogin {
    /// Its id.
    pub id: LoginId,
    /// SHA-256 of the refresh token's secret, as lower-case hex.
    pub secret_hash: String,
    /// `User-Agent`, shortened.
    pub device: String,
    /// Address of the client.
    pub address: String,
}

/// Opens a login after the password was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLogin {
    /// The hash the password was checked against; refused when it has changed since.
    pub password_hash: String,
    /// The login.
    pub login: NewLogin,
}

/// Exchanges a refresh token. An old generation, or a wrong secret, closes the login: somebody has a copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RotateLogin {
    /// Which login.
    pub login: LoginId,
    /// The generation in the presented token.
    pub generation: u64,
    /// SHA-256 of the presented secret.
    pub secret_hash: String,
    /// SHA-256 of the next secret.
    pub next_secret_hash: String,
}

/// The answer to [`RotateLogin`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rotated {
    /// The generation of the next token.
    Next(u64),
    /// The token is not valid; the login, if it was there, is closed.
    Revoked,
}

/// Closes a login and its sockets; closing one that is not there is refused with `UnknownSession`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloseLogin {
    /// Which login.
    pub login: LoginId,
}

/// Changes the profile. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateProfile {
    /// A clean display name, or none.
    pub global_name: Option<Option<String>>,
    /// Hash of the avatar.
    pub avatar: Option<Option<String>>,
    /// The groups and direct channels to tell, from the indexes.
    pub groups: Vec<GroupId>,
}

/// Raises the generation of the bot's tokens; the first time makes the bot. Refused with `MissingAccess` for others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResetBotToken {
    /// Who asks; must be the application's owner.
    pub by: UserId,
}

/// Attaches a gateway session: the user's events follow from `gseq` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attach {
    /// The session.
    pub session: String,
    /// The login its token is of, or the generation of a bot's token.
    pub proof: Proof,
}

/// Tells that a gateway session ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detach {
    /// The session.
    pub session: String,
}

/// What a verified token says; the account knows whether it still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// An access token of this login.
    Login(LoginId),
    /// A bot token of this generation.
    Bot(u64),
}

/// The answer to [`Attach`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attached {
    /// The account as of `gseq`.
    pub account: Account,
    /// The number of the user's last event.
    pub gseq: u64,
}

/// An account without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Rises with every change.
    pub version: u64,
    /// What everybody sees.
    pub profile: Profile,
    /// Only the user himself sees it.
    pub email: Option<String>,
    /// May administer this server.
    pub operator: bool,
    /// Open logins; their secret hashes are empty.
    pub logins: Vec<Login>,
    /// Set when the user is the bot of an application.
    pub application: Option<Application>,
}

impl Account {
    /// Whether a verified token still holds.
    pub fn admits(&self, proof: Proof) -> bool {
        match proof {
            Proof::Login(id) => self.logins.iter().any(|login| login.id == id),
            Proof::Bot(generation) => self
                .application
                .as_ref()
                .is_some_and(|a| a.token_generation > 0 && a.token_generation == generation),
        }
    }
}

impl From<&UserDocument> for Account {
    fn from(user: &UserDocument) -> Self {
        let open = |login: &Login| Login {
            secret_hash: String::new(),
            ..login.clone()
        };
        Self {
            version: user.version,
            profile: user.profile.clone(),
            email: user.email.clone(),
            operator: user.operator,
            logins: user.logins.iter().map(open).collect(),
            application: user.application.clone().map(|application| Application {
                // No token is of this generation.
                token_generation: if user.suspended {
                    0
                } else {
                    application.token_generation
                },
                ..application
            }),
        }
    }
}

/// Locks the account: its logins are closed, and nobody comes in with it, nor with its bot's token, until it is unlocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspend {
    /// Which of both.
    pub suspended: bool,
}

/// Sets a password without the old one; every login is closed. Refused with `BotsCannotUse` for a bot, which has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetPassword {
    /// PHC string of argon2id.
    pub password_hash: String,
}

/// Changes the username. Refused with `USERNAME_ALREADY_TAKEN` on `username`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeUsername {
    /// A valid username; of a bot a clean name, which need not be free.
    pub username: String,
    /// The groups and direct channels to tell, from the indexes.
    pub groups: Vec<GroupId>,
}

/// Changes the e-mail address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeEmail {
    /// A plausible address, or none.
    pub email: Option<String>,
}

/// Changes the password; every login but one is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// The hash the old password was checked against; refused when it has changed since.
    pub password_hash: String,
    /// PHC string of argon2id.
    pub new_password_hash: String,
    /// The login that stays.
    pub keep: Option<LoginId>,
}

/// Deletes the account: the name is free, logins and sockets are closed, groups and pairs are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteAccount {
    /// The hash the password was checked against; none for a bot, whose owner asked.
    pub password_hash: Option<String>,
    /// The groups and direct channels to tell, from the indexes.
    pub groups: Vec<GroupId>,
}

/// Changes an application. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateApplication {
    /// Who asks; must be the owner, or the bot itself, which cannot grant itself anything.
    pub by: UserId,
    /// A clean name.
    pub name: Option<String>,
    /// A clean description.
    pub description: Option<String>,
    /// The privileged intents it is granted.
    pub privileged: Option<Intents>,
}

/// Sets how far a channel was read, and forgets mentions up to there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The channel.
    pub channel: ChannelId,
    /// The last message read.
    pub message: MessageId,
}

/// Reads the unread mentions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListMentions;

/// Shows the user's sessions something that is not kept: typing in a direct channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What.
    pub dispatch: Dispatch,
}
