//! Texts for people: spans with a role, lines that wrap or are cut, tables. Plain data until the writer lets it out.
//!
//! Does not know where a text goes, nor what colour a role has.

pub(crate) mod duration;
mod escape;
mod layout;
mod table;
mod theme;

pub(crate) use escape::{clean, json_safe, visible, width};
pub(crate) use layout::lay;
pub(crate) use table::Table;
pub(crate) use theme::{Charset, Colour, Sign, Theme};

/// What a piece of text is to its reader. Without colour nothing is lost: a role only stresses what the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The text itself.
    Plain,
    /// What the eye should find first.
    Strong,
    /// Beside the point, there when looked for.
    Faint,
    /// Done, passed.
    Good,
    /// In progress, or to be known.
    Notice,
    /// Failed.
    Bad,
    /// A name, a place, a command.
    Accent,
}

/// A piece of text in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) role: Role,
    pub(crate) text: String,
}

impl Span {
    pub(crate) fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, text: text.into() }
    }
}

/// What happens to a line that is longer than the screen is wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It goes on below, under its own beginning.
    Wrap,
    /// It ends in `…`.
    Cut,
    /// Nothing: it is meant to be copied.
    Whole,
}

/// A line of text, before it is known how wide the screen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Columns of space before it.
    pub(crate) indent: usize,
    /// Columns more before what is wrapped.
    pub(crate) hang: usize,
    /// The text.
    pub(crate) spans: Vec<Span>,
    /// What stands at the right edge.
    pub(crate) right: Vec<Span>,
    /// What happens where there is too much of it.
    pub(crate) fit: Fit,
}

impl Line {
    /// An empty line.
    pub(crate) fn new() -> Self {
        Self { indent: 0, hang: 0, spans: Vec::new(), right: Vec::new(), fit: Fit::Wrap }
    }

    /// A line of plain text.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self::new().plain(text)
    }

    /// Sets the columns of space before it.
    pub(crate) fn indent(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Sets the columns more before what is wrapped.
    pub(crate) fn hang(mut self, hang: usize) -> Self {
        self.hang = hang;
        self
    }

    /// Cuts it where it is too long.
    pub(crate) fn cut(mut self) -> Self {
        self.fit = Fit::Cut;
        self
    }

    /// Leaves it as long as it is.
    pub(crate) fn whole(mut self) -> Self {
        self.fit = Fit::Whole;
        self
    }

    /// Adds text in a role.
    pub(crate) fn span(mut self, role: Role, text: impl Into<String>) -> Self {
        self.spans.push(Span::new(role, text));
        self
    }

    /// Adds spans.
    pub(crate) fn spans(mut self, spans: impl IntoIterator<Item = Span>) -> Self {
        self.spans.extend(spans);
        self
    }

    /// Adds plain text.
    pub(crate) fn plain(self, text: impl Into<String>) -> Self {
        self.span(Role::Plain, text)
    }

    /// Adds strong text.
    pub(crate) fn strong(self, text: impl Into<String>) -> Self {
        self.span(Role::Strong, text)
    }

    /// Adds faint text.
    pub(crate) fn faint(self, text: impl Into<String>) -> Self {
        self.span(Role::Faint, text)
    }

    /// Adds a name, a place, a command.
    pub(crate) fn accent(self, text: impl Into<String>) -> Self {
        self.span(Role::Accent, text)
    }

    /// Adds text at the right edge.
    pub(crate) fn right(mut self, role: Role, text: impl Into<String>) -> Self {
        self.right.push(Span::new(role, text));
        self
    }

    /// Every text of it, without roles, as one.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.spans.iter().chain(&self.right).map(|span| span.text.as_str()).collect()
    }
}
