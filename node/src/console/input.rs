//! What the console is given, and what it wants.

use rookery_protocol::inspect::{
    Act, ActRecord, Acted, ActorDetail, ActorId, ActorKind, Nodes, Rooms, Sessions, Sort, Top,
    TracePart, TreeNode, Warnings,
};

/// A key, as far as the console knows any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// What it writes.
    Char(char),
    /// Opens, confirms a text.
    Enter,
    /// Back.
    Esc,
    /// Takes the last letter of a text.
    Backspace,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Folds.
    Left,
    /// Unfolds.
    Right,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// The first row.
    Home,
    /// The last row.
    End,
    /// The next screen.
    Tab,
    /// The screen before.
    BackTab,
    /// Quits from anywhere.
    CtrlC,
}

/// A question to the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Its nodes.
    Nodes,
    /// Its busiest actors.
    Top {
        /// In which order.
        sort: Sort,
        /// Only these.
        kind: Option<ActorKind>,
        /// Only those there.
        node: Option<String>,
        /// At most so many.
        limit: u32,
    },
    /// All about an actor.
    Actor(ActorId),
    /// Who supervises whom.
    Tree,
    /// Its voice rooms.
    Rooms,
    /// The sessions of a user.
    Sessions(u64),
    /// What it warns of.
    Warnings,
    /// What operators did.
    Acts,
    /// What an actor was sent since the trace was last asked for.
    Trace {
        /// Names the trace.
        trace: u64,
        /// Of which actor.
        actor: ActorId,
    },
}

/// The answer to the [`Ask`] of the same name.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "see `Ask`")]
#[allow(clippy::large_enum_variant, reason = "an answer is moved once")]
pub enum Answer {
    Nodes(Nodes),
    Top(Top),
    Actor(ActorDetail),
    Tree(TreeNode),
    Rooms(Rooms),
    Sessions(Sessions),
    Warnings(Warnings),
    Acts(Vec<ActRecord>),
    Trace(TracePart),
}

/// What happens to the console.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "an input is moved once")]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// The terminal has another size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// Time passes: a few times a second.
    Tick,
    /// A question was answered, or was not.
    Answer {
        /// The question.
        ask: Ask,
        /// The answer, or why there is none, in a few words.
        answer: Result<Answer, String>,
    },
    /// Something was done, or was not.
    Acted {
        /// What.
        act: Act,
        /// What became of it.
        result: Result<Acted, String>,
    },
}

/// What the console wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The answer to a question; each is given exactly one.
    Ask(Ask),
    /// That this is done; each has exactly one result.
    Act(Act),
    /// To end.
    Quit,
}
