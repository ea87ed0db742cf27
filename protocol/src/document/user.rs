//! Accounts: the user's snapshot and its indexes.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::ids::{ChannelId, GroupId, LoginId, MessageId, UserId};
use crate::intents::Intents;
use crate::profile::Profile;
use crate::time::Millis;

tables! {
    /// `(user)`: the user's snapshot.
    Users: UserDocument,
    /// `(username)`: who holds the name.
    Usernames: UsernameRow,
    /// `(owner, application)`: which applications a user owns.
    Applications: ApplicationRow,
    /// `(user, channel)`: how far a user has read.
    ReadStates: ReadStateRow,
    /// `(user, message)`: the newest messages that mention a user and that he has not read.
    Mentions: MentionRow,
    /// `(user, direct)`: the index over the direct channels of a user, written by those.
    Directs: DirectRow,
    /// `(smaller user, larger user)`: the direct channel of two people, for ever.
    Pairs: PairRow,
}

/// How far a user has read a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStateRow {
    /// The channel.
    pub channel: ChannelId,
    /// The last message he has read.
    pub last_read: MessageId,
}

/// A message that mentions a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionRow {
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Of which community; none in direct channels.
    pub group: Option<GroupId>,
    /// By whom.
    pub author: UserId,
}

/// A direct channel as its entry in one user's list: what is needed of it without asking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectRow {
    /// The channel, which is also the id of its entity.
    pub channel: ChannelId,
    /// The others in it.
    pub recipients: Vec<UserId>,
    /// Whether it is in the user's list.
    pub open: bool,
    /// How the user stands to the other one; always [`Relation::None`] in the channel of more than two.
    pub relation: Relation,
    /// Since when.
    pub since: Millis,
    /// Set in the channel of more than two.
    pub group: Option<DirectGroup>,
}

/// What the direct channel of more than two people is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectGroup {
    /// Its name; none shows the recipients.
    pub name: Option<String>,
    /// Hash of its icon.
    pub icon: Option<String>,
    /// Who may remove others.
    pub owner: UserId,
}

/// How a user stands to another; the numbers are the client wire's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// Not at all (0).
    None,
    /// Friends (1).
    Friend,
    /// He blocks the other (2).
    Blocked,
    /// The other asked him (3).
    Incoming,
    /// He asked the other (4).
    Outgoing,
}

impl Relation {
    /// The number on the client wire.
    pub fn wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Friend => 1,
            Self::Blocked => 2,
            Self::Incoming => 3,
            Self::Outgoing => 4,
        }
    }
}

/// The direct channel of two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRow {
    /// The channel, which is also the id of its entity.
    pub channel: ChannelId,
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
    /// Set when the account was deleted: what it wrote stays, and is shown as a deleted user's.
    #[serde(default)]
    pub deleted: bool,
    /// An operator has locked it: it has no logins, and gets none.
    #[serde(default)]
    pub suspended: bool,
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
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The privileged intents that its owner granted it ([`Intents::PRIVILEGED`]).
    #[serde(default)]
    pub privileged: Intents,
}
