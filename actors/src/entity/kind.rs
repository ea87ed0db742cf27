//! The kinds of entity: which core runs behind an address, and the way between the enums over all kinds and its own.

use rookery_protocol::command::group::{GroupCommand, GroupReply};
use rookery_protocol::command::user::{UserCommand, UserReply};
use rookery_protocol::command::{Command, Reply};

use super::core::Core;
use crate::group::Group;
use crate::user::User;

/// A core with its place among the kinds.
pub(super) trait Kind: Core + Sync {
    /// The command, if it is one of this kind.
    fn command(command: Command) -> Option<Self::Command>;

    /// The answer among those of all kinds.
    fn reply(reply: Self::Reply) -> Reply;
}

impl Kind for User {
    fn command(command: Command) -> Option<UserCommand> {
        match command {
            Command::User(command) => Some(command),
            Command::Group(_) => None,
        }
    }

    fn reply(reply: UserReply) -> Reply {
        Reply::User(reply)
    }
}

impl Kind for Group {
    fn command(command: Command) -> Option<GroupCommand> {
        match command {
            Command::Group(command) => Some(command),
            Command::User(_) => None,
        }
    }

    fn reply(reply: GroupReply) -> Reply {
        Reply::Group(reply)
    }
}
