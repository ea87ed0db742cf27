//! The console without a terminal.

mod acts;
mod cluster;
mod keys;
mod lists;
mod looks;
mod screens;
mod shell;
mod stale;

use rookery_protocol::inspect::ActorId;
use rookery_protocol::time::Millis;

use super::input::{Answer, Ask, Effect, Input, Key};
use super::state::Console;

/// 2026-11-27, noon.
const START: u64 = 1_795_780_800_000;

/// A console with a made-up cluster behind it.
struct Rig {
    console: Console,
    now: u64,
    /// What it asked that is not answered yet.
    asked: Vec<Ask>,
    /// What else it wanted.
    wanted: Vec<Effect>,
}

impl Rig {
    fn new() -> Self {
        Self {
            console: Console::new(Millis(START), 7, 80, 24),
            now: START,
            asked: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// One whose first questions were answered twice, a second apart, so that there are rates.
    fn settled() -> Self {
        let mut rig = Self::new();
        rig.pass(0);
        rig.answer_all();
        rig.pass(1_000);
        rig.answer_all();
        rig
    }

    fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.console.step(Millis(self.now), input, &mut out);
        for effect in out {
            match effect {
                Effect::Ask(ask) => self.asked.push(ask),
                other => self.wanted.push(other),
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.input(Input::Tick);
    }

    fn press(&mut self, key: Key) {
        self.input(Input::Key(key));
    }

    /// Presses letters.
    fn types(&mut self, letters: &str) {
        for letter in letters.chars() {
            self.press(Key::Char(letter));
        }
    }

    fn answer(&mut self, ask: Ask, answer: Result<Answer, String>) {
        self.asked.retain(|asked| *asked != ask);
        self.input(Input::Answer { ask, answer });
    }

    /// Answers everything that is asked, as the made-up cluster would at this time.
    fn answer_all(&mut self) {
        for ask in std::mem::take(&mut self.asked) {
            let answer = cluster::answer(&ask, self.now - START);
            self.input(Input::Answer { ask, answer });
        }
    }

    /// Goes to a screen by its keys and lets its questions be answered.
    fn shows(&mut self, letters: &str) {
        self.types(letters);
        self.answer_all();
    }
}

fn actor(address: &str) -> ActorId {
    address.parse().unwrap()
}
