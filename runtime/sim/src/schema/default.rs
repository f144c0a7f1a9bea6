//! Filling in a CRD's defaults, as the API server does on every read and write.
//!
//! Not known here: the defaults of built-in kinds, which are code and not schema.

use serde_json::{Map, Value};

use super::node::{Additional, Document, Edge};

/// Fills in what is absent, and what is `null` where that is not allowed; then what those defaults have defaults for.
pub(super) fn fill(document: &Document, edge: &Edge, value: &mut Value) {
    let node = document.node(edge);
    match value {
        Value::Object(object) => {
            for (name, property) in &node.properties {
                absent(document, name, property, object);
            }
            for (name, child) in object.iter_mut() {
                if let Some(property) = node.properties.get(name) {
                    fill(document, property, child);
                } else if let Additional::Of(other) = &node.additional {
                    nothing(document, other, child);
                    fill(document, other, child);
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for child in list {
                nothing(document, items, child);
                fill(document, items, child);
            }
        }
        _ => {}
    }
}

/// A property that is absent gets its default, and one that is `null` against its schema too.
fn absent(document: &Document, name: &str, property: &Edge, object: &mut Map<String, Value>) {
    match object.get_mut(name) {
        Some(value) if value.is_null() && !document.node(property).nullable => match &property.default {
            Some(default) => *value = default.clone(),
            // A null that has no default to become is taken out, as if it had never been there.
            None => {
                object.remove(name);
            }
        },
        Some(_) => {}
        None => {
            if let Some(default) = &property.default {
                object.insert(name.to_owned(), default.clone());
            }
        }
    }
}

fn nothing(document: &Document, edge: &Edge, value: &mut Value) {
    if let Some(default) = edge.default.as_ref().filter(|_| value.is_null() && !document.node(edge).nullable) {
        *value = default.clone();
    }
}
