//! Tables for people: columns as wide as what is in them, readable without colours.

/// Rows under a head, or a sentence if there are none.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]], none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let head = head.map(str::to_owned);
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.clone().map(|cell| plain(&cell)))
        .collect();
    let all = || std::iter::once(&head).chain(&rows);
    let widths: [usize; N] = std::array::from_fn(|n| {
        let widths = all().map(|row| row[n].chars().count());
        widths.max().unwrap_or(0)
    });
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect::<Vec<_>>().join("\n")
}

/// A text without what would move a terminal's cursor, or change its colours.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Bytes, in the unit that people say.
pub(super) fn bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    match unit {
        Some((size, name)) => format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} B"),
    }
}

/// Milliseconds, in the unit that people say.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [
            ["n1".to_owned(), "up".to_owned()],
            ["node-2".to_owned(), "x\x1b[2J".to_owned()],
        ];
        let text = table(["NODE", "STATE"], &rows, "none");
        assert_eq!(text, "NODE    STATE\nn1      up\nnode-2  x [2J");
        assert_eq!(table(["NODE"], &[], "no nodes"), "no nodes");
    }

    #[test]
    fn figures_are_in_the_unit_that_people_say() {
        let sizes = [0, 1_023, 1_536, 5 << 20, 3 << 30].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.5 KiB", "5.0 MiB", "3.0 GiB"]);
        let spans = [5, 1_500, 180_000, 10_800_000, 864_000_000].map(span);
        assert_eq!(spans, ["5 ms", "1 s", "3 min", "3 h", "10 d"]);
    }
}
