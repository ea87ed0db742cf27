//! Pictures of the screens.

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::console::view::{self, Look};

const LOOK: Look = Look {
    has_colour: false,
    has_unicode: true,
};

fn picture(rig: &Rig, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(&rig.console, LOOK, frame))
        .unwrap();
    terminal.backend().clone()
}

/// A rig on a screen; `\n` is Enter.
fn on(keys: &str) -> Rig {
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
fn overview() {
    assert_snapshot!("overview", picture(&on(""), 80, 24));
    assert_snapshot!("overview_wide", picture(&on(""), 120, 40));
    assert_snapshot!("too_small", picture(&on(""), 30, 8));
}

#[test]
fn nodes() {
    assert_snapshot!("nodes", picture(&on("2"), 80, 24));
    assert_snapshot!("nodes_wide", picture(&on("2"), 120, 40));
    assert_snapshot!("node", picture(&on("2\n"), 80, 24));
    assert_snapshot!("node_silent", picture(&on("2jj\n"), 80, 12));
    assert_snapshot!("drain", picture(&on("2D"), 80, 24));
}

#[test]
fn actors() {
    assert_snapshot!("actors", picture(&on("3"), 80, 24));
    assert_snapshot!("actors_wide", picture(&on("3/user"), 120, 40));
    assert_snapshot!("migrate", picture(&on("3\nm"), 80, 24));
    assert_snapshot!("actor_of_an_account", picture(&on("3j\n"), 80, 24));
    assert_snapshot!("trace", picture(&on("3\nt"), 80, 24));
}

#[test]
fn tree() {
    assert_snapshot!("tree", picture(&on("4jj"), 80, 24));
}

#[test]
fn rooms() {
    assert_snapshot!("rooms", picture(&on("5"), 80, 24));
    assert_snapshot!("room", picture(&on("5\n"), 80, 24));
}

#[test]
fn warnings() {
    assert_snapshot!("warnings", picture(&on("6j"), 80, 24));
    assert_snapshot!("help", picture(&on("6?"), 80, 24));
}

#[test]
fn acts() {
    assert_snapshot!("acts", picture(&on("7j"), 80, 24));
    assert_snapshot!("acts_wide", picture(&on("7"), 120, 24));
}

#[test]
fn an_old_answer_and_a_result() {
    let mut rig = on("2uy");
    rig.pass(4_000);
    rig.answer(Ask::Nodes, Err("connection refused".to_owned()));
    rig.input(Input::Acted {
        act: rookery_protocol::inspect::Act::Undrain {
            node: "n1".to_owned(),
        },
        result: Err("n1 is up and takes part: there is nothing to undo".to_owned()),
    });
    rig.answer(Ask::Nodes, Err("connection refused".to_owned()));
    assert_snapshot!("old", picture(&rig, 80, 24));
}
