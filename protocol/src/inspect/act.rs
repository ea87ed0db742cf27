//! What an operator does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::actor::ActorId;

/// Something that an operator has done. Each is in the audit log of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Throws an actor's state away and loads it anew; what is under way is answered 503, and is to be asked again.
    Restart {
        /// Which.
        actor: ActorId,
    },
    /// Puts an idle actor to sleep.
    Passivate {
        /// Which.
        actor: ActorId,
    },
    /// Moves an actor to another node, with those that share its shard.
    Migrate {
        /// Which.
        actor: ActorId,
        /// Whither; none gives the choice back to the cluster.
        to: Option<String>,
    },
    /// Has a node give away all it has.
    Drain {
        /// Which.
        node: String,
        /// It stays in the cluster, without anything, until it is undrained; otherwise it ends.
        stay: bool,
    },
    /// Has a node take part again.
    Undrain {
        /// Which.
        node: String,
    },
    /// Locks an account: nobody comes in with it.
    Suspend {
        /// Whose.
        user: String,
        /// Undoes that.
        undo: bool,
    },
    /// Gives an account a new password, and ends its logins.
    ResetPassword {
        /// Whose.
        user: String,
    },
    /// Makes an account that may administer the server.
    MakeOperator {
        /// Its username.
        name: String,
    },
    /// Makes a token for the admin API.
    MakeToken {
        /// Its name.
        name: String,
    },
    /// Ends a token.
    RevokeToken {
        /// Its name.
        name: String,
    },
    /// Takes a backup: everything that the store holds.
    Backup {
        /// With what people attached, avatars and icons.
        files: bool,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart { actor } => write!(f, "restart {actor}"),
            Self::Passivate { actor } => write!(f, "passivate {actor}"),
            Self::Migrate {
                actor,
                to: Some(node),
            } => write!(f, "migrate {actor} to {node}"),
            Self::Migrate { actor, to: None } => write!(f, "migrate {actor} to where it belongs"),
            Self::Drain { node, stay: true } => write!(f, "drain {node} and keep it"),
            Self::Drain { node, stay: false } => write!(f, "drain {node}"),
            Self::Undrain { node } => write!(f, "undrain {node}"),
            Self::Suspend { user, undo: false } => write!(f, "suspend {user}"),
            Self::Suspend { user, undo: true } => write!(f, "unsuspend {user}"),
            Self::ResetPassword { user } => write!(f, "reset the password of {user}"),
            Self::MakeOperator { name } => write!(f, "make the operator {name}"),
            Self::MakeToken { name } => write!(f, "make the token {name}"),
            Self::RevokeToken { name } => write!(f, "revoke the token {name}"),
            Self::Backup { files: true } => f.write_str("take a backup"),
            Self::Backup { files: false } => f.write_str("take a backup without files"),
        }
    }
}

/// What became of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// What is so now, in a sentence.
    pub what: String,
    /// The new password or token; shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// An act in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRecord {
    /// Rises.
    pub id: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The node that was asked.
    pub node: String,
    /// The name of the token, or `local` for who may use the data folder of a node.
    pub by: String,
    /// What.
    pub act: Act,
    /// What became of it; none: it is under way, or its node ended before it was over.
    pub outcome: Option<String>,
}
