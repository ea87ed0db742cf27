//! Whole clusters under faults, by seed: the real member, lane and machine over a simulated database and network.
//!
//! `./tests/run sim --seeds N` runs the seeds from 0 on, `--seed S` one of them with its trace. The same seed is the same
//! run: one order of events, no clock, no threads, no order of hashing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a panic in a test is the report"
)]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a test is read from its beginning"
)]

mod broken;
mod clients;
mod database;
mod entity;
mod listeners;
mod network;
mod node;
mod oracles;
mod packet;
mod plan;
mod process;
mod random;
mod sessions;
mod tubes;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use self::broken::Broken;
use self::world::{Run, run};

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// Runs seeds on all cores until one fails; the smallest that was found to fail.
fn search(seeds: u64, broken: Option<Broken>, each: impl Fn(Run) + Sync) -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let found: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds || found.lock().unwrap().is_some() {
                        return;
                    }
                    match run(seed, broken, false) {
                        Ok(run) => each(run),
                        Err(failure) => {
                            let mut found = found.lock().unwrap();
                            if found.as_ref().is_none_or(|(other, _)| seed < *other) {
                                *found = Some((seed, failure.what));
                            }
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Runs a seed with its trace, and says how it ended.
fn replay(seed: u64, broken: Option<Broken>) -> Option<String> {
    let failure = run(seed, broken, true).err()?;
    for line in &failure.trace {
        println!("{line}");
    }
    println!("seed {seed}: {}", failure.what);
    Some(failure.what)
}

#[test]
fn a_cluster_keeps_its_promises_whatever_fails() {
    if let Some(seed) = variable("ROOKERY_SEED") {
        assert_eq!(replay(seed, None), None, "seed {seed}");
        return;
    }
    let seeds = variable("ROOKERY_SEEDS").unwrap_or(300);
    let (runs, answered, events, begun, steps, slowest) = Default::default();
    let sums: [&AtomicU64; 6] = [&runs, &answered, &events, &begun, &steps, &slowest];
    let failed = search(seeds, None, |run| {
        let of_run = [1, run.answered, run.events, run.incarnations, run.steps, 0];
        for (sum, of_run) in sums.iter().zip(of_run) {
            sum.fetch_add(of_run, Relaxed);
        }
        slowest.fetch_max(run.recovered_ms, Relaxed);
    });
    let [runs, answered, events, begun, steps, slowest] = sums.map(|sum| sum.load(Relaxed));
    println!(
        "{runs} seeds: {answered} operations answered, {events} events, {begun} incarnations, {steps} steps; \
         the slowest recovery took {slowest} ms"
    );
    if let Some((seed, _)) = failed {
        let what = replay(seed, None);
        panic!("seed {seed}: {what:?}; again with ./tests/run sim --seed {seed}");
    }
    // It is no proof if nothing happened.
    assert!(
        answered > runs * 20 && begun > runs,
        "the clusters did next to nothing"
    );
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        let lines = || match run(seed, Some(Broken::SkipFence), true) {
            Ok(run) => vec![format!("{run:?}")],
            Err(failure) => failure.trace,
        };
        let (once, again) = (lines(), lines());
        let different = once.iter().zip(&again).find(|(once, again)| once != again);
        assert_eq!(different, None, "seed {seed}");
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

/// Seeds that must be enough to notice a broken rule.
const ENOUGH: u64 = 4_000;

#[test]
fn every_broken_rule_is_noticed() {
    let mut unnoticed = Vec::new();
    for broken in Broken::ALL {
        match search(ENOUGH, Some(broken), |_| {}) {
            Some((seed, what)) => println!("{broken:?} is noticed by seed {seed}: {what}"),
            None => unnoticed.push(broken),
        }
    }
    assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
}
