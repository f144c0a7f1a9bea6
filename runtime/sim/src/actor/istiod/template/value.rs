//! Turns JSON into what templates compute with, and back.

use std::{collections::BTreeMap, sync::Arc};

use gotmpl::Value as Dot;
use serde_json::{Map, Number, Value};

/// JSON as template data. Whole numbers become integers, which print as Go prints whole floats.
pub(crate) fn from_json(value: &Value) -> Dot {
    match value {
        Value::Null => Dot::Nil,
        Value::Bool(flag) => Dot::Bool(*flag),
        Value::Number(number) => number.as_i64().map_or_else(|| Dot::Float(number.as_f64().unwrap_or(0.0)), Dot::Int),
        Value::String(text) => Dot::String(Arc::from(text.as_str())),
        Value::Array(list) => Dot::List(list.iter().map(from_json).collect()),
        Value::Object(map) => {
            let entries: BTreeMap<Arc<str>, Dot> =
                map.iter().map(|(key, value)| (Arc::from(key.as_str()), from_json(value))).collect();
            Dot::Map(Arc::new(entries))
        }
    }
}

/// Template data as JSON; functions become null.
pub(super) fn to_json(dot: &Dot) -> Value {
    match dot {
        Dot::Bool(flag) => Value::Bool(*flag),
        Dot::Int(number) => Value::from(*number),
        Dot::Uint(number) => Value::from(*number),
        Dot::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Dot::String(text) => Value::String(text.to_string()),
        Dot::List(list) => Value::Array(list.iter().map(to_json).collect()),
        Dot::Map(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

/// Text as template data.
pub(super) fn text(value: impl AsRef<str>) -> Dot {
    Dot::String(Arc::from(value.as_ref()))
}

/// As Go's `fmt.Sprint` writes it. An enumeration value is a map with the entry `String`, which stands for the method.
pub(super) fn print(dot: &Dot) -> String {
    match dot.field("String") {
        Some(name) => name.to_string(),
        None => dot.to_string(),
    }
}
