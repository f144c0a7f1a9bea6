//! What the scale of a custom resource demands of the fields that it stands for.
//!
//! Not known here: how a scale is read or written. Source: `ValidateScaleSpec` and `ValidateScaleStatus` of
//! apiextensions-apiserver 1.36.

use serde_json::Value;

use crate::{
    kind::Custom,
    schema::{FieldError, FieldErrorKind},
};

/// What is wrong with the fields that the definition names; nothing where it names none.
pub(crate) fn errors(custom: &Custom, object: &Value) -> Vec<FieldError> {
    let scale = &custom.version()["subresources"]["scale"];
    let number = |key: &str| scale[key].as_str().and_then(|path| count(object, path));
    let text = |key: &str| scale[key].as_str().filter(|path| !path.is_empty()).and_then(|path| selector(object, path));
    [number("specReplicasPath"), text("labelSelectorPath"), number("statusReplicasPath")]
        .into_iter()
        .flatten()
        .collect()
}

fn count(object: &Value, path: &str) -> Option<FieldError> {
    let wrong = |value: i64, detail: String| FieldError::new(FieldErrorKind::Invalid, path, Some(value.into()), detail);
    let found = match nested(object, path) {
        Ok(found) => found?,
        Err(detail) => return Some(wrong(0, detail)),
    };
    match found.as_i64() {
        Some(count @ ..0) => Some(wrong(count, "should be a non-negative integer".to_owned())),
        Some(count) if count > i64::from(i32::MAX) => {
            Some(wrong(count, format!("should be less than or equal to {}", i32::MAX)))
        }
        Some(_) => None,
        None => Some(wrong(0, accessor(path, found, "int64"))),
    }
}

fn selector(object: &Value, path: &str) -> Option<FieldError> {
    let wrong = |detail| FieldError::new(FieldErrorKind::Invalid, path, Some("".into()), detail);
    match nested(object, path) {
        Ok(found) => found.filter(|found| !found.is_string()).map(|found| wrong(accessor(path, found, "string"))),
        Err(detail) => Some(wrong(detail)),
    }
}

/// What a path such as `.spec.size` leads to; nothing where a part of it is not there.
fn nested<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let (mut here, mut at) = (object, String::new());
    for part in path.trim_start_matches('.').split('.') {
        let Some(fields) = here.as_object() else { return Err(accessor(&at, here, "map[string]interface{}")) };
        at = format!("{at}.{part}");
        match fields.get(part) {
            Some(below) => here = below,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

/// Go's words for a value of another type.
fn accessor(path: &str, value: &Value, expected: &str) -> String {
    let (shown, kind) = match value {
        Value::Null => ("<nil>".to_owned(), "<nil>"),
        Value::Bool(value) => (value.to_string(), "bool"),
        Value::Number(value) => (value.to_string(), if value.is_f64() { "float64" } else { "int64" }),
        Value::String(value) => (value.clone(), "string"),
        Value::Array(_) => (value.to_string(), "[]interface {}"),
        Value::Object(_) => (value.to_string(), "map[string]interface {}"),
    };
    format!(".{} accessor error: {shown} is of the type {kind}, expected {expected}", path.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{count, selector};

    #[test]
    fn numbers_of_replicas_are_numbers_that_are_not_too_large() {
        let said = |size: serde_json::Value| {
            count(&json!({ "spec": { "size": size } }), ".spec.size").map(|error| (error.path, error.detail))
        };
        assert_eq!(said(json!(3)), None);
        assert_eq!(said(json!(-1)), Some((".spec.size".to_owned(), "should be a non-negative integer".to_owned())));
        assert!(said(json!(1_i64 << 31)).unwrap().1.contains("2147483647"));
        assert!(said(json!("many")).unwrap().1.starts_with(".spec.size accessor error: many is of the type string"));
        assert_eq!(count(&json!({ "spec": {} }), ".spec.size"), None);
        assert!(count(&json!({ "spec": 5 }), ".spec.size").unwrap().detail.contains("expected map[string]interface{}"));
        assert_eq!(selector(&json!({ "status": { "selector": "a=b" } }), ".status.selector"), None);
        assert!(selector(&json!({ "status": { "selector": 1 } }), ".status.selector").is_some());
    }
}
