//! The one door through which text leaves for a person or a pipe: secrets masked, control characters made visible, laid
//! out for the width of the screen, never torn by two threads, and never across the part of the screen that is redrawn.
//!
//! Does not know what it says.

use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use runbook_core::secret::Vault;

use crate::environment::Environment;
use crate::text::{Charset, Colour, Line, Span, Theme, clean, json_safe, lay, visible, width};

/// Columns where nothing says how many there are.
const COLUMNS: usize = 100;

/// Narrower is not laid out for.
const NARROWEST: usize = 40;

/// Begins and ends a change of the screen that a terminal shows at once.
const ATOMIC: (&str, &str) = ("\u{1b}[?2026h", "\u{1b}[?2026l");

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Standard output: what was asked for.
    Out,
    /// Standard error: faults, questions, logs.
    Err,
}

/// The one door.
pub(crate) struct Writer {
    vault: Arc<Vault>,
    charset: Charset,
    /// `COLUMNS`, where it is set.
    columns: Option<usize>,
    out: Face,
    err: Face,
    state: Mutex<State>,
}

/// What a channel leads to.
#[derive(Debug, Clone, Copy)]
struct Face {
    terminal: bool,
    colour: Colour,
}

struct State {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// The lines that are redrawn, as last given.
    live: Vec<Line>,
    /// Widths of the rows of them that are on the screen.
    drawn: Vec<usize>,
    /// Whether a question stands where they would be.
    paused: bool,
}

impl Writer {
    /// The door of this process.
    pub(crate) fn open(environment: &Environment, vault: Arc<Vault>) -> Self {
        let face = |terminal: bool| Face { terminal, colour: colour(environment, terminal) };
        Self {
            vault,
            charset: if environment.utf8() { Charset::Unicode } else { Charset::Ascii },
            columns: environment.get("COLUMNS").and_then(|text| text.parse().ok()),
            out: face(std::io::stdout().is_terminal()),
            err: face(std::io::stderr().is_terminal()),
            state: Mutex::new(State {
                out: Box::new(std::io::stdout()),
                err: Box::new(std::io::stderr()),
                live: Vec::new(),
                drawn: Vec::new(),
                paused: false,
            }),
        }
    }

    /// Whether a channel leads to a terminal.
    pub(crate) fn is_terminal(&self, channel: Channel) -> bool {
        self.face(channel).terminal
    }

    /// How texts look on a channel at the present moment.
    pub(crate) fn theme(&self, channel: Channel) -> Theme {
        let face = self.face(channel);
        // One column stays free: a row that fills a terminal to its edge leaves the cursor in different places.
        let columns = face.terminal.then(|| size().1 - 1).or(self.columns).unwrap_or(COLUMNS).max(NARROWEST);
        Theme { columns, charset: self.charset, colour: face.colour }
    }

    /// The secrets it masks.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Writes lines.
    pub(crate) fn print(&self, channel: Channel, lines: &[Line]) {
        let theme = self.theme(channel);
        let text: String = lines.iter().map(|line| self.rendered(line, theme)).collect();
        self.emit(channel, &text);
    }

    /// Writes one line.
    pub(crate) fn line(&self, channel: Channel, line: &Line) {
        self.print(channel, std::slice::from_ref(line));
    }

    /// Writes a text of several lines as it is, such as a script or Markdown.
    pub(crate) fn text(&self, channel: Channel, text: &str) {
        let mut text = visible(&self.vault.mask(text));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        self.emit(channel, &text);
    }

    /// Writes a line of JSON to standard output.
    pub(crate) fn json(&self, value: &serde_json::Value) {
        let mut value = value.clone();
        self.vault.mask_value(&mut value);
        self.emit(Channel::Out, &format!("{}\n", json_safe(&value.to_string())));
    }

    /// Writes a question, and leaves the cursor behind it. What is redrawn stays away until [`Writer::resume`].
    pub(crate) fn question(&self, line: &Line) {
        let theme = self.theme(Channel::Err);
        let text = self.rendered(line, theme);
        let mut state = self.lock();
        erase(&mut state);
        state.paused = true;
        send(&mut state.err, text.trim_end_matches('\n'));
    }

    /// Lets what is redrawn come back.
    pub(crate) fn resume(&self) {
        let mut state = self.lock();
        state.paused = false;
        self.redraw(&mut state, "");
    }

    /// Replaces the lines at the bottom of a terminal that are redrawn.
    pub(crate) fn live(&self, lines: Vec<Line>) {
        let mut state = self.lock();
        state.live = lines;
        self.redraw(&mut state, "");
    }

    fn rendered(&self, line: &Line, theme: Theme) -> String {
        let made = |span: &Span| Span::new(span.role, theme.spelled(&clean(&self.vault.mask(&span.text))));
        let line = Line {
            spans: line.spans.iter().map(made).collect(),
            right: line.right.iter().map(made).collect(),
            ..line.clone()
        };
        let mut text = String::new();
        for row in lay(&line, theme.columns) {
            text.extend(row.iter().map(|span| theme.painted(span)));
            text.push('\n');
        }
        text
    }

    fn emit(&self, channel: Channel, text: &str) {
        let mut state = self.lock();
        if channel == Channel::Out && self.out.terminal {
            self.redraw(&mut state, text);
            return;
        }
        if self.is_terminal(channel) {
            erase(&mut state);
        }
        send(if channel == Channel::Out { &mut state.out } else { &mut state.err }, text);
        self.redraw(&mut state, "");
    }

    /// Writes a text above the lines that are redrawn, and those again.
    fn redraw(&self, state: &mut State, text: &str) {
        let theme = self.theme(Channel::Out);
        let live = if state.paused || !self.out.terminal { &[][..] } else { &state.live[..] };
        if text.is_empty() && live.is_empty() && state.drawn.is_empty() {
            return;
        }
        let room = size().0.saturating_sub(1).max(1);
        let rows: String = live.iter().map(|line| self.rendered(line, theme)).collect();
        let rows: Vec<_> = rows.split_inclusive('\n').collect();
        let shown = &rows[..rows.len().min(room)];
        let erasing = erasure(&state.drawn, theme.columns + 1);
        let (begin, end) = if erasing.is_empty() && shown.is_empty() { ("", "") } else { ATOMIC };
        send(&mut state.out, &format!("{begin}{erasing}{text}{}{end}", shown.concat()));
        state.drawn = shown.iter().map(|row| width(&console::strip_ansi_codes(row)).max(1)).collect();
    }

    fn face(&self, channel: Channel) -> Face {
        if channel == Channel::Out { self.out } else { self.err }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must still be told, through this very door.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Rows and columns of the terminal.
fn size() -> (usize, usize) {
    let (rows, columns) =
        console::Term::stdout().size_checked().or(console::Term::stderr().size_checked()).unwrap_or((24, 80));
    (rows.into(), columns.into())
}

fn colour(environment: &Environment, terminal: bool) -> Colour {
    let forced = environment.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let refused = environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb");
    if (terminal && !refused) || forced { Colour::Ansi } else { Colour::Never }
}

fn erase(state: &mut State) {
    let text = erasure(&state.drawn, size().1);
    state.drawn.clear();
    send(&mut state.out, &text);
}

/// Moves the cursor to the first of the rows that were drawn, and clears from there. A terminal that has become
/// narrower since has broken them.
fn erasure(drawn: &[usize], columns: usize) -> String {
    let rows: usize = drawn.iter().map(|width| width.div_ceil(columns.max(1))).sum();
    if rows == 0 { String::new() } else { format!("\u{1b}[{rows}A\r\u{1b}[J") }
}

/// A reader that has gone away does not stop a run in the middle of its writes.
fn send(to: &mut Box<dyn Write + Send>, text: &str) {
    if !text.is_empty() {
        drop(to.write_all(text.as_bytes()).and_then(|()| to.flush()));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sink that a test reads afterwards.
    #[derive(Clone, Default)]
    pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Sink {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A writer into sinks, 80 columns wide, not on a terminal.
    pub(crate) fn captured(vault: Arc<Vault>) -> (Writer, Sink, Sink) {
        let (out, err) = (Sink::default(), Sink::default());
        let mut writer = Writer::open(&Environment::of(&[("COLUMNS", "80"), ("LANG", "C.UTF-8")]), vault);
        (writer.out, writer.err) =
            (Face { terminal: false, colour: Colour::Never }, Face { terminal: false, colour: Colour::Never });
        {
            let mut state = writer.lock();
            (state.out, state.err) = (Box::new(out.clone()), Box::new(err.clone()));
        }
        (writer, out, err)
    }

    #[test]
    fn nothing_leaves_with_a_secret_or_an_escape_in_it() {
        let vault = Arc::new(Vault::default());
        vault.learn("hunter2222");
        let (writer, out, err) = captured(vault);
        writer.line(Channel::Out, &Line::of("password hunter2222 \u{1b}[31m"));
        writer.text(Channel::Out, "a\nhunter2222\u{1b}]0;x\u{7}");
        writer.json(&serde_json::json!({ "hunter2222": "hunter2222\u{202e}" }));
        writer.line(Channel::Err, &Line::of("hunter2222"));
        let all = format!("{}{}", out.text(), err.text());
        assert!(!all.contains("hunter2222") && !all.contains('\u{1b}') && !all.contains('\u{202e}'), "{all}");
        assert!(out.text().starts_with("password <secret 1> \\u{1b}[31m\n"), "{all}");
    }

    #[test]
    fn rows_that_a_narrower_terminal_has_broken_are_erased_too() {
        assert_eq!(erasure(&[30, 70], 80), "\u{1b}[2A\r\u{1b}[J");
        assert_eq!(erasure(&[30, 70], 40), "\u{1b}[3A\r\u{1b}[J");
        assert_eq!(erasure(&[], 40), "");
    }
}
