//! What lies over the screen: the keys, a question, a choice.

use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Widget};

use super::look::Tone;
use super::pen::Pen;
use super::text::wrap;
use crate::console::state::{Choose, Confirm, Console, Popup};

/// The widest that a popup is.
const WIDEST: u16 = 72;

const KEYS: [(&str, &str); 17] = [
    (
        "1-7, Tab",
        "screens; the number of this one closes what is open",
    ),
    ("j k, arrows", "rows; PgUp PgDn Home End"),
    (
        "Enter, Esc",
        "opens, and goes back; Esc also takes a result away",
    ),
    ("space", "holds the screen still, and lets it go on"),
    ("q, Ctrl-C", "quits"),
    ("", ""),
    (
        "s S",
        "actors: another order: busy depth wait rate restarts",
    ),
    ("f n", "actors: one kind, one node"),
    (
        "/",
        "actors: only rows with a text; or a whole address, and Enter",
    ),
    ("t", "actor: shows what it is sent, live"),
    ("r p m", "actor: restart, passivate (to sleep), migrate"),
    (
        "d D u",
        "node: drain and keep it, drain and end it, undrain",
    ),
    ("a", "node: its actors; room: its actor"),
    ("h l", "tree: folds, unfolds"),
    ("", ""),
    ("y", "does what was asked; nothing is done without it"),
    ("!", "marks what is to be looked at"),
];

const ASCII: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws it.
pub(super) fn draw(console: &Console, popup: &Popup, pen: &mut Pen<'_>, area: Rect) {
    match popup {
        Popup::Help => help(pen, area),
        Popup::Confirm(confirm) => question(confirm, pen, area),
        Popup::Choose(choose) => choice(console, choose, pen, area),
    }
}

/// Clears the middle of the screen and draws a frame; what is within is given back.
fn window(pen: &mut Pen<'_>, area: Rect, title: &str, lines: usize) -> Rect {
    let width = inner_width(area) + 4;
    let height = u16::try_from(lines + 2)
        .unwrap_or(u16::MAX)
        .min(area.height);
    let outer = Rect::new(
        area.x + (area.width - width.min(area.width)) / 2,
        area.y + (area.height - height) / 2,
        width.min(area.width),
        height,
    );
    let set = if pen.look.has_unicode {
        border::PLAIN
    } else {
        ASCII
    };
    let block = Block::bordered()
        .border_set(set)
        .title(format!(" {title} "))
        .title_style(pen.look.style(Tone::Title));
    let inner = block.inner(outer);
    Clear.render(outer, pen.buffer());
    block.render(outer, pen.buffer());
    Rect::new(
        inner.x + 1.min(inner.width),
        inner.y,
        inner.width.saturating_sub(2),
        inner.height,
    )
}

fn inner_width(area: Rect) -> u16 {
    area.width.saturating_sub(6).min(WIDEST)
}

fn help(pen: &mut Pen<'_>, area: Rect) {
    let inner = window(pen, area, "keys", KEYS.len());
    for ((key, what), y) in KEYS.iter().zip(0..) {
        pen.put(inner, (0, y), key, Tone::Title);
        pen.put(inner, (12, y), what, Tone::Plain);
    }
}

fn question(confirm: &Confirm, pen: &mut Pen<'_>, area: Rect) {
    let columns = usize::from(inner_width(area));
    let what = wrap(&format!("This will {}.", confirm.act), columns);
    let consequence = wrap(&confirm.consequence, columns);
    let inner = window(pen, area, "do it?", what.len() + consequence.len() + 3);
    let lines = what.iter().map(|line| (line.as_str(), Tone::Title));
    let lines = lines.chain([("", Tone::Plain)]);
    let lines = lines.chain(consequence.iter().map(|line| (line.as_str(), Tone::Plain)));
    // Whatever the height is, the way out is to be seen.
    let rows = inner.height.saturating_sub(1);
    let is_cut = what.len() + 1 + consequence.len() > usize::from(rows);
    for ((line, tone), y) in lines.take(rows.into()).zip(0..) {
        pen.put(inner, (0, y), line, tone);
    }
    let keys = match is_cut {
        true => "y does it   n does not   (cut: enlarge)",
        false => "y does it     n or Esc does not",
    };
    pen.put(inner, (0, rows), keys, Tone::Title);
}

fn choice(console: &Console, choose: &Choose, pen: &mut Pen<'_>, area: Rect) {
    let title = format!("where to, {}?", choose.actor);
    let inner = window(pen, area, &title, choose.nodes.len() + 2);
    let detail = console.feeds.actor.data.as_ref();
    let here = detail.filter(|it| it.row.actor == choose.actor);
    let rows = inner.height.saturating_sub(1);
    let shown = super::table::window(choose.nodes.len(), rows.into(), choose.index);
    for (index, y) in shown.zip(0..) {
        let text = match &choose.nodes[index] {
            Some(node) if here.is_some_and(|it| it.row.node == *node) => {
                format!("  {node}  (it is there)")
            }
            Some(node) => format!("  {node}"),
            None => "  where it belongs: the cluster chooses".to_owned(),
        };
        pen.put(inner, (0, y), &text, Tone::Plain);
        if index == choose.index {
            pen.put(inner, (0, y), ">", Tone::Title);
            pen.choose(Rect::new(inner.x, inner.y + y, inner.width, 1));
        }
    }
    let keys = "Enter chooses     Esc does not";
    pen.put(inner, (0, rows), keys, Tone::Title);
}
