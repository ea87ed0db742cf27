//! What entities are asked and what they answer. Plain data: a command may cross nodes, and no sender knows whether it
//! does. Expected refusals are [`ApiError`] values.

pub mod group;
pub mod user;

use serde::{Deserialize, Serialize};

use crate::document::{MentionRow, Relation};
use crate::error::ApiError;
use crate::event::Dispatch;
use crate::ids::{GroupId, UserId};
use crate::profile::Profile;

/// A command to an entity of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// To a user.
    User(user::UserCommand),
    /// To a group.
    Group(group::GroupCommand),
}

/// The answer to a [`Command`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Of a user.
    User(user::UserReply),
    /// Of a group.
    Group(group::GroupReply),
}

impl Command {
    /// A constant name, for counters and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::User(command) => command.name(),
            Self::Group(command) => command.name(),
        }
    }
}

/// A request with its own answer type: what a caller hands to `ask`.
pub trait Request: Into<Command> + Send {
    /// What the entity answers.
    type Reply: Send;

    /// Takes the answer out of the enum; `None` when an entity answered something else, which is a bug.
    fn reply(reply: Reply) -> Option<Self::Reply>;
}

/// Names a command that comes from another node, so that it is done once however often it is sent. It is committed with
/// what the command does, so the entity's next owner recognises a repetition too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks: drawn at random for each run of a node; at most `i64::MAX`.
    pub caller: u64,
    /// Never used twice by this caller; at most `i64::MAX`.
    pub number: u64,
}

/// An intent of one entity for another: delivered at least once, taken once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// To a user: you are now in this group.
    Joined(GroupId),
    /// To a group: a member's profile changed.
    ProfileChanged(Profile),
    /// To a group: a member's account was deleted, he leaves. Carries the profile that is shown from now on.
    AccountDeleted(Profile),
    /// To a user: your sessions see this. How the events of direct channels and of relationships travel.
    Show(Dispatch),
    /// To a user: a message mentions you.
    Mentioned(MentionRow),
    /// To a user: how you stand to another from now on.
    Related {
        /// The other.
        user: UserId,
        /// How.
        relation: Relation,
    },
}

/// What an entity answers.
pub type Answer<T> = Result<T, ApiError>;

/// Declares the requests of a kind of entity: one struct each, the command and reply enums over them, and the
/// conversions that let a caller ask with the struct and get its own answer type.
macro_rules! requests {
    ($kind:ident, $command:ident, $replies:ident; $($(#[$doc:meta])* $name:ident -> $reply:ty),* $(,)?) => {
        #[doc = concat!("A command to a ", stringify!($kind), ".")]
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $command { $($(#[$doc])* $name($name)),* }

        #[doc = concat!("The answer of a ", stringify!($kind), ", named after its request.")]
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "a reply is moved once")]
        pub enum $replies { $($(#[$doc])* $name($reply)),* }

        impl $command {
            /// All names, for tests that go through all of them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// A constant name, for counters and logs.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),* }
            }
        }

        impl $replies {
            /// The name of its request.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),* }
            }
        }

        $(
            impl From<$name> for $crate::command::Command {
                fn from(request: $name) -> Self {
                    Self::$kind($command::$name(request))
                }
            }

            impl $crate::command::Request for $name {
                type Reply = $reply;
                fn reply(reply: $crate::command::Reply) -> Option<$reply> {
                    match reply {
                        $crate::command::Reply::$kind($replies::$name(reply)) => Some(reply),
                        _ => None,
                    }
                }
            }
        )*
    };
}
pub(crate) use requests;
