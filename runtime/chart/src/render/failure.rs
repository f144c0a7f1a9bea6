//! Errors of templates as helm shows them, and the places that they name.

use crate::execute::Failure;
use crate::fault::Fault;
use crate::function::{WARN_END, WARN_START};
use crate::order::Dialect;

/// A template that cannot be parsed.
pub(super) fn of_parsing(name: &str, words: &str, chart: &str) -> Fault {
    let tokens: Vec<&str> = words.split(": ").collect();
    let words = match tokens.as_slice() {
        [_] | [] => format!("parse error in ({name}): {words}"),
        [_, place, .., last] => format!("parse error at ({place}): {last}"),
        [_, place] => format!("parse error at ({place}): {place}"),
    };
    placed(words, chart)
}

/// A template that cannot be executed.
pub(super) fn of_execution(name: &str, failure: &Failure, chart: &str, dialect: Dialect) -> Fault {
    Fault { beyond: failure.bound, ..told(name, failure, chart, dialect) }
}

fn told(name: &str, failure: &Failure, chart: &str, dialect: Dialect) -> Fault {
    if !failure.placed {
        return placed(failure.words.clone(), chart);
    }
    let tokens: Vec<&str> = failure.words.splitn(3, ": ").collect();
    let [_, place, rest] = tokens.as_slice() else {
        return placed(format!("execution error in ({name}): {}", failure.words), chart);
    };
    if let Some(said) = warned(rest) {
        return placed(format!("execution error at ({place}): {said}"), chart);
    }
    let words = match dialect {
        Dialect::Helm3 => failure.words.clone(),
        Dialect::Helm4 => traced(failure).unwrap_or_else(|| failure.words.clone()),
    };
    Fault { value: value_path(&failure.words), ..placed(words, chart) }
}

/// What the chart's author says through `fail` or `required`.
fn warned(words: &str) -> Option<&str> {
    let from = words.find(WARN_START)? + WARN_START.len();
    let to = words.rfind(WARN_END)?;
    words.get(from..to)
}

/// The chain of places, one below the other, as helm 4 lays it out; none where an error in it names no place.
fn traced(failure: &Failure) -> Option<String> {
    let mut parts: Vec<[String; 3]> = Vec::new();
    let mut at = Some(failure);
    while let Some(failure) = at {
        let part = trace(&failure.words)?;
        if parts.last() != Some(&part) {
            parts.push(part);
        }
        at = failure.cause.as_deref();
    }
    let mut out = String::new();
    for [place, executed, message] in parts {
        for (text, after) in [(place, "\n  "), (executed, "\n    "), (message, "\n")] {
            if !text.is_empty() {
                out.push_str(&text);
                out.push_str(after);
            }
        }
    }
    Some(out)
}

fn trace(words: &str) -> Option<[String; 3]> {
    let rest = words.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some([String::new(), String::new(), words.to_owned()]);
    }
    if let Some(part) = executing(rest) {
        return Some(part);
    }
    let at = rest.rfind(": ")?;
    Some([rest[..at].to_owned(), String::new(), cut(&rest[at + 2..]).to_owned()])
}

fn executing(rest: &str) -> Option<[String; 3]> {
    let (place, after) = rest.split_once(": executing ")?;
    let after = after.strip_prefix('"')?;
    let (function, after) = after.split_once('"')?;
    let (context, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
    let executed = format!("executing \"{function}\" at <{context}>:");
    Some([place.to_owned(), executed, cut(message).to_owned()])
}

/// Without the next error of the chain.
fn cut(message: &str) -> &str {
    message.find(" template:").map_or(message, |at| &message[..at])
}

/// The innermost place that a message names becomes the fault's.
fn placed(words: String, chart: &str) -> Fault {
    let mut fault = Fault::new(words).of(chart);
    let root = format!("{chart}/");
    let words = fault.words.clone();
    let found = words.match_indices(&root).filter_map(|(at, _)| {
        let rest = &words[at..];
        let end = rest.find([' ', ')', '\n', '"', '>']).unwrap_or(rest.len());
        let mut parts = rest[..end].split(':');
        let (path, line) = (parts.next()?, parts.next()?.parse().ok()?);
        Some((path.to_owned(), line))
    });
    if let Some((path, line)) = found.last() {
        fault.template = Some(path);
        fault.line = Some(line);
    }
    fault
}

/// The value that was being looked at, if one was.
fn value_path(words: &str) -> Option<String> {
    let at = words.rfind(".Values")?;
    let rest = &words[at..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches('.').to_owned())
}
