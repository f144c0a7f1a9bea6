//! `text::join`, `text::matches`, `text::sha256`

use runbook_core::{Args, Call, Param, Primitive, Value, digest};

use super::{example, pure};

const TEXTS: Param<Vec<Value>> = Param::required("texts", "A list; what is no text is written as JSON.");
const SEPARATOR: Param<String> = Param::required("separator", "What stands between two of them.");
const TEXT: Param<String> = Param::required("text", "Any text.");
const PATTERN: Param<String> = Param::required("pattern", "`*` is any run of characters, `?` any one.");

/// `text::join`
pub(super) const JOIN: Primitive = pure(
    "text::join",
    "Join a list into one text.",
    &[&TEXTS, &SEPARATOR],
    |_: &Call<'_>, args: &Args| {
        let texts: Vec<_> =
            args.get(&TEXTS).iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
        Ok(Value::String(texts.join(&args.get(&SEPARATOR))))
    },
    &[example(r#"text::join(["a", "b", 3], ", ")"#, "a, b, 3")],
);

/// `text::matches`
pub(super) const MATCHES: Primitive = pure(
    "text::matches",
    "Whether the whole of a text fits a pattern.",
    &[&TEXT, &PATTERN],
    |_: &Call<'_>, args: &Args| Ok(Value::Bool(fits(&args.get(&TEXT), &args.get(&PATTERN)))),
    &[
        example(r#"text::matches("istiod-1-30-3", "istiod-*")"#, "true"),
        example(r#"text::matches("web", "w?")"#, "false"),
    ],
);

/// `text::sha256`
pub(super) const SHA256: Primitive = pure(
    "text::sha256",
    "SHA-256 of a text, in hexadecimal.",
    &[&TEXT],
    |_: &Call<'_>, args: &Args| Ok(Value::String(digest::of_bytes(args.get(&TEXT).as_bytes()))),
    &[example(r#"text::sha256("")"#, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
);

/// Goes back to the last `*` where a character does not fit, so the time is at most the product of both lengths.
fn fits(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
