//! Keys: where they lead, and what they ask for.

use rookery_protocol::inspect::{ActorKind, Sort};

use super::*;
use crate::console::state::{LIMIT, Popup, Screen};

#[test]
fn digits_and_tab_lead_to_screens_which_ask_at_once() {
    for (key, screen) in "1234567".chars().zip(Screen::ALL) {
        let mut rig = Rig::settled();
        rig.press(Key::Char(key));
        assert_eq!(rig.console.screen, screen);
        let shown = rig.console.wanted();
        let is_known = |ask: &Ask| matches!(ask, Ask::Nodes | Ask::Warnings);
        assert!(
            shown
                .iter()
                .all(|ask| is_known(ask) || rig.asked.contains(ask))
        );
    }
    let mut rig = Rig::new();
    rig.press(Key::BackTab);
    assert_eq!(rig.console.screen, Screen::Acts);
    rig.press(Key::Tab);
    assert_eq!(rig.console.screen, Screen::Overview);
}

#[test]
fn what_is_on_the_screen_is_asked_every_second_and_never_twice_at_a_time() {
    let mut rig = Rig::new();
    rig.pass(0);
    assert_eq!(rig.asked, [Ask::Nodes, Ask::Warnings]);
    rig.pass(5_000);
    assert_eq!(rig.asked, [Ask::Nodes, Ask::Warnings]);
    rig.answer_all();
    // Five seconds have gone by since they were asked.
    assert_eq!(rig.asked, [Ask::Nodes, Ask::Warnings]);
    rig.answer_all();
    rig.pass(999);
    assert_eq!(rig.asked, []);
    rig.pass(1);
    assert_eq!(rig.asked, [Ask::Nodes, Ask::Warnings]);
}

#[test]
fn orders_and_filters_are_asked_for_and_late_answers_to_others_are_dropped() {
    let mut rig = Rig::settled();
    let ask = |sort, kind, node: Option<&str>| Ask::Top {
        sort,
        kind,
        node: node.map(str::to_owned),
        limit: LIMIT,
    };
    rig.types("3s");
    assert_eq!(
        rig.asked,
        [ask(Sort::Busy, None, None), ask(Sort::Depth, None, None)]
    );
    rig.answer(ask(Sort::Busy, None, None), Ok(Answer::Top(cluster::top())));
    assert!(rig.console.feeds.top.data.is_none());
    rig.types("Sfn");
    assert!(
        rig.asked
            .contains(&ask(Sort::Busy, Some(ActorKind::User), Some("n1")))
    );
    rig.answer_all();
    let keys = rig.console.actors.keys(rig.console.feeds.top.data.as_ref());
    assert_eq!(keys, [actor("user/42")]);
}

#[test]
fn letters_of_a_filter_are_letters() {
    let mut rig = Rig::settled();
    rig.shows("3");
    rig.types("/q6 ");
    rig.press(Key::Backspace);
    assert_eq!(rig.console.actors.filter, "q6");
    assert_eq!(rig.console.screen, Screen::Actors);
    assert_eq!(rig.wanted, []);
    rig.press(Key::Esc);
    rig.types("/000003");
    rig.press(Key::Enter);
    let keys = rig.console.actors.keys(rig.console.feeds.top.data.as_ref());
    assert_eq!(keys, [actor("room/1795000000000000003")]);
    rig.press(Key::Enter);
    assert!(rig.asked.contains(&Ask::Actor(keys[0])));
}

#[test]
fn an_actor_who_is_not_among_the_busiest_is_opened_by_its_address() {
    let mut rig = Rig::settled();
    rig.shows("3");
    rig.types("/user/99");
    rig.press(Key::Enter);
    assert!(rig.asked.contains(&Ask::Actor(actor("user/99"))));
    assert!(rig.asked.contains(&Ask::Sessions(99)));
    rig.press(Key::Esc);
    assert!(rig.console.actors.detail.is_none());
}

#[test]
fn a_warning_leads_to_its_actor_and_back() {
    let mut rig = Rig::settled();
    rig.shows("6");
    rig.press(Key::Enter);
    let group = actor("group/1795000000000000001");
    assert!(rig.asked.contains(&Ask::Actor(group)));
    rig.press(Key::Esc);
    assert_eq!(rig.console.screen, Screen::Warnings);
    rig.press(Key::Down);
    rig.press(Key::Enter);
    assert_eq!(rig.console.nodes.detail.as_deref(), Some("n2"));
}

#[test]
fn an_act_leads_to_what_it_was_done_to() {
    let mut rig = Rig::settled();
    rig.shows("7");
    rig.press(Key::Enter);
    assert_eq!(rig.console.nodes.detail.as_deref(), Some("n2"));
    rig.shows("7");
    rig.press(Key::Down);
    rig.press(Key::Enter);
    let group = actor("group/1795000000000000001");
    assert!(rig.asked.contains(&Ask::Actor(group)));
    rig.press(Key::Esc);
    assert_eq!(rig.console.screen, Screen::Acts);
    rig.press(Key::Down);
    rig.press(Key::Enter);
    let account = actor("user/1795000000000000099");
    assert!(rig.asked.contains(&Ask::Actor(account)));
    rig.press(Key::Esc);
    // A token is nothing to be looked at.
    rig.press(Key::Down);
    rig.press(Key::Enter);
    assert_eq!(rig.console.screen, Screen::Acts);
}

#[test]
fn a_trace_is_asked_twice_a_second_while_it_is_looked_at() {
    let mut rig = Rig::settled();
    rig.shows("3");
    rig.press(Key::Enter);
    rig.answer_all();
    let group = actor("group/1795000000000000001");
    let ask = Ask::Trace {
        trace: 7,
        actor: group,
    };
    rig.types("t");
    assert_eq!(rig.asked, std::slice::from_ref(&ask));
    rig.answer_all();
    rig.pass(500);
    assert_eq!(rig.asked, std::slice::from_ref(&ask));
    rig.answer(ask.clone(), Ok(Answer::Trace(cluster::trace())));
    let lines = |rig: &Rig| {
        let detail = rig.console.actors.detail.as_ref();
        detail.and_then(|it| it.trace.as_ref()).unwrap().lines.len()
    };
    assert_eq!(lines(&rig), 6);
    for _ in 0..1_000 {
        rig.pass(500);
        rig.answer_all();
    }
    assert_eq!(lines(&rig), 1_000);
    rig.types("t");
    rig.pass(500);
    assert!(!rig.asked.contains(&ask));
    // Another trace has another name, so that it does not go on with what the first has not fetched.
    rig.types("t");
    assert!(rig.asked.contains(&Ask::Trace {
        trace: 8,
        actor: group
    }));
}

#[test]
fn help_is_shown_and_goes_away_with_any_key() {
    let mut rig = Rig::settled();
    rig.types("?");
    assert_eq!(rig.console.popup, Some(Popup::Help));
    rig.types("q");
    assert_eq!(rig.console.popup, None);
    assert_eq!(rig.wanted, []);
}

#[test]
fn q_quits_and_ctrl_c_does_from_anywhere() {
    let mut rig = Rig::settled();
    rig.types("q");
    assert_eq!(rig.wanted, [Effect::Quit]);
    let mut rig = Rig::settled();
    rig.types("3/");
    rig.press(Key::CtrlC);
    assert_eq!(rig.wanted, [Effect::Quit]);
}
