//! How a string is written in YAML: plain, quoted or as a block, as libyaml's emitter decides.

use super::resolve::{Resolved, base_sixty, resolve};

/// The forms a string may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Where a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    Value,
}

/// What the emitter finds out about a text before it chooses.
struct Analysis {
    multiline: bool,
    plain: bool,
    single: bool,
    block: bool,
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// libyaml's `is_printable`, byte for byte.
fn printable(c: char) -> bool {
    let c = u32::from(c);
    c == 0x0a
        || (0x20..=0x7e).contains(&c)
        || (0xa0..=0xd7ff).contains(&c)
        || ((0xe000..=0xfffd).contains(&c) && c != 0xfeff)
}

fn analyze(text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis { multiline: false, plain: true, single: true, block: false };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut breaks, mut special) = (false, false);
    let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break, mut after_blank) = (false, false, true);
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let last = chars.peek().is_none();
        let before_blank = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
        indicators |= match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' if first => {
                true
            }
            '?' | '-' if first => before_blank,
            ':' => before_blank,
            '#' => after_blank,
            _ => false,
        };
        special |= !printable(c);
        if c == ' ' {
            leading |= first;
            trailing_space |= last;
            break_space |= previous_break;
            (previous_space, previous_break) = (true, false);
        } else if is_break(c) {
            breaks = true;
            leading |= first;
            trailing_break |= last;
            space_break |= previous_space;
            (previous_space, previous_break) = (false, true);
        } else {
            (previous_space, previous_break) = (false, false);
        }
        after_blank = matches!(c, ' ' | '\t') || is_break(c);
        first = false;
    }
    let spoilt = space_break || special;
    Analysis {
        multiline: breaks,
        plain: !(indicators || leading || trailing_space || trailing_break || break_space || spoilt || breaks),
        single: !(break_space || spoilt),
        block: !(trailing_space || spoilt),
    }
}

/// Which style version 2 of `go-yaml` chooses.
pub(super) fn style(text: &str, place: Place) -> Style {
    let plain = matches!(resolve(text), Resolved::Text) && !base_sixty(text);
    let wished = if text.contains('\n') {
        Style::Literal
    } else if plain {
        Style::Plain
    } else {
        Style::Double
    };
    settle(text, place, wished)
}

/// What becomes of a wish in view of the text.
pub(super) fn settle(text: &str, place: Place, wished: Style) -> Style {
    let analysis = analyze(text);
    let mut style = wished;
    if place == Place::Key && analysis.multiline {
        style = Style::Double;
    }
    if style == Style::Plain && (!analysis.plain || (text.is_empty() && place == Place::Key)) {
        style = Style::Single;
    }
    if style == Style::Single && !analysis.single {
        style = Style::Double;
    }
    if style == Style::Literal && (!analysis.block || place == Place::Key) {
        style = Style::Double;
    }
    style
}

/// Writes a string in a style. `column` is where it begins, `indent` where its further lines begin, `width` where lines
/// fold (never, if absent).
pub(super) fn write(out: &mut String, text: &str, style: Style, column: usize, indent: usize, width: Option<usize>) {
    match style {
        Style::Plain => folded(out, text, column, indent, width, String::push),
        Style::Single => {
            out.push('\'');
            folded(out, text, column + 1, indent, width, |out, c| {
                if c == '\'' {
                    out.push('\'');
                }
                out.push(c);
            });
            out.push('\'');
        }
        Style::Double => double(out, text, column, indent, width),
        Style::Literal => literal(out, text, indent),
    }
}

/// Plain and single-quoted scalars of one line, folded at single spaces once the line is too long.
fn folded(
    out: &mut String,
    text: &str,
    column: usize,
    indent: usize,
    width: Option<usize>,
    mut put: impl FnMut(&mut String, char),
) {
    let mut column = column;
    let mut spaces = false;
    let mut breaks = false;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        if c == ' ' {
            let folds = width.is_some_and(|width| column > width) && !spaces && !first;
            if folds && next.is_some_and(|next| next != ' ') {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else {
                put(out, c);
                column += 1;
            }
            spaces = true;
        } else if is_break(c) {
            if !breaks && c == '\n' {
                out.push('\n');
            }
            out.push('\n');
            column = 0;
            breaks = true;
        } else {
            if breaks {
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            }
            put(out, c);
            column += 1;
            spaces = false;
            breaks = false;
        }
        first = false;
    }
}

fn double(out: &mut String, text: &str, column: usize, indent: usize, width: Option<usize>) {
    out.push('"');
    let mut column = column + 1;
    let mut spaces = false;
    let length = text.len();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !printable(c) || is_break(c) || matches!(c, '"' | '\\') {
            let before = out.len();
            escape(out, c);
            column += out.len() - before;
            spaces = false;
        } else if c == ' ' {
            let folds = width.is_some_and(|width| column > width) && !spaces && at > 0 && at + 1 < length;
            if folds {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
                if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                    out.push('\\');
                    column += 1;
                }
            } else {
                out.push(' ');
                column += 1;
            }
            spaces = true;
        } else {
            out.push(c);
            column += 1;
            spaces = false;
        }
    }
    out.push('"');
}

fn escape(out: &mut String, c: char) {
    use std::fmt::Write as _;
    out.push('\\');
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            let code = u32::from(c);
            let _ = match code {
                0..=0xff => write!(out, "x{code:02X}"),
                0x100..=0xffff => write!(out, "u{code:04X}"),
                _ => write!(out, "U{code:08X}"),
            };
            return;
        }
    };
    out.push(short);
}

fn literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        out.push('2');
    }
    let mut last = text.chars().rev();
    match (last.next(), last.next()) {
        (Some(end), before) if is_break(end) => {
            if before.is_none_or(is_break) {
                out.push('+');
            }
        }
        _ => out.push('-'),
    }
    out.push('\n');
    let mut fresh = true;
    for c in text.chars() {
        if is_break(c) {
            out.push(c);
            fresh = true;
        } else {
            if fresh {
                out.extend(std::iter::repeat_n(' ', indent));
            }
            out.push(c);
            fresh = false;
        }
    }
}
