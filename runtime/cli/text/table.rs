//! Columns that line up. Where the screen is too narrow the widest cells go on below themselves.
//!
//! Does not draw borders; there are none.

use super::{Line, Role, Span, clean, lay, width};

/// Space between two columns.
const GAP: usize = 2;

/// No column is made narrower than this.
const NARROWEST: usize = 16;

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
        self.rows.push(cells.into_iter().map(|cell| Span::new(cell.role, clean(&cell.text))).collect());
    }

    /// The table as lines for a screen of some width.
    pub(crate) fn lines(self, indent: usize, columns: usize) -> Vec<Line> {
        let widths = self.widths(columns.saturating_sub(indent));
        self.rows.iter().flat_map(|row| lines_of(row, &widths, indent)).collect()
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let natural =
            |column| self.rows.iter().filter_map(|row| row.get(column)).map(|cell: &Span| width(&cell.text)).max();
        let mut widths: Vec<usize> = (0..count).map(|column| natural(column).unwrap_or_default()).collect();
        loop {
            let total: usize = widths.iter().sum::<usize>() + GAP * count.saturating_sub(1);
            let over = total.saturating_sub(columns);
            let widest = widths.iter_mut().max().filter(|widest| **widest > NARROWEST);
            match widest {
                // One at a time, so that several wide columns share what is missing.
                Some(widest) if over > 0 => *widest -= 1,
                _ => return widths,
            }
        }
    }
}

fn lines_of(row: &[Span], widths: &[usize], indent: usize) -> Vec<Line> {
    let cells: Vec<Vec<Vec<Span>>> = row
        .iter()
        .zip(widths)
        .map(|(cell, columns)| lay(&Line::new().span(cell.role, &cell.text), (*columns).max(NARROWEST)))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    (0..height)
        .map(|index| {
            let mut line = Line::new().indent(indent);
            let mut gap = 0;
            for (cell, columns) in cells.iter().zip(widths) {
                let spans = cell.get(index).map(Vec::as_slice).unwrap_or_default();
                let used: usize = spans.iter().map(|span| width(&span.text)).sum();
                if used > 0 {
                    line = line.span(Role::Plain, " ".repeat(gap)).spans(spans.iter().cloned());
                    gap = 0;
                }
                gap += columns + GAP - used.min(*columns);
            }
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: usize) -> Vec<String> {
        let mut table = Table::new();
        for (name, words) in [("istiod", "12 objects, and the HPA"), ("cni", "6 objects, DaemonSet on 6 nodes")] {
            table.row([name, words, "undo: upgrade back"].map(|text| Span::new(Role::Plain, text)));
        }
        table.lines(0, columns).iter().map(Line::text).collect()
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(
            shown(80),
            [
                "istiod  12 objects, and the HPA          undo: upgrade back",
                "cni     6 objects, DaemonSet on 6 nodes  undo: upgrade back",
            ]
        );
    }

    #[test]
    fn the_widest_cells_go_on_below_themselves_where_it_is_narrow() {
        assert_eq!(
            shown(54),
            [
                "istiod  12 objects, and the HPA     undo: upgrade back",
                "cni     6 objects, DaemonSet on 6   undo: upgrade back",
                "        nodes",
            ]
        );
    }
}
