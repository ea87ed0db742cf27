//! What nodes say of themselves, to be faster than leases. It is a hint and never the verdict: who lives and who owns what
//! is in the store.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_actors::entity::Clock;
use rookery_protocol::limits::{HINT_MS, HINTS};
use rookery_protocol::time::Millis;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How a node says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It serves.
    Up,
    /// It gives away what it owns.
    Draining,
    /// It has ended.
    Gone,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Its name.
    pub node: String,
    /// Which run of it.
    pub incarnation: u64,
    /// How it is.
    pub state: NodeState,
    /// Where other nodes reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Hints about the nodes of a cluster.
pub trait Hints: Send + Sync {
    /// What this node says of itself from now on; it is repeated until it says otherwise. Of what is over it does not begin
    /// again: a node that drains is not up any more.
    fn say(&self, state: NodeState, address: Option<String>);

    /// The latest of each node that said something within [`HINT_MS`], this one included, by name.
    fn heard(&self) -> Vec<Hint>;

    /// Counts what was heard that is new. That a node has fallen silent is no news: look from time to time.
    fn news(&self) -> watch::Receiver<u64>;
}

/// The hints of one node about itself, and a table for what it hears.
pub struct Noted {
    own: Mutex<Hint>,
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
    news: watch::Sender<u64>,
}

impl Noted {
    /// It is up and has heard nothing yet.
    pub fn new(node: &str, incarnation: u64, clock: Arc<dyn Clock>) -> Self {
        let noted = Self {
            own: Mutex::new(Hint {
                node: node.to_owned(),
                incarnation,
                state: NodeState::Up,
                address: None,
            }),
            clock,
            table: Mutex::default(),
            news: watch::Sender::new(0),
        };
        noted.hear(noted.own());
        noted
    }

    /// Notes what some node says.
    pub(super) fn hear(&self, hint: Hint) {
        let now = self.clock.now();
        let is_news = self.table.lock().note(hint, now);
        if is_news {
            self.news.send_modify(|count| *count += 1);
        }
    }

    /// What this node says of itself.
    pub(super) fn own(&self) -> Hint {
        self.own.lock().clone()
    }
}

impl Hints for Noted {
    fn say(&self, state: NodeState, address: Option<String>) {
        let said = {
            let mut own = self.own.lock();
            own.state = state.max(own.state);
            own.address = address;
            own.clone()
        };
        self.hear(said);
    }

    fn heard(&self) -> Vec<Hint> {
        let now = self.clock.now();
        let own = self.own().node;
        self.table.lock().list(&own, now)
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

/// The latest hint of each node, with when it was heard.
#[derive(Debug, Default)]
struct Table {
    hints: HashMap<String, (Hint, Millis)>,
}

impl Table {
    /// Notes a hint; answers whether it says something new. A run of a node that is over says nothing any more, and a
    /// run that ends does not begin again.
    fn note(&mut self, hint: Hint, now: Millis) -> bool {
        let known = self.hints.get(&hint.node).map(|(known, _)| known);
        let order = |hint: &Hint| (hint.incarnation, hint.state);
        if known.is_some_and(|known| order(&hint) < order(known)) {
            return false;
        }
        let is_news = known != Some(&hint);
        if known.is_none() && self.hints.len() >= HINTS {
            self.hints.retain(|_, (_, at)| now.since(*at) < HINT_MS);
            if self.hints.len() >= HINTS {
                return false;
            }
        }
        self.hints.insert(hint.node.clone(), (hint, now));
        is_news
    }

    /// Those that still hold; a node believes itself.
    fn list(&self, own: &str, now: Millis) -> Vec<Hint> {
        let fresh = self.hints.values();
        let fresh = fresh.filter(|(hint, at)| hint.node == own || now.since(*at) < HINT_MS);
        let mut list: Vec<Hint> = fresh.map(|(hint, _)| hint.clone()).collect();
        list.sort_by(|a, b| a.node.cmp(&b.node));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(node: &str, incarnation: u64, state: NodeState) -> Hint {
        Hint {
            node: node.to_owned(),
            incarnation,
            state,
            address: None,
        }
    }

    #[test]
    fn a_run_only_goes_on_and_the_next_one_counts() {
        use NodeState::{Draining, Gone, Up};
        let mut table = Table::default();
        for (incarnation, state, is_news) in [
            (2, Up, true),
            (2, Up, false),
            (1, Gone, false),
            (2, Draining, true),
            (2, Up, false),
            (2, Gone, true),
            (3, Up, true),
            (2, Gone, false),
        ] {
            let news = table.note(hint("b", incarnation, state), Millis(0));
            assert_eq!(news, is_news, "{incarnation} {state:?}");
        }
        assert_eq!(table.list("a", Millis(0)), [hint("b", 3, Up)]);
    }

    #[test]
    fn a_hint_does_not_last_and_the_table_is_bounded() {
        let mut table = Table::default();
        for n in 0..HINTS {
            assert!(table.note(hint(&n.to_string(), 1, NodeState::Up), Millis(0)));
        }
        assert!(!table.note(hint("one more", 1, NodeState::Up), Millis(HINT_MS - 1)));
        assert_eq!(table.list("7", Millis(HINT_MS)).len(), 1);
        assert!(table.note(hint("one more", 1, NodeState::Up), Millis(HINT_MS)));
        assert_eq!(table.hints.len(), 1);
    }
}
