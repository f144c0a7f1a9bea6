//! `obj.at("spec.http[0].match")` and `obj.must("...")`: reading a value by its path.
//!
//! Does not know Kubernetes: a path is names, indexes and quoted names.

use rhai::{Dynamic, ImmutableString};

use crate::fault::{Code, Fault};
use crate::param::nearest;

/// One part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    Index(i64),
}

/// The value at a path, `()` where there is none.
///
/// Faults: `RB015` where the path cannot be read.
pub(super) fn at(value: &Dynamic, path: &str) -> Result<Dynamic, Fault> {
    let parts = parse(path)?;
    Ok(follow(value, &parts).unwrap_or(Dynamic::UNIT))
}

/// The value at a path.
///
/// Faults: `RB022` where there is none; it names the part that is missing and what is there instead.
pub(super) fn must(value: &Dynamic, path: &str) -> Result<Dynamic, Fault> {
    let parts = parse(path)?;
    match follow(value, &parts) {
        Some(found) if !found.is_unit() => Ok(found),
        _ => Err(missing(value, path, &parts)),
    }
}

fn follow(value: &Dynamic, parts: &[Part]) -> Option<Dynamic> {
    let Some((part, rest)) = parts.split_first() else { return Some(value.flatten_clone()) };
    match part {
        Part::Name(name) => value.as_map_ref().ok()?.get(name.as_str()).and_then(|inner| follow(inner, rest)),
        Part::Index(index) => {
            let items = value.as_array_ref().ok()?;
            let length = i64::try_from(items.len()).ok()?;
            let index = if *index < 0 { length + index } else { *index };
            items.get(usize::try_from(index).ok()?).and_then(|inner| follow(inner, rest))
        }
    }
}

fn missing(value: &Dynamic, path: &str, parts: &[Part]) -> Fault {
    let reached = (0..parts.len()).rev().find_map(|n| {
        let found = follow(value, &parts[..n]).filter(|found| !found.is_unit())?;
        Some((n, found))
    });
    let (depth, found) = reached.unwrap_or_else(|| (0, value.clone()));
    let whole = match depth {
        0 => "the value".to_owned(),
        n => format!("`{}`", write(&parts[..n])),
    };
    let lacking = parts.get(depth).map(|part| write(std::slice::from_ref(part))).unwrap_or_default();
    let fault = Fault::new(Code::NotFound, format!("`{path}` is not there: {whole} has no `{lacking}`"));
    let names: Vec<String> =
        found.as_map_ref().map(|map| map.keys().map(ToString::to_string).collect()).unwrap_or_default();
    match nearest(&lacking, names.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => fault.hint(format!("{whole} is {}", found.type_name())),
        None => fault.hint(format!("{whole} has {}", names.join(", "))),
    }
}

fn write(parts: &[Part]) -> String {
    let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Name(name) if plain(name) && text.is_empty() => text.push_str(name),
            Part::Name(name) if plain(name) => text.extend([".", name]),
            Part::Name(name) => text = format!("{text}[{name:?}]"),
            Part::Index(index) => text = format!("{text}[{index}]"),
        }
    }
    text
}

fn parse(path: &str) -> Result<Vec<Part>, Fault> {
    let wrong = |reason: &str| {
        Fault::new(Code::WrongArgument, format!("the path `{path}` cannot be read: {reason}"))
            .hint("write it as in `spec.http[0].match` or `metadata.labels[\"app.kubernetes.io/name\"]`")
    };
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (part, after) = bracket(inner).ok_or_else(|| wrong("a `[` is not closed or holds no index"))?;
            parts.push(part);
            rest = after;
            continue;
        }
        let name = match (rest.strip_prefix('.'), parts.is_empty()) {
            (Some(after), false) => after,
            (None, true) => rest,
            _ => return Err(wrong("a `.` is missing or misplaced")),
        };
        let end = name.find(['.', '[']).unwrap_or(name.len());
        if end == 0 {
            return Err(wrong("a name is empty"));
        }
        parts.push(Part::Name(name[..end].to_owned()));
        rest = &name[end..];
    }
    Ok(parts)
}

/// The part in brackets and what comes after them.
fn bracket(text: &str) -> Option<(Part, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (name, after) = text[1..].split_once(quote)?;
        return Some((Part::Name(name.to_owned()), after.strip_prefix(']')?));
    }
    let (index, after) = text.split_once(']')?;
    Some((Part::Index(index.trim().parse().ok()?), after))
}

/// The text of a path argument.
pub(super) fn text(argument: &Dynamic) -> Result<ImmutableString, Fault> {
    argument.as_immutable_string_ref().map(|text| text.clone()).map_err(|found| {
        Fault::new(Code::WrongArgument, format!("a path is a string such as \"spec.replicas\", not {found}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::{to_dynamic, to_value};
    use super::*;
    use serde_json::{Value, json};

    fn object() -> Dynamic {
        to_dynamic(json!({
            "metadata": { "labels": { "istio.io/rev": "1-30", "app": "web" } },
            "spec": { "http": [{ "match": "a" }, { "match": "b" }], "paused": null },
        }))
    }

    fn read(path: &str) -> Value {
        to_value(&at(&object(), path).unwrap()).unwrap()
    }

    #[test]
    fn a_path_reaches_reserved_words_indexes_and_dotted_keys() {
        assert_eq!(read("spec.http[0].match"), json!("a"));
        assert_eq!(read("spec.http[-1].match"), json!("b"));
        assert_eq!(read("metadata.labels[\"istio.io/rev\"]"), json!("1-30"));
        assert_eq!(read("metadata['labels'].app"), json!("web"));
        assert_eq!(read("spec.tcp[0].match"), json!(null));
        assert_eq!(read("spec.http[7]"), json!(null));
    }

    #[test]
    fn what_must_be_there_and_is_not_is_named() {
        let fault = must(&object(), "metadata.lables.app").unwrap_err();
        assert_eq!(fault.code, Code::NotFound);
        assert_eq!(fault.message, "`metadata.lables.app` is not there: `metadata` has no `lables`");
        assert_eq!(fault.hint.as_deref(), Some("did you mean `labels`?"));
        assert!(must(&object(), "spec.paused").is_err(), "a null is not there either");
    }

    #[test]
    fn a_path_that_cannot_be_read_is_a_fault() {
        for path in ["a..b", "[x]", "a[", "a[\"b]", ".a", "a[0]b", "a."] {
            assert_eq!(at(&object(), path).unwrap_err().code, Code::WrongArgument, "{path}");
        }
    }
}
