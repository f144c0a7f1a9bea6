//! A merge patch as a JSON patch that holds only for what was read: each field that it changes is tested first.
//!
//! Pure. A JSON patch that tests is the one way to be safe without being disturbed by changes to other fields.

use serde_json::{Map, Value, json};

use crate::path::{Part, Path};

/// The operations: tests of what was looked at and of what is changed, then the changes.
pub(super) fn operations(before: &Value, patch: &Value, looked_at: &[Path]) -> Value {
    let mut tests: Vec<Value> = Vec::new();
    let mut changes = Vec::new();
    for path in looked_at {
        add_test(&mut tests, test_at(before, path));
    }
    if let Value::Object(fields) = patch {
        descend("", before, fields, &mut tests, &mut changes);
    }
    tests.into_iter().chain(changes).collect()
}

fn add_test(tests: &mut Vec<Value>, test: Value) {
    if !tests.contains(&test) {
        tests.push(test);
    }
}

fn descend(
    pointer: &str,
    before: &Value,
    fields: &Map<String, Value>,
    tests: &mut Vec<Value>,
    changes: &mut Vec<Value>,
) {
    for (key, wanted) in fields {
        let path = format!("{pointer}/{}", escaped(key));
        let found = before.get(key).unwrap_or(&Value::Null);
        match (found, wanted) {
            (Value::Object(_), Value::Object(inner)) => descend(&path, found, inner, tests, changes),
            (found, wanted) if found == wanted => {}
            (Value::Null, wanted) => {
                let wanted = without_nulls(wanted);
                let nothing = matches!(&wanted, Value::Object(map) if map.is_empty());
                if !nothing {
                    add_test(tests, test(&path, &Value::Null));
                    changes.push(json!({ "op": "add", "path": path, "value": wanted }));
                }
            }
            (found, Value::Null) => {
                add_test(tests, test(&path, found));
                changes.push(json!({ "op": "remove", "path": path }));
            }
            (found, wanted) => {
                add_test(tests, test(&path, found));
                changes.push(json!({ "op": "replace", "path": path, "value": without_nulls(wanted) }));
            }
        }
    }
}

/// In a merge patch a null inside of something new means nothing.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

/// That a path leads to what it leads to in an object. Of a path that leads nowhere, its first part that is absent is tested.
fn test_at(object: &Value, path: &Path) -> Value {
    let mut pointer = String::new();
    let mut place = object;
    for part in &path.0 {
        let (step, next) = match part {
            Part::Key(key) => (escaped(key), place.get(key.as_str())),
            Part::Index(index) => {
                let length = place.as_array().map_or(0, Vec::len);
                let at = if *index < 0 {
                    length.checked_sub(index.unsigned_abs().try_into().unwrap_or(usize::MAX))
                } else {
                    usize::try_from(*index).ok()
                };
                match at.filter(|at| *at < length) {
                    Some(at) => (at.to_string(), place.get(at)),
                    // There is no way to test that a list ends; that it is as it was says so.
                    None => return test(&pointer, place),
                }
            }
        };
        pointer = format!("{pointer}/{step}");
        match next {
            Some(next) => place = next,
            None => return test(&pointer, &Value::Null),
        }
    }
    test(&pointer, place)
}

fn test(pointer: &str, value: &Value) -> Value {
    json!({ "op": "test", "path": pointer, "value": value })
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tests against null pass where there is nothing, as on an API server; the crate that applies patches here differs in that.
    fn applied(before: &Value, operations: &Value) -> Result<Value, String> {
        let mut object = before.clone();
        for operation in operations.as_array().unwrap() {
            let absent = object.pointer(operation["path"].as_str().unwrap()).is_none();
            if operation["op"] == "test" && operation["value"].is_null() && absent {
                continue;
            }
            let patch: json_patch::Patch = serde_json::from_value(json!([operation])).unwrap();
            json_patch::patch(&mut object, &patch).map_err(|error| error.to_string())?;
        }
        Ok(object)
    }

    #[test]
    fn only_fields_that_change_are_tested() {
        let before = json!({ "metadata": { "labels": { "a/b": "1", "same": "x" } }, "spec": { "n": 1 } });
        let patch = json!({ "metadata": { "labels": { "a/b": "2", "same": "x" }, "annotations": { "new": "y" } } });
        assert_eq!(
            operations(&before, &patch, &[Path::parse("spec.n").unwrap(), Path::parse("spec.gone.deep").unwrap()]),
            json!([
                { "op": "test", "path": "/spec/n", "value": 1 },
                { "op": "test", "path": "/spec/gone", "value": null },
                { "op": "test", "path": "/metadata/labels/a~1b", "value": "1" },
                { "op": "test", "path": "/metadata/annotations", "value": null },
                { "op": "replace", "path": "/metadata/labels/a~1b", "value": "2" },
                { "op": "add", "path": "/metadata/annotations", "value": { "new": "y" } },
            ])
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0i64..4).prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
        })
    }

    fn object() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[a-c]", value(), 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    /// Nulls and empty maps are nothing to an API server.
    fn essence(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let kept = map.iter().map(|(key, value)| (key.clone(), essence(value)));
                Value::Object(kept.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_merge_patch_does(before in object(), patch in object()) {
            let before = without_nulls(&before);
            let mut merged = before.clone();
            json_patch::merge(&mut merged, &patch);
            let after = applied(&before, &operations(&before, &patch, &[])).unwrap();
            prop_assert_eq!(essence(&after), essence(&merged));
        }

        #[test]
        fn it_is_refused_where_a_changed_field_was_changed_meanwhile(before in 0i64..3, meanwhile in 3i64..6, wanted in 6i64..9) {
            let list = operations(&json!({ "spec": { "n": before } }), &json!({ "spec": { "n": wanted } }), &[]);
            let refused = applied(&json!({ "spec": { "n": meanwhile } }), &list).is_err();
            prop_assert!(refused);
        }
    }
}
