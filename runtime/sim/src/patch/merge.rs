//! JSON merge patch, RFC 7386.
//!
//! Not known here: schemas.

use serde_json::Value;

/// What an object becomes when a merge patch is applied to it.
pub(crate) fn merge(object: &Value, patch: &Value) -> Value {
    let mut merged = object.clone();
    json_patch::merge(&mut merged, patch);
    merged
}

/// The merge patch that leads from one object to another, as far as one can: no merge patch makes a `null`.
#[cfg(test)]
pub(crate) fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = serde_json::Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, new) in to {
        match from.get(key) {
            Some(old) if old == new => {}
            Some(old) => drop(patch.insert(key.clone(), difference(old, new))),
            None => drop(patch.insert(key.clone(), new.clone())),
        }
    }
    Value::Object(patch)
}
