//! Tables whose columns come and go with the width of the terminal.

use ratatui::layout::Rect;

use super::look::Tone;
use super::pen::{Pen, Piece};

/// Where the mark of the chosen row is.
const MARK: u16 = 2;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// What it is called.
    pub title: &'static str,
    /// How wide it is; one of 0 takes what the others leave.
    pub width: u16,
    /// Numbers end where others end.
    pub is_right: bool,
    /// It is shown when the table is at least so wide.
    pub from: u16,
}

/// A column of text.
pub(super) const fn text(title: &'static str, width: u16) -> Column {
    Column {
        title,
        width,
        is_right: false,
        from: 0,
    }
}

/// A column of numbers.
pub(super) const fn number(title: &'static str, width: u16) -> Column {
    Column {
        title,
        width,
        is_right: true,
        from: 0,
    }
}

impl Column {
    /// Only in tables that are at least so wide.
    pub(super) const fn from(mut self, width: u16) -> Self {
        self.from = width;
        self
    }
}

/// A row.
pub(super) enum Row {
    /// A cell for each column, also those that are not shown.
    Cells(Vec<Piece>),
    /// A text across all columns.
    Across(Vec<Piece>),
}

/// A cell as any.
pub(super) fn plain(text: impl Into<String>) -> Piece {
    (text.into(), Tone::Plain)
}

/// Which of `len` rows are shown when there is room for `height`: the chosen one is in the middle where that is possible.
pub(super) fn window(len: usize, height: usize, chosen: usize) -> std::ops::Range<usize> {
    let first = chosen.saturating_sub(height / 2);
    let first = first.min(len.saturating_sub(height));
    first..len.min(first + height)
}

/// Draws a table: `row` is asked for those that are shown.
pub(super) fn table(
    pen: &mut Pen<'_>,
    area: Rect,
    columns: &[Column],
    len: usize,
    chosen: Option<usize>,
    row: impl Fn(usize) -> Row,
) {
    let places = places(area, columns);
    for (column, place) in columns.iter().zip(&places) {
        if let Some((x, width)) = *place {
            let cell = Rect::new(area.x + x, area.y, width, area.height.min(1));
            cell_text(pen, cell, column, column.title, Tone::Title);
        }
    }
    let height = usize::from(area.height.saturating_sub(1));
    let rows = window(len, height, chosen.unwrap_or(0));
    for (index, y) in rows.zip(area.y + 1..) {
        let line = Rect::new(area.x, y, area.width, 1);
        match row(index) {
            Row::Cells(cells) => {
                for ((column, place), (text, tone)) in columns.iter().zip(&places).zip(&cells) {
                    if let Some((x, width)) = *place {
                        let cell = Rect::new(area.x + x, y, width, 1);
                        cell_text(pen, cell, column, text, *tone);
                    }
                }
            }
            Row::Across(pieces) => {
                let right = Rect::new(
                    area.x + MARK.min(area.width),
                    y,
                    area.width.saturating_sub(MARK),
                    1,
                );
                pen.pieces(right, 0, &pieces);
            }
        }
        if chosen == Some(index) {
            pen.put(line, (0, 0), ">", Tone::Title);
            pen.choose(line);
        }
    }
}

fn cell_text(pen: &mut Pen<'_>, cell: Rect, column: &Column, text: &str, tone: Tone) {
    if column.is_right {
        pen.put_right(cell, 0, text, tone);
    } else {
        pen.put(cell, (0, 0), text, tone);
    }
}

/// Where each column is, and how wide; none: it is not shown.
fn places(area: Rect, columns: &[Column]) -> Vec<Option<(u16, u16)>> {
    let shown = || columns.iter().filter(|column| column.from <= area.width);
    let used: u16 = shown().map(|column| column.width + 1).sum();
    let left = area.width.saturating_sub(MARK + used).saturating_add(1);
    let mut x = MARK;
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let width = if column.width == 0 {
            left
        } else {
            column.width
        };
        let width = width.min(area.width.saturating_sub(x));
        if column.from > area.width || width == 0 {
            places.push(None);
        } else {
            places.push(Some((x, width)));
            x += width + 1;
        }
    }
    places
}
