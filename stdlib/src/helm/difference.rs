//! What differs between two objects, field by field. Data of Secrets is never shown.
//!
//! Does not know kinds, releases or where the objects come from.

use runbook_core::Value;
use serde_json::json;
use similar::TextDiff;

/// Texts above this are shown as a diff of their lines.
const SHORT: usize = 200;

/// A diff of a text ends after that many characters.
const LONGEST: usize = 8_000;

/// The fields in which two objects differ: each with `path`, `old` and `new`, or `path` and `diff` for long texts.
///
/// List items that all have a unique `name` are told apart by it: `containers[name=discovery].image`.
pub(super) fn fields(old: &Value, new: &Value) -> Vec<Value> {
    let confidential = [old, new].iter().any(|object| object.get("kind").and_then(Value::as_str) == Some("Secret"));
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut |path, old, new| {
        let hidden = confidential && (path.starts_with("data") || path.starts_with("stringData"));
        found.push(if hidden { hide(path, old, new) } else { show(path, old, new) });
    });
    found
}

type Found<'a> = &'a mut dyn FnMut(&str, Option<&Value>, Option<&Value>);

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, found: Found<'_>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (key, value) in old {
                compare(&joined(path, key), Some(value), new.get(key), found);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                compare(&joined(path, key), None, Some(value), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => compare_lists(path, old, new, found),
        (old, new) => found(path, old, new),
    }
}

fn compare_lists(path: &str, old: &[Value], new: &[Value], found: Found<'_>) {
    let (Some(old_names), Some(new_names)) = (names(old), names(new)) else {
        for index in 0..old.len().max(new.len()) {
            compare(&format!("{path}[{index}]"), old.get(index), new.get(index), found);
        }
        return;
    };
    let by_name = |names: &[&str], items: &[Value], wanted: &str| {
        names.iter().position(|name| *name == wanted).map(|index| items[index].clone())
    };
    for name in &old_names {
        let (before, after) = (by_name(&old_names, old, name), by_name(&new_names, new, name));
        compare(&format!("{path}[name={name}]"), before.as_ref(), after.as_ref(), found);
    }
    for name in new_names.iter().filter(|name| !old_names.contains(name)) {
        compare(&format!("{path}[name={name}]"), None, by_name(&new_names, new, name).as_ref(), found);
    }
    let common = |names: &[&str], other: &[&str]| -> Vec<String> {
        names.iter().filter(|name| other.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    let (before, after) = (common(&old_names, &new_names), common(&new_names, &old_names));
    if before != after {
        found(&format!("{path} (order)"), Some(&json!(before)), Some(&json!(after)));
    }
}

/// The names of all items, where each has one of its own.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names: Vec<_> = items.iter().map(|item| item.get("name").and_then(Value::as_str)).collect::<Option<_>>()?;
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    (unique.len() == names.len() && !names.is_empty()).then_some(names)
}

fn joined(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && !key.contains(['.', '[', ']', '"']);
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[\"{key}\"]"),
    }
}

fn show(path: &str, old: Option<&Value>, new: Option<&Value>) -> Value {
    let long =
        |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|t| t.len() > SHORT || t.contains('\n'));
    if let (Some(Value::String(before)), Some(Value::String(after))) = (old, new)
        && (long(old) || long(new))
    {
        let diff = TextDiff::from_lines(before, after).unified_diff().context_radius(1).to_string();
        return json!({ "path": path, "diff": shortened(&diff) });
    }
    json!({ "path": path, "old": old, "new": new })
}

fn hide(path: &str, old: Option<&Value>, new: Option<&Value>) -> Value {
    json!({ "path": path, "old": old.map(|_| "<secret>"), "new": new.map(|_| "<secret>") })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\n... and more", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_changed_field_is_named_with_old_and_new() {
        let old = json!({ "kind": "Deployment", "metadata": { "labels": { "app.kubernetes.io/version": "1.29" } },
            "spec": { "replicas": 1, "paused": true, "c": [{ "name": "a", "image": "x:1" }, { "name": "b" }] } });
        let new = json!({ "kind": "Deployment", "metadata": { "labels": { "app.kubernetes.io/version": "1.30" } },
            "spec": { "replicas": 2, "c": [{ "name": "n" }, { "name": "a", "image": "x:2" }], "list": [1] } });
        assert_eq!(
            Value::Array(fields(&old, &new)),
            json!([
                { "path": "metadata.labels[\"app.kubernetes.io/version\"]", "old": "1.29", "new": "1.30" },
                { "path": "spec.replicas", "old": 1, "new": 2 },
                { "path": "spec.paused", "old": true, "new": null },
                { "path": "spec.c[name=a].image", "old": "x:1", "new": "x:2" },
                { "path": "spec.c[name=b]", "old": { "name": "b" }, "new": null },
                { "path": "spec.c[name=n]", "old": null, "new": { "name": "n" } },
                { "path": "spec.list", "old": null, "new": [1] },
            ])
        );
    }

    #[test]
    fn equal_objects_differ_in_nothing_whatever_the_order_of_keys() {
        let (old, new) = (json!({ "a": 1, "b": { "c": 2, "d": 3 } }), json!({ "b": { "d": 3, "c": 2 }, "a": 1 }));
        assert_eq!(old, new);
        assert!(fields(&old, &new).is_empty());
    }

    #[test]
    fn a_new_order_of_named_items_is_a_difference() {
        let fields = fields(
            &json!({ "l": [{ "name": "a" }, { "name": "b" }] }),
            &json!({ "l": [{ "name": "b" }, { "name": "a" }] }),
        );
        assert_eq!(fields, [json!({ "path": "l (order)", "old": ["a", "b"], "new": ["b", "a"] })]);
    }

    #[test]
    fn a_long_text_is_shown_as_its_changed_lines() {
        let lines = |tag: &str| {
            (0..400).map(|n| if n == 200 { tag.to_owned() } else { format!("line {n}") }).collect::<Vec<_>>().join("\n")
        };
        let fields =
            fields(&json!({ "data": { "values": lines("old") } }), &json!({ "data": { "values": lines("new") } }));
        let diff = fields[0]["diff"].as_str().unwrap();
        assert!(diff.contains("-old") && diff.contains("+new") && diff.lines().count() < 10, "{diff}");
    }

    #[test]
    fn data_of_a_secret_is_never_shown() {
        let secret = |value: &str| json!({ "kind": "Secret", "data": { "password": value }, "type": "Opaque" });
        let fields = fields(&secret("b25l"), &secret("dHdv"));
        assert_eq!(fields, [json!({ "path": "data.password", "old": "<secret>", "new": "<secret>" })]);
    }
}
