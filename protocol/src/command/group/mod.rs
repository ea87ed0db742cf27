//! What a group is asked, a file for each of its parts. `by` is the authenticated user; the group decides what he may.

mod channels;
mod direct;
mod invites;
mod members;
mod messages;
mod moderation;
mod reactions;
mod reap;
mod roles;
mod settings;
mod voice;

use super::requests;
use crate::document::{InviteRow, MemberRow, MessageRow, RoleDocument};
use crate::ids::AttachmentId;
use crate::voice::RoomOrders;

pub use self::channels::{
    ChannelMove, ChannelPatch, ChannelView, CreateChannel, DeleteChannel, DeleteOverwrite,
    GetChannel, ListChannels, MoveChannels, PutOverwrite, UpdateChannel,
};
pub use self::direct::{
    AddRecipient, CreateDirect, CreatePair, DirectView, GetDirect, RelationWish, RemoveRecipient,
    SetOpen, SetRelation, UpdateDirect,
};
pub use self::invites::{
    AcceptInvite, CreateInvite, DeleteInvite, GetInvite, InviteView, ListInvites,
};
pub use self::members::{
    AddBot, GetMember, GetMembers, ListMembers, MemberPatch, RemoveMember, SearchMembers,
    SetMemberRole, UpdateMember,
};
pub use self::messages::{
    BulkDelete, DeleteMessage, EditMessage, Mentioned, PostMessage, Posted, ReadHistory,
    Referenced, StartTyping, Surroundings, Typing,
};
pub use self::moderation::{Ban, EndPurge, Unban};
pub use self::reactions::{AddReaction, ClearReactions, RemoveReaction, SetPinned};
pub use self::reap::{Reap, ReapPiece};
pub use self::roles::{CreateRole, DeleteRole, MoveRoles, RolePatch, UpdateRole};
pub use self::settings::{
    Authorize, CreateGroup, DeleteGroup, GetGroup, GroupPatch, GroupView, Subscribe, Subscribed,
    UpdateGroup,
};
pub use self::voice::{BeatRoom, JoinVoice, LeaveVoice, LoseRooms};

requests! { Group, GroupCommand, GroupReply;
    /// Makes the group at a new id, with its first channels.
    CreateGroup -> GroupView,
    /// Reads the settings, as a member.
    GetGroup -> GroupView,
    /// Changes the settings (MANAGE_GUILD).
    UpdateGroup -> GroupView,
    /// Ends the group (owner).
    DeleteGroup -> (),
    /// Subscribes a member's session.
    Subscribe -> Subscribed,
    /// Adds a channel (MANAGE_CHANNELS).
    CreateChannel -> ChannelView,
    /// Reads a channel.
    GetChannel -> ChannelView,
    /// Lists the channels a member sees.
    ListChannels -> Vec<ChannelView>,
    /// Changes a channel (MANAGE_CHANNELS).
    UpdateChannel -> ChannelView,
    /// Removes a channel (MANAGE_CHANNELS).
    DeleteChannel -> ChannelView,
    /// Makes an invite (CREATE_INSTANT_INVITE).
    CreateInvite -> InviteRow,
    /// Lists invites (MANAGE_GUILD, or MANAGE_CHANNELS for one channel's).
    ListInvites -> Vec<InviteRow>,
    /// Reads an invite, as anybody who has the code.
    GetInvite -> InviteView,
    /// Revokes an invite.
    DeleteInvite -> InviteView,
    /// Takes an invite.
    AcceptInvite -> InviteView,
    /// Adds a bot (MANAGE_GUILD).
    AddBot -> (),
    /// Reads a member.
    GetMember -> MemberRow,
    /// Lists members by id.
    ListMembers -> Vec<MemberRow>,
    /// Removes a member (KICK_MEMBERS), or oneself.
    RemoveMember -> (),
    /// Reads those of some users who are members.
    GetMembers -> Vec<MemberRow>,
    /// Lists members whose name begins with something.
    SearchMembers -> Vec<MemberRow>,
    /// Changes a member's name, roles or timeout.
    UpdateMember -> MemberRow,
    /// Gives a member a role, or takes it (MANAGE_ROLES).
    SetMemberRole -> (),
    /// Makes a role (MANAGE_ROLES).
    CreateRole -> RoleDocument,
    /// Changes a role (MANAGE_ROLES).
    UpdateRole -> RoleDocument,
    /// Changes the order of roles (MANAGE_ROLES).
    MoveRoles -> Vec<RoleDocument>,
    /// Removes a role (MANAGE_ROLES).
    DeleteRole -> (),
    /// Sets an overwrite of a channel (MANAGE_ROLES there).
    PutOverwrite -> (),
    /// Removes an overwrite of a channel (MANAGE_ROLES there).
    DeleteOverwrite -> (),
    /// Changes the order of channels (MANAGE_CHANNELS).
    MoveChannels -> (),
    /// Bans a user (BAN_MEMBERS).
    Ban -> (),
    /// Ends a ban (BAN_MEMBERS).
    Unban -> (),
    /// Says that the messages of somebody banned are deleted.
    EndPurge -> (),
    /// Asks leave for something that is read from the store.
    Authorize -> (),
    /// Sends a message.
    PostMessage -> Posted,
    /// Changes one's own message.
    EditMessage -> MessageRow,
    /// Deletes a message: one's own, or with MANAGE_MESSAGES. Answers the files that nothing refers to any more.
    DeleteMessage -> Vec<AttachmentId>,
    /// Deletes several messages (MANAGE_MESSAGES). Answers the files that nothing refers to any more.
    BulkDelete -> Vec<AttachmentId>,
    /// Reacts to a message.
    AddReaction -> (),
    /// Takes a reaction back: one's own, or with MANAGE_MESSAGES.
    RemoveReaction -> (),
    /// Takes all reactions to a message back, or those of one emoji (MANAGE_MESSAGES).
    ClearReactions -> (),
    /// Pins a message, or takes the pin off (MANAGE_MESSAGES).
    SetPinned -> (),
    /// Asks leave to read a channel's history from the store.
    ReadHistory -> (),
    /// Shows that a member is typing.
    StartTyping -> Typing,
    /// Makes the direct channel of two people, at a new id.
    CreatePair -> DirectView,
    /// Makes a direct channel of a few people, at a new id.
    CreateDirect -> DirectView,
    /// Reads a direct channel, as one of its people.
    GetDirect -> DirectView,
    /// Puts a direct channel into one's list, or takes it out.
    SetOpen -> DirectView,
    /// Changes how one stands to the other of a pair.
    SetRelation -> DirectView,
    /// Changes the name or icon of a direct channel of a few people.
    UpdateDirect -> DirectView,
    /// Adds somebody to a direct channel of a few people.
    AddRecipient -> DirectView,
    /// Removes somebody from a direct channel of a few people (its owner), or oneself.
    RemoveRecipient -> (),
    /// Deletes some of what an ended group, or a removed channel, left.
    Reap -> (),
    /// Puts a session of a member into a voice channel (CONNECT), or changes what it says there.
    JoinVoice -> (),
    /// Takes a session out of its voice channel.
    LeaveVoice -> (),
    /// Says who is in a room, and asks who may be.
    BeatRoom -> RoomOrders,
    /// Moves rooms away from a node that is gone or stops.
    LoseRooms -> (),
}
