//! How Go prints and names values, where the API server's own errors about patches do so.
//!
//! Not known here: which errors there are.

use serde_json::Value;

use super::PatchError;
use crate::schema::plain;

/// A value as `%v` prints it: `map[key:value]`, `[one two]`.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let parts: Vec<_> = keys.into_iter().map(|(key, value)| format!("{key}:{}", shown(value))).collect();
            format!("map[{}]", parts.join(" "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(" ")),
        scalar => plain(scalar),
    }
}

/// The name of a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

pub(super) fn wrong_type(expected: &str, value: &Value) -> PatchError {
    PatchError::Internal(format!("expected a {expected}, but received a {}", type_name(value)))
}

pub(super) fn no_merge_key(map: &Value, key: &str) -> PatchError {
    PatchError::Internal(format!("map: {} does not contain declared merge key: {key}", shown(map)))
}

pub(super) fn unknown_directive(directive: &Value, map: &Value) -> PatchError {
    let directive = match directive {
        Value::String(text) => text.clone(),
        other => format!("%!s({}={})", type_name(other), shown(other)),
    };
    PatchError::Internal(format!("unknown patch type: {directive} in map: {}", shown(map)))
}
