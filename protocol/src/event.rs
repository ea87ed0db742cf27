//! Events: what an entity's clients see of its changes, and the frame that carries one to the relay lanes.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::client::gateway::CloseCode;
use crate::entity::EntityRef;
use crate::ids::{ChannelId, GroupId, LoginId, RoleId, UserId};
use crate::intents::Intents;
use crate::permissions::{Overwrite, Permissions};

macro_rules! event_names {
    ($($name:ident = $wire:literal),* $(,)?) => {
        /// The `t` of a dispatch.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are Discord's and explain themselves")]
        pub enum EventName { $(#[serde(rename = $wire)] $name),* }

        impl EventName {
            /// All names, for the README's table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name on the client wire.
            pub fn wire(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
        }
    };
}

event_names! {
    Ready = "READY",
    Resumed = "RESUMED",
    UserUpdate = "USER_UPDATE",
    GuildCreate = "GUILD_CREATE",
    GuildUpdate = "GUILD_UPDATE",
    GuildDelete = "GUILD_DELETE",
    ChannelCreate = "CHANNEL_CREATE",
    ChannelUpdate = "CHANNEL_UPDATE",
    ChannelDelete = "CHANNEL_DELETE",
    GuildMemberAdd = "GUILD_MEMBER_ADD",
    GuildMemberUpdate = "GUILD_MEMBER_UPDATE",
    GuildMemberRemove = "GUILD_MEMBER_REMOVE",
    GuildRoleCreate = "GUILD_ROLE_CREATE",
    GuildRoleUpdate = "GUILD_ROLE_UPDATE",
    GuildRoleDelete = "GUILD_ROLE_DELETE",
    GuildMembersChunk = "GUILD_MEMBERS_CHUNK",
    GuildMemberListUpdate = "GUILD_MEMBER_LIST_UPDATE",
    GuildBanAdd = "GUILD_BAN_ADD",
    GuildBanRemove = "GUILD_BAN_REMOVE",
    GuildAuditLogEntryCreate = "GUILD_AUDIT_LOG_ENTRY_CREATE",
    InviteCreate = "INVITE_CREATE",
    InviteDelete = "INVITE_DELETE",
    MessageCreate = "MESSAGE_CREATE",
    MessageUpdate = "MESSAGE_UPDATE",
    MessageDelete = "MESSAGE_DELETE",
    MessageDeleteBulk = "MESSAGE_DELETE_BULK",
    MessageReactionAdd = "MESSAGE_REACTION_ADD",
    MessageReactionRemove = "MESSAGE_REACTION_REMOVE",
    MessageReactionRemoveAll = "MESSAGE_REACTION_REMOVE_ALL",
    MessageReactionRemoveEmoji = "MESSAGE_REACTION_REMOVE_EMOJI",
    MessageAck = "MESSAGE_ACK",
    ChannelPinsUpdate = "CHANNEL_PINS_UPDATE",
    ChannelRecipientAdd = "CHANNEL_RECIPIENT_ADD",
    ChannelRecipientRemove = "CHANNEL_RECIPIENT_REMOVE",
    TypingStart = "TYPING_START",
    PresenceUpdate = "PRESENCE_UPDATE",
    RateLimited = "RATE_LIMITED",
    RelationshipAdd = "RELATIONSHIP_ADD",
    RelationshipUpdate = "RELATIONSHIP_UPDATE",
    RelationshipRemove = "RELATIONSHIP_REMOVE",
    VoiceStateUpdate = "VOICE_STATE_UPDATE",
    VoiceServerUpdate = "VOICE_SERVER_UPDATE",
    VoiceRefused = "VOICE_REFUSED",
}

/// Who of an entity's subscribed sessions an event is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// All of them.
    Everyone,
    /// Those of everybody else: what blocks keep from people.
    Except(Vec<UserId>),
    /// Those of one user.
    User(UserId),
    /// Those whose users see a channel of the group.
    Channel(ChannelId),
    /// Those whose users hold any of `permissions`: in a channel, or in the group as a whole.
    Holders {
        /// Of what they must hold something.
        permissions: Permissions,
        /// Where.
        channel: Option<ChannelId>,
    },
    /// Those whose users see one channel of the group and not another.
    ChannelOnly {
        /// What they see.
        sees: ChannelId,
        /// What they do not see.
        not: ChannelId,
    },
}

/// What an event changes of who sees which channel. Lanes keep that picture for the groups they follow, so that a
/// group need not know who is listening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessChange {
    /// The group has another owner.
    Owner(UserId),
    /// What a role's holders may do; none: the role is gone.
    Role(RoleId, Option<Permissions>),
    /// What a member's roles are.
    Member(UserId, Vec<RoleId>),
    /// A channel's overwrites, and its object as clients see it; none: the channel is gone. Whoever sees it now and did
    /// not before gets CHANNEL_CREATE, whoever does not see it any more CHANNEL_DELETE; the event's own dispatch goes to
    /// those who saw it before and after.
    Channel(ChannelId, Option<ChannelAccess>),
}

/// A channel as far as it matters for who sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAccess {
    /// What differs in it.
    pub overwrites: Vec<Overwrite>,
    /// The body of its CHANNEL_CREATE.
    pub body: Bytes,
}

/// Who sees which channel of a group: what of a group decides that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccessPicture {
    /// The owner, who may do everything.
    pub owner: Option<UserId>,
    /// What each role allows; `@everyone` has the group's id.
    pub roles: Vec<(RoleId, Permissions)>,
    /// The channels.
    pub channels: Vec<(ChannelId, ChannelAccess)>,
}

/// A dispatch to clients. Its JSON is encoded once, by the entity that decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The `t`.
    pub name: EventName,
    /// The `d`, as JSON text.
    pub body: Bytes,
    /// A session needs one of these intents; none: everybody gets it.
    pub intents: Intents,
    /// Set on messages: only these users see the content without MESSAGE_CONTENT (author and mentioned). A lane
    /// derives the redacted body itself, once, if it has such a session.
    pub content_for: Option<Vec<UserId>>,
    /// This user's sessions get it whatever they asked for: it is about him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<UserId>,
}

impl Dispatch {
    /// The same, also for the sessions of the user it is about that did not ask for it.
    #[must_use]
    pub fn about(mut self, user: UserId) -> Self {
        self.about = Some(user);
        self
    }
}

/// What an event makes a lane do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Send it to the audience.
    Dispatch(Dispatch),
    /// Send it to the audience, which from then on is not subscribed to this entity any more.
    Farewell(Dispatch),
    /// Of a user: the audience's sessions subscribe to a group they are now in.
    Enter(GroupId),
    /// Of a user: close the sessions of one login, or all of them.
    Close {
        /// Only those of this login.
        login: Option<LoginId>,
        /// With what.
        code: CloseCode,
    },
    /// The entity (re)started; whoever has an older number missed something. Never in the log.
    Announce,
}

/// One change as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// For whom.
    pub audience: Audience,
    /// What.
    pub act: Act,
    /// What changes with it of who sees which channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessChange>,
}

/// An event on its way to the relay lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Whose event.
    pub topic: EntityRef,
    /// Its number in the entity's log. [`FrameSeq::Value`]s (typing, presence) are not in the log.
    pub seq: FrameSeq,
    /// What happened.
    pub event: Event,
}

/// Where a frame stands relative to the entity's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameSeq {
    /// The event with this gseq; follows the one before without a gap.
    Logged(u64),
    /// A value that is not in the log; the log stood at this gseq.
    Value(u64),
}

/// Frames are shared between lanes.
pub type SharedFrame = Arc<Frame>;
