//! The screen of the actors.

use std::cmp::Ordering;

use rookery_protocol::inspect::{ActorId, ActorKind, ActorRow, Sort, Top};

use super::Screen;
use super::cursor::Cursor;
use super::trace::Trace;
use crate::console::input::Ask;

/// How many actors are asked for.
pub const LIMIT: u32 = 200;
/// The longest filter.
const FILTER_CHARS: usize = 60;

/// An actor that is looked at.
#[derive(Debug)]
pub struct Detail {
    /// Which.
    pub actor: ActorId,
    /// Where one comes from.
    pub from: Screen,
    /// Its trace, once there is one.
    pub trace: Option<Trace>,
}

/// What of the actors is looked at.
#[derive(Debug, Default)]
pub struct ActorsScreen {
    /// The order.
    pub sort: Sort,
    /// Only these.
    pub kind: Option<ActorKind>,
    /// Only those there.
    pub node: Option<String>,
    /// Only those in whose row this is.
    pub filter: String,
    /// Keys go into the filter.
    pub is_typing: bool,
    /// The chosen one.
    pub cursor: Cursor<ActorId>,
    /// The one whose details are shown.
    pub detail: Option<Detail>,
}

impl ActorsScreen {
    /// What asks for the list.
    pub fn ask(&self) -> Ask {
        Ask::Top {
            sort: self.sort,
            kind: self.kind,
            node: self.node.clone(),
            limit: LIMIT,
        }
    }

    /// The rows of an answer that are shown, in order. It may be the answer to another order or filter, until the right one
    /// comes.
    pub fn rows<'a>(&self, top: &'a Top) -> Vec<&'a ActorRow> {
        let mut rows: Vec<_> = top.actors.iter().filter(|row| self.shows(row)).collect();
        rows.sort_by(|a, b| self.order(b, a).then(a.actor.cmp(&b.actor)));
        rows
    }

    /// Which those are.
    pub fn keys(&self, top: Option<&Top>) -> Vec<ActorId> {
        let rows = top.map(|top| self.rows(top)).unwrap_or_default();
        rows.iter().map(|row| row.actor).collect()
    }

    fn shows(&self, row: &ActorRow) -> bool {
        self.kind.is_none_or(|kind| kind == row.actor.kind)
            && self.node.as_ref().is_none_or(|node| *node == row.node)
            && (self.filter.is_empty()
                || row.actor.to_string().contains(&self.filter)
                || row.node.contains(&self.filter)
                || row.slowest_kind.contains(&self.filter))
    }

    fn order(&self, a: &ActorRow, b: &ActorRow) -> Ordering {
        match self.sort {
            Sort::Depth => a.depth.cmp(&b.depth),
            Sort::Busy => a.busy.total_cmp(&b.busy),
            Sort::Wait => a.wait_ms.total_cmp(&b.wait_ms),
            Sort::Rate => a.per_second.total_cmp(&b.per_second),
            Sort::Restarts => a.restarts.cmp(&b.restarts),
        }
    }

    /// The next order, or the one before.
    pub fn cycle_sort(&mut self, is_forward: bool) {
        let at = Sort::ALL.iter().position(|sort| *sort == self.sort);
        let step = if is_forward { 1 } else { Sort::ALL.len() - 1 };
        self.sort = Sort::ALL[(at.unwrap_or(0) + step) % Sort::ALL.len()];
    }

    /// The next kind, or all.
    pub fn cycle_kind(&mut self) {
        self.kind = next(&ActorKind::ALL, self.kind.as_ref()).copied();
    }

    /// The next node, or all.
    pub fn cycle_node(&mut self, nodes: &[String]) {
        self.node = next(nodes, self.node.as_ref()).cloned();
    }

    /// A letter more in the filter.
    pub fn type_letter(&mut self, letter: char) {
        if !letter.is_control() && self.filter.chars().count() < FILTER_CHARS {
            self.filter.push(letter);
        }
    }
}

/// The one after it; none after the last.
fn next<'a, T: PartialEq>(all: &'a [T], current: Option<&T>) -> Option<&'a T> {
    match current {
        None => all.first(),
        Some(current) => {
            let at = all.iter().position(|one| one == current)?;
            all.get(at + 1)
        }
    }
}
