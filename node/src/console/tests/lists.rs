//! Lists: who is chosen stays chosen; rates; folding.

use rookery_protocol::inspect::Top;

use super::*;
use crate::console::state::Rates;

fn chosen(rig: &Rig) -> Option<ActorId> {
    let actors = &rig.console.actors;
    actors
        .cursor
        .chosen(&actors.keys(rig.console.feeds.top.data.as_ref()))
}

#[test]
fn who_is_chosen_is_known_by_what_it_is_and_not_by_its_place() {
    let mut rig = Rig::settled();
    rig.shows("3");
    rig.press(Key::Down);
    let user = actor("user/1795000000000000002");
    assert_eq!(chosen(&rig), Some(user));
    let ask = rig.console.actors.ask();
    let mut top = cluster::top();
    top.actors[1].busy = 0.99;
    rig.answer(ask.clone(), Ok(Answer::Top(top.clone())));
    assert_eq!(chosen(&rig), Some(user));
    rig.press(Key::Down);
    assert_eq!(chosen(&rig), Some(actor("group/1795000000000000001")));
    // Whoever takes the place of one that is gone is chosen.
    top.actors.remove(0);
    rig.answer(ask.clone(), Ok(Answer::Top(top)));
    assert_eq!(chosen(&rig), Some(actor("room/1795000000000000003")));
    rig.answer(ask.clone(), Ok(Answer::Top(Top::default())));
    assert_eq!(chosen(&rig), None);
    rig.types("r");
    assert_eq!(rig.console.popup, None);
    rig.answer(ask, Ok(Answer::Top(cluster::top())));
    assert_eq!(chosen(&rig), Some(actor("room/1795000000000000003")));
}

#[test]
fn a_node_that_falls_silent_keeps_its_place() {
    let mut rig = Rig::settled();
    rig.shows("2");
    let before = rig.console.node_names();
    let mut nodes = cluster::nodes(2_000);
    let gone = nodes.nodes.remove(0);
    nodes.silent.push(rookery_protocol::inspect::Silent {
        node: gone.node,
        why: "no answer".to_owned(),
    });
    rig.answer(Ask::Nodes, Ok(Answer::Nodes(nodes)));
    assert_eq!(rig.console.node_names(), before);
}

#[test]
fn rates_are_the_difference_of_two_samples_of_the_same_run() {
    let mut rates = Rates::default();
    rates.learn(&cluster::nodes(0));
    assert_eq!(rates.of("n1"), None);
    assert_eq!(rates.total(&cluster::nodes(0)), None);
    rates.learn(&cluster::nodes(2_000));
    let rate = rates.of("n1").unwrap();
    assert_eq!((rate.handled, rate.deliveries), (300.0, 12_000.0));
    assert_eq!((rate.commits, rate.cpu), (60.0, 0.21));
    assert_eq!(rates.total(&cluster::nodes(2_000)).unwrap().handled, 500.0);
    // The same sample again tells nothing new, and one that is too close to it nothing true.
    rates.learn(&cluster::nodes(2_000));
    assert_eq!(rates.of("n1"), Some(rate));
    let mut close = cluster::nodes(2_400);
    close.nodes[0].handled = u64::MAX;
    rates.learn(&close);
    assert_eq!(rates.of("n1"), Some(rate));
    // Another run counts from 0.
    let mut nodes = cluster::nodes(3_000);
    nodes.nodes[0].incarnation += 1;
    nodes.nodes[0].handled = 0;
    rates.learn(&nodes);
    assert_eq!(rates.of("n1"), None);
    assert!(rates.of("n2").is_some());
}

#[test]
fn branches_fold_and_siblings_of_one_name_are_told_apart() {
    let mut rig = Rig::settled();
    rig.shows("4");
    let lines = |rig: &Rig| {
        let keys = rig.console.tree.keys(rig.console.feeds.tree.data.as_ref());
        let names = keys.iter().map(|path| path[path.len() - 1].0.clone());
        (names.collect::<Vec<_>>(), keys)
    };
    assert_eq!(
        lines(&rig).0,
        ["cluster", "n1", "entities", "lane", "lane", "n3"]
    );
    rig.types("jjjj");
    let (_, keys) = lines(&rig);
    assert_eq!(rig.console.tree.cursor.index(&keys), Some(4));
    // From a leaf to who supervises it, which is then folded.
    rig.press(Key::Left);
    rig.press(Key::Left);
    assert_eq!(lines(&rig).0, ["cluster", "n1", "n3"]);
    rig.press(Key::Right);
    rig.types("j");
    rig.press(Key::Enter);
    assert_eq!(lines(&rig).0[3], "group/1795000000000000001");
    // What is open stays open when it is asked again.
    rig.pass(1_000);
    rig.answer_all();
    rig.types("j");
    rig.press(Key::Enter);
    let group = actor("group/1795000000000000001");
    assert!(rig.asked.contains(&Ask::Actor(group)));
}
