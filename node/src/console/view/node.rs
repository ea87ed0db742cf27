//! One node.

use ratatui::layout::Rect;
use rookery_protocol::inspect::{KindRow, LinkRow, NodeRow};

use super::look::Tone;
use super::nodes::state_cell;
use super::pen::{Pen, Piece};
use super::table::plain;
use super::text::{age, bytes, count, micros, nanos, percent, rate_or_dash};
use crate::console::state::{Console, Entry, Rate, entries};

/// Draws the one that is looked at.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let name = console.nodes.detail.as_deref().unwrap_or_default();
    let Some(nodes) = &console.feeds.nodes.data else {
        return;
    };
    let entry = entries(nodes).into_iter().find(|it| it.name() == name);
    let lines = match entry {
        Some(Entry::Up(row)) => lines(row, console.rates.of(name)),
        Some(Entry::Silent(silent)) => vec![
            vec![(format!("node {name}"), Tone::Title)],
            vec![(format!("DOES NOT ANSWER: {}", silent.why), Tone::Bad)],
            vec![plain("It is down, or cut off from the node that is asked.")],
        ],
        None => vec![
            vec![(format!("node {name}"), Tone::Title)],
            vec![("is not in the cluster any more".to_owned(), Tone::Bad)],
        ],
    };
    let height = usize::from(area.height);
    let first = console.nodes.scroll.min(lines.len().saturating_sub(height));
    for (line, y) in lines.iter().skip(first).take(height).zip(0..) {
        pen.pieces(area, y, line);
    }
    let below = lines.len().saturating_sub(first + height);
    if below > 0 {
        let text = format!(" {below} lines below: j ");
        pen.put_right(area, area.height.saturating_sub(1), &text, Tone::Chosen);
    }
}

fn lines(row: &NodeRow, rate: Option<Rate>) -> Vec<Vec<Piece>> {
    let commit = row.commit;
    let mut lines = vec![
        vec![
            (format!("node {}  ", row.node), Tone::Title),
            state_cell(row),
            plain(format!(
                "  up for {}   version {}   run {}",
                age(row.uptime_ms),
                row.version,
                row.incarnation
            )),
        ],
        vec![plain(format!("clients reach it at {}", row.address))],
        vec![plain(format!(
            "shards {}   accounts {}   groups {}   rooms {} with {} people   sessions {}",
            row.shards,
            count(row.users),
            count(row.groups),
            count(row.rooms),
            count(row.speakers),
            count(row.sessions)
        ))],
        vec![plain(format!(
            "messages/s {}   deliveries/s {}   waiting {}   warnings {}",
            rate_or_dash(rate.map(|rate| rate.handled)),
            rate_or_dash(rate.map(|rate| rate.deliveries)),
            count(row.depth),
            count(row.warnings)
        ))],
        vec![plain(format!(
            "memory {}   cpu {}   open files and sockets {}",
            bytes(row.memory_bytes),
            rate.map_or("-".to_owned(), |rate| percent(rate.cpu)),
            row.open_files
        ))],
        vec![
            plain(format!(
                "commits/s {}   last {}   slowest {}   units waiting {}   units/commit {}",
                rate_or_dash(rate.map(|rate| rate.commits)),
                nanos(commit.last_ns),
                nanos(commit.slowest_ns),
                count(commit.outstanding),
                units_per_commit(commit.units, commit.commits)
            )),
            match commit.unknown {
                0 => plain(""),
                unknown => (format!("   asked after {unknown}"), Tone::Warn),
            },
        ],
        vec![],
    ];
    let columns = "MESSAGES OF           HANDLED  WAIT p50   WAIT p99   HANDLE p50 HANDLE p99";
    lines.push(vec![(columns.to_owned(), Tone::Title)]);
    lines.extend(row.kinds.iter().map(kind_line));
    lines.push(vec![]);
    if row.links.is_empty() {
        lines.push(vec![(
            "no links: there are no other nodes".to_owned(),
            Tone::Dim,
        )]);
    } else {
        let columns = "LINK TO               STATE    QUEUED      SENT    RECEIVED DROPPED  LINKS";
        lines.push(vec![(columns.to_owned(), Tone::Title)]);
        lines.extend(row.links.iter().map(link_line));
    }
    lines
}

fn units_per_commit(units: u64, commits: u64) -> String {
    match commits {
        0 => "-".to_owned(),
        _ => format!("{:.1}", units as f64 / commits as f64),
    }
}

/// Cut to a column; the whole is in the warnings and the metrics.
fn column(text: &str) -> String {
    let text: String = text.chars().take(20).collect();
    format!("{text:<20}")
}

fn kind_line(row: &KindRow) -> Vec<Piece> {
    let slow = |us: u64, from: u64| match us >= from {
        true => (format!(" {:>9}!", micros(us)), Tone::Warn),
        false => plain(format!(" {:>9} ", micros(us))),
    };
    vec![
        plain(column(&format!("{} {}", row.actor, row.kind))),
        plain(format!(" {:>8} ", count(row.count))),
        plain(format!(" {:>9} ", micros(row.wait_p50_us))),
        slow(row.wait_p99_us, 100_000),
        plain(format!(" {:>9} ", micros(row.handle_p50_us))),
        slow(row.handle_p99_us, 50_000),
    ]
}

fn link_line(row: &LinkRow) -> Vec<Piece> {
    vec![
        plain(column(&row.peer)),
        match row.is_up {
            true => ("  up    ".to_owned(), Tone::Good),
            false => ("  DOWN  ".to_owned(), Tone::Bad),
        },
        plain(format!(
            " {:>8} {:>9} {:>11}",
            bytes(row.queued_bytes),
            count(row.sent),
            count(row.received)
        )),
        (
            format!(" {:>7}", count(row.dropped)),
            match row.dropped {
                0 => Tone::Plain,
                _ => Tone::Warn,
            },
        ),
        plain(format!(" {:>6}", count(row.links))),
    ]
}
