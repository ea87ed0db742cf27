//! How far a long command is: a bar that moves on a terminal, and a line now and then for everything else.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use rookery_protocol::archive::grouped;

/// How often the bar moves.
const ON_TERMINAL: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const IN_LOG: Duration = Duration::from_secs(10);
/// Characters of the bar.
const BAR: usize = 20;

/// What has been done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of what there is to do, in a unit that only this and `of` share.
    pub done: u64,
    /// What there is to do; may turn out to be more, 0 when nobody knows.
    pub of: u64,
    /// Rows.
    pub rows: u64,
    /// Files, which come when all rows have.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Shows a tally that rises, on stderr.
pub struct Progress {
    what: &'static str,
    started: Instant,
    shown: Instant,
    is_terminal: bool,
    is_dirty: bool,
}

impl Progress {
    /// Shows nothing yet.
    pub fn new(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            started: now,
            shown: now,
            is_terminal: std::io::stderr().is_terminal(),
            is_dirty: false,
        }
    }

    /// Shows where things are, if that was last done a while ago.
    pub fn show(&mut self, tally: Tally) {
        let pause = if self.is_terminal {
            ON_TERMINAL
        } else {
            IN_LOG
        };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let line = line(self.what, tally, self.started.elapsed(), self.is_terminal);
        let mut stderr = std::io::stderr().lock();
        // Nobody reads it: no reason to end.
        let _ = if self.is_terminal {
            self.is_dirty = true;
            write!(stderr, "\r\x1b[2K{line}")
        } else {
            writeln!(stderr, "{line}")
        };
        let _ = stderr.flush();
    }
}

impl Drop for Progress {
    /// Leaves an empty line for what is said next.
    fn drop(&mut self) {
        if self.is_dirty {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[2K");
            let _ = stderr.flush();
        }
    }
}

fn line(what: &str, tally: Tally, elapsed: Duration, has_bar: bool) -> String {
    let Tally {
        done,
        of,
        rows,
        files,
        bytes,
    } = tally;
    let mut line = what.to_owned();
    if of > 0 {
        let done = done.min(of);
        // What is estimated is never said to be done.
        let percent = u128::from(done) * 100 / u128::from(of);
        if has_bar {
            let full = usize::try_from(percent).unwrap_or(0) * BAR / 100;
            let bar = format!("{}{}", "#".repeat(full), "-".repeat(BAR - full));
            line = format!("{line} [{bar}]");
        }
        line = format!("{line} {percent:>3} %");
    }
    let seconds = elapsed.as_secs();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rate for people"
    )]
    let rate = (rows as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
    let what = match files {
        0 => format!("{} rows/s", grouped(rate)),
        files => format!("{} files", grouped(files)),
    };
    let (rows, bytes) = (grouped(rows), size(bytes));
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{line}  {rows} rows  {what}  {bytes}  {minutes}:{seconds:02}")
}

/// Bytes for people, with one decimal.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut scale = 1_000;
    while bytes / scale >= 1_000 && unit + 1 < UNITS.len() {
        scale *= 1_000;
        unit += 1;
    }
    let tenths = bytes / (scale / 10);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_much() {
        let tally = Tally {
            done: 1_234_567,
            of: 2_500_000,
            rows: 1_234_567,
            files: 0,
            bytes: 1_250_000_000,
        };
        let elapsed = Duration::from_secs(70);
        assert_eq!(
            line("backup", tally, elapsed, true),
            "backup [#########-----------]  49 %  1,234,567 rows  17,636 rows/s  1.2 GB  1:10"
        );
        assert_eq!(
            line("backup", tally, elapsed, false),
            "backup  49 %  1,234,567 rows  17,636 rows/s  1.2 GB  1:10"
        );
        let with_files = Tally {
            of: 0,
            files: 2_000,
            ..tally
        };
        assert_eq!(
            line("backup", with_files, elapsed, true),
            "backup  1,234,567 rows  2,000 files  1.2 GB  1:10"
        );
    }

    #[test]
    fn an_estimate_that_was_too_low_or_is_not_there_does_no_harm() {
        let tally = |done, of| Tally {
            done,
            of,
            rows: done,
            files: 0,
            bytes: 0,
        };
        let none = Duration::ZERO;
        assert!(line("x", tally(7, 3), none, true).starts_with("x [####################] 100 %"));
        assert!(line("x", tally(0, 0), none, true).starts_with("x  0 rows  0 rows/s  0 B"));
    }

    #[test]
    fn sizes_are_for_people() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (12_345_678_901, "12.3 GB"),
            (u64::MAX, "18446.7 PB"),
        ];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected);
        }
    }
}
