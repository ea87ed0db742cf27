//! Which commands are for communities and which for direct channels: both are groups, and neither takes the other's.

use rookery_protocol::command::group::GroupCommand;
use rookery_protocol::error::ErrorCode;

use super::super::{Live, access};

impl Live {
    /// What a command is refused with that is for the other kind of group.
    pub(in crate::group) fn misplaced(&self, command: &GroupCommand) -> Option<ErrorCode> {
        let is_direct = self.is_direct();
        match command {
            // Of either.
            GroupCommand::GetChannel(_)
            | GroupCommand::Authorize(_)
            | GroupCommand::PostMessage(_)
            | GroupCommand::EditMessage(_)
            | GroupCommand::DeleteMessage(_)
            | GroupCommand::AddReaction(_)
            | GroupCommand::RemoveReaction(_)
            | GroupCommand::SetPinned(_)
            | GroupCommand::ReadHistory(_)
            | GroupCommand::StartTyping(_)
            | GroupCommand::CreateGroup(_)
            | GroupCommand::CreatePair(_)
            | GroupCommand::CreateDirect(_)
            | GroupCommand::Reap(_) => None,
            // Of direct channels.
            GroupCommand::GetDirect(_)
            | GroupCommand::SetOpen(_)
            | GroupCommand::SetRelation(_)
            | GroupCommand::UpdateDirect(_)
            | GroupCommand::AddRecipient(_)
            | GroupCommand::RemoveRecipient(_) => (!is_direct).then_some(ErrorCode::InvalidAction),
            // Of the channels of communities.
            GroupCommand::UpdateChannel(_)
            | GroupCommand::DeleteChannel(_)
            | GroupCommand::CreateInvite(_)
            | GroupCommand::PutOverwrite(_)
            | GroupCommand::DeleteOverwrite(_)
            | GroupCommand::BulkDelete(_)
            | GroupCommand::ClearReactions(_) => is_direct.then_some(ErrorCode::CannotActOnDirect),
            // Of communities: a direct channel is none, so there is nothing of that id.
            community => is_direct.then(|| access::unknown(community)),
        }
    }
}
