//! Values: read, merged and set, by helm's rules.
//!
//! A value is plain JSON. Numbers out of files are floats, as Go has them; whole numbers are those of `--set`.

mod coalesce;
mod dependency;
mod schema;
mod set;

use serde_json::{Map, Value};

pub use coalesce::{coalesce_tables, merge_tables};
pub use set::{Set, set};

pub(crate) use coalesce::{Mode, coalesce};
pub(crate) use dependency::settle;
pub(crate) use schema::check;

use crate::fault::Fault;
use crate::value::{Json, from_plain, to_json, to_plain};
use crate::yaml;

/// Reads a file of values. An empty one is an empty object.
pub fn read(text: &str) -> Result<Value, Fault> {
    let read = yaml::read(text).map_err(|words| Fault::new(format!("error converting YAML to JSON: {words}")))?;
    match to_plain(&read) {
        Value::Null => Ok(Value::Object(Map::new())),
        object @ Value::Object(_) => Ok(object),
        other => {
            let found = match other {
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            Err(Fault::new(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            )))
        }
    }
}

/// The same values as they would be read from a file: every number a float.
pub fn from_json(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), from_json(value))).collect())
        }
        other => other.clone(),
    }
}

/// JSON as Go writes it: sorted, and whole floats without a fraction.
pub fn to_go_json(value: &Value) -> String {
    to_json(&from_plain(value), Json::COMPACT).unwrap_or_default()
}

/// YAML as helm writes it.
pub fn to_yaml(value: &Value) -> String {
    yaml::emit(&from_plain(value)).unwrap_or_default()
}

/// Merges values over others as several `--values` are: the later wins, maps are merged, null is kept for later.
pub fn merge(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (key, value) in over {
                let merged = match under.remove(&key) {
                    Some(before @ Value::Object(_)) if value.is_object() => merge(before, value),
                    _ => value,
                };
                under.insert(key, merged);
            }
            Value::Object(under)
        }
        (_, over) => over,
    }
}

/// The table at a dotted path.
pub(crate) fn table<'v>(values: &'v Map<String, Value>, path: &str) -> Option<&'v Map<String, Value>> {
    path.split('.').try_fold(values, |table, part| table.get(part)?.as_object())
}
