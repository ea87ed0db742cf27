//! What is to be changed: what `rookery doctor` finds, and what nodes warn of by themselves.

use serde::{Deserialize, Serialize};

use super::Silent;
use super::actor::ActorId;

/// What `rookery doctor` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Nothing is to be changed.
    pub ok: bool,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// It is as it should be.
    pub ok: bool,
    /// How it is, and what to change, in a sentence.
    pub what: String,
}

/// What nodes warn of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// More than 1,000 messages wait for an actor, and they become more.
    Mailbox,
    /// One message in a hundred waited longer than 100 ms.
    Wait,
    /// Handling a message took longer than 50 ms.
    Handler,
    /// An actor is restarted again and again.
    RestartLoop,
    /// An entity is active at two nodes.
    ActiveTwice,
    /// Commits take longer than 250 ms.
    CommitSlow,
    /// The budget of a link is used up.
    LinkFull,
    /// A node of the view is not linked.
    LinkDown,
    /// The lease was renewed late.
    LeaseLate,
    /// The clock of a node differs by more than 500 ms.
    ClockSkew,
    /// A node does not answer.
    Silent,
}

impl WarningKind {
    /// Every kind, for metrics.
    pub const ALL: [Self; 11] = [
        Self::Mailbox,
        Self::Wait,
        Self::Handler,
        Self::RestartLoop,
        Self::ActiveTwice,
        Self::CommitSlow,
        Self::LinkFull,
        Self::LinkDown,
        Self::LeaseLate,
        Self::ClockSkew,
        Self::Silent,
    ];

    /// The name in JSON, metrics and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Wait => "wait",
            Self::Handler => "handler",
            Self::RestartLoop => "restart_loop",
            Self::ActiveTwice => "active_twice",
            Self::CommitSlow => "commit_slow",
            Self::LinkFull => "link_full",
            Self::LinkDown => "link_down",
            Self::LeaseLate => "lease_late",
            Self::ClockSkew => "clock_skew",
            Self::Silent => "silent",
        }
    }
}

/// Something that is not as it should be at the moment, or was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is.
    pub kind: WarningKind,
    /// Where.
    pub node: String,
    /// Of which actor, if it is one's.
    pub actor: Option<ActorId>,
    /// What is wrong, in a sentence, with its figures.
    pub what: String,
    /// When it was seen first and last, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// See `since_ms`.
    pub last_ms: u64,
}

/// What the nodes of a cluster warn of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Warnings {
    /// The warnings of the last minute, the newest first.
    pub warnings: Vec<Warning>,
    /// How often each kind was seen since the nodes were started.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// Who did not answer.
    pub silent: Vec<Silent>,
}
