//! What is shown when there is no answer.

use super::*;

fn text(rig: &Rig) -> Option<String> {
    rig.console.staleness().map(|stale| stale.text)
}

#[test]
fn the_last_answer_stays_and_a_line_says_how_old_it_is_and_why() {
    let mut rig = Rig::new();
    rig.pass(0);
    assert_eq!(text(&rig).as_deref(), Some("asking the cluster"));
    rig.answer(Ask::Nodes, Err("connection refused".to_owned()));
    let nothing = "the nodes: nothing yet: connection refused";
    assert_eq!(text(&rig).as_deref(), Some(nothing));
    rig.pass(1_000);
    rig.answer_all();
    assert_eq!(text(&rig), None);
    rig.pass(7_000);
    rig.answer(Ask::Nodes, Err("connection refused".to_owned()));
    let old = "OLD: the nodes as of 7 s ago: connection refused";
    assert_eq!(text(&rig).as_deref(), Some(old));
    assert_eq!(rig.console.feeds.nodes.data, Some(cluster::nodes(1_000)));
    rig.pass(1_000);
    rig.answer_all();
    assert_eq!(text(&rig), None);
}

#[test]
fn a_question_that_takes_long_is_said_to() {
    let mut rig = Rig::settled();
    rig.pass(1_000);
    rig.pass(2_999);
    assert_eq!(text(&rig), None);
    rig.pass(1);
    let slow = "OLD: the nodes as of 4 s ago: no answer for 3 s";
    assert_eq!(text(&rig).as_deref(), Some(slow));
}

#[test]
fn a_screen_that_is_held_asks_nothing_and_says_so() {
    let mut rig = Rig::settled();
    rig.types(" ");
    rig.pass(60_000);
    assert_eq!(rig.asked, []);
    let held = "HELD: what is shown is 60 s old; space goes on";
    assert_eq!(text(&rig).as_deref(), Some(held));
    rig.types(" ");
    assert_eq!(rig.asked, [Ask::Nodes, Ask::Warnings]);
}

#[test]
fn an_actor_that_is_gone_is_shown_as_it_was() {
    let mut rig = Rig::settled();
    rig.shows("3");
    rig.press(Key::Enter);
    rig.answer_all();
    rig.pass(1_000);
    let group = actor("group/1795000000000000001");
    rig.answer(Ask::Actor(group), Err("it is not active".to_owned()));
    assert!(rig.console.feeds.actor.data.is_some());
    let gone = "OLD: the actor as of 1 s ago: it is not active";
    assert_eq!(text(&rig).as_deref(), Some(gone));
}
