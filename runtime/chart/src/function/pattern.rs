//! Regular expressions in RE2's syntax, and the patterns that name files.

use std::rc::Rc;

use regex::Regex;

use super::{fixed, int, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::Value;

const TEXT: Param = Param::Text;

pub(super) fn functions() -> Vec<Function> {
    let mut all = vec![
        fixed("regexQuoteMeta", &[TEXT], |_, args| {
            let mut out = String::new();
            for c in text(args, 0).chars() {
                if r"\.+*?()|[]{}^$".contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
            Ok(Value::text(out))
        }),
        fixed("regexMatch", &[TEXT, TEXT], |world, args| {
            Ok(Value::Bool(compiled(world, args).is_ok_and(|pattern| pattern.is_match(&text(args, 1)))))
        }),
        fixed("mustRegexMatch", &[TEXT, TEXT], |world, args| {
            Ok(Value::Bool(compiled(world, args)?.is_match(&text(args, 1))))
        }),
    ];
    for name in ["regexFind", "mustRegexFind"] {
        all.push(fixed(name, &[TEXT, TEXT], |world, args| {
            let pattern = compiled(world, args)?;
            Ok(Value::text(pattern.find(&text(args, 1)).map_or("", |found| found.as_str())))
        }));
    }
    for name in ["regexFindAll", "mustRegexFindAll"] {
        all.push(fixed(name, &[TEXT, TEXT, Param::Int], |world, args| {
            let most = usize::try_from(int(args, 2)).unwrap_or(usize::MAX);
            let source = text(args, 1);
            let pattern = compiled(world, args)?;
            Ok(Value::texts(pattern.find_iter(&source).take(most).map(|found| found.as_str())))
        }));
    }
    for name in ["regexReplaceAll", "mustRegexReplaceAll"] {
        all.push(fixed(name, &[TEXT, TEXT, TEXT], |world, args| {
            let (source, with) = (text(args, 1), text(args, 2));
            world.take(source.len().saturating_mul(with.len().max(1)) / 8)?;
            Ok(Value::text(compiled(world, args)?.replace_all(&source, &*with)))
        }));
    }
    for name in ["regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"] {
        all.push(fixed(name, &[TEXT, TEXT, TEXT], |world, args| {
            let (source, with) = (text(args, 1), text(args, 2));
            world.take(source.len().saturating_mul(with.len().max(1)) / 8)?;
            Ok(Value::text(compiled(world, args)?.replace_all(&source, regex::NoExpand(&with))))
        }));
    }
    for name in ["regexSplit", "mustRegexSplit"] {
        all.push(fixed(name, &[TEXT, TEXT, Param::Int], |world, args| {
            Ok(Value::texts(split(&*compiled(world, args)?, &text(args, 1), int(args, 2))))
        }));
    }
    all
}

/// The pattern that the first argument is, remembered for the next time.
fn compiled(world: &World<'_>, args: &[Value]) -> Result<Rc<Regex>, Failure> {
    let source = text(args, 0);
    world.step(16 + text(args, 1).len() / 16)?;
    if let Some(known) = world.patterns.borrow().get(&*source) {
        return Ok(known.clone());
    }
    world.step(500)?;
    let made = Regex::new(&ascii_classes(&source)).map_err(|error| {
        let last = error.to_string();
        let last = last.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Failure::plain(format!("regexp: Compile(`{source}`): error parsing regexp: {last}"))
    })?;
    let made = Rc::new(made);
    world.patterns.borrow_mut().insert(source.to_string(), made.clone());
    Ok(made)
}

/// `\d`, `\w`, `\s` and `\b` mean ASCII in RE2.
fn ascii_classes(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(next) = chars.next() else {
                    out.push('\\');
                    break;
                };
                match (next, in_class) {
                    ('d', false) => out.push_str("[0-9]"),
                    ('d', true) => out.push_str("0-9"),
                    ('D', false) => out.push_str("[^0-9]"),
                    ('w', false) => out.push_str("[0-9A-Za-z_]"),
                    ('w', true) => out.push_str("0-9A-Za-z_"),
                    ('W', false) => out.push_str("[^0-9A-Za-z_]"),
                    ('s', false) => out.push_str(r"[\t\n\f\r ]"),
                    ('s', true) => out.push_str(r"\t\n\f\r "),
                    ('S', false) => out.push_str(r"[^\t\n\f\r ]"),
                    ('b', false) => out.push_str(r"(?-u:\b)"),
                    ('Q', false) => {
                        let rest: String = chars.by_ref().collect();
                        let (literal, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
                        out.push_str(&regex::escape(literal));
                        out.push_str(&ascii_classes(after));
                        return out;
                    }
                    (other, _) => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            '[' if in_class && chars.peek() != Some(&':') => out.push_str(r"\["),
            '[' => {
                out.push('[');
                if in_class {
                    // A named class such as `[:alpha:]`.
                    for c in chars.by_ref() {
                        out.push(c);
                        if c == ']' {
                            break;
                        }
                    }
                    continue;
                }
                in_class = true;
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str(r"\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// `Regexp.Split`.
fn split(pattern: &Regex, source: &str, most: i64) -> Vec<String> {
    if most == 0 {
        return Vec::new();
    }
    if !pattern.as_str().is_empty() && source.is_empty() {
        return vec![String::new()];
    }
    let most = usize::try_from(most).ok();
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in pattern.find_iter(source) {
        if most.is_some_and(|most| parts.len() + 1 == most) {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(source[begin..end].to_owned());
        }
        begin = found.end();
    }
    if end != source.len() {
        parts.push(source[begin..].to_owned());
    }
    parts
}

/// A pattern for paths: `*` stays within a folder, `**` does not.
pub(crate) fn glob(pattern: &str) -> Option<Regex> {
    let mut out = String::from("(?s)^");
    let mut chars = pattern.chars().peekable();
    let mut braces = 0;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
                loop {
                    match chars.next()? {
                        ']' => break,
                        '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
                        '-' => out.push('-'),
                        c => out.push_str(&regex::escape(&c.to_string())),
                    }
                }
                out.push(']');
            }
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push('$');
    Regex::new(&out).ok().filter(|_| braces == 0)
}
