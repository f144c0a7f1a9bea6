//! What a person sees, screen by screen: from plain data to lines.
//!
//! Nothing here writes, asks or knows where the lines go.

pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod end;
pub(crate) mod fault;
pub(crate) mod help;
pub(crate) mod opening;
pub(crate) mod plan;
pub(crate) mod question;
pub(crate) mod trace;

use jiff::Timestamp;
use serde_json::Value;

/// A parameter's value as a person would write it.
pub(crate) fn value_in_words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(value_in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value as it stands in a text: a text itself, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A moment, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `1 write`, `2 writes`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
