//! Who may do what in the group: what [`permission`] says of its members, and who stands above whom.

use std::cmp::Reverse;
use std::sync::Arc;

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::GroupCommand;
use rookery_protocol::document::{ChannelDocument, MemberRow, RoleDocument};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{AccessPicture, ChannelAccess};
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;

use super::Live;
use crate::permission;

/// What the people of a direct channel may do there.
const DIRECT: Permissions = Permissions(
    Permissions::VIEW_CHANNEL.0
        | Permissions::SEND_MESSAGES.0
        | Permissions::READ_MESSAGE_HISTORY.0
        | Permissions::ADD_REACTIONS.0
        | Permissions::EMBED_LINKS.0
        | Permissions::ATTACH_FILES.0
        | Permissions::USE_EXTERNAL_EMOJIS.0
        | Permissions::CONNECT.0
        | Permissions::SPEAK.0
        | Permissions::STREAM.0
        | Permissions::USE_VAD.0,
);

/// A member in a channel he sees.
pub(super) struct Seat<'a> {
    pub(super) channel: &'a ChannelDocument,
    pub(super) permissions: Permissions,
}

impl Seat<'_> {
    /// `MissingPermissions` unless all of `wanted` is held here.
    pub(super) fn require(&self, wanted: Permissions) -> Answer<()> {
        require(self.permissions, wanted)
    }

    /// `NonTextChannel` unless the channel holds messages.
    pub(super) fn require_messages(&self) -> Answer<()> {
        if self.channel.kind.holds_messages() {
            Ok(())
        } else {
            Err(ErrorCode::NonTextChannel.into())
        }
    }
}

impl Live {
    /// The row of a member; `MissingAccess` for who is none.
    pub(super) fn member(&self, user: UserId) -> Answer<&MemberRow> {
        let missing = || ErrorCode::MissingAccess.into();
        self.members.get(&user).ok_or_else(missing)
    }

    /// What a user may do in the group as a whole; `MissingAccess` for who is no member.
    pub(super) fn permissions(&self, now: Millis, user: UserId) -> Answer<Permissions> {
        let member = self.member(user)?;
        Ok(in_time(now, member, self.base_of(member)))
    }

    /// What a member may do in the group as a whole when no timeout is looked at.
    pub(super) fn base_of(&self, member: &MemberRow) -> Permissions {
        if self.is_direct() {
            return DIRECT;
        }
        // `@everyone` is the first role.
        let everyone = self.document.roles.first();
        permission::base(
            member.user == self.document.owner,
            everyone.map_or(Permissions::NONE, |role| role.permissions),
            self.roles_of(member).map(|role| role.permissions),
        )
    }

    /// Refuses a user who does not hold all of `wanted` in the group as a whole, and says what he holds.
    pub(super) fn require(
        &self,
        now: Millis,
        user: UserId,
        wanted: Permissions,
    ) -> Answer<Permissions> {
        let held = self.permissions(now, user)?;
        require(held, wanted).map(|()| held)
    }

    /// What a member may do in a channel; without VIEW_CHANNEL nothing.
    pub(super) fn permissions_in(
        &self,
        now: Millis,
        member: &MemberRow,
        channel: &ChannelDocument,
    ) -> Permissions {
        let held = permission::in_channel(
            self.base_of(member),
            &channel.overwrites,
            self.document.id.everyone(),
            member.user,
            &member.roles,
        );
        in_time(now, member, held)
    }

    /// A user's seat in a channel: `UnknownChannel`, or `MissingAccess` if he does not see it.
    pub(super) fn seat(&self, now: Millis, user: UserId, channel: ChannelId) -> Answer<Seat<'_>> {
        let Some(channel) = self.document.channel(channel) else {
            return Err(ErrorCode::UnknownChannel.into());
        };
        let permissions = self.permissions_in(now, self.member(user)?, channel);
        if permissions.allow(Permissions::VIEW_CHANNEL) {
            Ok(Seat {
                channel,
                permissions,
            })
        } else {
            Err(ErrorCode::MissingAccess.into())
        }
    }

    /// Who sees which channel, for the relay lanes; kept until the snapshot changes.
    pub(super) fn access_picture(&mut self) -> Arc<AccessPicture> {
        if let Some(picture) = &self.picture {
            return picture.clone();
        }
        let channel = |channel: &ChannelDocument| {
            let overwrites = channel.overwrites.clone();
            let body = self.channel_body(channel.id)?;
            Some((channel.id, ChannelAccess { overwrites, body }))
        };
        let roles = self.document.roles.iter();
        let picture = Arc::new(AccessPicture {
            owner: Some(self.document.owner),
            roles: roles.map(|role| (role.id, role.permissions)).collect(),
            channels: self.document.channels.iter().filter_map(channel).collect(),
        });
        self.picture = Some(picture.clone());
        picture
    }

    /// Whether a member stands above another: the owner above all, then by the highest role.
    pub(super) fn outranks(&self, member: &MemberRow, other: &MemberRow) -> bool {
        if other.user == self.document.owner {
            return false;
        }
        member.user == self.document.owner || self.rank(member) > self.rank(other)
    }

    /// Whether a member stands above a role: the owner above all, others by their highest one.
    pub(super) fn stands_above(&self, member: &MemberRow, role: &RoleDocument) -> bool {
        member.user == self.document.owner || self.rank(member) > rank_of(role)
    }

    /// The rank of a member's highest role.
    pub(super) fn rank(&self, member: &MemberRow) -> Rank {
        let lowest = (0, Reverse(u64::MAX));
        let ranks = self.roles_of(member).map(rank_of);
        ranks.max().unwrap_or(lowest)
    }

    fn roles_of<'a>(&'a self, member: &'a MemberRow) -> impl Iterator<Item = &'a RoleDocument> {
        let roles = &self.document.roles;
        let find = |id| roles.iter().find(|role| role.id == id);
        member.roles.iter().filter_map(move |&id| find(id))
    }
}

/// Where a role stands; of two at one position the older one is higher.
pub(super) type Rank = (u32, Reverse<u64>);

/// The rank of a role.
pub(super) fn rank_of(role: &RoleDocument) -> Rank {
    (role.position, Reverse(role.id.0))
}

/// What is left of a member's permissions at a time.
fn in_time(now: Millis, member: &MemberRow, held: Permissions) -> Permissions {
    if member.timeout_until.is_some_and(|until| now < until) {
        permission::in_timeout(held)
    } else {
        held
    }
}

fn require(held: Permissions, wanted: Permissions) -> Answer<()> {
    if held.allow(wanted) {
        Ok(())
    } else {
        Err(ErrorCode::MissingPermissions.into())
    }
}

/// What somebody is told who asks a group that does not exist (any more): it depends on what he named.
pub(super) fn unknown(command: &GroupCommand) -> ErrorCode {
    match command {
        GroupCommand::GetChannel(_)
        | GroupCommand::UpdateChannel(_)
        | GroupCommand::DeleteChannel(_)
        | GroupCommand::CreateInvite(_)
        | GroupCommand::PostMessage(_)
        | GroupCommand::EditMessage(_)
        | GroupCommand::DeleteMessage(_)
        | GroupCommand::BulkDelete(_)
        | GroupCommand::AddReaction(_)
        | GroupCommand::RemoveReaction(_)
        | GroupCommand::ClearReactions(_)
        | GroupCommand::SetPinned(_)
        | GroupCommand::PutOverwrite(_)
        | GroupCommand::DeleteOverwrite(_)
        | GroupCommand::ReadHistory(_)
        | GroupCommand::StartTyping(_)
        | GroupCommand::CreatePair(_)
        | GroupCommand::CreateDirect(_)
        | GroupCommand::GetDirect(_)
        | GroupCommand::SetOpen(_)
        | GroupCommand::SetRelation(_)
        | GroupCommand::UpdateDirect(_)
        | GroupCommand::AddRecipient(_)
        | GroupCommand::RemoveRecipient(_)
        | GroupCommand::JoinVoice(_) => ErrorCode::UnknownChannel,
        GroupCommand::GetInvite(_)
        | GroupCommand::DeleteInvite(_)
        | GroupCommand::AcceptInvite(_) => ErrorCode::UnknownInvite,
        GroupCommand::CreateGroup(_)
        | GroupCommand::GetGroup(_)
        | GroupCommand::UpdateGroup(_)
        | GroupCommand::DeleteGroup(_)
        | GroupCommand::Subscribe(_)
        | GroupCommand::CreateChannel(_)
        | GroupCommand::ListChannels(_)
        | GroupCommand::ListInvites(_)
        | GroupCommand::AddBot(_)
        | GroupCommand::GetMember(_)
        | GroupCommand::ListMembers(_)
        | GroupCommand::GetMembers(_)
        | GroupCommand::SearchMembers(_)
        | GroupCommand::UpdateMember(_)
        | GroupCommand::SetMemberRole(_)
        | GroupCommand::CreateRole(_)
        | GroupCommand::UpdateRole(_)
        | GroupCommand::MoveRoles(_)
        | GroupCommand::DeleteRole(_)
        | GroupCommand::MoveChannels(_)
        | GroupCommand::Ban(_)
        | GroupCommand::Unban(_)
        | GroupCommand::EndPurge(_)
        | GroupCommand::Authorize(_)
        | GroupCommand::Reap(_)
        | GroupCommand::LeaveVoice(_)
        | GroupCommand::BeatRoom(_)
        | GroupCommand::LoseRooms(_)
        | GroupCommand::RemoveMember(_) => ErrorCode::UnknownGuild,
    }
}
