//! How texts look: signs, colours, and the letters a locale can show.
//!
//! Does not know what the texts say.

use anstyle::{AnsiColor, Style};

use super::{Role, Span};

/// Which letters can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// All of them.
    Unicode,
    /// The locale is not UTF-8.
    Ascii,
}

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On a terminal that has them.
    Ansi,
    /// Not on a terminal, or `NO_COLOR`.
    Never,
}

/// How texts look at the present moment; a terminal's width may change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme {
    /// Columns of the screen.
    pub(crate) columns: usize,
    /// Which letters can be shown.
    pub(crate) charset: Charset,
    /// Whether colours are wanted.
    pub(crate) colour: Colour,
}

/// What a line is about, at one glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Done, or passed.
    Done,
    /// Going on.
    Running,
    /// To come, or left out.
    Coming,
    /// To be known.
    Warning,
    /// Failed.
    Failed,
    /// A person is asked.
    Asking,
    /// Nothing to be said about it.
    Blank,
}

impl Theme {
    /// A sign; all signs of a theme are equally wide.
    pub(crate) fn sign(self, sign: Sign) -> Span {
        let (unicode, ascii, role) = match sign {
            Sign::Done => ("✓", "ok ", Role::Good),
            Sign::Running => ("▶", "run", Role::Notice),
            Sign::Coming => ("·", ".. ", Role::Faint),
            Sign::Warning => ("!", "!! ", Role::Notice),
            Sign::Failed => ("✗", "xx ", Role::Bad),
            Sign::Asking => ("?", "?? ", Role::Notice),
            Sign::Blank => (" ", "   ", Role::Plain),
        };
        Span::new(role, if self.charset == Charset::Unicode { unicode } else { ascii })
    }

    /// How wide its signs are.
    pub(crate) fn sign_width(self) -> usize {
        if self.charset == Charset::Unicode { 1 } else { 3 }
    }

    /// Our own typography in letters the locale can show. Other people's letters stay as they are.
    pub(crate) fn spelled(self, text: &str) -> String {
        if self.charset == Charset::Unicode || text.is_ascii() {
            return text.to_owned();
        }
        text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '→' => out.push_str("->"),
                '…' => out.push_str("..."),
                '·' | '–' | '—' => out.push('-'),
                '≤' => out.push_str("<="),
                '≥' => out.push_str(">="),
                '×' => out.push('x'),
                '‘' | '’' => out.push('\''),
                '“' | '”' => out.push('"'),
                c => out.push(c),
            }
            out
        })
    }

    /// The bytes a terminal wants before and after a text in a role.
    pub(crate) fn painted(self, span: &Span) -> String {
        let style = match span.role {
            _ if self.colour == Colour::Never => Style::new(),
            Role::Plain => Style::new(),
            Role::Strong => Style::new().bold(),
            Role::Faint => Style::new().dimmed(),
            Role::Good => AnsiColor::Green.on_default(),
            Role::Notice => AnsiColor::Yellow.on_default(),
            Role::Bad => AnsiColor::Red.on_default().bold(),
            Role::Accent => AnsiColor::Cyan.on_default(),
        };
        format!("{style}{}{style:#}", span.text)
    }
}
