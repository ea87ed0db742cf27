//! The cluster at a glance.

use ratatui::layout::Rect;
use rookery_protocol::inspect::Nodes;

use super::look::Tone;
use super::nodes::{silent_row, state_cell};
use super::pen::Pen;
use super::table::{Column, Row, number, plain, table, text as text_column};
use super::text::{bytes, count, nanos, percent, rate_or_dash};
use super::{nothing, split, warnings};
use crate::console::state::{Console, Entry, entries};

const COLUMNS: [Column; 9] = [
    text_column("NODE", 0),
    text_column("STATE", 8),
    number("MEMORY", 8),
    number("CPU", 6),
    number("SESSIONS", 8),
    number("MSG/S", 6),
    number("DELIV/S", 7),
    number("COMMIT", 7),
    number("WARN", 4),
];

/// Draws it.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let Some(nodes) = &console.feeds.nodes.data else {
        return;
    };
    let entries = entries(nodes);
    let rows = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    let rows = rows
        .min(area.height.saturating_sub(10).max(2))
        .saturating_add(1);
    let [totals, list, _, below] = split(area, [6, rows, 1, area.height]);
    draw_totals(console, nodes, pen, totals);
    let names: Vec<_> = entries
        .iter()
        .map(|entry| entry.name().to_owned())
        .collect();
    let chosen = console.nodes.cursor.index(&names);
    table(pen, list, &COLUMNS, entries.len(), chosen, |index| {
        let row = match entries[index] {
            Entry::Up(row) => row,
            Entry::Silent(silent) => return silent_row(silent),
        };
        let rate = console.rates.of(&row.node);
        let warned = if row.warnings > 0 {
            Tone::Warn
        } else {
            Tone::Plain
        };
        Row::Cells(vec![
            plain(&*row.node),
            state_cell(row),
            plain(bytes(row.memory_bytes)),
            plain(rate.map_or("-".to_owned(), |rate| percent(rate.cpu))),
            plain(count(row.sessions)),
            plain(rate_or_dash(rate.map(|rate| rate.handled))),
            plain(rate_or_dash(rate.map(|rate| rate.deliveries))),
            plain(nanos(row.commit.last_ns)),
            (count(row.warnings), warned),
        ])
    });
    let feed = &console.feeds.warnings;
    let found = feed.data.as_ref().map(|it| it.warnings.as_slice());
    let found = found.unwrap_or_default();
    if found.is_empty() {
        nothing(
            pen,
            below,
            feed.at.is_some(),
            "no warnings in the last minute",
        );
    } else {
        warnings::newest(console, found, pen, below);
    }
}

fn draw_totals(console: &Console, nodes: &Nodes, pen: &mut Pen<'_>, area: Rect) {
    let sum = |of: fn(&rookery_protocol::inspect::NodeRow) -> u64| -> u64 {
        nodes.nodes.iter().map(of).fold(0, u64::saturating_add)
    };
    let rate = console.rates.total(nodes);
    let mut head = vec![(format!("{} nodes answer", nodes.nodes.len()), Tone::Title)];
    if !nodes.silent.is_empty() {
        head.push((", ".to_owned(), Tone::Plain));
        let silent = nodes.silent.len();
        head.push((format!("{silent} DO NOT"), Tone::Bad));
    }
    pen.pieces(area, 0, &head);
    let lines = [
        format!(
            "sessions {}   accounts {}   groups {}   rooms {} with {} people",
            count(sum(|row| row.sessions)),
            count(sum(|row| row.users)),
            count(sum(|row| row.groups)),
            count(sum(|row| row.rooms)),
            count(sum(|row| row.speakers)),
        ),
        format!(
            "messages/s {}   deliveries/s {}   commits/s {}   messages waiting {}",
            rate_or_dash(rate.map(|rate| rate.handled)),
            rate_or_dash(rate.map(|rate| rate.deliveries)),
            rate_or_dash(rate.map(|rate| rate.commits)),
            count(sum(|row| row.depth)),
        ),
        format!(
            "memory {}   processors {}   units to be committed {}",
            bytes(sum(|row| row.memory_bytes)),
            rate.map_or("-".to_owned(), |rate| percent(rate.cpu)),
            count(sum(|row| row.commit.outstanding)),
        ),
    ];
    for (line, y) in lines.iter().zip(1..) {
        pen.put(area, (0, y), line, Tone::Plain);
    }
    let after = pen.put(area, (0, 4), "messages/s so far ", Tone::Plain);
    let bars = bars(console, pen.look.steps());
    pen.put(area, (after, 4), &bars, Tone::Good);
}

/// A bar for each sample, the highest being the most.
fn bars(console: &Console, steps: &[char]) -> String {
    let most = console.rates.history().max().unwrap_or(0).max(1);
    let top = steps.len() as u64 - 1;
    let bar = |sample: u64| {
        let step = sample.saturating_mul(top).div_ceil(most).min(top);
        usize::try_from(step).map_or(' ', |step| steps[step])
    };
    console.rates.history().map(bar).collect()
}
