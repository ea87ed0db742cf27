//! The voice socket: how a client that is in a voice channel talks to the room's node, and what a room's streams are.
//!
//! The frame, the opcodes up to 15 and the close codes are Discord's voice gateway (version 8), with `protocol` being
//! `webrtc`; what goes beyond it has opcodes from 40 on.
//!
//! The client offers a fixed set of media sections once and says afterwards, by messages, what it sends and what it wants
//! to see; which stream plays in which section changes without another negotiation. Of the sections of the offer, in
//! order: the first that sends audio is the microphone, the second the sound of the screen; the first that sends video
//! is the camera (rids `q`, `h`, `f` if it is simulcast), the second the screen. Each that receives is a *slot*.
//!
//! Source: <https://discord.com/developers/docs/topics/voice-connections>; SDP as in RFC 8829.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, GroupId, UserId};

/// The rids of a camera in several sizes, the smallest first.
pub const RIDS: [&str; 3] = ["q", "h", "f"];

/// Opcodes.
#[allow(
    missing_docs,
    reason = "the names are Discord's and explain themselves, or are at their data"
)]
pub mod op {
    pub const IDENTIFY: u8 = 0;
    pub const SELECT_PROTOCOL: u8 = 1;
    pub const READY: u8 = 2;
    pub const HEARTBEAT: u8 = 3;
    pub const SESSION_DESCRIPTION: u8 = 4;
    pub const SPEAKING: u8 = 5;
    pub const HEARTBEAT_ACK: u8 = 6;
    pub const RESUME: u8 = 7;
    pub const HELLO: u8 = 8;
    pub const RESUMED: u8 = 9;
    /// Who is in the room and what each of them sends.
    pub const CLIENTS_CONNECT: u8 = 11;
    /// What somebody sends. From a client: what it sends itself.
    pub const STREAMS: u8 = 12;
    pub const CLIENT_DISCONNECT: u8 = 13;
    /// What the client wants to see, and how large.
    pub const WANTS: u8 = 15;
    /// What plays in which slot.
    pub const SLOTS: u8 = 40;
    /// How well the client's media travels.
    pub const STATS: u8 = 41;
    /// How large others want to see what the client sends.
    pub const DEMAND: u8 = 42;
}

/// Why the server closes a voice socket.
///
/// Source: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#voice>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceClose {
    /// An opcode that there is not.
    UnknownOpcode,
    /// A frame that cannot be read.
    DecodeError,
    /// The first frame was neither IDENTIFY nor RESUME.
    NotAuthenticated,
    /// The token is not for this, or not any more.
    AuthenticationFailed,
    /// IDENTIFY or RESUME a second time.
    AlreadyAuthenticated,
    /// There is nothing to resume: identify.
    SessionInvalid,
    /// No heartbeat came.
    SessionTimeout,
    /// `protocol` is something else than `webrtc`.
    UnknownProtocol,
    /// Not in the channel any more: left, removed, moved, or here with another socket. Do not connect again.
    Disconnected,
    /// The room failed, or goes to another node: wait for VOICE_SERVER_UPDATE, or identify again.
    ServerCrashed,
    /// A field is wrong; an offer that cannot be answered.
    BadRequest,
    /// Too many frames.
    RateLimited,
}

impl VoiceClose {
    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::UnknownOpcode => 4001,
            Self::DecodeError => 4002,
            Self::NotAuthenticated => 4003,
            Self::AuthenticationFailed => 4004,
            Self::AlreadyAuthenticated => 4005,
            Self::SessionInvalid => 4006,
            Self::SessionTimeout => 4009,
            Self::UnknownProtocol => 4012,
            Self::Disconnected => 4014,
            Self::ServerCrashed => 4015,
            Self::BadRequest => 4020,
            Self::RateLimited => 4021,
        }
    }

    /// The reason on the wire.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownOpcode => "Unknown opcode.",
            Self::DecodeError => "Error while decoding payload.",
            Self::NotAuthenticated => "Not authenticated.",
            Self::AuthenticationFailed => "Authentication failed.",
            Self::AlreadyAuthenticated => "Already authenticated.",
            Self::SessionInvalid => "Session no longer valid.",
            Self::SessionTimeout => "Session timed out.",
            Self::UnknownProtocol => "Unknown protocol.",
            Self::Disconnected => "Disconnected.",
            Self::ServerCrashed => "Voice server crashed.",
            Self::BadRequest => "Bad request.",
            Self::RateLimited => "You are being rate limited.",
        }
    }
}

/// One of the things that a person can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// The microphone.
    Audio,
    /// The camera.
    Camera,
    /// A screen or a window.
    Screen,
    /// The sound of what is on the screen; plays for whoever sees the screen.
    ScreenAudio,
}

impl StreamKind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Audio, Self::Camera, Self::Screen, Self::ScreenAudio];

    /// Whether it is video.
    pub fn is_video(self) -> bool {
        matches!(self, Self::Camera | Self::Screen)
    }
}

/// A stream that a client wants to see. The order of wants is their importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Whose.
    pub user_id: UserId,
    /// [`StreamKind::Camera`] or [`StreamKind::Screen`].
    pub stream: StreamKind,
    /// Pixels that it is high where it is shown.
    pub height: u32,
}

/// What a slot of a client's offer plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The `mid` of the section.
    pub mid: String,
    /// Whose stream; null: nothing.
    pub user_id: Option<UserId>,
    /// Which.
    pub stream: Option<StreamKind>,
    /// Of video, the layer that is sent: its rid, if there are several.
    pub rid: Option<String>,
    /// Nothing is sent for want of bandwidth; it comes back by itself.
    pub paused: bool,
}

/// What somebody sends at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Streams {
    /// The camera.
    pub camera: bool,
    /// The screen; its sound, too, if the client's offer has a section for it.
    pub screen: bool,
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// What he sends besides his voice.
    #[serde(flatten)]
    pub streams: Streams,
}

/// How well a client's media travels; at most twice a second.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Milliseconds to the client and back.
    pub rtt_ms: Option<f32>,
    /// Packets that the server missed, 0 to 1.
    pub up_loss: f32,
    /// Bits per second from the client.
    pub up_bps: u64,
    /// Packets that the client missed, 0 to 1.
    pub down_loss: f32,
    /// Bits per second to the client.
    pub down_bps: u64,
    /// What the way to the client is thought to bear, in bits per second.
    pub estimate_bps: Option<u64>,
}

/// STUN and TURN servers, as `RTCPeerConnection` takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// Until when it is good, and for whom.
    pub username: String,
    /// Its signature.
    pub credential: String,
}

/// The data of IDENTIFY and of RESUME.
#[derive(Debug, Deserialize)]
pub struct Identify {
    /// The group.
    pub server_id: GroupId,
    /// Who.
    pub user_id: UserId,
    /// The gateway session.
    pub session_id: String,
    /// Of VOICE_SERVER_UPDATE.
    pub token: String,
}

/// The data of SELECT_PROTOCOL. Once more with other ICE credentials it is a restart of ICE.
#[derive(Debug, Deserialize)]
pub struct SelectProtocol {
    /// `webrtc`.
    pub protocol: String,
    /// An SDP offer.
    pub sdp: String,
}

/// The data of a client's WANTS: all that it wants from now on.
#[derive(Debug, Deserialize)]
pub struct Wants {
    /// The most important first.
    pub wants: Vec<Want>,
}

/// A frame to a client, `{"op": .., "d": ..}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "each is the data of the opcode of its name")]
pub enum ServerFrame {
    Hello {
        /// The version of this protocol.
        v: u8,
        /// Milliseconds.
        heartbeat_interval: u64,
    },
    /// The room, before the client offers.
    Ready {
        guild_id: GroupId,
        channel_id: ChannelId,
        ice_servers: Vec<IceServer>,
        /// The most slots that an offer may have.
        max_slots: MaxSlots,
        /// Who is in it, oneself included.
        clients: Vec<Participant>,
    },
    /// Of RESUMED; SLOTS with all slots follows.
    Resumed {
        clients: Vec<Participant>,
    },
    HeartbeatAck {
        /// What the client's heartbeat carried.
        t: serde_json::Value,
    },
    SessionDescription {
        /// An SDP answer.
        sdp: String,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    Speaking {
        user_id: UserId,
        /// 1 or 0.
        speaking: u8,
    },
    ClientsConnect {
        clients: Vec<Participant>,
    },
    Streams(Participant),
    ClientDisconnect {
        user_id: UserId,
    },
    Slots {
        slots: Vec<Slot>,
    },
    Stats(Stats),
    /// What is larger than this of what the client sends is seen by nobody.
    Demand {
        /// The camera or the screen.
        stream: StreamKind,
        /// Pixels that it is high where it is shown largest; 0: nobody watches it.
        height: u32,
    },
}

/// The most slots that an offer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MaxSlots {
    /// Sections that receive audio.
    pub audio: usize,
    /// Sections that receive video.
    pub video: usize,
}

impl ServerFrame {
    /// Its opcode.
    pub fn op(&self) -> u8 {
        match self {
            Self::Hello { .. } => op::HELLO,
            Self::Ready { .. } => op::READY,
            Self::Resumed { .. } => op::RESUMED,
            Self::HeartbeatAck { .. } => op::HEARTBEAT_ACK,
            Self::SessionDescription { .. } => op::SESSION_DESCRIPTION,
            Self::Speaking { .. } => op::SPEAKING,
            Self::ClientsConnect { .. } => op::CLIENTS_CONNECT,
            Self::Streams(_) => op::STREAMS,
            Self::ClientDisconnect { .. } => op::CLIENT_DISCONNECT,
            Self::Slots { .. } => op::SLOTS,
            Self::Stats(_) => op::STATS,
            Self::Demand { .. } => op::DEMAND,
        }
    }

    /// The JSON text of the frame.
    pub fn encode(&self) -> bytes::Bytes {
        #[derive(Serialize)]
        struct Whole<'a> {
            op: u8,
            d: &'a ServerFrame,
        }
        super::encode(&Whole {
            op: self.op(),
            d: self,
        })
    }
}

/// What somebody may do in a room: decided by the group, enforced where the media passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MediaRights {
    /// His voice is forwarded: he may speak, and nobody has muted him.
    pub speak: bool,
    /// His camera and screen are forwarded.
    pub stream: bool,
    /// He gets what others say: neither he nor a moderator has deafened him.
    pub hear: bool,
}
