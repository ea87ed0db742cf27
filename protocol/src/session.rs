//! A session of the gateway as nodes tell each other of it: who it is, and what of it moves to another node.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::command::user::Proof;
use crate::document::IncarnationId;
use crate::entity::EntityRef;
use crate::event::{Dispatch, EventName};
use crate::ids::{GroupId, UserId};
use crate::intents::Intents;

/// What proves that whoever resumes is whoever identified. Random; made at the edge.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Secret(pub [u8; 16]);

impl Secret {
    /// Whether both are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |d, (a, b)| d | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// `[n, of]`: the session takes the groups with `(id >> 22) % of == n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one.
    pub index: u32,
    /// Of how many; at least 1.
    pub count: u32,
}

impl Shard {
    /// Whether a group's events go to this shard.
    pub fn holds(self, group: GroupId) -> bool {
        (group.0 >> 22) % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

/// Who identified, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whose session.
    pub user: UserId,
    /// What the token said.
    pub proof: Proof,
    /// What the session asked for.
    pub intents: Intents,
    /// Which groups; all of them without.
    pub shard: Option<Shard>,
    /// What a resume must know.
    pub secret: Secret,
}

impl Identity {
    /// Whether the session asked for a dispatch: it has one of its intents, or it is about its own user; and what is of
    /// direct channels goes to a bot's first shard only.
    ///
    /// Source: <https://discord.com/developers/docs/events/gateway#sharding>
    pub fn admits(&self, dispatch: &Dispatch) -> bool {
        let is_direct = dispatch.intents.0 != 0 && Intents::DIRECT.contains(dispatch.intents);
        let is_first = self.shard.is_none_or(|shard| shard.index == 0);
        let is_about_him = dispatch.about == Some(self.user);
        (is_about_him || self.intents.admit(dispatch.intents)) && (is_first || !is_direct)
    }
}

/// What a session was called when it identified: it keeps that name wherever it goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// Where it identified.
    pub run: IncarnationId,
    /// Its lane there.
    pub lane: u16,
    /// Its place in that lane.
    pub slot: u32,
    /// The how-manieth session of that place.
    pub generation: u32,
}

/// Who wants to go on with a session: what RESUME says, and the session's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Which session.
    pub key: SessionKey,
    /// Whose token was shown.
    pub user: UserId,
    /// The secret of the session id.
    pub secret: Secret,
    /// The last number the client received.
    pub seq: u64,
}

/// An event as one session sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// The `t`.
    pub name: EventName,
    /// The `d`.
    pub body: Bytes,
}

/// A session on its way to another node: all that it needs to go on there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Whose, and what for.
    pub identity: Identity,
    /// The number of its last event.
    pub seq: u64,
    /// Its last events, up to `seq`: all that the client has not received.
    pub missed: Vec<Missed>,
    /// The topics it is on, and the last event of each that has passed it.
    pub topics: Vec<(EntityRef, u64)>,
    /// Groups that were asked for it and have not answered.
    pub asked: Vec<GroupId>,
    /// What its client said of its user, as JSON; empty when nothing is known.
    pub presence: Bytes,
}

/// A place of a lane: its number, and the how-manieth session of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which place.
    pub slot: u32,
    /// The how-manieth session of it.
    pub generation: u32,
}

/// A session that a buddy is told of for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Where it is.
    pub at: Place,
    /// What it is called, if it comes from another node.
    pub key: Option<SessionKey>,
    /// Who it is.
    pub identity: Identity,
    /// What its client said of its user, as JSON; empty when nothing is known.
    pub presence: Bytes,
}

/// How a session stands with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It is on it, as far as its lane has come.
    On,
    /// It is to be put on it again from this event on.
    From(u64),
    /// The group was asked and has not answered.
    Asked,
}

/// What changed in a lane since the last checkpoint; all of it as it was at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its number; 1 begins anew, and what was told before is void.
    pub tick: u32,
    /// Sessions that are over.
    pub ended: Vec<Place>,
    /// Sessions that are new to the buddy.
    pub opened: Vec<Opened>,
    /// All topics of sessions that joined or left some.
    pub standings: Vec<(Place, Vec<(EntityRef, Standing)>)>,
    /// The number of the last event of sessions that got some.
    pub numbers: Vec<(Place, u64)>,
    /// How far topics have come.
    pub topics: Vec<(EntityRef, u64)>,
}

/// What becomes of a [`Claim`] at the node that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// The session is over there, and this is it.
    Handed(Box<Parcel>),
    /// There is no such session.
    Unknown,
    /// It is another user's, or what is missed is not held any more.
    Invalid,
    /// A number the session never reached.
    InvalidSeq,
    /// Not now: the node that has it, or of whose session there is a copy, may live and answer. Ask again: either it does, or
    /// it is fenced.
    Alive,
}
