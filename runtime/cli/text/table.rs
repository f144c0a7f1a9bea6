//! Columns that line up. The last one takes what is left and wraps.
//!
//! Does not draw borders; there are none.

use super::{Line, Role, Span, clean, width};

/// Space between two columns.
const GAP: usize = 2;

/// What the last column needs at least; with less it goes below.
const LAST: usize = 24;

/// Rows of cells.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Span>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Span>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines for a screen of some width.
    pub(crate) fn lines(self, indent: usize, columns: usize) -> Vec<Line> {
        let widths = self.widths();
        let before: usize = widths.iter().map(|w| w + GAP).sum();
        let below = indent + before + LAST > columns;
        self.rows.into_iter().flat_map(|row| lines_of_row(row, &widths, indent, below)).collect()
    }

    /// Widths of all columns but the last.
    fn widths(&self) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or_default().saturating_sub(1);
        (0..count)
            .map(|column| {
                self.rows.iter().filter_map(|r| r.get(column)).map(|s| width(&clean(&s.text))).max().unwrap_or_default()
            })
            .collect()
    }
}

fn lines_of_row(mut row: Vec<Span>, widths: &[usize], indent: usize, below: bool) -> Vec<Line> {
    let last = if row.len() > widths.len() { row.pop() } else { None };
    let mut line = Line::new().indent(indent);
    for (cell, column) in row.into_iter().zip(widths) {
        let gap = column + GAP - width(&clean(&cell.text)).min(*column);
        line = line.span(cell.role, cell.text).span(Role::Plain, " ".repeat(gap));
    }
    match last {
        None => vec![line],
        Some(cell) if below && !widths.is_empty() => {
            vec![line, Line::new().indent(indent + 4).span(cell.role, cell.text)]
        }
        Some(cell) => {
            let hang = widths.iter().map(|w| w + GAP).sum();
            vec![line.span(cell.role, cell.text).hang(hang)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_goes_below_where_the_screen_is_narrow() {
        let mut table = Table::new();
        table.row([Span::new(Role::Strong, "istiod"), Span::new(Role::Plain, "1.29.6")]);
        table.row([Span::new(Role::Strong, "cni"), Span::new(Role::Plain, "1.30.3")]);
        let texts: Vec<_> = table.lines(2, 80).iter().map(Line::text).collect();
        assert_eq!(texts, ["istiod  1.29.6", "cni     1.30.3"]);
        let mut table = Table::new();
        table.row([Span::new(Role::Strong, "a rather long name"), Span::new(Role::Plain, "1.29.6")]);
        assert_eq!(table.lines(2, 40).len(), 2);
    }
}
