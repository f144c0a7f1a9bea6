//! The difference between two objects as a JSON patch (RFC 6902).

use serde_json::{Map, Value, json};

/// Operations that turn `before` into `after`. Lists that differ are replaced as a whole.
pub(crate) fn json_patch(before: &Value, after: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    compare(before, after, "", &mut operations);
    operations
}

fn compare(before: &Value, after: &Value, path: &str, operations: &mut Vec<Value>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_maps(before, after, path, operations),
        _ if before == after => {}
        _ => operations.push(json!({ "op": "replace", "path": path, "value": after })),
    }
}

fn compare_maps(before: &Map<String, Value>, after: &Map<String, Value>, path: &str, operations: &mut Vec<Value>) {
    let child = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        operations.push(json!({ "op": "remove", "path": child(key) }));
    }
    for (key, value) in after {
        match before.get(key) {
            Some(old) => compare(old, value, &child(key), operations),
            None => operations.push(json!({ "op": "add", "path": child(key), "value": value })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named_and_keys_are_escaped() {
        let before = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "x": [1], "gone": true } });
        let after = json!({ "metadata": { "labels": { "a": "1", "istio.io/rev": "b" } }, "spec": { "x": [1, 2] } });
        assert_eq!(
            json_patch(&before, &after),
            [
                json!({ "op": "add", "path": "/metadata/labels/istio.io~1rev", "value": "b" }),
                json!({ "op": "remove", "path": "/spec/gone" }),
                json!({ "op": "replace", "path": "/spec/x", "value": [1, 2] }),
            ]
        );
        assert!(json_patch(&after, &after).is_empty());
    }
}
