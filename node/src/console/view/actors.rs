//! The busiest actors.

use ratatui::layout::Rect;

use super::look::Tone;
use super::pen::Pen;
use super::table::{Column, Row, number, plain, table, text};
use super::text::{age, count, nanos, percent, rate};
use super::{nothing, silent_lines, split};
use crate::console::state::{Console, LIMIT};

const COLUMNS: [Column; 10] = [
    text("ACTOR", 0),
    text("NODE", 8),
    number("BUSY", 6),
    number("WAITING", 7),
    number("WAIT", 7),
    number("MSG/S", 6),
    number("RESTARTS", 8),
    number("SLOWEST", 7).from(100),
    text("WHICH WAS", 16).from(110),
    number("ACTIVE", 6).from(120),
];

/// Draws them.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let [filter, rest] = split(area, [1, area.height]);
    draw_filter(console, pen, filter);
    let Some(top) = &console.feeds.top.data else {
        return;
    };
    let rest = silent_lines(pen, rest, &top.silent);
    let rows = console.actors.rows(top);
    if rows.is_empty() {
        let text = if console.actors.filter.is_empty() {
            "no actor is active"
        } else {
            "none of these; Enter on a whole address such as group/123 opens it all the same"
        };
        nothing(pen, rest, true, text);
        return;
    }
    let keys: Vec<_> = rows.iter().map(|row| row.actor).collect();
    let chosen = console.actors.cursor.index(&keys);
    table(pen, rest, &COLUMNS, rows.len(), chosen, |index| {
        let row = rows[index];
        let restarts = match row.restarts {
            0 => Tone::Plain,
            _ => Tone::Warn,
        };
        Row::Cells(vec![
            plain(row.actor.to_string()),
            plain(&*row.node),
            plain(percent(row.busy)),
            plain(count(row.depth)),
            plain(nanos(millis_to_nanos(row.wait_ms))),
            plain(rate(row.per_second)),
            (count(row.restarts), restarts),
            plain(nanos(row.slowest_ns)),
            plain(&*row.slowest_kind),
            plain(age(console.now.0.saturating_sub(row.last_active_ms))),
        ])
    });
}

/// Not negative, and not beyond what a figure shows.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
pub(super) fn millis_to_nanos(ms: f64) -> u64 {
    (ms * 1_000_000.0) as u64
}

fn draw_filter(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let actors = &console.actors;
    let kind = actors.kind.map_or("all", |kind| kind.name());
    let node = actors.node.as_deref().unwrap_or("all");
    let mut pieces = vec![
        plain("sort "),
        (actors.sort.name().to_owned(), Tone::Title),
        plain("  kind "),
        (kind.to_owned(), Tone::Title),
        plain("  node "),
        (node.to_owned(), Tone::Title),
    ];
    if actors.is_typing || !actors.filter.is_empty() {
        pieces.push(plain("  filter "));
        pieces.push((actors.filter.clone(), Tone::Title));
    }
    if actors.is_typing {
        pieces.push(("_".to_owned(), Tone::Chosen));
    }
    pen.pieces(area, 0, &pieces);
    if let Some(top) = &console.feeds.top.data
        && !actors.is_typing
    {
        let is_cut = top.actors.len() as u64 >= u64::from(LIMIT);
        let busiest = if is_cut { "busiest " } else { "" };
        let shown = actors.rows(top).len();
        let text = format!("  {shown} {busiest}of {} active", count(top.active));
        pen.put_right(area, 0, &text, Tone::Plain);
    }
}
