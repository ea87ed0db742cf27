//! What a group is asked. `by` is the authenticated user; the group decides what he may.

use serde::{Deserialize, Serialize};

use super::requests;
use crate::document::{
    ChannelDocument, ChannelKind, GroupDocument, InviteRow, MemberRow, MessageRow, Nonce,
};
use crate::ids::{ChannelId, MessageId, UserId};
use crate::permissions::Permissions;
use crate::profile::Profile;

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
    /// Sends a message.
    PostMessage -> Posted,
    /// Changes one's own message.
    EditMessage -> MessageRow,
    /// Deletes a message: one's own, or with MANAGE_MESSAGES.
    DeleteMessage -> (),
    /// Asks leave to read a channel's history from the store.
    ReadHistory -> (),
    /// Shows that a member is typing.
    StartTyping -> (),
}

/// Makes the group, with a text and a voice channel. The id is new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateGroup {
    /// The first member and owner.
    pub by: Profile,
    /// A clean name.
    pub name: String,
    /// Hash of the icon.
    pub icon: Option<String>,
}

/// Reads the settings; refused with `MissingAccess` for who is no member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetGroup {
    /// Who asks.
    pub by: UserId,
}

/// A group with what is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// Settings, channels, roles.
    pub group: GroupDocument,
    /// How many members it has.
    pub member_count: u64,
    /// What the asker may do in the group as a whole.
    pub permissions: Permissions,
}

/// Changes the settings. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupPatch {
    /// A clean name.
    pub name: Option<String>,
    /// A clean description.
    pub description: Option<Option<String>>,
    /// Where joins are announced.
    pub system_channel: Option<Option<ChannelId>>,
    /// Another member as owner (only the owner may).
    pub owner: Option<UserId>,
}

/// Changes the settings (MANAGE_GUILD).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateGroup {
    /// Who asks.
    pub by: UserId,
    /// What changes.
    pub patch: GroupPatch,
}

/// Ends the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteGroup {
    /// Who asks; must be the owner.
    pub by: UserId,
}

/// Subscribes a member's session: the group's events follow from `gseq` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Whose session.
    pub by: UserId,
}

/// The group as of `gseq`; what GUILD_CREATE is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The number of the last event that is in this picture.
    pub gseq: u64,
    /// Settings, channels, roles.
    pub view: GroupView,
    /// The last message of each channel that has one.
    pub last_messages: Vec<(ChannelId, MessageId)>,
    /// All members, or in a large group only the asker.
    pub members: Vec<MemberRow>,
    /// The asker's row.
    pub me: MemberRow,
}

/// A new channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateChannel {
    /// Who asks.
    pub by: UserId,
    /// What it is for.
    pub kind: ChannelKind,
    /// What it is like; a name is there.
    pub patch: ChannelPatch,
}

/// What a channel is like. The outer `None` leaves a field as it is, or at its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChannelPatch {
    /// A clean name.
    pub name: Option<String>,
    /// Its place in the list.
    pub position: Option<u32>,
    /// The category it is under; must be one of the group's.
    pub parent: Option<Option<ChannelId>>,
    /// A clean topic.
    pub topic: Option<Option<String>>,
    /// Only for adults.
    pub nsfw: Option<bool>,
    /// Seconds between two messages of a member.
    pub rate_limit_per_user: Option<u32>,
    /// Bits per second of a voice channel.
    pub bitrate: Option<u32>,
    /// People in a voice channel.
    pub user_limit: Option<u32>,
}

/// A channel with its last message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelView {
    /// The channel.
    pub channel: ChannelDocument,
    /// The newest message's id, whether or not it was deleted since.
    pub last_message: Option<MessageId>,
}

/// Reads a channel; `UnknownChannel` or `MissingAccess`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
}

/// Lists the channels a member sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListChannels {
    /// Who asks.
    pub by: UserId,
}

/// Changes a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
    /// What changes.
    pub patch: ChannelPatch,
}

/// Removes a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
}

/// Makes an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateInvite {
    /// Who asks, with the profile that INVITE_CREATE shows.
    pub by: Profile,
    /// Where who takes it arrives.
    pub channel: ChannelId,
    /// A random code, made at the edge.
    pub code: String,
    /// Seconds it lives; 0 is for ever.
    pub max_age: u64,
    /// How many may take it; 0 is unlimited.
    pub max_uses: u64,
    /// Answer with an invite of the same kind if there is one.
    pub reuse: bool,
}

/// Lists invites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListInvites {
    /// Who asks.
    pub by: UserId,
    /// Only those of this channel.
    pub channel: Option<ChannelId>,
}

/// Reads an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetInvite {
    /// Its code.
    pub code: String,
}

/// An invite with what it leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteView {
    /// The invite.
    pub invite: InviteRow,
    /// Its group.
    pub group: GroupDocument,
    /// How many members that has.
    pub member_count: u64,
    /// Whether the asker became a member just now.
    pub new_member: bool,
}

/// Revokes an invite: with MANAGE_GUILD, MANAGE_CHANNELS, or as its maker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteInvite {
    /// Who asks.
    pub by: UserId,
    /// Its code.
    pub code: String,
}

/// Takes an invite; who is a member already stays one and uses nothing up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptInvite {
    /// Who takes it.
    pub by: Profile,
    /// Its code.
    pub code: String,
}

/// Adds a bot; with `permissions` it gets a role of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddBot {
    /// Who asks; may grant only what he has.
    pub by: UserId,
    /// The bot.
    pub bot: Profile,
    /// What its role may do.
    pub permissions: Permissions,
}

/// Reads a member; `UnknownMember`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetMember {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub user: UserId,
}

/// Lists members by rising id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListMembers {
    /// Who asks.
    pub by: UserId,
    /// Only ids above.
    pub after: Option<UserId>,
    /// How many.
    pub limit: usize,
}

/// Removes a member. Somebody else only with KICK_MEMBERS and a higher role; the owner cannot be removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveMember {
    /// Who asks.
    pub by: UserId,
    /// Who goes, with the profile that GUILD_MEMBER_REMOVE shows.
    pub user: Profile,
}

/// Sends a message. The profiles were looked up at the edge, so that the event can be encoded at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostMessage {
    /// Who writes.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// What, within its limits.
    pub content: String,
    /// To be read aloud.
    pub tts: bool,
    /// The client's mark.
    pub nonce: Option<Nonce>,
    /// Answer a nonce seen before with the first message.
    pub enforce_nonce: bool,
    /// Users named in the content; only members are mentioned.
    pub mentions: Vec<Profile>,
    /// The message it answers.
    pub reply_to: Option<Referenced>,
    /// Discord's message flags.
    pub flags: u32,
}

/// A message that another refers to, with its author.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Referenced {
    /// The message.
    pub message: MessageRow,
    /// Who wrote it.
    pub author: Profile,
}

/// The answer to [`PostMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// The message, or with `enforce_nonce` the first of that nonce.
    pub message: MessageRow,
    /// Whether it is an earlier one.
    pub repeated: bool,
}

/// Changes the content of one's own message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditMessage {
    /// Who asks, with the profile that MESSAGE_UPDATE shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// What it says from now on; none leaves it as it is.
    pub content: Option<String>,
    /// Users named in the content.
    pub mentions: Vec<Profile>,
    /// Discord's message flags; none leaves them as they are.
    pub flags: Option<u32>,
}

/// Deletes a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteMessage {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
}

/// Asks leave to read a channel's history (VIEW_CHANNEL, READ_MESSAGE_HISTORY). What was committed before the answer
/// is in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadHistory {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
}

/// Shows that a member is typing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartTyping {
    /// Who, with the profile that TYPING_START shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
}
