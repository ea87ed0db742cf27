//! Whose voice is heard.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use crate::sfu::{Loudest, PeerIndex};

/// Voices that each send a packet every 20 ms with a level of their own.
struct Voices {
    loudest: Loudest,
    now: u64,
}

impl Voices {
    fn new() -> Self {
        Self {
            loudest: Loudest::default(),
            now: 0,
        }
    }

    fn speak(&mut self, ms: u64, levels: &[(u32, i8)]) -> Vec<u32> {
        let mut silent = Vec::new();
        for _ in 0..ms / 20 {
            self.now += 20;
            for (peer, level) in levels {
                self.loudest
                    .heard(Millis(self.now), PeerIndex(*peer), Some(*level), 80);
            }
            self.loudest.tick(Millis(self.now), &mut silent);
        }
        silent.iter().map(|peer| peer.0).collect()
    }

    fn forwarded(&self) -> Vec<u32> {
        let mut all: Vec<_> = self.loudest.forwarded().map(|peer| peer.0).collect();
        all.sort_unstable();
        all
    }

    fn speaking(&self) -> Vec<u32> {
        let mut all: Vec<_> = self.loudest.speaking().map(|peer| peer.0).collect();
        all.sort_unstable();
        all
    }
}

#[test]
fn a_few_are_all_heard_even_if_they_are_silent() {
    let mut voices = Voices::new();
    voices.speak(100, &[(0, -127), (1, -20), (2, -90)]);
    assert_eq!(voices.forwarded(), [0, 1, 2]);
    assert_eq!(voices.speaking(), [1]);
}

#[test]
fn a_speaker_takes_the_place_of_somebody_silent_at_once() {
    let mut voices = Voices::new();
    voices.speak(1_000, &[(0, -127), (1, -20), (2, -25), (3, -127)]);
    assert_eq!(voices.forwarded(), [0, 1, 2]);
    voices.speak(100, &[(0, -127), (1, -20), (2, -25), (3, -30)]);
    assert_eq!(voices.forwarded(), [1, 2, 3]);
}

#[test]
fn a_voice_that_is_about_as_loud_displaces_nobody() {
    let mut voices = Voices::new();
    voices.speak(2_000, &[(0, -30), (1, -30), (2, -30), (3, -28)]);
    assert_eq!(voices.forwarded(), [0, 1, 2]);
    voices.speak(2_000, &[(0, -30), (1, -30), (2, -30), (3, -15)]);
    let forwarded = voices.forwarded();
    assert!(forwarded.contains(&3), "{forwarded:?}");
    assert_eq!(forwarded.len(), limits::LOUDEST);
}

#[test]
fn who_falls_silent_is_said_once_and_after_a_while() {
    let mut voices = Voices::new();
    assert_eq!(voices.speak(500, &[(0, -20)]), [0u32; 0]);
    assert_eq!(voices.speaking(), [0]);
    let hold = limits::SPEAKING_HOLD_MS;
    assert_eq!(voices.speak(hold - 100, &[(0, -127)]), [0u32; 0], "held");
    assert_eq!(voices.speak(1_000, &[(0, -127)]), [0]);
    assert_eq!(voices.speak(1_000, &[(0, -127)]), [0u32; 0]);
    assert_eq!(voices.speaking(), [0u32; 0]);
}

#[test]
fn a_pause_between_two_words_is_no_silence() {
    let mut voices = Voices::new();
    for _ in 0..10 {
        assert_eq!(voices.speak(400, &[(0, -20)]), [0u32; 0]);
        assert_eq!(voices.speak(200, &[(0, -127)]), [0u32; 0]);
    }
}

#[test]
fn without_levels_the_size_of_packets_tells() {
    let mut loudest = Loudest::default();
    for ms in 0..20 {
        loudest.heard(Millis(ms * 20), PeerIndex(0), None, 80);
        loudest.heard(Millis(ms * 20), PeerIndex(1), None, 3);
    }
    let speaking: Vec<_> = loudest.speaking().collect();
    assert_eq!(speaking, [PeerIndex(0)]);
}
