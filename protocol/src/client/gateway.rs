//! The gateway's frames, opcodes and close codes.
//!
//! Source: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway>

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::presence::PresenceForm;
use crate::ids::{ChannelId, GroupId, UserId};
use crate::voice::Said;

macro_rules! close_codes {
    ($($name:ident = $code:literal, $reason:literal),* $(,)?) => {
        /// Why the server closes a socket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the reason of each says what it is")]
        pub enum CloseCode { $($name),* }

        impl CloseCode {
            /// The number on the wire.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code),* }
            }

            /// The reason on the wire.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason),* }
            }
        }
    };
}

close_codes! {
    UnknownError = 4000, "Unknown error.",
    UnknownOpcode = 4001, "Unknown opcode.",
    DecodeError = 4002, "Error while decoding payload.",
    NotAuthenticated = 4003, "Not authenticated.",
    AuthenticationFailed = 4004, "Authentication failed.",
    AlreadyAuthenticated = 4005, "Already authenticated.",
    InvalidSeq = 4007, "Invalid seq.",
    RateLimited = 4008, "You are being rate limited.",
    SessionTimedOut = 4009, "Session timed out.",
    InvalidShard = 4010, "Invalid shard.",
    InvalidApiVersion = 4012, "Invalid API version.",
    InvalidIntents = 4013, "Invalid intent(s).",
    DisallowedIntents = 4014, "Disallowed intent(s).",
}

/// Opcodes.
#[allow(
    missing_docs,
    reason = "the names are Discord's and explain themselves"
)]
pub mod op {
    pub const DISPATCH: u8 = 0;
    pub const HEARTBEAT: u8 = 1;
    pub const IDENTIFY: u8 = 2;
    pub const PRESENCE_UPDATE: u8 = 3;
    pub const VOICE_STATE_UPDATE: u8 = 4;
    pub const RESUME: u8 = 6;
    pub const RECONNECT: u8 = 7;
    pub const REQUEST_GUILD_MEMBERS: u8 = 8;
    pub const INVALID_SESSION: u8 = 9;
    pub const HELLO: u8 = 10;
    pub const HEARTBEAT_ACK: u8 = 11;
    /// Not documented for bots: the ranges of a group's member list that a client shows.
    pub const LAZY_REQUEST: u8 = 14;
}

/// A frame from a client; `d` is read once the opcode is known.
#[derive(Debug, Deserialize)]
pub struct ClientFrame<'a> {
    /// The opcode.
    pub op: u64,
    /// Its data.
    #[serde(borrow, default)]
    pub d: Option<&'a RawValue>,
}

/// The data of IDENTIFY. Fields that do not matter here are not read: libraries differ in them.
#[derive(Debug, Deserialize)]
pub struct Identify {
    /// An access token, or a bot token with or without its prefix.
    pub token: String,
    /// What to send; people's clients may leave it out.
    #[serde(default)]
    pub intents: Option<u64>,
    /// Payload compression (not transport compression); accepted and not used.
    #[serde(default)]
    pub compress: Option<bool>,
    /// `[n, of]`.
    #[serde(default)]
    pub shard: Option<[u64; 2]>,
    /// As in opcode 3.
    #[serde(default)]
    pub presence: Option<PresenceForm>,
    /// What the client runs on.
    #[serde(default)]
    pub properties: Option<Properties>,
}

/// What a client runs on; older libraries write a `$` in front.
#[derive(Debug, Default, Deserialize)]
pub struct Properties {
    /// The operating system.
    #[serde(default, alias = "$os")]
    pub os: Option<String>,
    /// The client or library.
    #[serde(default, alias = "$browser")]
    pub browser: Option<String>,
}

/// The data of opcode 8; one of `query` and `user_ids`.
///
/// Source: <https://discord.com/developers/docs/events/gateway-events#request-guild-members>
#[derive(Debug, Clone, Deserialize)]
pub struct RequestMembers {
    /// The group; some libraries send a list of one.
    #[serde(deserialize_with = "one_or_list")]
    pub guild_id: Vec<GroupId>,
    /// What a name begins with; everybody's begins with nothing.
    #[serde(default)]
    pub query: Option<String>,
    /// How many; 0 is all.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Whether presences are wanted, too.
    #[serde(default)]
    pub presences: Option<bool>,
    /// Whom.
    #[serde(default, deserialize_with = "some_of_list")]
    pub user_ids: Option<Vec<UserId>>,
    /// The client's mark.
    #[serde(default)]
    pub nonce: Option<String>,
}

/// The data of opcode 4: the voice channel that the session is in from now on, and what it says of itself there.
///
/// Source: <https://discord.com/developers/docs/events/gateway-events#update-voice-state>; `self_stream` is ours.
#[derive(Debug, Clone, Deserialize)]
pub struct VoiceForm {
    /// The group; none: a call in a direct channel, which there is not.
    #[serde(default)]
    pub guild_id: Option<GroupId>,
    /// Where; none: nowhere.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
}

/// The data of opcode 14, as the community documents it: what of a group's member list a client shows.
#[derive(Debug, Clone, Deserialize)]
pub struct LazyRequest {
    /// The group.
    pub guild_id: GroupId,
    /// Ranges of rows, both ends included, by the channel they are shown for; none stops it.
    #[serde(default)]
    pub channels: BTreeMap<ChannelId, Vec<[u32; 2]>>,
}

/// One value or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrList<T> {
    One(T),
    List(Vec<T>),
}

impl<T> OneOrList<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::List(list) => list,
        }
    }
}

fn one_or_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    OneOrList::deserialize(d).map(OneOrList::list)
}

fn some_of_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Option::<OneOrList<T>>::deserialize(d).map(|some| some.map(OneOrList::list))
}

/// The data of RESUME.
#[derive(Debug, Deserialize)]
pub struct Resume {
    /// As in IDENTIFY.
    pub token: String,
    /// Of READY.
    pub session_id: String,
    /// The last number received.
    pub seq: u64,
}
