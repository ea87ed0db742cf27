//! What a group is asked. `by` is the authenticated user; the group decides what he may.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::requests;
use crate::client::embed::Embed;
use crate::document::{
    Attachment, ChannelDocument, ChannelKind, GroupDocument, IncarnationId, InviteRow, Key,
    MemberRow, MessageRow, Nonce, RoleDocument, TableId,
};
use crate::event::{AccessPicture, Dispatch};
use crate::ids::{AttachmentId, ChannelId, GroupId, MessageId, RoleId, UserId};
use crate::permissions::{Overwrite, Permissions};
use crate::profile::Profile;
use crate::time::Millis;
use crate::voice::{MediaNode, Present, RoomId, RoomOrders, Said, VoiceState};

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
    /// Hash of the icon.
    pub icon: Option<Option<String>>,
}

/// Changes the settings (MANAGE_GUILD).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateGroup {
    /// Who asks.
    pub by: UserId,
    /// What changes.
    pub patch: GroupPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// Who sees which channel.
    pub access: Arc<AccessPicture>,
    /// All members, or in a large group only the asker.
    pub members: Vec<MemberRow>,
    /// The asker's row.
    pub me: MemberRow,
    /// Who is in the voice channels that the asker sees.
    pub voice: Vec<VoiceState>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// What differs here from what roles allow.
    pub overwrites: Option<Vec<Overwrite>>,
}

/// A channel with its last message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelView {
    /// The channel.
    pub channel: ChannelDocument,
    /// The newest message's id, whether or not it was deleted since.
    pub last_message: Option<MessageId>,
    /// Its community; a direct channel is of none.
    pub group: Option<GroupId>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteChannel {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub channel: ChannelId,
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
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
    /// Whom it may mention.
    pub mentions: Mentioned,
    /// The message it answers.
    pub reply_to: Option<Referenced>,
    /// Discord's message flags.
    pub flags: u32,
    /// What a bot lays out; without EMBED_LINKS it is left out.
    pub embeds: Vec<Embed>,
    /// Files that are stored already (ATTACH_FILES).
    pub attachments: Vec<Attachment>,
}

/// Whom a message mentions, as far as its sender wants it; the group looks at who is there and what may be mentioned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mentioned {
    /// Users named in the content, or answered; only members are mentioned.
    pub users: Vec<Profile>,
    /// Roles named in the content.
    pub roles: Vec<RoleId>,
    /// Everybody, or everybody who is online.
    pub everyone: bool,
}

/// A message that another refers to, with its author.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Referenced {
    /// The message.
    pub message: MessageRow,
    /// Who wrote it.
    pub author: Profile,
}

/// What the edge found of a message that is there already, so that the event of its change can be encoded at once. It may be
/// behind what the group knows, or empty: then less is shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// The profiles of its author, of those it mentions, and of both of the message it answers.
    pub people: Vec<Profile>,
    /// The message it answers.
    pub answered: Option<MessageRow>,
}

/// The answer to [`PostMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// The message, or with `enforce_nonce` the first of that nonce.
    pub message: MessageRow,
    /// Whether it is an earlier one.
    pub repeated: bool,
}

/// Changes one's own message; with MANAGE_MESSAGES the flags of another's.
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
    /// Whom the content may mention.
    pub mentions: Mentioned,
    /// What MESSAGE_UPDATE shows besides.
    pub around: Surroundings,
    /// Discord's message flags; none leaves them as they are.
    pub flags: Option<u32>,
    /// Other embeds; none leaves them as they are.
    pub embeds: Option<Vec<Embed>>,
    /// The files that stay; none leaves them all.
    pub keep: Option<Vec<AttachmentId>>,
    /// Files that come on top, stored already.
    pub attachments: Vec<Attachment>,
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
    /// Why, for the audit log.
    pub reason: Option<String>,
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

/// Puts a session of a member into a voice channel (CONNECT), or changes what it says there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinVoice {
    /// Who, with the profile that VOICE_STATE_UPDATE shows.
    pub by: Profile,
    /// His gateway session.
    pub session: String,
    /// Where.
    pub channel: ChannelId,
    /// What he says of himself.
    pub said: Said,
    /// Where the room goes if there is none yet.
    pub at: MediaNode,
}

/// Takes a session out of its voice channel; nothing happens if another one is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaveVoice {
    /// Whose.
    pub by: UserId,
    /// Which.
    pub session: String,
}

/// Says who is in a room, and asks who may be. Its node sends it about every [`limits::ROOM_BEAT_MS`].
///
/// [`limits::ROOM_BEAT_MS`]: crate::limits::ROOM_BEAT_MS
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatRoom {
    /// Which room.
    pub room: RoomId,
    /// Where it is.
    pub node: IncarnationId,
    /// Whose voice sockets or media are there.
    pub present: Vec<Present>,
    /// Who went since the last time.
    pub gone: Vec<Present>,
}

/// Moves rooms away from a node that is gone or stops, or one because an operator wants it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoseRooms {
    /// From where: this run of the node, and those before it.
    pub node: IncarnationId,
    /// Where to.
    pub at: MediaNode,
    /// Only the room of this channel.
    pub only: Option<ChannelId>,
}

/// Reads those of some users who are members, in the order they are named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetMembers {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub users: Vec<UserId>,
}

/// Lists members whose user name, display name or nickname begins with something, whatever the case; by rising id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchMembers {
    /// Who asks.
    pub by: UserId,
    /// What the name begins with; nothing fits everybody.
    pub query: String,
    /// How many.
    pub limit: usize,
}

/// Changes a member. Oneself only the name (CHANGE_NICKNAME); others need MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS
/// for what changes, and a lower rank than the asker's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateMember {
    /// Who asks.
    pub by: UserId,
    /// Whom, with the profile that GUILD_MEMBER_UPDATE shows.
    pub user: Profile,
    /// What changes.
    pub patch: MemberPatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What changes of a member. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberPatch {
    /// A clean name in this group.
    pub nick: Option<Option<String>>,
    /// All roles from now on.
    pub roles: Option<Vec<RoleId>>,
    /// Until when he may only read.
    pub timeout_until: Option<Option<Millis>>,
    /// Whether he is heard in voice channels (MUTE_MEMBERS); he is in one.
    pub mute: Option<bool>,
    /// Whether he hears in voice channels (DEAFEN_MEMBERS); he is in one.
    pub deaf: Option<bool>,
    /// The voice channel he is moved to (MOVE_MEMBERS), with where its room goes if there is none; none: he is
    /// taken out of his.
    pub voice: Option<Option<(ChannelId, MediaNode)>>,
}

/// Gives a member a role or takes it; the role must be below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetMemberRole {
    /// Who asks.
    pub by: UserId,
    /// Whom.
    pub user: Profile,
    /// Which.
    pub role: RoleId,
    /// Whether he is to have it.
    pub held: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What a role is like. `None` leaves a field as it is, or at its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RolePatch {
    /// A clean name.
    pub name: Option<String>,
    /// 0xRRGGBB.
    pub color: Option<u32>,
    /// Shown apart in the member list.
    pub hoist: Option<bool>,
    /// What its holders may do.
    pub permissions: Option<Permissions>,
    /// Whether everybody may mention it.
    pub mentionable: Option<bool>,
}

/// Makes a role, just above `@everyone`; it can allow only what the asker may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateRole {
    /// Who asks.
    pub by: UserId,
    /// What it is like.
    pub patch: RolePatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes a role below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateRole {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub role: RoleId,
    /// What changes.
    pub patch: RolePatch,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes the order of roles below the asker's highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveRoles {
    /// Who asks.
    pub by: UserId,
    /// Roles with their new place.
    pub positions: Vec<(RoleId, u32)>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes a role below the asker's highest, and takes it from everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteRole {
    /// Who asks.
    pub by: UserId,
    /// Which.
    pub role: RoleId,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Sets an overwrite; the asker can allow and deny only what he may do himself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutOverwrite {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// The overwrite.
    pub overwrite: Overwrite,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Removes an overwrite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteOverwrite {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Whose: the id of a role or of a member.
    pub target: u64,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes the order of channels, and which category they are under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveChannels {
    /// Who asks.
    pub by: UserId,
    /// What moves where, one after the other.
    pub moves: Vec<ChannelMove>,
}

/// A channel that moves. The outer `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelMove {
    /// Which.
    pub channel: ChannelId,
    /// Its place in the list.
    pub position: Option<u32>,
    /// The category it is under.
    pub parent: Option<Option<ChannelId>>,
    /// Take over the category's overwrites.
    pub lock_permissions: bool,
}

/// Bans a user, member or not. One who is banned already stays so as he is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ban {
    /// Who asks.
    pub by: UserId,
    /// Whom, with the profile that the events show.
    pub user: Profile,
    /// Why, for the ban and the audit log.
    pub reason: Option<String>,
    /// How far back his messages are to be deleted, in seconds; 0 deletes none. The node does so afterwards.
    pub delete_seconds: u64,
}

/// Ends a ban; `UnknownBan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unban {
    /// Who asks.
    pub by: UserId,
    /// Whose, with the profile that GUILD_BAN_REMOVE shows.
    pub user: Profile,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Says that the messages of somebody banned are deleted. Sent by the node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndPurge {
    /// Which purge: the place of its row.
    pub purge: MessageId,
}

/// Asks leave for something that is read from the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Authorize {
    /// Who asks.
    pub by: UserId,
    /// What he must hold.
    pub permissions: Permissions,
    /// Where; in the group as a whole without.
    pub channel: Option<ChannelId>,
}

/// Deletes several messages of a channel; those that are not there are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BulkDelete {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which, within the limits.
    pub messages: Vec<MessageId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// Set by the node when it deletes what somebody banned wrote: the ban was the leave for it, and any age goes.
    pub purge: bool,
}

/// Reacts to a message (ADD_REACTIONS for an emoji that nobody reacted with, READ_MESSAGE_HISTORY).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddReaction {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// One emoji, checked at the edge.
    pub emoji: String,
}

/// Takes a reaction back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveReaction {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Which.
    pub emoji: String,
    /// Whose.
    pub user: UserId,
}

/// Takes all reactions to a message back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClearReactions {
    /// Who asks.
    pub by: UserId,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Only those of this emoji.
    pub emoji: Option<String>,
}

/// Pins a message, or takes the pin off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetPinned {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub message: MessageId,
    /// Whether it is to be pinned.
    pub pinned: bool,
    /// What MESSAGE_UPDATE shows besides.
    pub around: Surroundings,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// The answer to [`StartTyping`]: in a direct channel whom the edge shows it to, since nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Typing {
    /// Users to be shown it; nobody in a community, whose sessions were shown it already.
    pub show_to: Vec<UserId>,
    /// What they are shown.
    pub dispatch: Option<Dispatch>,
}

/// Makes the direct channel of two people. Refused with `Busy` if there is one: look it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreatePair {
    /// Both, the smaller id first, with the profiles that events show.
    pub people: [Profile; 2],
}

/// Makes a direct channel of a few people; the edge saw to it that they are friends of the asker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateDirect {
    /// Who makes it, and owns it; with the profile that events show.
    pub by: Profile,
    /// The others, with theirs.
    pub recipients: Vec<Profile>,
}

/// Reads a direct channel; `MissingAccess` for who is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetDirect {
    /// Who asks.
    pub by: UserId,
}

/// Puts the direct channel of two people into one's list, or takes it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetOpen {
    /// Who asks.
    pub by: UserId,
    /// Whether it is to be in the list.
    pub open: bool,
}

/// A direct channel as one of its people sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectView {
    /// The channel and what makes it direct.
    pub group: GroupDocument,
    /// Its people.
    pub people: Vec<UserId>,
    /// Its newest message.
    pub last_message: Option<MessageId>,
}

/// Changes how one stands to the other of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetRelation {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// The other, with the profile that the asker's event shows.
    pub other: Profile,
    /// How.
    pub wish: RelationWish,
}

/// What somebody wants of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationWish {
    /// To be friends: asks, or accepts.
    Friend,
    /// To have nothing to do with him.
    Block,
    /// No friendship, no request, no block of his own.
    Nothing,
}

/// Changes a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateDirect {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// A clean name.
    pub name: Option<Option<String>>,
    /// Hash of the icon.
    pub icon: Option<Option<String>>,
}

/// Adds somebody to a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddRecipient {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Whom.
    pub user: Profile,
}

/// Removes somebody from a direct channel of a few people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveRecipient {
    /// Who asks, with the profile that the event shows.
    pub by: Profile,
    /// Whom.
    pub user: Profile,
}

/// Deletes some of what an ended group, or a removed channel of a living one, left. Sent by the node's janitor, a piece
/// at a time, until nothing is left; the same piece again does nothing. Refused with `UnknownGuild` where nothing ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reap {
    /// The removed channel; none: the group itself.
    pub channel: Option<ChannelId>,
    /// What to delete.
    pub piece: ReapPiece,
}

/// A piece of what is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReapPiece {
    /// Rows of one table, as the janitor found them; with them go their entries in indexes. Those that are not of what
    /// ended are left alone.
    Rows {
        /// The table.
        table: TableId,
        /// Their keys.
        keys: Vec<Key>,
    },
    /// The rest: whose channels they were, and the row that says that something is left.
    Rest,
    /// Of a living group: entries of the audit log older than [`crate::limits::AUDIT_MS`], and invites that cannot be
    /// taken any more.
    Expired,
}
