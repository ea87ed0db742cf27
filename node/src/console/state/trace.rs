//! A trace that runs: what an actor was sent.

use std::collections::VecDeque;

use rookery_protocol::inspect::{ActorId, TraceLine, TracePart};

use crate::console::input::{Ask, Key};

/// How many lines are kept.
const LINES: usize = 1_000;

/// A line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// A message.
    Message(TraceLine),
    /// So many were handled in between.
    Skipped(u64),
    /// The actor went to another node.
    Moved,
}

/// A trace.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Names it.
    pub id: u64,
    /// Whether it goes on.
    pub is_on: bool,
    /// What was seen, the newest last.
    pub lines: VecDeque<Traced>,
    /// How many lines after the last one that is shown there are; none: it follows.
    pub back: usize,
}

impl Trace {
    /// One that begins.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            is_on: true,
            lines: VecDeque::new(),
            back: 0,
        }
    }

    /// What asks for more of it.
    pub fn ask(&self, actor: ActorId) -> Ask {
        Ask::Trace {
            trace: self.id,
            actor,
        }
    }

    /// Learns what was seen.
    pub fn learn(&mut self, part: TracePart) {
        let before = self.lines.len();
        if part.skipped > 0 {
            self.lines.push_back(Traced::Skipped(part.skipped));
        }
        self.lines
            .extend(part.lines.into_iter().map(Traced::Message));
        if part.moved {
            self.lines.push_back(Traced::Moved);
        }
        if self.back > 0 {
            // Who reads further up is not carried away.
            self.back += self.lines.len() - before;
        }
        let over = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..over);
        self.back = self.back.min(self.lines.len().saturating_sub(1));
    }

    /// Scrolls by a key, and says whether it was one that does.
    pub fn step(&mut self, key: Key, page: usize) -> bool {
        let last = self.lines.len().saturating_sub(1);
        self.back = match key {
            Key::Up | Key::Char('k') => self.back.saturating_add(1),
            Key::Down | Key::Char('j') => self.back.saturating_sub(1),
            Key::PageUp => self.back.saturating_add(page),
            Key::PageDown => self.back.saturating_sub(page),
            Key::Home => last,
            Key::End => 0,
            _ => return false,
        }
        .min(last);
        true
    }
}
