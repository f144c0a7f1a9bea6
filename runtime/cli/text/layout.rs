//! Lays a line out on a screen of some width: wrapped under its own beginning, or cut, with the right edge aligned.
//!
//! Does not know roles' colours; spans keep their roles.

use super::{Fit, Line, Role, Span, width};

/// Less than this is not worth wrapping into.
const NARROWEST: usize = 16;

/// The rows of a line on a screen of that many columns. Its texts must be clean.
pub(crate) fn lay(line: &Line, columns: usize) -> Vec<Vec<Span>> {
    let right: usize = line.right.iter().map(|span| width(&span.text)).sum();
    let edge = if right == 0 { 0 } else { right + 2 };
    let room = columns.saturating_sub(line.indent + edge).max(NARROWEST);
    let mut rows = match line.fit {
        Fit::Whole => vec![line.spans.clone()],
        Fit::Cut => vec![cut(&line.spans, room)],
        Fit::Wrap => wrap(&line.spans, room, line.hang.min(room.saturating_sub(NARROWEST))),
    };
    if right > 0 {
        let used: usize = rows[0].iter().map(|span| width(&span.text)).sum();
        let gap = columns.saturating_sub(line.indent + used + right).max(2);
        rows[0].push(Span::new(Role::Plain, " ".repeat(gap)));
        rows[0].extend(line.right.iter().cloned());
    }
    for row in rows.iter_mut().filter(|row| line.indent > 0 && !row.is_empty()) {
        row.insert(0, Span::new(Role::Plain, " ".repeat(line.indent)));
    }
    rows
}

fn cut(spans: &[Span], room: usize) -> Vec<Span> {
    let total: usize = spans.iter().map(|span| width(&span.text)).sum();
    if total <= room {
        return spans.to_vec();
    }
    let mut left = room - 1;
    let mut row = Vec::new();
    for span in spans {
        let (head, rest) = split(&span.text, left);
        left -= width(head);
        row.push(Span::new(span.role, head));
        if !rest.is_empty() {
            break;
        }
    }
    row.push(Span::new(Role::Faint, "…"));
    row
}

/// The longest beginning that fits, and the rest.
fn split(text: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used > room {
            return text.split_at(at);
        }
    }
    (text, "")
}

struct Rows {
    room: usize,
    hang: usize,
    done: Vec<Vec<Span>>,
    used: usize,
    /// Spaces that are only written where a word follows on the same row.
    gap: Option<Span>,
}

fn wrap(spans: &[Span], room: usize, hang: usize) -> Vec<Vec<Span>> {
    let mut rows = Rows { room, hang, done: vec![Vec::new()], used: 0, gap: None };
    for span in spans {
        for piece in span.text.split_inclusive(' ').flat_map(word_and_space) {
            if piece.starts_with(' ') {
                rows.space(span.role, piece);
            } else {
                rows.word(span.role, piece);
            }
        }
    }
    rows.done
}

fn word_and_space(piece: &str) -> impl Iterator<Item = &str> {
    let end = piece.trim_end_matches(' ').len();
    [&piece[..end], &piece[end..]].into_iter().filter(|part| !part.is_empty())
}

impl Rows {
    fn space(&mut self, role: Role, text: &str) {
        match &mut self.gap {
            Some(gap) => gap.text.push_str(text),
            None => self.gap = Some(Span::new(role, text)),
        }
    }

    fn word(&mut self, role: Role, word: &str) {
        let gap = self.gap.take();
        let before = gap.as_ref().map_or(0, |gap| width(&gap.text));
        // A word glued to the one before it, in another role, may be torn from it: better than running over the edge.
        if self.used + before + width(word) > self.room && self.used > self.start() {
            self.next_row();
        } else if let Some(gap) = gap {
            self.used += before;
            self.push(gap);
        }
        let mut rest = word;
        while self.used + width(rest) > self.room {
            let (head, tail) = split(rest, self.room.saturating_sub(self.used).max(1));
            self.push(Span::new(role, head));
            self.next_row();
            rest = tail;
        }
        self.used += width(rest);
        self.push(Span::new(role, rest));
    }

    fn start(&self) -> usize {
        if self.done.len() > 1 { self.hang } else { 0 }
    }

    fn next_row(&mut self) {
        self.done.push(Vec::new());
        self.used = self.hang;
        if self.hang > 0 {
            self.push(Span::new(Role::Plain, " ".repeat(self.hang)));
        }
    }

    fn push(&mut self, span: Span) {
        let row = self.done.last_mut().expect("there is always a row");
        match row.last_mut() {
            Some(last) if last.role == span.role => last.text.push_str(&span.text),
            _ => row.push(span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &Line, columns: usize) -> Vec<String> {
        lay(line, columns).iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn a_long_line_goes_on_under_its_own_beginning() {
        let line = Line::of("ok  the quick brown fox jumps over the dog").indent(2).hang(4);
        assert_eq!(shown(&line, 24), ["  ok  the quick brown", "      fox jumps over the", "      dog"]);
    }

    #[test]
    fn the_right_edge_is_aligned_and_what_is_too_long_is_cut_before_it() {
        let line = Line::of("1  Upgrade istiod").right(Role::Faint, "41s");
        assert_eq!(shown(&line, 30), ["1  Upgrade istiod          41s"]);
        let line = Line::of("a title that is much too long for this").right(Role::Faint, "41s").cut();
        assert_eq!(shown(&line, 30), ["a title that is much too…  41s"]);
    }

    #[test]
    fn a_word_wider_than_the_screen_is_torn_and_no_row_is_wider() {
        let line = Line::of(format!("x {}", "0123456789".repeat(5))).hang(2);
        for row in shown(&line, 20) {
            assert!(width(&row) <= 20, "{row:?}");
        }
    }

    #[test]
    fn spaces_inside_a_row_stay() {
        assert_eq!(shown(&Line::of("a    b"), 20), ["a    b"]);
    }
}
