//! The shape of every entity: a state machine without I/O, clock or randomness.

use async_trait::async_trait;
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{IncarnationId, Key, TableId};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ApiError;
use rookery_protocol::event::Event;
use rookery_protocol::ids::ChannelId;
use rookery_protocol::time::Millis;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kit::Kit;
use crate::store::{Store, StoreError, Write};

/// Where an answer goes; the shell knows the port behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyTo(pub u64);

/// What happens to a core.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<C> {
    /// Somebody asks. Answer it exactly once, now or in a later step; in the step that writes what it does, if it does
    /// something, so that a repetition of it is recognised.
    Command {
        /// What.
        command: C,
        /// Where the answer goes.
        reply: ReplyTo,
    },
    /// Another entity's intent; the shell has already sorted out repetitions.
    Notice {
        /// Who sent it.
        from: EntityRef,
        /// What.
        notice: Notice,
    },
    /// The row that [`Effect::Fetch`] asked for.
    Fetched {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
        /// The row's bytes, which are a row of the table; `Err` is what the asker is told when there are none to be had.
        row: Result<Option<Vec<u8>>, ApiError>,
    },
}

/// What a core wants done. Everything but [`Effect::Write`], [`Effect::RequireAbsent`] and the rows of events and
/// intents is an *output*: the shell holds it back until the step's writes, and those of every earlier step, are
/// durable. So a core changes its state at once and never shows anything uncommitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect<R> {
    /// Write a row.
    Write(Write),
    /// The step happens only if this row does not exist. Otherwise the entity's state is thrown away and the step's
    /// command is answered with the code. Only in a step that nothing else of the entity overtakes.
    RequireAbsent {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
        /// What the asker is told if the row exists.
        refusal: ApiError,
    },
    /// An event: gets the next gseq, is stored in the log and, once durable, published.
    Emit(Event),
    /// A value (typing, presence): published, never stored.
    Signal(Event),
    /// An intent for another entity: stored in the outbox, then delivered at least once.
    Send {
        /// For whom; never for itself, whose mark is that of its own outbox.
        to: EntityRef,
        /// What.
        notice: Notice,
    },
    /// Answer.
    Reply {
        /// Where it goes.
        to: ReplyTo,
        /// What.
        answer: Answer<R>,
    },
    /// Read a row; comes back as [`Input::Fetched`]. It is read after everything written before is durable.
    Fetch {
        /// Table.
        table: TableId,
        /// Address.
        key: Key,
    },
    /// Have a room of this group ask who may be in it. It asks from time to time anyway: nothing depends on this.
    Nudge {
        /// Where it is.
        node: IncarnationId,
        /// Its voice channel.
        channel: ChannelId,
    },
    /// What caches hold of this account is older than `version`.
    Invalidate {
        /// The account's version from now on.
        version: u64,
    },
}

/// Why an entity could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Reading failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot was written by a newer version.
    #[error("the snapshot has schema {found}, this version reads up to {known}")]
    NewerSchema {
        /// In the store.
        found: u32,
        /// The newest this code reads.
        known: u32,
    },
}

impl LoadError {
    /// Whether loading again is no use before somebody has seen to the rows.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) => false,
            Self::Store(StoreError::Corrupt(_)) | Self::NewerSchema { .. } => true,
        }
    }
}

/// A kind of entity.
#[async_trait]
pub trait Core: Send + Sized + 'static {
    /// What it is asked.
    type Command: Send + 'static;
    /// What it answers.
    type Reply: Clone + Serialize + DeserializeOwned + Send + 'static;

    /// Builds the state from the store; an entity that does not exist yet loads as such and answers commands with its
    /// "unknown" code until it is created. Runs before the first step, when nothing of the entity is in flight.
    async fn load(id: u64, kit: &Kit, store: &dyn Store) -> Result<Self, LoadError>;

    /// Takes one input. `now` never goes back within one life; `gseq` is the number of the entity's last event, those
    /// emitted by earlier steps included.
    fn step(
        &mut self,
        now: Millis,
        gseq: u64,
        input: Input<Self::Command>,
        out: &mut Vec<Effect<Self::Reply>>,
    );

    /// Figures of the state, for an operator: numbers of things, never what they are.
    fn figures(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Whether it holds something that is nowhere else (commands that wait for a row): then it is not passivated.
    fn is_in_use(&self) -> bool {
        false
    }
}
