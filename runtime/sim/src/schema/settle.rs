//! What a built-in kind's object looks like once the API server has read it into its own types and written it again.
//!
//! Not known here: which fields Go's types always write (the record says), and defaults, which are code.

use serde_json::{Map, Value};

use super::node::{Additional, Document, Edge, Node, Opaque, Type};
use crate::kind::Presence;

/// Takes out fields that hold nothing, and puts in those that are written although they do.
pub(super) fn settle(document: &Document, edge: &Edge, value: &mut Value) {
    let node = document.node(edge);
    match value {
        Value::Object(object) => {
            if !node.presence.is_empty() {
                fields(document, node, object);
            }
            for (key, child) in object.iter_mut() {
                match (node.properties.get(key), &node.additional) {
                    (Some(edge), _) => settle(document, edge, child),
                    (None, Additional::Of(edge)) => settle(document, edge, child),
                    _ => {}
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for child in list {
                settle(document, items, child);
            }
        }
        _ => {}
    }
}

fn fields(document: &Document, node: &Node, object: &mut Map<String, Value>) {
    object.retain(|key, value| match node.presence.get(key) {
        Some(Presence::Filled) => !is_nothing(value),
        Some(Presence::Given) => !value.is_null(),
        _ => true,
    });
    for (key, presence) in &node.presence {
        let absent = object.get(key).is_none_or(Value::is_null);
        match presence {
            Presence::Always if absent => {
                let empty = node.properties.get(key).map_or(Value::Null, |edge| zero(document, edge));
                object.insert(key.clone(), empty);
            }
            Presence::GivenOrNull if absent => drop(object.insert(key.clone(), Value::Null)),
            _ => {}
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}

/// What a field holds that was never set.
pub(super) fn zero(document: &Document, edge: &Edge) -> Value {
    let node = document.node(edge);
    match (node.opaque, node.of) {
        (Some(Opaque::Scalar), _) => Value::String("0".to_owned()),
        (None, Type::String) if node.format != "date-time" => Value::String(String::new()),
        (None, Type::Integer | Type::Number) => Value::from(0),
        (None, Type::Boolean) => Value::Bool(false),
        (None, Type::Object) if !node.properties.is_empty() => {
            let mut object = Map::new();
            fields(document, node, &mut object);
            Value::Object(object)
        }
        _ => Value::Null,
    }
}
