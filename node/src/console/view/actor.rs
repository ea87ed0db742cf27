//! One actor, and what it is sent.

use ratatui::layout::Rect;
use rookery_protocol::inspect::{ActorDetail, SessionRow, TraceLine};
use rookery_protocol::time::Millis;

use super::actors::millis_to_nanos;
use super::look::Tone;
use super::pen::{Pen, Piece};
use super::split;
use super::table::plain;
use super::text::{age, bytes, count, micros, nanos, percent, rate, wrap};
use crate::console::state::{Console, Detail, Trace, Traced};

/// The most sessions that are listed.
const SESSIONS: usize = 4;

/// Draws the one that is looked at.
pub(super) fn draw(console: &Console, detail: &Detail, pen: &mut Pen<'_>, area: Rect) {
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    match &console.feeds.actor.data {
        Some(data) => known(console, data, area.width, &mut lines),
        None => lines.push(vec![(detail.actor.to_string(), Tone::Title)]),
    }
    sessions(console, &mut lines);
    // The trace has at least half of the screen.
    let most = match detail.trace {
        Some(_) => usize::from(area.height / 2),
        None => usize::from(area.height),
    };
    lines.truncate(most);
    let height = u16::try_from(lines.len()).unwrap_or(0);
    let [above, below] = split(area, [height, area.height]);
    for (line, y) in lines.iter().zip(0..) {
        pen.pieces(above, y, line);
    }
    match &detail.trace {
        Some(trace) => draw_trace(trace, pen, below),
        None => {
            let text = "t shows what it is sent: kinds and times, never what people write";
            pen.put(below, (0, 1), text, Tone::Dim);
        }
    }
}

fn known(console: &Console, data: &ActorDetail, width: u16, lines: &mut Vec<Vec<Piece>>) {
    let row = &data.row;
    let place = match (data.shard, data.epoch) {
        (Some(shard), Some(epoch)) => format!("   shard {shard} epoch {epoch}"),
        (Some(shard), None) => format!("   shard {shard}"),
        _ => String::new(),
    };
    lines.push(vec![
        (row.actor.to_string(), Tone::Title),
        plain(format!(
            "   at {} run {}{place}",
            row.node, data.incarnation
        )),
    ]);
    if let Some(node) = &data.pinned_to {
        lines.push(vec![(
            format!("an operator chose {node} for it"),
            Tone::Warn,
        )]);
    }
    lines.push(vec![plain(format!(
        "waiting {}   handled {} ({} a second)   busy {}",
        count(row.depth),
        count(row.handled),
        rate(row.per_second),
        percent(row.busy),
    ))]);
    lines.push(vec![plain(format!(
        "wait {}   slowest {} {}   active {} ago",
        nanos(millis_to_nanos(row.wait_ms)),
        nanos(row.slowest_ns),
        row.slowest_kind,
        age(console.now.0.saturating_sub(row.last_active_ms)),
    ))]);
    let crash = match (&row.last_crash, row.restarts) {
        (Some(crash), times) => format!("RESTARTS {times}, last crash: {crash}"),
        (None, 0) => "no restarts".to_owned(),
        (None, times) => format!("RESTARTS {times}, no crash"),
    };
    let tone = match row.restarts {
        0 => Tone::Plain,
        _ => Tone::Warn,
    };
    let wrapped = wrap(&crash, width.into()).into_iter().take(3);
    lines.extend(wrapped.map(|line| vec![(line, tone)]));
    match &data.state {
        None => lines.push(vec![(
            "state: it did not say in time, being busy".to_owned(),
            Tone::Warn,
        )]),
        Some(state) => {
            let figures: Vec<_> = state
                .iter()
                .map(|(name, figure)| format!("{name} {}", count(*figure)))
                .collect();
            let text = format!("state: {}", figures.join(", "));
            let wrapped = wrap(&text, width.into()).into_iter().take(4);
            lines.extend(wrapped.map(|line| vec![plain(line)]));
        }
    }
}

fn sessions(console: &Console, lines: &mut Vec<Vec<Piece>>) {
    let Some(found) = &console.feeds.sessions.data else {
        return;
    };
    let all = &found.sessions;
    lines.push(vec![plain(format!("sessions: {}", all.len()))]);
    lines.extend(all.iter().take(SESSIONS).map(session));
    if let Some(more) = all.len().checked_sub(SESSIONS).filter(|more| *more > 0) {
        lines.push(vec![plain(format!("  and {more} more"))]);
    }
    lines.extend(found.silent.iter().map(|silent| {
        let text = format!("! {} does not answer: {}", silent.node, silent.why);
        vec![(text, Tone::Bad)]
    }));
}

fn session(row: &SessionRow) -> Vec<Piece> {
    let shard = match row.shard {
        Some([shard, of]) => format!(", bot's shard {shard} of {of}"),
        None => String::new(),
    };
    vec![
        plain(format!(
            "  {} at {} lane {} ",
            row.session, row.node, row.lane
        )),
        match row.is_connected {
            true => ("connected".to_owned(), Tone::Good),
            false => ("waits to be resumed".to_owned(), Tone::Warn),
        },
        plain(format!(
            ", event {}, topics {}, queued {}{shard}",
            row.seq,
            row.topics,
            bytes(row.queued_bytes)
        )),
    ]
}

fn draw_trace(trace: &Trace, pen: &mut Pen<'_>, area: Rect) {
    let [_, title, head, body] = split(area, [1, 1, 1, area.height]);
    let how = match (trace.is_on, trace.back) {
        (false, _) => "trace ended; t begins another",
        (true, 0) => "trace goes on; t ends it",
        (true, _) => "trace goes on below; End follows it",
    };
    pen.put(title, (0, 0), how, Tone::Title);
    let columns = "HANDLED AT        WAITED     TOOK WRITES EVENTS BEHIND MESSAGE, REQUEST";
    pen.put(head, (0, 0), columns, Tone::Dim);
    let last = trace.lines.len().saturating_sub(trace.back);
    let first = last.saturating_sub(body.height.into());
    for (line, y) in trace.lines.range(first..last).zip(0..) {
        match line {
            Traced::Message(line) => {
                pen.put(body, (0, y), &trace_line(line), Tone::Plain);
            }
            Traced::Skipped(times) => {
                let text = format!("... {times} more in between");
                pen.put(body, (0, y), &text, Tone::Dim);
            }
            Traced::Moved => {
                let text = "... it went to another node, and the trace with it";
                pen.put(body, (0, y), text, Tone::Warn);
            }
        }
    }
    if trace.lines.is_empty() && trace.is_on {
        pen.put(body, (0, 0), "nothing yet", Tone::Dim);
    }
}

fn trace_line(line: &TraceLine) -> String {
    let at = Millis(line.at_ms).iso8601();
    format!(
        "{:<12} {:>11} {:>8} {:>6} {:>6} {:>6} {}  {}",
        at.get(11..23).unwrap_or_default(),
        micros(line.wait_us),
        micros(line.handle_us),
        line.writes,
        line.events,
        line.depth,
        line.kind,
        line.request.as_deref().unwrap_or_default(),
    )
}
