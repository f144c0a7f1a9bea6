//! Taking fields out of an object.
//!
//! Not known here: why they go.

use serde_json::Value;

use super::atom::{Kind, Types};
use super::element::Element;
use super::set::Set;
use super::typed::element;
use crate::schema::ListType;

/// The object without these fields; nothing if that leaves nothing that was a map or a list.
pub(super) fn remove(types: Types<'_>, kind: Kind<'_>, value: &Value, gone: &Set) -> Value {
    let atom = types.deduced(kind, Some(value));
    if let Some(map) = &atom.map {
        let Value::Object(object) = value else { return Value::Null };
        if object.is_empty() || map.atomic {
            return Value::Null;
        }
        let mut kept = serde_json::Map::new();
        for (key, child) in object {
            let element = Element::field(key);
            if gone.has_member(&element) {
                continue;
            }
            let below = gone.child(&element).filter(|below| !below.is_empty());
            kept.insert(key.clone(), rest(types, map.field(key).0, child, below));
        }
        return if kept.is_empty() { Value::Null } else { Value::Object(kept) };
    }
    if atom.scalar.is_some() {
        return value.clone();
    }
    let Some(list) = &atom.list else { return Value::Null };
    let Value::Array(items) = value else { return Value::Null };
    if items.is_empty() || *list.of == ListType::Atomic {
        return Value::Null;
    }
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let Ok(element) = element(types, list, item) else {
            kept.push(item.clone());
            continue;
        };
        if gone.has_member(&element) {
            continue;
        }
        let below = gone.child(&element).filter(|below| !below.is_empty());
        kept.push(rest(types, list.element, item, below));
    }
    if kept.is_empty() { Value::Null } else { Value::Array(kept) }
}

/// What is left of a child: itself where nothing below it goes, and `null` where nothing is left of it.
fn rest(types: Types<'_>, kind: Kind<'_>, child: &Value, below: Option<&Set>) -> Value {
    below.map_or_else(|| child.clone(), |below| remove(types, kind, child, below))
}
