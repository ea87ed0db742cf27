//! Replays the fuzz corpus, and small changes of it that are the same in every run.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a panic in test code is the report"
)]

use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, Once};

use rookery_tests::fuzz::{TARGETS, session_id};

/// Changed copies of each file.
const MUTATIONS: usize = 400;

/// A generator of numbers (xorshift64*): the same from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// Pieces that readers of text stumble over.
const PIECES: [&[u8]; 20] = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xf0\x9f\x98\x80",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"\\",
    b"{",
    b"[",
    b"]",
    b"}",
    b".",
    b"=",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"null",
    b" ",
    b":",
];

/// A changed copy of `bytes`.
fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(changed.len() + 1);
        let end = (at + random.below(16)).min(changed.len());
        match random.below(6) {
            0 if at < changed.len() => changed[at] ^= 1 << random.below(8),
            1 => drop(changed.drain(at..end)),
            2 => {
                let copy = changed[at..end].to_vec();
                changed.splice(at..at, copy);
            }
            3 => changed.truncate(at),
            4 => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(64)).min(other.len());
                changed.splice(at..end, other[from..to].to_vec());
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                changed.splice(at..at, piece.iter().copied());
            }
        }
    }
    changed
}

/// Panics of all threads: some of a target's work is done on others, which survive theirs.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn run(target: &str, run: fn(&[u8]), bytes: &[u8], from: &str) {
    static HOOK: Once = Once::new();
    // One at a time, since a panic does not say which input it is of.
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Relaxed);
            before(panic);
        }));
    });
    let before = PANICS.load(Relaxed);
    if catch_unwind(|| run(bytes)).is_err() || PANICS.load(Relaxed) != before {
        drop(alone);
        panic!("{target} fails on {from}: {}", bytes.escape_ascii());
    }
}

#[test]
fn every_input_of_the_corpus_and_its_mutations_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, function) in TARGETS {
        let folder = std::fs::read_dir(corpus.join(target)).expect("a corpus");
        let mut files: Vec<_> = folder
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        assert!(files.len() >= 5, "hardly any corpus for {target}");
        let read = |path: &Path| std::fs::read(path).expect("a file");
        let inputs: Vec<Vec<u8>> = files.iter().map(|path| read(path)).collect();
        for (n, input) in inputs.iter().enumerate() {
            let name = files[n].display().to_string();
            run(target, function, input, &name);
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (n as u64 + 1));
            for _ in 0..MUTATIONS {
                let other = &inputs[random.below(inputs.len())];
                run(target, function, &mutate(input, other, &mut random), &name);
            }
        }
    }
}

#[test]
fn a_failure_would_be_seen() {
    let failing = |bytes: &[u8]| assert!(!bytes.starts_with(b"x"));
    assert!(catch_unwind(|| run("failing", failing, b"x", "here")).is_err());
    let elsewhere = |bytes: &[u8]| {
        let is_bad = bytes.starts_with(b"x");
        let thread = std::thread::spawn(move || assert!(!is_bad));
        let _ = thread.join();
    };
    assert!(catch_unwind(|| run("elsewhere", elsewhere, b"x", "here")).is_err());
    run("elsewhere", elsewhere, b"y", "here");
    run("session_id", session_id, b"x", "here");
}
