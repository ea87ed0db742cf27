//! What goes into a lane and what comes out of it. `W` is a session's write side, which the core only keeps.

use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{AccessPicture, Dispatch, SharedFrame};
use rookery_protocol::ids::{GroupId, RoleId, UserId};
use rookery_protocol::session::Parcel;
pub use rookery_protocol::session::{Identity, Secret, Shard};

/// A session of a lane. A slot is used again; its generation is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionRef {
    /// Its place in the lane.
    pub slot: u32,
    /// The how-manieth session of that place.
    pub generation: u32,
}

/// One socket of a session: what a reader signs its inputs with, so that one whose session has moved on to another
/// socket changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// The session.
    pub session: SessionRef,
    /// The how-manieth socket of the session.
    pub attach: u32,
}

/// A frame that is no dispatch: it has no number and is not replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Opcode 11.
    HeartbeatAck,
    /// Opcode 7.
    Reconnect,
    /// Opcode 9.
    InvalidSession {
        /// Whether the client may resume.
        resumable: bool,
    },
    /// Bytes of whole WebSocket frames (pong, close) as the reading side made them.
    Raw(Bytes),
}

/// What happens to a lane.
#[derive(Debug)]
pub enum Input<W> {
    /// A client identified. Answered with [`Effect::Opened`] and [`Effect::Attach`].
    Open {
        /// Who.
        identity: Identity,
        /// Its write side.
        wire: W,
    },
    /// A client resumes. Answered with [`Effect::Opened`] or [`Effect::Refused`].
    Resume {
        /// Which session it says it had.
        session: SessionRef,
        /// Whose token it showed.
        user: UserId,
        /// The secret of its session id.
        secret: Secret,
        /// The last number it received.
        seq: u64,
        /// Its write side.
        wire: W,
    },
    /// A session comes from another node with the client that resumes it here. Answered with [`Effect::Opened`] and, for
    /// the topics it was on, [`Effect::Rejoin`].
    Adopt {
        /// The session.
        parcel: Box<Parcel>,
        /// Its write side.
        wire: W,
    },
    /// Send this to the socket.
    Control {
        /// The socket.
        link: Link,
        /// What.
        control: Control,
    },
    /// The socket is gone, or is to be closed.
    Hangup {
        /// The socket.
        link: Link,
        /// Whether the session ends with it (a client's close with 1000 or 1001).
        end: bool,
        /// What answers the client's own close. It is written when the lane has let go, so that who reads it and
        /// comes back at once finds the session as it left it.
        answer: Option<Control>,
        /// What to close it with; none when the client is already gone.
        code: Option<CloseCode>,
    },
    /// An event.
    Frame(SharedFrame),
    /// Frames of the topic up to this one could not be handed over.
    Behind {
        /// Of what.
        topic: EntityRef,
        /// The newest of them.
        gseq: u64,
        /// Whether the entity's announcement was among them.
        announced: bool,
    },
    /// The answer to [`Effect::Heal`]: the events above `since`, or as many of them as come in one page.
    Healed {
        /// Of what.
        topic: EntityRef,
        /// Of [`Effect::Heal`].
        since: u64,
        /// In order and without a gap; `Err` when the event log does not reach back that far.
        events: Result<Vec<SharedFrame>, Lost>,
    },
    /// The answer to [`Effect::Attach`] or [`Effect::Subscribe`]: the session is on the topic from `gseq` on.
    Joined {
        /// The session.
        session: SessionRef,
        /// The user, or one group.
        topic: EntityRef,
        /// The number of the last event that is in `body`.
        gseq: u64,
        /// READY or GUILD_CREATE.
        body: Box<Dispatch>,
        /// The user's groups, with READY.
        groups: Vec<GroupId>,
        /// What decides what the session sees of a group, with GUILD_CREATE.
        view: Option<Viewpoint>,
    },
    /// The answer to [`Effect::Rejoin`] for one topic.
    Rejoined {
        /// The session.
        session: SessionRef,
        /// The user, or one group.
        topic: EntityRef,
        /// Of [`Effect::Rejoin`].
        since: u64,
        /// What happened since, without a gap; `Err` when the event log does not reach back that far.
        events: Result<Vec<SharedFrame>, Lost>,
        /// Of a group: how it is now.
        again: Option<Again>,
    },
    /// The group does not have the session's user.
    NotJoined {
        /// The session.
        session: SessionRef,
        /// The group.
        topic: EntityRef,
        /// What the client is told, which knows the group from READY.
        farewell: Box<Dispatch>,
        /// Whether this answers [`Effect::Rejoin`], and not [`Effect::Subscribe`].
        again: bool,
    },
    /// Something only this session is told, as its numbered event; nothing if it has ended.
    Give {
        /// The session.
        session: SessionRef,
        /// What.
        dispatch: Box<Dispatch>,
        /// Say with [`Effect::Drained`] when everything up to it is written: whoever gives a lot gives the next piece
        /// then. If it cannot be written that is said, too, with [`Effect::Unwritten`].
        paced: bool,
    },
    /// The session must not go on.
    Expel {
        /// The session.
        session: SessionRef,
        /// What its socket is closed with.
        code: CloseCode,
    },
    /// Its socket takes more.
    Writable(SessionRef),
    /// Time passes.
    Tick,
    /// The node is about to stop: every socket is told to reconnect, and the sessions wait for another node to take them.
    Release,
    /// The node stops: every socket is told to reconnect, every session ends.
    Shutdown,
}

/// What decides which channels of a group a session sees.
#[derive(Debug, Clone)]
pub struct Viewpoint {
    /// The group's picture.
    pub access: Arc<AccessPicture>,
    /// The roles of the session's user.
    pub roles: Vec<RoleId>,
}

/// A group that a session sees again after it has moved.
#[derive(Debug, Clone)]
pub struct Again {
    /// The number of the last event that is in it.
    pub gseq: u64,
    /// What decides what the session sees.
    pub view: Viewpoint,
    /// GUILD_CREATE, if something has changed who sees what since the session left: it is shown anew.
    pub body: Option<Box<Dispatch>>,
}

/// The event log does not reach back to what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// Why a resume is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such session here, or not any more: opcode 9, unless another node has it.
    Unknown,
    /// Not ready, another user's, or what is missed is not held any more: opcode 9.
    InvalidSession,
    /// A number the session never reached: 4007.
    InvalidSeq,
    /// The node that has it may live, and does not answer: the client keeps its session and comes again. No lane says so.
    NotNow,
}

/// What a lane wants done.
#[derive(Debug)]
pub enum Effect<W> {
    /// From now on frames of the topic come to this lane. Run before anything is asked of that entity.
    Watch(EntityRef),
    /// Frames of the topic are not needed any more.
    Unwatch(EntityRef),
    /// The wire has its session; tell its reader.
    Opened(Link),
    /// The wire has no session.
    Refused {
        /// The wire, for another try.
        wire: W,
        /// Why.
        refusal: Refusal,
    },
    /// Attach the session to its user; comes back as [`Input::Joined`] or [`Input::Expel`].
    Attach {
        /// The session.
        session: SessionRef,
        /// Who it is.
        identity: Identity,
    },
    /// The session is on the group's topic from now on.
    Entered {
        /// The session.
        session: SessionRef,
        /// Whose it is.
        user: UserId,
        /// The group.
        group: GroupId,
    },
    /// The session is not on the group's topic any more, and goes on.
    Left {
        /// The session.
        session: SessionRef,
        /// Whose it is.
        user: UserId,
        /// The group.
        group: GroupId,
    },
    /// What was given with a pace is written.
    Drained(SessionRef),
    /// What was given with a pace is not written: the socket went before, or the session is not ready, or over. What the
    /// session has got a number for comes when it is resumed.
    Unwritten(SessionRef),
    /// The user's entity restarted: attach the session again; comes back as [`Input::Expel`] if it is refused.
    Reattach {
        /// The session.
        session: SessionRef,
        /// Who it is.
        identity: Identity,
    },
    /// Subscribe to groups; each comes back as [`Input::Joined`] or [`Input::NotJoined`].
    Subscribe {
        /// The session.
        session: SessionRef,
        /// Who it is.
        identity: Identity,
        /// The groups.
        groups: Vec<GroupId>,
    },
    /// Put a session that has moved here on its topics again, each from an event on; each comes back as
    /// [`Input::Rejoined`] or [`Input::NotJoined`], or all end with [`Input::Expel`].
    Rejoin {
        /// The session.
        session: SessionRef,
        /// Who it is.
        identity: Identity,
        /// The topics, with the last event of each that the session has passed.
        topics: Vec<(EntityRef, u64)>,
    },
    /// Read the topic's events above `since`; comes back as [`Input::Healed`].
    Heal {
        /// Of what.
        topic: EntityRef,
        /// The last one this lane has.
        since: u64,
    },
    /// Write the last words and a close frame, then let go of the socket.
    Close {
        /// The wire.
        wire: W,
        /// What is written before.
        words: Vec<Control>,
        /// With what; none when the client is already gone.
        code: Option<CloseCode>,
    },
    /// The session is over; tell its user. If it must not go on ([`CloseCode::AuthenticationFailed`]), it is to leave its
    /// voice channels, too.
    Ended {
        /// The session.
        session: SessionRef,
        /// Whose it was.
        user: UserId,
        /// What it was closed with, whether it had a socket or not; none when its client ended it or did not come back.
        code: Option<CloseCode>,
    },
}
