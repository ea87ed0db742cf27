//! What the terminal is never given, and every size that it may have.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::console::view::text::{bits, bytes, clean, count, micros, percent, wrap};
use crate::console::view::{self, Look};

const SCREENS: [&str; 13] = [
    "1", "2", "2\n", "3", "3\n", "3\nt", "3\nm", "3r", "4", "5", "5\n", "6", "?",
];

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

fn picture(rig: &Rig, look: Look, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(&rig.console, look, frame))
        .unwrap();
    terminal.backend().clone()
}

#[test]
fn every_screen_is_drawn_at_every_size() {
    let look = Look {
        has_colour: true,
        has_unicode: true,
    };
    for keys in SCREENS {
        let mut rig = on(keys);
        for (width, height) in (0..90)
            .step_by(7)
            .flat_map(|w| (0..30).map(move |h| (w, h)))
        {
            rig.input(Input::Resize { width, height });
            rig.press(Key::PageDown);
            picture(&rig, look, width, height);
        }
        picture(&rig, look, 400, 3);
        picture(&rig, look, 40, 10);
    }
}

#[test]
fn without_colour_and_unicode_there_is_none() {
    let look = Look {
        has_colour: false,
        has_unicode: false,
    };
    for keys in SCREENS {
        let picture = picture(&on(keys), look, 80, 24);
        for cell in &picture.buffer().content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
            assert!(cell.symbol().is_ascii(), "{keys}: {}", cell.symbol());
        }
    }
}

#[test]
fn nothing_from_the_data_reaches_the_terminal_as_a_command() {
    let mut rig = on("2");
    let foul = "n\u{1b}]0;x\u{7}\u{202e}\u{200b}\u{9b}2J\r\n\u{85}";
    let mut nodes = cluster::nodes(1_000);
    nodes.nodes[0].node = foul.to_owned();
    nodes.nodes[0].state = foul.to_owned();
    nodes.nodes[0].address = foul.to_owned();
    nodes.nodes[0].kinds[0].kind = foul.to_owned();
    nodes.nodes[0].links[0].peer = foul.to_owned();
    nodes.silent[0].why = foul.to_owned();
    rig.answer(Ask::Nodes, Ok(Answer::Nodes(nodes)));
    for keys in ["1", "2", "d", "n\n"] {
        for key in keys.chars() {
            rig.press(if key == '\n' {
                Key::Enter
            } else {
                Key::Char(key)
            });
        }
        let look = Look {
            has_colour: true,
            has_unicode: true,
        };
        let picture = picture(&rig, look, 80, 24);
        for cell in &picture.buffer().content {
            assert_eq!(clean(cell.symbol()), cell.symbol());
        }
    }
}

#[test]
fn the_look_is_that_of_the_environment() {
    let of = |pairs: &[(&str, &str)]| {
        let find = |name: &str| pairs.iter().find(|pair| pair.0 == name);
        Look::of(|name| find(name).map(|pair| pair.1.to_owned()))
    };
    for (pairs, has_colour, has_unicode) in [
        (
            &[("TERM", "xterm"), ("LANG", "en_GB.UTF-8")][..],
            true,
            true,
        ),
        (&[("LANG", "C.utf8"), ("NO_COLOR", "1")], false, true),
        (
            &[("LC_ALL", "C"), ("LANG", "C.UTF-8"), ("NO_COLOR", "")],
            true,
            false,
        ),
        (&[], true, false),
    ] {
        let look = Look {
            has_colour,
            has_unicode,
        };
        assert_eq!(of(pairs), Ok(look), "{pairs:?}");
    }
    assert!(of(&[("TERM", "dumb")]).is_err());
}

#[test]
fn figures_are_short() {
    for (shown, text) in [
        (bytes(0), "0 B"),
        (bytes(1_536), "1.5 KiB"),
        (bytes(u64::MAX), "16777216 TiB"),
        (bits(1_240_000), "1.2 Mb/s"),
        (micros(999), "999 us"),
        (micros(1_250), "1.2 ms"),
        (micros(62_000), "62 ms"),
        (micros(3_400_000), "3.4 s"),
        (count(99_999), "99999"),
        (count(2_574_000), "2574k"),
        (percent(0.034), "3.4 %"),
        (percent(1.0), "100 %"),
    ] {
        assert_eq!(shown, text);
    }
    assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
    assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
    assert_eq!(wrap("日本語", 4), ["日本", "語"]);
}
