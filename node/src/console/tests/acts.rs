//! Acts: nothing is done without `y`.

use rookery_protocol::inspect::{Act, Acted};

use super::*;
use crate::console::state::Popup;

/// The keys that lead to an act, and it.
fn offers() -> Vec<(&'static str, Act)> {
    let group = actor("group/1795000000000000001");
    let drain = |stay| Act::Drain {
        node: "n1".to_owned(),
        stay,
    };
    vec![
        ("2d", drain(true)),
        ("2D", drain(false)),
        (
            "2u",
            Act::Undrain {
                node: "n1".to_owned(),
            },
        ),
        ("3r", Act::Restart { actor: group }),
        ("3p", Act::Passivate { actor: group }),
        (
            "3mj\n",
            Act::Migrate {
                actor: group,
                to: Some("n2".to_owned()),
            },
        ),
        (
            "3mjjj\n",
            Act::Migrate {
                actor: group,
                to: None,
            },
        ),
    ]
}

fn offered(keys: &str) -> Rig {
    let mut rig = Rig::settled();
    for key in keys.chars() {
        match key {
            '\n' => rig.press(Key::Enter),
            key => rig.press(Key::Char(key)),
        }
        rig.answer_all();
    }
    rig
}

#[test]
fn every_act_is_named_with_its_consequence_and_done_after_y_only() {
    for (keys, act) in offers() {
        let mut rig = offered(keys);
        let Some(Popup::Confirm(confirm)) = rig.console.popup.clone() else {
            panic!("{keys} offers nothing");
        };
        assert_eq!(confirm.act, act);
        assert!(confirm.consequence.len() > 40, "{keys} says nothing");
        assert_eq!(rig.wanted, []);
        for key in [
            Key::Enter,
            Key::Char(' '),
            Key::Char('Y'),
            Key::Down,
            Key::Tab,
        ] {
            rig.press(key);
        }
        assert_eq!(rig.wanted, [], "{keys} needs no y");
        rig.types("y");
        assert_eq!(rig.wanted, [Effect::Act(act)]);
        assert_eq!(rig.console.popup, None);
    }
}

#[test]
fn no_and_escape_do_nothing() {
    for (keys, _) in offers() {
        for no in [Key::Char('n'), Key::Esc, Key::Char('q')] {
            let mut rig = offered(keys);
            rig.press(no);
            rig.types("y");
            assert_eq!(rig.wanted, [], "{keys}");
            assert_eq!(rig.console.popup, None);
        }
    }
}

#[test]
fn nothing_is_confirmed_where_it_cannot_be_read() {
    let mut rig = offered("3r");
    let resize = |width, height| Input::Resize { width, height };
    rig.input(resize(30, 8));
    rig.types("y");
    assert_eq!(rig.wanted, []);
    rig.input(resize(80, 24));
    rig.types("y");
    assert_eq!(rig.wanted.len(), 1);
}

#[test]
fn what_is_confirmed_is_what_was_offered_whatever_the_list_does_meanwhile() {
    let mut rig = offered("3r");
    let mut top = cluster::top();
    top.actors.remove(0);
    rig.answer(rig.console.actors.ask(), Ok(Answer::Top(top)));
    rig.types("y");
    let actor = actor("group/1795000000000000001");
    assert_eq!(rig.wanted, [Effect::Act(Act::Restart { actor })]);
}

#[test]
fn what_became_of_an_act_is_shown_until_escape_and_everything_is_asked_again() {
    let undrain = Act::Undrain {
        node: "n1".to_owned(),
    };
    let acted = Acted {
        what: "n1 takes part again".to_owned(),
        secret: None,
    };
    for (result, text, is_failure) in [
        (Ok(acted), "done: undrain n1: n1 takes part again", false),
        (
            Err("it is not drained".to_owned()),
            "NOT done: undrain n1: it is not drained",
            true,
        ),
    ] {
        let mut rig = offered("2u");
        rig.types("y");
        assert_eq!(rig.console.acting.len(), 1);
        // The same again is not done twice, and q does not leave without the result.
        rig.types("uyq");
        assert_eq!(rig.wanted, [Effect::Act(undrain.clone())]);
        rig.input(Input::Acted {
            act: undrain.clone(),
            result,
        });
        assert!(rig.console.acting.is_empty());
        assert_eq!(rig.asked, [Ask::Nodes]);
        let notice = rig.console.notice.clone().unwrap();
        assert_eq!((&*notice.text, notice.is_failure), (text, is_failure));
        rig.press(Key::Esc);
        assert_eq!(rig.console.notice, None);
    }
}

#[test]
fn nothing_is_offered_for_a_node_that_does_not_answer() {
    let mut rig = offered("2jj");
    rig.types("d");
    assert_eq!(rig.console.popup, None);
    let notice = rig.console.notice.clone().unwrap();
    assert!(
        notice
            .text
            .contains("n3 does not answer: no link since 12 s")
    );
}
