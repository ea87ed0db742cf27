//! Who supervises whom.

use ratatui::layout::Rect;

use super::look::Tone;
use super::pen::Pen;
use super::table::window;
use crate::console::state::{Console, Fold};

/// Draws the part that is unfolded.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let Some(root) = &console.feeds.tree.data else {
        return;
    };
    let lines = console.tree.lines(root);
    let keys: Vec<_> = lines.iter().map(|line| line.path.clone()).collect();
    let chosen = console.tree.cursor.index(&keys);
    let shown = window(lines.len(), area.height.into(), chosen.unwrap_or(0));
    for (index, y) in shown.zip(0..) {
        let line = &lines[index];
        let indent = " ".repeat((line.path.len() - 1) * 2);
        let (mark, hidden) = match line.fold {
            Fold::Leaf => (" ", String::new()),
            Fold::Open => ("-", String::new()),
            Fold::Closed => ("+", format!("  ({} below)", line.node.children.len())),
        };
        let pieces = [
            (format!("  {indent}{mark} "), Tone::Plain),
            (line.node.name.clone(), Tone::Title),
            (format!("  {}", line.node.what), Tone::Plain),
            (hidden, Tone::Dim),
        ];
        pen.pieces(area, y, &pieces);
        if chosen == Some(index) {
            pen.put(area, (0, y), ">", Tone::Title);
            pen.choose(Rect::new(area.x, area.y + y, area.width, 1));
        }
    }
}
