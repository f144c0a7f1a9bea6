//! Regular expressions in RE2's syntax, and the patterns that name files.

use std::rc::Rc;

use regex::Regex;

use super::{fixed, int, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::Value;

const TEXT: Param = Param::Text;
const INT: Param = Param::Int;
const THREE: &[Param] = &[TEXT, TEXT, TEXT];

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
    all.push(fixed("regexFind", &[TEXT, TEXT], |world, args| Ok(find(certain(world, args)?.as_ref(), args))));
    all.push(fixed("mustRegexFind", &[TEXT, TEXT], |world, args| Ok(find(compiled(world, args)?.as_ref(), args))));
    all.push(fixed("regexFindAll", &[TEXT, TEXT, INT], |world, args| {
        Ok(find_all(certain(world, args)?.as_ref(), args))
    }));
    all.push(fixed("mustRegexFindAll", &[TEXT, TEXT, INT], |world, args| {
        Ok(find_all(compiled(world, args)?.as_ref(), args))
    }));
    all.push(fixed("regexReplaceAll", THREE, |world, args| replace(world, certain(world, args)?.as_ref(), args)));
    all.push(fixed("mustRegexReplaceAll", THREE, |world, args| replace(world, compiled(world, args)?.as_ref(), args)));
    all.push(fixed("regexReplaceAllLiteral", THREE, |world, args| {
        literally(world, certain(world, args)?.as_ref(), args)
    }));
    all.push(fixed("mustRegexReplaceAllLiteral", THREE, |world, args| {
        literally(world, compiled(world, args)?.as_ref(), args)
    }));
    all.push(fixed("regexSplit", &[TEXT, TEXT, INT], |world, args| {
        Ok(Value::texts(split(certain(world, args)?.as_ref(), &text(args, 1), int(args, 2))))
    }));
    all.push(fixed("mustRegexSplit", &[TEXT, TEXT, INT], |world, args| {
        Ok(Value::texts(split(compiled(world, args)?.as_ref(), &text(args, 1), int(args, 2))))
    }));
    all
}

fn find(pattern: &Regex, args: &[Value]) -> Value {
    Value::text(pattern.find(&text(args, 1)).map_or("", |found| found.as_str()))
}

fn find_all(pattern: &Regex, args: &[Value]) -> Value {
    let most = usize::try_from(int(args, 2)).unwrap_or(usize::MAX);
    Value::texts(pattern.find_iter(&text(args, 1)).take(most).map(|found| found.as_str()))
}

fn replace(world: &World<'_>, pattern: &Regex, args: &[Value]) -> Result<Value, Failure> {
    let (source, with) = (text(args, 1), text(args, 2));
    world.take(source.len().saturating_mul(with.len().max(1)) / 8)?;
    Ok(Value::text(pattern.replace_all(&source, &*with)))
}

fn literally(world: &World<'_>, pattern: &Regex, args: &[Value]) -> Result<Value, Failure> {
    let (source, with) = (text(args, 1), text(args, 2));
    world.take(source.len().saturating_mul(with.len().max(1)) / 8)?;
    Ok(Value::text(pattern.replace_all(&source, regex::NoExpand(&with))))
}

/// The pattern of a function that Go lets panic over a bad one.
fn certain(world: &World<'_>, args: &[Value]) -> Result<Rc<Regex>, Failure> {
    compiled(world, args).map_err(|failure| {
        if failure.bound { failure } else { failure.wrapped(&format!("regexp: Compile(`{}`)", text(args, 0))) }
    })
}

/// The pattern that the first argument is, remembered for the next time.
fn compiled(world: &World<'_>, args: &[Value]) -> Result<Rc<Regex>, Failure> {
    let source = text(args, 0);
    world.step(16 + text(args, 1).len() / 16)?;
    if let Some(known) = world.patterns.borrow().get(&*source) {
        return Ok(known.clone());
    }
    world.step(500)?;
    let made = Regex::new(&ascii_classes(&source))
        .map_err(|error| Failure::plain(format!("error parsing regexp: {}", complaint(&source, &error.to_string()))))?;
    let made = Rc::new(made);
    world.patterns.borrow_mut().insert(source.to_string(), made.clone());
    Ok(made)
}

/// What Go's parser says where ours says something else.
fn complaint(source: &str, words: &str) -> String {
    if words.contains("unclosed character class") {
        return format!("missing closing ]: `{}`", source.rfind('[').map_or(source, |at| &source[at..]));
    }
    if words.contains("unclosed group") {
        return format!("missing closing ): `{source}`");
    }
    if words.contains("unopened group") {
        return format!("unexpected ): `{source}`");
    }
    if words.contains("repetition operator missing expression") {
        let operator = source.chars().find(|c| matches!(c, '*' | '+' | '?' | '{')).unwrap_or('*');
        return format!("missing argument to repetition operator: `{operator}`");
    }
    words.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
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
