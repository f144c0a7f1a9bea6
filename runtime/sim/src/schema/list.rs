//! Lists whose elements must differ: `x-kubernetes-list-type` `set` and `map`.
//!
//! Not known here: what else is asked of their elements.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::error::FieldError;
use super::node::{Additional, Document, Edge, ListType};

/// The elements that are there twice.
pub(super) fn check(document: &Document, edge: &Edge, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    descend(document, edge, value, "", &mut errors);
    errors
}

fn descend(document: &Document, edge: &Edge, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let node = document.node(edge);
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let below = || if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (node.properties.get(key), &node.additional) {
                    (Some(property), _) => descend(document, property, value, &below(), errors),
                    (None, Additional::Of(other)) => {
                        descend(document, other, value, &format!("{path}[{key}]"), errors);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(list) => {
            match &node.list_type {
                ListType::Atomic => {}
                ListType::Set => errors.extend(set(list, path)),
                ListType::Map(keys) => errors.extend(map(list, keys, path)),
            }
            let Some(items) = &node.items else { return };
            for (at, value) in list.iter().enumerate() {
                descend(document, items, value, &format!("{path}[{at}]"), errors);
            }
        }
        _ => {}
    }
}

/// Where a value comes up for the second time; a third is not worth another word.
fn second<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<usize> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (at, value) in values.enumerate() {
        let times = seen.entry(value.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            found.push(at);
        }
    }
    found
}

fn set(list: &[Value], path: &str) -> Vec<FieldError> {
    second(list.iter()).into_iter().map(|at| FieldError::duplicate(format!("{path}[{at}]"), list[at].clone())).collect()
}

fn map(list: &[Value], keys: &[String], path: &str) -> Vec<FieldError> {
    if let Some((at, other)) = list.iter().enumerate().find(|(_, one)| !one.is_object() && !one.is_null()) {
        let said = "must be an object for an array of list-type map";
        return vec![FieldError::invalid(format!("{path}[{at}]"), other.clone(), said)];
    }
    let key = |one: &Value| {
        let parts = keys.iter().filter_map(|key| Some((key.clone(), one.get(key)?.clone())));
        Value::Object(parts.collect::<Map<_, _>>())
    };
    let told: Vec<Value> = list.iter().map(key).collect();
    second(told.iter()).into_iter().map(|at| FieldError::duplicate(format!("{path}[{at}]"), told[at].clone())).collect()
}
