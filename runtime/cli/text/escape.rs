//! Makes untrusted text harmless: what would move a cursor, colour a screen, end a line or turn the reading direction
//! becomes visible instead.
//!
//! Does not know secrets, nor where the text came from: all of it is distrusted.

use std::fmt::Write as _;

/// Whether a character does something else than stand there.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text as one line in which nothing acts: `\n`, `\t`, `\u{1b}` stand there in letters.
pub(crate) fn clean(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for text of several lines: line ends and tabs are left as they are.
pub(crate) fn visible(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, kept: impl Fn(char) -> bool) -> String {
    if !text.chars().any(acts) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if kept(c) || !acts(c) => clean.push(c),
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            '\t' => clean.push_str("\\t"),
            c => write!(clean, "\\u{{{:x}}}", u32::from(c)).expect("writing to a string cannot fail"),
        }
    }
    clean
}

/// JSON text in which nothing acts either; it means the same to whoever parses it.
///
/// Such characters can only stand inside of JSON strings, where `\u202e` is another way to write them.
pub(crate) fn json_safe(json: &str) -> String {
    if !json.chars().any(acts) {
        return json.to_owned();
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if !acts(c) {
            safe.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(safe, "\\u{unit:04x}").expect("writing to a string cannot fail");
        }
    }
    safe
}

/// How many columns a text takes on a screen.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { console::measure_text_width(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_becomes_visible() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}31m"), "a\\u{1b}[2Jb\\r\\nc\\u{202e}d\\u{9b}31m");
        assert_eq!(clean("plain → text, é"), "plain → text, é");
        assert_eq!(visible("two\nlines\u{7}"), "two\nlines\\u{7}");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "m": "a\u{202e}b\u{1b}c\u{e0041}" });
        let safe = json_safe(&value.to_string());
        assert!(!safe.chars().any(acts), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
