//! What nodes ask each other for an operator.
//!
//! In JSON, within an envelope: names rather than places, so that a console can be used while nodes of two versions are linked.
//! What a node does not understand it says so.

use serde::{Deserialize, Serialize};

use super::act::{Act, Acted};
use super::actor::{ActorDetail, ActorId, ActorKind, Sort, Top, TreeNode};
use super::doctor::Warnings;
use super::node::NodeRow;
use super::room::RoomRow;
use super::session::SessionRow;
use super::trace::TracePart;

/// A question about the node that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "question")]
pub enum Question {
    /// How it is.
    Node,
    /// Its busiest actors.
    Top {
        /// In which order.
        sort: Sort,
        /// Only these.
        kind: Option<ActorKind>,
        /// At most so many.
        limit: u32,
    },
    /// All about an actor; [`Said::Elsewhere`] if it is not active there.
    Actor {
        /// Which.
        actor: ActorId,
    },
    /// Its supervision tree.
    Tree,
    /// Its rooms.
    Rooms,
    /// The sessions of a user that are there.
    Sessions {
        /// Whose.
        user: u64,
    },
    /// What it warns of.
    Warnings,
    /// What an actor was sent since the last such question of the same trace; the first begins it. A trace that is not asked
    /// for ends after some seconds.
    Trace {
        /// Names it; drawn at random.
        trace: u64,
        /// Of which actor.
        actor: ActorId,
    },
    /// Has it do something.
    Act {
        /// What.
        act: Act,
    },
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "said", content = "it")]
#[allow(clippy::large_enum_variant, reason = "an answer is moved once")]
pub enum Said {
    /// To [`Question::Node`].
    Node(NodeRow),
    /// To [`Question::Top`].
    Top(Top),
    /// To [`Question::Actor`].
    Actor(ActorDetail),
    /// To [`Question::Tree`].
    Tree(TreeNode),
    /// To [`Question::Rooms`].
    Rooms(Vec<RoomRow>),
    /// To [`Question::Sessions`].
    Sessions(Vec<SessionRow>),
    /// To [`Question::Warnings`].
    Warnings(Warnings),
    /// To [`Question::Trace`].
    Trace(TracePart),
    /// To [`Question::Act`].
    Acted(Acted),
    /// The actor is not active there.
    Elsewhere,
    /// It cannot be done, or answered; a sentence.
    Refused(String),
}
