//! Paths into values, as in helm's `--set`: `a.b[0].c`, a dot inside of a key written `\.`.
//!
//! Does not know where values come from. Unlike `--set`, what is set has a type already: nothing is parsed out of it.

use runbook_core::Value;
use serde_json::Map;

/// Helm's own limit: a typo must not make a list of a million nulls.
const LARGEST_INDEX: usize = 65_536;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

/// Sets what a path leads to; maps and lists on the way are made, lists are padded with nulls.
///
/// The error says in words what is wrong with the path, or what stands in its way.
pub(super) fn set(values: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let parts = parse(path)?;
    let mut root = Value::Object(std::mem::take(values));
    let result = put(&mut root, &parts, value);
    if let Value::Object(map) = root {
        *values = map;
    }
    result.map_err(|reason| format!("`{path}`: {reason}"))
}

fn put(place: &mut Value, parts: &[Part], value: Value) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else {
        *place = value;
        return Ok(());
    };
    match part {
        Part::Key(key) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            let map = place.as_object_mut().ok_or_else(|| format!("what holds `{key}` is no map"))?;
            put(map.entry(key.clone()).or_insert(Value::Null), rest, value)
        }
        Part::Index(index) => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let list = place.as_array_mut().ok_or_else(|| format!("what holds `[{index}]` is no list"))?;
            if list.len() <= *index {
                list.resize(index + 1, Value::Null);
            }
            put(&mut list[*index], rest, value)
        }
    }
}

fn parse(path: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut chars = path.chars().peekable();
    loop {
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| !".[".contains(*c)) {
            key.push(if c == '\\' { chars.next().ok_or("a `\\` at the end")? } else { c });
        }
        if key.is_empty() {
            return Err(format!("`{path}` has an empty key"));
        }
        parts.push(Part::Key(key));
        while chars.next_if_eq(&'[').is_some() {
            let digits: String = std::iter::from_fn(|| chars.next_if(|c| *c != ']')).collect();
            if chars.next() != Some(']') {
                return Err(format!("`{path}` has a `[` without its `]`"));
            }
            let index = digits.parse().map_err(|_| format!("`{path}`: `[{digits}]` is no index"))?;
            if index > LARGEST_INDEX {
                return Err(format!("`{path}`: index {index} is above {LARGEST_INDEX}"));
            }
            parts.push(Part::Index(index));
        }
        match chars.next() {
            None => return Ok(parts),
            Some('.') => {}
            Some(other) => return Err(format!("`{path}` has `{other}` where `.` or the end should be")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set_in(mut values: Value, path: &str, value: Value) -> Result<Value, String> {
        set(values.as_object_mut().unwrap(), path, value)?;
        Ok(values)
    }

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        assert_eq!(set_in(json!({}), "a.b[1].c", json!(7)).unwrap(), json!({ "a": { "b": [null, { "c": 7 }] } }));
        assert_eq!(set_in(json!({ "a": null }), "a.b", json!("x")).unwrap(), json!({ "a": { "b": "x" } }));
        assert_eq!(set_in(json!({}), "a[0][1]", json!(true)).unwrap(), json!({ "a": [[null, true]] }));
    }

    #[test]
    fn neighbours_stay() {
        let before = json!({ "a": { "b": [{ "c": 1, "d": 2 }, 3] }, "e": 4 });
        let after = json!({ "a": { "b": [{ "c": null, "d": 2 }, 3] }, "e": 4 });
        assert_eq!(set_in(before, "a.b[0].c", Value::Null).unwrap(), after);
    }

    #[test]
    fn a_dot_inside_of_a_key_is_escaped() {
        let set = set_in(json!({}), r"nodeSelector.kubernetes\.io/os", json!("linux")).unwrap();
        assert_eq!(set, json!({ "nodeSelector": { "kubernetes.io/os": "linux" } }));
        assert_eq!(set_in(json!({}), r"a\[0\]", json!(1)).unwrap(), json!({ "a[0]": 1 }));
    }

    #[test]
    fn a_path_that_makes_no_sense_says_why() {
        for (path, reason) in [
            ("", "empty key"),
            ("a..b", "empty key"),
            ("a.", "empty key"),
            ("a[x]", "is no index"),
            ("a[0", "without its `]`"),
            ("a[0]b", "where `.`"),
            ("a[99999999]", "above 65536"),
            (r"a\", "at the end"),
            ("s.b", "what holds `b` is no map"),
            ("s[0]", "what holds `[0]` is no list"),
        ] {
            let error = set_in(json!({ "s": "text" }), path, json!(1)).unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
    }

    #[test]
    fn a_failed_set_leaves_the_values_whole() {
        let mut values = json!({ "s": "text", "t": 1 });
        set(values.as_object_mut().unwrap(), "s.b", json!(1)).unwrap_err();
        assert_eq!(values, json!({ "s": "text", "t": 1 }));
    }
}
