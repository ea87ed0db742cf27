//! Figures in few letters, and text that is safe to show.

use ratatui::text::Span;

/// Without what would move the cursor or turn the direction of writing: names come from people.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if is_foul(letter) { ' ' } else { letter })
        .collect()
}

/// Whether a letter does something else than being seen.
pub fn is_foul(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Lines of at most so many columns, broken between words where that is possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            let mut buffer = [0; 4];
            if !line.is_empty() && width(&line) + width(letter.encode_utf8(&mut buffer)) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `12 s`, `3 min`, `4 h`, `5 d`, of milliseconds.
pub fn age(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `800 us`, `1.2 ms`, `3.4 s`, of microseconds.
pub fn micros(us: u64) -> String {
    match us {
        0..=999 => format!("{us} us"),
        1_000..=999_999 => format!("{} ms", short(us as f64 / 1_000.0)),
        _ => format!("{} s", short(us as f64 / 1_000_000.0)),
    }
}

/// The same, of nanoseconds.
pub fn nanos(ns: u64) -> String {
    micros(ns / 1_000)
}

/// `512 B`, `1.2 KiB`, `34 MiB`, `5.6 GiB`.
pub fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// `900 b/s`, `1.2 Mb/s`.
pub fn bits(bps: u64) -> String {
    scaled(bps as f64, 1_000.0, &["b/s", "kb/s", "Mb/s", "Gb/s"])
}

/// `12345`, `123k`, `12M`.
pub fn count(number: u64) -> String {
    match number {
        0..=99_999 => number.to_string(),
        100_000..=99_999_999 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// A number of a second: `0`, `3.4`, `120`, `12k`.
pub fn rate(per_second: f64) -> String {
    if per_second >= 100_000.0 {
        format!("{:.0}k", per_second / 1_000.0)
    } else {
        short(per_second)
    }
}

/// The same if it is known.
pub fn rate_or_dash(per_second: Option<f64>) -> String {
    per_second.map_or_else(|| "-".to_owned(), rate)
}

/// A share in percent: `3.4 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut units = units.iter().peekable();
    while let Some(unit) = units.next() {
        if number < step || units.peek().is_none() {
            return format!("{} {unit}", short(number));
        }
        number /= step;
    }
    String::new()
}

/// Two or three digits that count.
fn short(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else if number < 9.95 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}
