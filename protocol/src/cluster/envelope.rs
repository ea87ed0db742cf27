//! One message between nodes.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Notice, Reply, RequestId};
use crate::document::{IncarnationId, ShardRow};
use crate::entity::EntityRef;
use crate::error::ApiError;
use crate::event::Frame;
use crate::ids::ChannelId;
use crate::session::{Checkpoint, Claim, SessionKey, Taken};
use crate::voice::MediaNode;

/// One message between nodes. **Append-only**: variants and their fields are recognised by their place, so a new variant
/// comes last, and none is ever removed, moved or changed; what a variant carries likewise. The golden bytes in
/// `protocol/tests/cluster.rs` fail when that is forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "an envelope is moved once")]
pub enum Envelope {
    /// Asks an entity of the receiver; answered with [`Envelope::Answer`] or [`Envelope::NotOwner`].
    Ask {
        /// Names the question to its asker.
        call: u64,
        /// Names what is asked, the same in each repetition.
        request: RequestId,
        /// Whom.
        to: EntityRef,
        /// What.
        command: Command,
        /// Milliseconds after which nobody waits for the answer any more.
        deadline_ms: u32,
        /// The client's request that it belongs to.
        origin: Option<u64>,
    },
    /// The answer to an [`Envelope::Ask`].
    Answer {
        /// Which.
        call: u64,
        /// What the entity said.
        answer: Result<Reply, ApiError>,
    },
    /// The entity of an [`Envelope::Ask`] or [`Envelope::Notice`] does not live at the receiver.
    NotOwner {
        /// Which.
        call: u64,
        /// The shard of the entity.
        shard: u16,
        /// Its owner, as the receiver knows.
        row: Option<ShardRow>,
    },
    /// An intent of one entity for another; answered with [`Envelope::Noticed`] or [`Envelope::NotOwner`].
    Notice {
        /// Names the delivery to its sender.
        call: u64,
        /// For whom.
        to: EntityRef,
        /// Of whom.
        from: EntityRef,
        /// Its number in the sender's outbox.
        seq: u64,
        /// What.
        notice: Notice,
    },
    /// An [`Envelope::Notice`] was taken, and that is durable.
    Noticed {
        /// Which.
        call: u64,
    },
    /// What the sender has sessions for from now on (true), or not any more.
    Interest {
        /// Whose events.
        topics: Vec<(EntityRef, bool)>,
    },
    /// All that the sender has sessions for: said when a link came up, it replaces what was known.
    InterestAll {
        /// Whose events.
        topics: Vec<EntityRef>,
    },
    /// An event of an entity that lives at the sender.
    Event(Frame),
    /// The sender has not sent some events of an entity: they are in its log.
    Behind {
        /// Whose.
        topic: EntityRef,
        /// The number of the newest one.
        gseq: u64,
    },
    /// The view or the owners have changed: read them.
    Hint,
    /// A connection was refused: nobody listens where an incarnation should.
    Refused {
        /// The node that tried.
        by: String,
        /// Which one it tried.
        peer: IncarnationId,
    },
    /// Asks for [`Envelope::Noticed`] at once: what was sent before it has been taken by then.
    Flush {
        /// Names it to its sender.
        call: u64,
    },
    /// Asks for a session that a client resumes at the sender; answered with [`Envelope::Session`].
    TakeSession {
        /// Names the question to its asker.
        call: u64,
        /// Which, and who wants it.
        claim: Claim,
        /// Whether a copy of it will do: nobody has the session itself.
        copy: bool,
    },
    /// The answer to an [`Envelope::TakeSession`].
    Session {
        /// Which.
        call: u64,
        /// What there is.
        answer: Taken,
    },
    /// What changed in a lane of the sender, which has chosen the receiver as its buddy.
    Checkpoint {
        /// Which lane.
        lane: u16,
        /// What changed.
        checkpoint: Checkpoint,
    },
    /// Has a room at the receiver ask its group who may be in it.
    Nudge {
        /// The room's channel.
        channel: ChannelId,
    },
    /// The sender takes rooms.
    Voice {
        /// How it is reached.
        node: MediaNode,
        /// People in its rooms.
        load: u64,
    },
    /// The sender has gone on with a session from a copy: what others keep of it is void.
    Continued {
        /// Which.
        key: SessionKey,
    },
    /// Asks for an operator; answered with [`Envelope::Inspected`].
    Inspect {
        /// Names the question to its asker.
        call: u64,
        /// A [`crate::inspect::Question`] in JSON.
        question: String,
    },
    /// The answer to an [`Envelope::Inspect`].
    Inspected {
        /// Which.
        call: u64,
        /// A [`crate::inspect::Said`] in JSON.
        said: String,
    },
    /// The sender has released shards, or claimed them.
    Moved {
        /// Which, and what has become of them.
        shards: Vec<(u16, ShardRow)>,
    },
}

impl Envelope {
    /// A constant name, for counters and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "Ask",
            Self::Answer { .. } => "Answer",
            Self::NotOwner { .. } => "NotOwner",
            Self::Notice { .. } => "Notice",
            Self::Noticed { .. } => "Noticed",
            Self::Interest { .. } => "Interest",
            Self::InterestAll { .. } => "InterestAll",
            Self::Event(_) => "Event",
            Self::Behind { .. } => "Behind",
            Self::Hint => "Hint",
            Self::Refused { .. } => "Refused",
            Self::Flush { .. } => "Flush",
            Self::TakeSession { .. } => "TakeSession",
            Self::Session { .. } => "Session",
            Self::Checkpoint { .. } => "Checkpoint",
            Self::Nudge { .. } => "Nudge",
            Self::Voice { .. } => "Voice",
            Self::Continued { .. } => "Continued",
            Self::Inspect { .. } => "Inspect",
            Self::Inspected { .. } => "Inspected",
            Self::Moved { .. } => "Moved",
        }
    }
}
