//! What nodes warn of.

use ratatui::layout::Rect;
use rookery_protocol::inspect::{Warning, WarningKind};

use super::look::Tone;
use super::pen::Pen;
use super::table::{Column, Row, number, plain, table, text};
use super::text::{age, wrap};
use super::{nothing, silent_lines, split};
use crate::console::state::Console;

/// Lines for the whole of a warning.
const WHOLE: u16 = 4;

const COLUMNS: [Column; 5] = [
    number("AGO", 6),
    text("KIND", 12),
    text("NODE", 8),
    text("ACTOR", 26).from(100),
    text("WHAT", 0),
];

/// Draws them.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let feed = &console.feeds.warnings;
    let Some(data) = &feed.data else { return };
    let area = silent_lines(pen, area, &data.silent);
    let [list, whole, counts] = split(area, [area.height.saturating_sub(WHOLE + 2), WHOLE, 2]);
    if data.warnings.is_empty() {
        nothing(pen, list, true, "no warnings in the last minute");
    } else {
        let keys = console.warnings.keys(feed.data.as_ref());
        let chosen = console.warnings.cursor.index(&keys);
        table(pen, list, &COLUMNS, data.warnings.len(), chosen, |index| {
            row(console, &data.warnings[index])
        });
        if let Some(warning) = chosen.map(|index| &data.warnings[index]) {
            draw_whole(console, warning, pen, whole);
        }
    }
    let seen = data.counts.iter().filter(|(_, times)| **times > 0);
    let seen: Vec<_> = seen
        .map(|(kind, times)| format!("{kind} {times}"))
        .collect();
    let text = match seen.as_slice() {
        [] => "none since the nodes were started".to_owned(),
        seen => format!("since the nodes were started: {}", seen.join(", ")),
    };
    for (line, y) in wrap(&text, counts.width.into()).iter().zip(0..) {
        pen.put(counts, (0, y), line, Tone::Dim);
    }
}

fn draw_whole(console: &Console, warning: &Warning, pen: &mut Pen<'_>, area: Rect) {
    let actor = warning.actor.map(|actor| format!(" {actor}"));
    let since = age(console.now.0.saturating_sub(warning.since_ms));
    let title = format!(
        "{} at {}{}, since {since}",
        warning.kind.name(),
        warning.node,
        actor.unwrap_or_default()
    );
    pen.put(area, (0, 0), &title, Tone::Title);
    for (line, y) in wrap(&warning.what, area.width.into()).iter().zip(1..) {
        pen.put(area, (0, y), line, Tone::Plain);
    }
}

/// The first ones, for the overview.
pub(super) fn newest(console: &Console, found: &[Warning], pen: &mut Pen<'_>, area: Rect) {
    table(pen, area, &COLUMNS, found.len(), None, |index| {
        row(console, &found[index])
    });
}

fn row(console: &Console, warning: &Warning) -> Row {
    let actor = warning.actor.map(|actor| actor.to_string());
    Row::Cells(vec![
        plain(age(console.now.0.saturating_sub(warning.last_ms))),
        (warning.kind.name().to_owned(), tone(warning.kind)),
        plain(&*warning.node),
        plain(actor.unwrap_or_else(|| "-".to_owned())),
        plain(&*warning.what),
    ])
}

fn tone(kind: WarningKind) -> Tone {
    match kind {
        WarningKind::RestartLoop
        | WarningKind::ActiveTwice
        | WarningKind::LinkDown
        | WarningKind::Silent => Tone::Bad,
        _ => Tone::Warn,
    }
}
