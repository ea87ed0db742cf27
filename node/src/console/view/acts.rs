//! What operators did.

use ratatui::layout::Rect;
use rookery_protocol::inspect::ActRecord;

use super::look::Tone;
use super::pen::{Pen, Piece};
use super::table::{Column, Row, number, plain, table, text};
use super::text::{age, wrap};
use super::{nothing, split};
use crate::console::state::Console;

/// Lines for the whole of an act.
const WHOLE: u16 = 4;

const COLUMNS: [Column; 5] = [
    number("AGO", 6),
    text("BY", 14),
    text("ASKED", 8).from(100),
    text("WHAT", 0),
    text("OUTCOME", 36).from(100),
];

/// Draws them.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let feed = &console.feeds.acts;
    let Some(acts) = &feed.data else { return };
    if acts.is_empty() {
        nothing(pen, area, true, "nothing was done yet");
        return;
    }
    let [list, whole] = split(area, [area.height.saturating_sub(WHOLE), WHOLE]);
    let keys = console.acts.keys(feed.data.as_ref());
    let chosen = console.acts.cursor.index(&keys);
    table(pen, list, &COLUMNS, acts.len(), chosen, |index| {
        row(console, &acts[index])
    });
    if let Some(record) = chosen.map(|index| &acts[index]) {
        draw_whole(console, record, pen, whole);
    }
}

fn draw_whole(console: &Console, record: &ActRecord, pen: &mut Pen<'_>, area: Rect) {
    let ActRecord { act, by, node, .. } = record;
    let ago = age(console.now.0.saturating_sub(record.at_ms));
    let title = format!("{act}: by {by} at {node}, {ago} ago");
    pen.put(area, (0, 0), &title, Tone::Title);
    let (outcome, tone) = outcome(record);
    for (line, y) in wrap(&outcome, area.width.into()).iter().zip(1..) {
        pen.put(area, (0, y), line, tone);
    }
}

fn row(console: &Console, record: &ActRecord) -> Row {
    let (_, tone) = outcome(record);
    Row::Cells(vec![
        plain(age(console.now.0.saturating_sub(record.at_ms))),
        plain(&*record.by),
        plain(&*record.node),
        (record.act.to_string(), tone),
        outcome(record),
    ])
}

fn outcome(record: &ActRecord) -> Piece {
    match &record.outcome {
        Some(outcome) if outcome.starts_with("refused") => (outcome.clone(), Tone::Bad),
        Some(outcome) => plain(&**outcome),
        None => (
            "not known: it is under way, or its node ended before it was over".to_owned(),
            Tone::Warn,
        ),
    }
}
