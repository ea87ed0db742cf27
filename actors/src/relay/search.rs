//! A session that a client resumes here is looked for at the other nodes: whom to ask, and what their answers come to.
//!
//! A session is in one place, or on its way. A copy of it goes on only when its node is over and every other node that may
//! live has said that it does not have the session: one that is silent may.

use std::collections::BTreeSet;

use rookery_protocol::document::IncarnationId;
use rookery_protocol::session::Taken;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask these: for the session, or for a copy of it; each answers with [`Search::answered`].
    Ask {
        /// Whom.
        peers: Vec<IncarnationId>,
        /// Whether for a copy.
        copy: bool,
    },
    /// Look at the copies that are kept here: [`Search::kept`].
    Kept,
    /// Wait for who was asked.
    Wait,
    /// Begin again after a pause, or let the client come again: [`Taken::Alive`].
    Again,
    /// That is it.
    Done(Taken),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The node that the session is named after was asked.
    Named,
    /// All others that may live were asked.
    Others,
    /// All were asked for a copy.
    Copies,
}

/// The search for one session.
#[derive(Debug)]
pub struct Search {
    named: IncarnationId,
    stage: Stage,
    living: Vec<IncarnationId>,
    open: BTreeSet<IncarnationId>,
    /// Somebody is silent, or said that this is not the time.
    is_unsure: bool,
    refused: Option<Taken>,
}

impl Search {
    /// For a session that is named after a run of a node.
    pub fn new(named: IncarnationId) -> Self {
        Self {
            named,
            stage: Stage::Named,
            living: Vec::new(),
            open: BTreeSet::new(),
            is_unsure: false,
            refused: None,
        }
    }

    /// Begins, or begins again. `living` are all other nodes that are not known to be over.
    pub fn begin(&mut self, living: Vec<IncarnationId>) -> Step {
        self.living = living;
        self.is_unsure = false;
        self.refused = None;
        self.stage = Stage::Named;
        let named = self.living.contains(&self.named);
        if named {
            self.ask(vec![self.named.clone()], false)
        } else {
            self.go_on()
        }
    }

    fn ask(&mut self, peers: Vec<IncarnationId>, copy: bool) -> Step {
        self.open = peers.iter().cloned().collect();
        if peers.is_empty() {
            return self.go_on();
        }
        Step::Ask { peers, copy }
    }

    /// Everybody of a stage has answered.
    fn go_on(&mut self) -> Step {
        match (self.stage, self.refused.take()) {
            (_, Some(refused)) => Step::Done(refused),
            (Stage::Named, None) => {
                self.stage = Stage::Others;
                // Whoever took it over from there has it now.
                let others = self.living.iter().filter(|peer| **peer != self.named);
                let others = others.cloned().collect();
                self.ask(others, false)
            }
            (_, None) if self.is_unsure => Step::Again,
            (Stage::Others, None) => Step::Kept,
            (Stage::Copies, None) => Step::Done(Taken::Unknown),
        }
    }

    /// Whether what was found is a copy: all others of it are void from now on, since they number on from another point.
    pub fn is_copy(&self) -> bool {
        self.stage == Stage::Copies
    }

    /// What became of the copy that is kept here.
    pub fn kept(&mut self, taken: Taken) -> Step {
        self.stage = Stage::Copies;
        match taken {
            Taken::Unknown => self.ask(self.living.clone(), true),
            Taken::Alive => Step::Again,
            taken => Step::Done(taken),
        }
    }

    /// Somebody who was asked has answered, or is silent.
    pub fn answered(&mut self, peer: &IncarnationId, taken: Option<Taken>) -> Step {
        if !self.open.remove(peer) {
            return Step::Wait;
        }
        match taken {
            Some(taken @ Taken::Handed(_)) => return Step::Done(taken),
            Some(Taken::Unknown) => {}
            Some(Taken::Alive) | None => self.is_unsure = true,
            Some(refused @ (Taken::Invalid | Taken::InvalidSeq)) => self.refused = Some(refused),
        }
        if self.open.is_empty() {
            self.go_on()
        } else {
            Step::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> IncarnationId {
        IncarnationId {
            node: name.to_owned(),
            number: 1,
        }
    }

    fn ask(names: &[&str], copy: bool) -> Step {
        let peers = names.iter().copied().map(node).collect();
        Step::Ask { peers, copy }
    }

    fn living() -> Vec<IncarnationId> {
        ["b", "c", "d"].map(node).to_vec()
    }

    #[test]
    fn the_named_node_is_asked_first_then_the_others_then_for_copies() {
        let mut search = Search::new(node("c"));
        assert_eq!(search.begin(living()), ask(&["c"], false));
        let unknown = || Some(Taken::Unknown);
        assert_eq!(
            search.answered(&node("c"), unknown()),
            ask(&["b", "d"], false)
        );
        assert_eq!(search.answered(&node("d"), unknown()), Step::Wait);
        // Who was not asked, or has answered, has no say.
        assert_eq!(search.answered(&node("d"), unknown()), Step::Wait);
        assert_eq!(search.answered(&node("b"), unknown()), Step::Kept);
        assert!(!search.is_copy());
        assert_eq!(search.kept(Taken::Unknown), ask(&["b", "c", "d"], true));
        assert!(search.is_copy());
        assert_eq!(search.answered(&node("b"), unknown()), Step::Wait);
        assert_eq!(search.answered(&node("d"), unknown()), Step::Wait);
        let gone = Step::Done(Taken::Unknown);
        assert_eq!(search.answered(&node("c"), unknown()), gone);
    }

    #[test]
    fn no_copy_goes_on_while_somebody_is_silent() {
        for silent in [None, Some(Taken::Alive)] {
            let mut search = Search::new(node("a"));
            assert_eq!(search.begin(living()), ask(&["b", "c", "d"], false));
            search.answered(&node("b"), silent);
            search.answered(&node("c"), Some(Taken::Unknown));
            assert_eq!(
                search.answered(&node("d"), Some(Taken::Unknown)),
                Step::Again
            );
            // It is over by now.
            let living = living()[1..].to_vec();
            assert_eq!(search.begin(living), ask(&["c", "d"], false));
            search.answered(&node("c"), Some(Taken::Unknown));
            assert_eq!(
                search.answered(&node("d"), Some(Taken::Unknown)),
                Step::Kept
            );
        }
    }

    #[test]
    fn a_copy_of_a_node_that_may_live_is_waited_for() {
        let mut search = Search::new(node("a"));
        assert_eq!(search.begin(Vec::new()), Step::Kept);
        assert_eq!(search.kept(Taken::Alive), Step::Again);
        assert_eq!(search.begin(Vec::new()), Step::Kept);
        assert_eq!(search.kept(Taken::Unknown), Step::Done(Taken::Unknown));
    }

    #[test]
    fn a_refusal_counts_when_nobody_hands_it_over() {
        let mut search = Search::new(node("a"));
        search.begin(living());
        search.answered(&node("b"), Some(Taken::Invalid));
        search.answered(&node("c"), Some(Taken::Unknown));
        let invalid = Step::Done(Taken::Invalid);
        assert_eq!(search.answered(&node("d"), None), invalid);
    }
}
