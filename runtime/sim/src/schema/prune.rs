//! Taking out what a schema does not know.
//!
//! Not known here: whether that is an error, a warning or silence; that is the request's to say.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::node::{Additional, Document, Edge, Node, Opaque, Origin, Type};

/// Prunes a value and tells the paths of what it took out, in the order of their names.
pub(super) fn prune(document: &Document, edge: &Edge, value: &mut Value) -> Vec<String> {
    let mut pruned = Vec::new();
    descend(document, edge, value, &mut String::new(), &mut pruned);
    pruned
}

fn descend(document: &Document, edge: &Edge, value: &mut Value, path: &mut String, pruned: &mut Vec<String>) {
    let node = document.node(edge);
    if node.opaque.is_some() {
        return;
    }
    match value {
        Value::Object(object) => prune_object(document, node, object, path, pruned),
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for (at, child) in list.iter_mut().enumerate() {
                let length = path.len();
                let _ = write!(path, "[{at}]");
                descend(document, items, child, path, pruned);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn prune_object(
    document: &Document,
    node: &Node,
    object: &mut Map<String, Value>,
    path: &mut String,
    pruned: &mut Vec<String>,
) {
    if !keeps_unknown(document, node) {
        let mut unknown: Vec<_> = object.keys().filter(|name| !node.properties.contains_key(*name)).cloned().collect();
        unknown.sort();
        for name in unknown {
            object.remove(&name);
            pruned.push(joined(path, &name));
        }
    }
    let mut names: Vec<_> = object.keys().cloned().collect();
    names.sort();
    for name in names {
        let edge = match (node.properties.get(&name), &node.additional) {
            (Some(property), _) => property,
            (None, Additional::Of(other)) => other,
            _ => continue,
        };
        let Some(child) = object.get_mut(&name) else { continue };
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&name);
        descend(document, edge, child, path, pruned);
        path.truncate(length);
    }
}

/// Whether keys that are no properties may stay.
fn keeps_unknown(document: &Document, node: &Node) -> bool {
    let said = match &node.additional {
        Additional::Of(_) => true,
        Additional::Allowed(allowed) => *allowed,
        Additional::Unsaid => false,
    };
    // An object of the server's own kinds that names no fields is one of free form (`FieldsV1`, `RawExtension`).
    let free =
        document.origin == Origin::Recorded && (node.properties.is_empty() || node.opaque == Some(Opaque::Anything));
    said || node.preserve || free || !matches!(node.of, Type::Object | Type::Any)
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
