//! The nodes.

use ratatui::layout::Rect;
use rookery_protocol::inspect::{NodeRow, Silent};

use super::look::Tone;
use super::nothing;
use super::pen::{Pen, Piece};
use super::table::{Column, Row, number, plain, table, text};
use super::text::{age, bytes, count, nanos, percent, rate_or_dash};
use crate::console::state::{Console, Entry, entries};

const COLUMNS: [Column; 14] = [
    text("NODE", 0),
    text("STATE", 8),
    number("UP FOR", 7),
    text("VERSION", 10).from(110),
    number("SHARDS", 6),
    number("ACTORS", 6),
    number("WAITING", 7),
    number("MEMORY", 8).from(100),
    number("CPU", 6).from(100),
    number("MSG/S", 6).from(110),
    number("COMMIT/S", 8),
    number("COMMIT", 7),
    text("LINKS", 6),
    number("WARN", 4).from(84),
];

/// Draws them.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let feed = &console.feeds.nodes;
    let entries = feed.data.as_ref().map(entries).unwrap_or_default();
    if entries.is_empty() {
        nothing(pen, area, feed.at.is_some(), "no nodes");
        return;
    }
    let names: Vec<_> = entries
        .iter()
        .map(|entry| entry.name().to_owned())
        .collect();
    let chosen = console.nodes.cursor.index(&names);
    table(pen, area, &COLUMNS, entries.len(), chosen, |index| {
        let row = match entries[index] {
            Entry::Up(row) => row,
            Entry::Silent(silent) => return silent_row(silent),
        };
        let rate = console.rates.of(&row.node);
        Row::Cells(vec![
            plain(&*row.node),
            state_cell(row),
            plain(age(row.uptime_ms)),
            plain(&*row.version),
            plain(row.shards.to_string()),
            plain(count(row.users + row.groups + row.rooms)),
            plain(count(row.depth)),
            plain(bytes(row.memory_bytes)),
            plain(rate.map_or("-".to_owned(), |rate| percent(rate.cpu))),
            plain(rate_or_dash(rate.map(|rate| rate.handled))),
            plain(rate_or_dash(rate.map(|rate| rate.commits))),
            plain(nanos(row.commit.last_ns)),
            links_cell(row),
            plain(count(row.warnings)),
        ])
    });
}

/// How a node is.
pub(super) fn state_cell(row: &NodeRow) -> Piece {
    let tone = match &*row.state {
        "up" | "alone" => Tone::Good,
        "joining" | "draining" => Tone::Warn,
        _ => Tone::Bad,
    };
    (row.state.clone(), tone)
}

/// The row of a node that does not answer.
pub(super) fn silent_row(silent: &Silent) -> Row {
    Row::Across(vec![
        (format!("{}  ", silent.node), Tone::Plain),
        (format!("DOES NOT ANSWER: {}", silent.why), Tone::Bad),
    ])
}

fn links_cell(row: &NodeRow) -> Piece {
    let up = row.links.iter().filter(|link| link.is_up).count();
    if up == row.links.len() {
        plain(format!("{up} up"))
    } else {
        (format!("{up} of {}", row.links.len()), Tone::Bad)
    }
}
