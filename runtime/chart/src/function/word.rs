//! Words: their case, their shape, and where lines end.

use super::{fixed, int, text, usize_of};
use crate::execute::{Function, Param};
use crate::value::Value;

const TEXT: Param = Param::Text;
const INT: Param = Param::Int;

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("title", &[TEXT], |_, args| Ok(Value::text(title(&text(args, 0))))),
        fixed("untitle", &[TEXT], |_, args| Ok(Value::text(starts(&text(args, 0), lower)))),
        fixed("swapcase", &[TEXT], |_, args| Ok(Value::text(swap(&text(args, 0))))),
        fixed("nospace", &[TEXT], |_, args| {
            Ok(Value::text(text(args, 0).chars().filter(|c| !c.is_whitespace()).collect::<String>()))
        }),
        fixed("initials", &[TEXT], |_, args| {
            let source = text(args, 0);
            Ok(Value::text(source.split_whitespace().filter_map(|word| word.chars().next()).collect::<String>()))
        }),
        fixed("snakecase", &[TEXT], |_, args| Ok(Value::text(joined(&text(args, 0), '_')))),
        fixed("kebabcase", &[TEXT], |_, args| Ok(Value::text(joined(&text(args, 0), '-')))),
        fixed("camelcase", &[TEXT], |_, args| Ok(Value::text(pascal(&text(args, 0))))),
        fixed("wrap", &[INT, TEXT], |world, args| {
            world.step(text(args, 1).len() / 16)?;
            Ok(Value::text(wrap(&text(args, 1), int(args, 0), "\n", Long::Kept)))
        }),
        fixed("wrapWith", &[INT, TEXT, TEXT], |world, args| {
            world.step(text(args, 2).len() / 16)?;
            world.take(text(args, 2).len().saturating_mul(text(args, 1).len()))?;
            let separator = text(args, 1);
            let separator = if separator.is_empty() { "\n" } else { &separator };
            Ok(Value::text(wrap(&text(args, 2), int(args, 0), separator, Long::Cut)))
        }),
    ]
}

fn upper(c: char) -> String {
    c.to_uppercase().collect()
}

fn lower(c: char) -> String {
    c.to_lowercase().collect()
}

/// `strings.Title`: letters after what is none.
fn title(source: &str) -> String {
    let mut before = ' ';
    let mut out = String::new();
    for c in source.chars() {
        let inside = before.is_alphanumeric() || matches!(before, '_' | '\'');
        if inside {
            out.push(c);
        } else {
            out.push_str(&upper(c));
        }
        before = c;
    }
    out
}

/// Changes the first letter of each word.
fn starts(source: &str, change: impl Fn(char) -> String) -> String {
    let mut fresh = true;
    let mut out = String::new();
    for c in source.chars() {
        if c.is_whitespace() {
            fresh = true;
            out.push(c);
        } else if fresh {
            fresh = false;
            out.push_str(&change(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn swap(source: &str) -> String {
    source.chars().map(|c| if c.is_uppercase() { lower(c) } else { upper(c) }).collect()
}

/// Words joined by a character: at changes of case, around digits, and where others were joined before.
fn joined(source: &str, by: char) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        if matches!(c, '_' | '-' | ' ') {
            out.push(by);
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let inner = before.is_some_and(|before| !matches!(before, '_' | '-' | ' '));
        let rises = c.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        let digit = c.is_numeric() && before.is_some_and(char::is_alphabetic);
        let letter = c.is_alphabetic() && before.is_some_and(char::is_numeric);
        if inner && (rises || digit || (letter && c.is_uppercase())) {
            out.push(by);
        }
        out.push_str(&lower(*c));
    }
    out
}

fn pascal(source: &str) -> String {
    let mut fresh = true;
    let mut out = String::new();
    for c in source.chars() {
        if matches!(c, '_' | '-' | ' ') {
            fresh = true;
        } else if fresh {
            fresh = false;
            out.push_str(&upper(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// What becomes of a word longer than a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {
    Kept,
    Cut,
}

/// `goutils.WrapCustom`.
fn wrap(source: &str, width: i64, separator: &str, long: Long) -> String {
    let width = usize_of(width).max(1);
    let bytes = source.as_bytes();
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while bytes.len() - at > width {
        if bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let end = at + width + 1;
        if let Some(space) = bytes[at..end].iter().rposition(|byte| *byte == b' ') {
            out.extend_from_slice(&bytes[at..at + space]);
            out.extend_from_slice(separator.as_bytes());
            at += space + 1;
        } else if long == Long::Cut {
            out.extend_from_slice(&bytes[at..at + width]);
            out.extend_from_slice(separator.as_bytes());
            at += width;
        } else if let Some(space) = bytes[at + width..].iter().position(|byte| *byte == b' ') {
            out.extend_from_slice(&bytes[at..at + width + space]);
            out.extend_from_slice(separator.as_bytes());
            at += width + space + 1;
        } else {
            break;
        }
    }
    out.extend_from_slice(&bytes[at..]);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_as_sprig_changes_them() {
        assert_eq!(joined("FirstName", '_'), "first_name");
        assert_eq!(joined("HTTPServer", '_'), "http_server");
        assert_eq!(joined("NoHTTPS", '-'), "no-https");
        assert_eq!(pascal("http_server"), "HttpServer");
        assert_eq!(title("hello wide world"), "Hello Wide World");
        assert_eq!(wrap("Hello World", 5, "\n", Long::Kept), "Hello\nWorld");
    }
}
