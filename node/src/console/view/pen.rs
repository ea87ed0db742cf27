//! Writes into the buffer, within bounds and without control characters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::look::{Look, Tone};
use super::text::{clean, is_foul, width};

/// A piece of text and what it is.
pub(super) type Piece = (String, Tone);

/// What writes.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    /// What the terminal can do.
    pub look: Look,
}

impl<'a> Pen<'a> {
    /// One that writes there.
    pub(super) fn new(buffer: &'a mut Buffer, look: Look) -> Self {
        Self { buffer, look }
    }

    /// Writes at a place of an area, and says in which column it ended. What does not fit is cut, and shown to be.
    pub(super) fn put(&mut self, area: Rect, (x, y): (u16, u16), text: &str, tone: Tone) -> u16 {
        let style = self.look.style(tone);
        self.put_styled(area, (x, y), text, style)
    }

    fn put_styled(&mut self, area: Rect, (x, y): (u16, u16), text: &str, style: Style) -> u16 {
        let area = area.intersection(*self.buffer.area());
        if x >= area.width || y >= area.height {
            return x;
        }
        let text = clean(text);
        let room = usize::from(area.width - x);
        let (left, top) = (area.x + x, area.y + y);
        let end = if width(&text) <= room {
            self.buffer.set_stringn(left, top, text, room, style).0
        } else {
            let (end, _) = self
                .buffer
                .set_stringn(left, top, text, room.saturating_sub(1), style);
            self.buffer
                .set_stringn(end, top, self.look.cut(), 1, style)
                .0
        };
        end.saturating_sub(area.x)
    }

    /// Writes so that it ends at the right edge.
    pub(super) fn put_right(&mut self, area: Rect, y: u16, text: &str, tone: Tone) {
        let free = usize::from(area.width).saturating_sub(width(&clean(text)));
        let x = u16::try_from(free).unwrap_or(0);
        self.put(area, (x, y), text, tone);
    }

    /// Writes pieces one after the other.
    pub(super) fn pieces(&mut self, area: Rect, y: u16, pieces: &[Piece]) {
        let mut x = 0;
        for (text, tone) in pieces {
            x = self.put(area, (x, y), text, *tone);
        }
    }

    /// Shows that a row is chosen.
    pub(super) fn choose(&mut self, row: Rect) {
        let row = row.intersection(*self.buffer.area());
        self.buffer.set_style(row, self.look.style(Tone::Chosen));
    }

    /// The buffer, for widgets.
    pub(super) fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// The last word: whatever was written in whatever way, no cell holds what a terminal would obey.
    pub(super) fn sweep(&mut self) {
        for cell in &mut self.buffer.content {
            if cell.symbol().chars().any(is_foul) {
                let symbol: String = cell.symbol().chars().filter(|c| !is_foul(*c)).collect();
                cell.set_symbol(if symbol.is_empty() { " " } else { &symbol });
            }
        }
    }
}
