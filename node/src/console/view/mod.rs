//! Draws the console. Pure: the same state is the same picture.

mod actor;
mod actors;
mod acts;
mod look;
mod node;
mod nodes;
mod overview;
mod pen;
mod popup;
mod rooms;
mod table;
pub mod text;
mod tree;
mod warnings;

use ratatui::Frame;
use ratatui::layout::Rect;

pub use self::look::{Look, Tone};
use self::pen::{Pen, Piece};
use self::text::age;
use super::state::{Console, SMALLEST, Screen};

/// The most lines that a notice takes.
const NOTICE_LINES: usize = 3;

/// Draws everything.
pub fn draw(console: &Console, look: Look, frame: &mut Frame<'_>) {
    let area = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), look);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(&mut pen, area);
    } else {
        all(console, &mut pen, area);
    }
    pen.sweep();
}

fn too_small(pen: &mut Pen<'_>, area: Rect) {
    let (width, height) = SMALLEST;
    let text = format!(
        "too small: {}x{}; the console needs {width}x{height}. Ctrl-C quits",
        area.width, area.height
    );
    for (line, y) in text::wrap(&text, area.width.into()).iter().zip(0..) {
        pen.put(area, (0, y), line, Tone::Plain);
    }
}

fn all(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let said = said(console, area.width);
    let below = u16::try_from(said.len()).unwrap_or(0) + 1;
    let [head, _, body, said_area, keys] = split(
        area,
        [1, 1, area.height.saturating_sub(2 + below), below - 1, 1],
    );
    tabs(console, pen, head);
    match console.screen {
        Screen::Overview => overview::draw(console, pen, body),
        Screen::Nodes if console.nodes.detail.is_some() => node::draw(console, pen, body),
        Screen::Nodes => nodes::draw(console, pen, body),
        Screen::Actors => match &console.actors.detail {
            Some(detail) => actor::draw(console, detail, pen, body),
            None => actors::draw(console, pen, body),
        },
        Screen::Tree => tree::draw(console, pen, body),
        Screen::Rooms => rooms::draw(console, pen, body),
        Screen::Warnings => warnings::draw(console, pen, body),
        Screen::Acts => acts::draw(console, pen, body),
    }
    for ((line, tone), y) in said.iter().zip(0..) {
        pen.put(said_area, (0, y), line, *tone);
    }
    pen.put(keys, (0, 0), hints(console), Tone::Dim);
    if let Some(popup) = &console.popup {
        popup::draw(console, popup, pen, area);
    }
}

/// Cuts an area into rows of these heights.
fn split<const N: usize>(area: Rect, heights: [u16; N]) -> [Rect; N] {
    let mut y = area.y;
    heights.map(|height| {
        let height = height.min(area.bottom().saturating_sub(y));
        let part = Rect::new(area.x, y, area.width, height);
        y += height;
        part
    })
}

fn tabs(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let mut x = 0;
    let is_wide = area.width >= 78;
    for (screen, number) in Screen::ALL.into_iter().zip(1..) {
        let is_shown = screen == console.screen;
        let name = screen.name();
        let name = if is_wide || is_shown {
            name
        } else {
            &name[..2]
        };
        let text = if is_shown {
            format!("[{number} {name}]")
        } else {
            format!(" {number} {name} ")
        };
        let tone = if is_shown { Tone::Chosen } else { Tone::Plain };
        x = pen.put(area, (x, 0), &text, tone);
    }
    let nodes = console.feeds.nodes.data.as_ref();
    let warnings: u64 = nodes.map_or(0, |nodes| nodes.nodes.iter().map(|row| row.warnings).sum());
    let silent = nodes.map_or(0, |nodes| nodes.silent.len());
    let unit = if area.width < 90 { "" } else { " warnings" };
    let warned = format!("! {}{unit}", text::count(warnings));
    let (text, tone) = match (silent, warnings) {
        (0, 0) => return,
        (0, _) => (warned, Tone::Warn),
        (_, 1..) if area.width >= 100 => (format!("! {silent} silent  {warned}"), Tone::Bad),
        _ => (format!("! {silent} silent"), Tone::Bad),
    };
    pen.put_right(area, 0, &text, tone);
}

/// What is said between the screen and the keys.
fn said(console: &Console, width: u16) -> Vec<Piece> {
    let mut lines = Vec::new();
    for acting in &console.acting {
        let since = age(console.now.since(acting.since));
        lines.push((
            format!("under way for {since}: {}", acting.act),
            Tone::Title,
        ));
    }
    if let Some(notice) = &console.notice {
        let tone = if notice.is_failure {
            Tone::Bad
        } else {
            Tone::Title
        };
        let text = format!("{}  (Esc)", notice.text);
        let wrapped = text::wrap(&text, width.into()).into_iter();
        lines.extend(wrapped.map(|line| (line, tone)));
    }
    lines.truncate(NOTICE_LINES);
    if let Some(stale) = console.staleness() {
        let tone = if stale.is_failure {
            Tone::Bad
        } else {
            Tone::Dim
        };
        lines.push((stale.text, tone));
    }
    lines
}

fn hints(console: &Console) -> &'static str {
    match console.screen {
        Screen::Overview => "1-7 Tab screens  Enter node  space hold  ? keys  q quit",
        Screen::Nodes if console.nodes.detail.is_some() => {
            "Esc back  j/k scroll  d drain, keep  D drain, end  u undrain  ? keys  q quit"
        }
        Screen::Nodes => {
            "Enter detail  a actors  d drain, keep  D drain, end  u undrain  ? keys  q quit"
        }
        Screen::Actors => match &console.actors.detail {
            Some(_) => "Esc back  t trace  r restart  p passivate  m migrate  ? keys  q quit",
            None if console.actors.is_typing => {
                "type a part of an address, node or kind; Enter keeps it  Esc clears it"
            }
            None => "Enter detail  s sort  f kind  n node  / filter  r p m acts  ? keys  q quit",
        },
        Screen::Tree => "Enter fold, or open an actor  h/l fold, unfold  ? keys  q quit",
        Screen::Rooms if console.rooms.detail.is_some() => {
            "Esc back  Enter account  a room's actor  ? keys  q quit"
        }
        Screen::Rooms => "Enter people  a room's actor  ? keys  q quit",
        Screen::Warnings | Screen::Acts => "Enter what it is about  ? keys  q quit",
    }
}

/// Says that there is nothing, if there was an answer.
fn nothing(pen: &mut Pen<'_>, area: Rect, was_answered: bool, text: &str) {
    if was_answered {
        pen.put(area, (2, 0), text, Tone::Dim);
    }
}

/// Says which nodes do not answer, and gives back what is left of the area.
fn silent_lines(
    pen: &mut Pen<'_>,
    area: Rect,
    silent: &[rookery_protocol::inspect::Silent],
) -> Rect {
    let most = usize::from(area.height / 3);
    let shown = silent.len().min(most);
    for (one, y) in silent.iter().take(shown).zip(0..) {
        let text = format!("! {} does not answer: {}", one.node, one.why);
        pen.put(area, (0, y), &text, Tone::Bad);
    }
    let used = u16::try_from(shown).unwrap_or(0);
    Rect::new(area.x, area.y + used, area.width, area.height - used)
}
