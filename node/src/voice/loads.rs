//! Which node of the cluster has least to do with voice.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::MediaNode;

/// Milliseconds for which what a node said of itself is believed.
const FRESH_MS: u64 = 10_000;
/// Nodes that are remembered.
const NODES: usize = 1_024;

/// What the other nodes said last.
#[derive(Debug, Default)]
pub(super) struct Loads(Mutex<HashMap<String, Said>>);

#[derive(Debug)]
struct Said {
    node: MediaNode,
    load: u64,
    at: Millis,
}

impl Loads {
    /// A node says how much it has to do.
    pub(super) fn heard(&self, node: MediaNode, load: u64, at: Millis) {
        let mut nodes = self.0.lock();
        nodes.retain(|_, said| at.since(said.at) < FRESH_MS);
        if nodes.len() < NODES {
            nodes.insert(node.node.node.clone(), Said { node, load, at });
        }
    }

    /// The node with least to do; of equals this one.
    pub(super) fn lightest(&self, me: &MediaNode, load: u64, now: Millis) -> MediaNode {
        let nodes = self.0.lock();
        let fresh = nodes.values().filter(|said| now.since(said.at) < FRESH_MS);
        let lightest = fresh.min_by(|a, b| {
            let rank = |said: &Said| (said.load, said.node.node.node.clone());
            rank(a).cmp(&rank(b))
        });
        match lightest {
            Some(said) if said.load < load => said.node.clone(),
            _ => me.clone(),
        }
    }

    /// Another node, the one with least to do; none is known.
    pub(super) fn other(&self, now: Millis) -> Option<MediaNode> {
        let nodes = self.0.lock();
        let fresh = nodes.values().filter(|said| now.since(said.at) < FRESH_MS);
        let lightest = fresh.min_by_key(|said| said.load);
        lightest.map(|said| said.node.clone())
    }

    /// Another node, by name, if it takes rooms.
    pub(super) fn named(&self, name: &str, now: Millis) -> Option<MediaNode> {
        let nodes = self.0.lock();
        let said = nodes.get(name);
        let fresh = said.filter(|said| now.since(said.at) < FRESH_MS);
        fresh.map(|said| said.node.clone())
    }

    /// A node is gone, or takes no more rooms.
    pub(super) fn gone(&self, name: &str) {
        self.0.lock().remove(name);
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::document::IncarnationId;

    use super::*;

    fn node(name: &str) -> MediaNode {
        MediaNode {
            node: IncarnationId {
                node: name.to_owned(),
                number: 1,
            },
            endpoint: name.to_owned(),
            url: None,
        }
    }

    #[test]
    fn a_room_goes_to_who_has_least_to_do_and_was_heard_of() {
        let loads = Loads::default();
        let (me, now) = (node("a"), Millis(100_000));
        assert_eq!(loads.lightest(&me, 5, now), me);
        loads.heard(node("b"), 5, now);
        assert_eq!(loads.lightest(&me, 5, now), me);
        loads.heard(node("c"), 4, now);
        assert_eq!(loads.lightest(&me, 5, now), node("c"));
        loads.gone("c");
        assert_eq!(loads.lightest(&me, 6, now), node("b"));
        assert_eq!(loads.other(now), Some(node("b")));
        let later = Millis(now.0 + FRESH_MS);
        assert_eq!(loads.lightest(&me, 6, later), me);
        assert_eq!(loads.other(later), None);
    }
}
