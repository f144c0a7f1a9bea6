//! The keys of a strategic merge patch that are no fields but say how to merge.
//!
//! Not known here: how lists and maps are merged.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::PatchError;
use super::order::keyed;
use super::words::{shown, unknown_directive};

pub(super) const PATCH: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(super) const ORDER: &str = "$setElementOrder";

pub(super) fn bad_delete_list() -> PatchError {
    PatchError::Malformed("invalid patch format of primitive list".to_owned())
}

pub(super) fn bad_order() -> PatchError {
    PatchError::Malformed("invalid patch format of setElementOrder list".to_owned())
}

fn bad_retain_keys() -> PatchError {
    PatchError::Malformed("invalid patch format of retainKeys".to_owned())
}

/// The field that a key such as `$setElementOrder/containers` is about; none for keys that begin otherwise.
pub(super) fn field<'a>(key: &'a str, prefix: &str, bad: fn() -> PatchError) -> Result<Option<&'a str>, PatchError> {
    if !key.starts_with(prefix) {
        return Ok(None);
    }
    match key.split_once('/') {
        Some((before, field)) if before == prefix => Ok(Some(field)),
        _ => Err(bad()),
    }
}

/// `$patch` in a map: the map replaces what was there, or deletes it.
pub(super) fn replace_or_delete(
    directive: &Value,
    mut patch: Map<String, Value>,
) -> Result<Map<String, Value>, PatchError> {
    match directive.as_str() {
        Some("replace") => {
            patch.shift_remove(PATCH);
            Ok(patch)
        }
        Some("delete") => Ok(Map::new()),
        _ => Err(unknown_directive(directive, &Value::Object(patch))),
    }
}

/// `$retainKeys`: what it does not name goes, and the patch may name nothing else.
pub(super) fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), PatchError> {
    let Some(list) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(list) = list else { return Err(bad_retain_keys()) };
    let retained: HashSet<&str> = list.iter().filter_map(Value::as_str).collect();
    let is_field = |key: &str| !key.starts_with(DELETE_FROM) && !key.starts_with(ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && is_field(key) && !retained.contains(key.as_str())) {
        return Err(bad_retain_keys());
    }
    original.retain(|key, _| retained.contains(key.as_str()));
    Ok(())
}

/// The elements of a patch's list must stand in the order that `$setElementOrder` gives.
pub(super) fn check_order(patch: &[Value], order: &[Value], merge_key: &str) -> Result<(), PatchError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let staying: Vec<&Value> = patch.iter().filter(|element| element.get(PATCH).is_none()).collect();
    let mut left = staying.iter().peekable();
    for place in order {
        let Some(element) = left.peek() else { return Ok(()) };
        if equal(element, place, merge_key)? {
            left.next();
        }
    }
    if left.peek().is_none() {
        return Ok(());
    }
    let (patch, order) = (shown(&Value::Array(patch.to_vec())), shown(&Value::Array(order.to_vec())));
    Err(PatchError::Internal(format!("The order in patch list:\n{patch}\n doesn't match {ORDER} list:\n{order}\n")))
}

fn equal(left: &Value, right: &Value, merge_key: &str) -> Result<bool, PatchError> {
    if merge_key.is_empty() {
        return Ok(left == right);
    }
    keyed(std::slice::from_ref(left), merge_key)?;
    keyed(std::slice::from_ref(right), merge_key)?;
    Ok(left[merge_key] == right[merge_key])
}

/// What a patch adds where nothing was: without nulls and without what directives delete.
pub(super) fn settled(mut value: Value) -> Option<Value> {
    discard_nulls(&mut value);
    undirected(value)
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(discard_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// The value without any map that carries a `$patch`.
pub(super) fn undirected(value: Value) -> Option<Value> {
    match value {
        Value::Object(object) if object.contains_key(PATCH) => None,
        Value::Object(object) => {
            let kept = object.into_iter().filter_map(|(key, value)| Some((key, undirected(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(list) => Some(Value::Array(list.into_iter().filter_map(undirected).collect())),
        scalar => Some(scalar),
    }
}
