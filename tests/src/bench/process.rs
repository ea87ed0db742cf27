//! Processes under measurement: their core, and the CPU time they used.

use std::ops::{Add, Sub};
use std::process::Command;
use std::time::Duration;

/// CPU time of a process, user and system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cpu(Duration);

impl Cpu {
    /// What a process has used so far, in the kernel's ticks of 10 ms.
    pub fn of(pid: u32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a live process");
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |n: usize| fields[n].parse::<u64>().expect("ticks");
        Self(Duration::from_millis(10 * (ticks(11) + ticks(12))))
    }

    /// In microseconds.
    pub fn micros(self) -> f64 {
        self.0.as_secs_f64() * 1e6
    }
}

impl Add for Cpu {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Cpu {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// Moves this process to the last core, so that servers have the first to themselves. Starts itself again for that; does
/// nothing on a machine with one core.
pub fn pin_generator() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 || std::env::var_os("ROOKERY_BENCH_PINNED").is_some() {
        return;
    }
    let own = std::env::current_exe().expect("own executable");
    let status = Command::new("taskset")
        .args(["-c", &(cores - 1).to_string()])
        .arg(own)
        .args(std::env::args().skip(1))
        .env("ROOKERY_BENCH_PINNED", "1")
        .status();
    match status {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => println!("not pinned to a core, figures will be noisy: taskset: {error}"),
    }
}

/// What to put in front of a server's command to give it the first core.
pub fn server_pin() -> Vec<String> {
    let pinned = std::env::var_os("ROOKERY_BENCH_PINNED").is_some();
    let words: &[&str] = if pinned { &["taskset", "-c", "0"] } else { &[] };
    words.iter().map(|&word| word.to_owned()).collect()
}
