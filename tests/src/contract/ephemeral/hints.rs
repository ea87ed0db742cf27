//! Hints about nodes.

use rookery_node::ephemeral::{Ephemeral, NodeState};

use super::Fixture;

/// The nodes that are heard, with what they say.
pub fn heard(layer: &Ephemeral) -> Vec<(String, u64, NodeState, Option<String>)> {
    let hints = layer.hints.heard().into_iter();
    hints
        .map(|hint| (hint.node, hint.incarnation, hint.state, hint.address))
        .collect()
}

/// From the start, and each new thing it says.
pub async fn a_node_hears_itself(fixture: &impl Fixture) {
    let layer = fixture.layer();
    assert_eq!(heard(layer), [("a".to_owned(), 1, NodeState::Up, None)]);
    let mut news = layer.hints.news();
    news.mark_unchanged();
    let address = Some("10.0.0.1:7000".to_owned());
    layer.hints.say(NodeState::Up, address.clone());
    assert!(news.has_changed().unwrap());
    assert_eq!(heard(layer), [("a".to_owned(), 1, NodeState::Up, address)]);
}

/// Only its next run is.
pub async fn a_node_that_drains_is_not_up_again(fixture: &impl Fixture) {
    let layer = fixture.layer();
    layer.hints.say(NodeState::Draining, None);
    layer.hints.say(NodeState::Up, None);
    assert_eq!(heard(layer)[0].2, NodeState::Draining);
}
