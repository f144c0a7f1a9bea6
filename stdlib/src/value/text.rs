//! `text::*`: small things about texts.

use runbook_core::{Args, Call, Code, Fault, Param, Primitive, Value, digest};

use super::{example, pure, word};

const TEXTS: Param<Vec<Value>> = Param::required("texts", "A list; what is no text is written as JSON.");
const SEPARATOR: Param<String> = Param::required("separator", "What stands between two of them.");
const TEXT: Param<String> = Param::required("text", "Any text.");
const PATTERN: Param<String> = Param::required(
    "pattern",
    "`*` is any run of characters, `?` any one, `[a-z0-9]` one of these, `[!a-z]` none of these.",
);
const FROM: Param<String> = Param::required("from", "What is replaced.");
const TO: Param<String> = Param::required("to", "What stands there instead.");
const WIDTH: Param<i64> = Param::required("width", "How many characters it has at least.");

/// `text::trim`
pub(super) const TRIM: Primitive = pure(
    "text::trim",
    "Take away white space at both ends.",
    &[&TEXT],
    |_: &Call<'_>, args: &Args| Ok(Value::String(args.get(&TEXT).trim().to_owned())),
    &[example(r#"text::trim("  a b ")"#, r#""a b""#)],
);

/// `text::split`
pub(super) const SPLIT: Primitive = pure(
    "text::split",
    "Take a text apart at a separator; an empty text has no parts.",
    &[&TEXT, &SEPARATOR],
    |_: &Call<'_>, args: &Args| {
        let (text, separator) = (args.get(&TEXT), args.get(&SEPARATOR));
        if separator.is_empty() {
            return Err(Fault::new(Code::WrongArgument, "a text cannot be split at an empty separator"));
        }
        let parts = text.split(&separator).filter(|_| !text.is_empty());
        Ok(parts.map(Value::from).collect())
    },
    &[example(r#"text::split("a, b", ", ")"#, r#"["a","b"]"#), example(r#"text::split("", ",")"#, "[]")],
);

/// `text::replace`
pub(super) const REPLACE: Primitive = pure(
    "text::replace",
    "Replace every occurrence of a text by another; the text given stays as it is.",
    &[&TEXT, &FROM, &TO],
    |_: &Call<'_>, args: &Args| Ok(Value::String(args.get(&TEXT).replace(&args.get(&FROM), &args.get(&TO)))),
    &[example(r#"text::replace("1.30.3", ".", "-")"#, "1-30-3")],
);

/// `text::pad`
pub(super) const PAD: Primitive = pure(
    "text::pad",
    "Fill a text up with spaces at its end.",
    &[&TEXT, &WIDTH],
    |_: &Call<'_>, args: &Args| {
        let width = usize::try_from(args.get(&WIDTH)).unwrap_or(0).min(WIDEST);
        Ok(Value::String(format!("{:width$}", args.get(&TEXT))))
    },
    &[example(r#"text::pad("ab", 4) + "|""#, "ab  |")],
);

/// `text::join`
pub(super) const JOIN: Primitive = pure(
    "text::join",
    "Join a list into one text.",
    &[&TEXTS, &SEPARATOR],
    |_: &Call<'_>, args: &Args| {
        let texts: Vec<_> = args.get(&TEXTS).iter().map(word).collect();
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

/// Nobody reads wider lines.
const WIDEST: usize = 1000;

/// One part of a pattern.
enum Part {
    Run,
    Any,
    Exactly(char),
    /// Ranges, and whether a character must lie in one of them.
    Class(Vec<(char, char)>, bool),
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => true,
            Self::Exactly(own) => *own == c,
            Self::Class(ranges, wanted) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) == *wanted,
        }
    }
}

/// A `[` that is never closed stands for itself.
fn parts(pattern: &str) -> Vec<Part> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(c) = chars.get(at) {
        // The first character of a class is never its end, so that `[]]` is a class of one bracket.
        let end = (*c == '[')
            .then(|| chars.iter().skip(at + 2).position(|c| *c == ']').map(|offset| at + 2 + offset))
            .flatten();
        let part = match (c, end) {
            ('*', _) => Part::Run,
            ('?', _) => Part::Any,
            ('[', Some(end)) => {
                let part = class(&chars[at + 1..end]);
                at = end;
                part
            }
            (c, _) => Part::Exactly(*c),
        };
        parts.push(part);
        at += 1;
    }
    parts
}

fn class(chars: &[char]) -> Part {
    let (chars, wanted) = match chars {
        ['!', rest @ ..] if !rest.is_empty() => (rest, false),
        chars => (chars, true),
    };
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if let [from, '-', to, ..] = chars[at..] {
            ranges.push((from, to));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    Part::Class(ranges, wanted)
}

/// Goes back to the last `*` where a character does not fit, so the time is at most the product of both lengths.
fn fits(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<Part>) = (text.chars().collect(), parts(pattern));
    let (mut t, mut p) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Part::Run) => {
                star = Some((p, t));
                p += 1;
            }
            Some(part) if part.takes(text[t]) => {
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
    pattern[p..].iter().all(|part| matches!(part, Part::Run))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_takes_the_whole_text() {
        for (text, pattern, expected) in [
            ("istiod-1-30-3", "istiod-*", true),
            ("istiod", "istiod-*", false),
            ("abcab", "*ab", true),
            ("", "*", true),
            ("a", "", false),
            ("1-30", "[a-z0-9]*", true),
            ("-x", "[a-z0-9]*", false),
            ("x", "[!a-c]", true),
            ("b", "[!a-c]", false),
            ("-", "[a-]", true),
            ("[", "[", true),
            ("]", "[]]", true),
            ("über", "?ber", true),
        ] {
            assert_eq!(fits(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn a_pattern_cannot_be_made_to_take_for_ever() {
        assert!(!fits(&"a".repeat(5000), &format!("{}b", "*a".repeat(50))));
    }
}
