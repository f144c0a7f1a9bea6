//! Strategic merge patch: merge patch that knows from the schema which lists are merged, and by what.
//!
//! Not known here: which kinds may be patched this way; a CRD's may not.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::PatchError;
use super::directive::{
    DELETE_FROM, ORDER, PATCH, bad_delete_list, bad_order, check_order, field, replace_or_delete, retain_keys, settled,
    undirected,
};
use super::list::{self, element};
use super::order::{normalise, partition};
use super::words::wrong_type;
use crate::schema::{Additional, Document, Edge, Schema};

/// What an object becomes when a strategic merge patch is applied to it.
pub(crate) fn strategic(schema: &Schema, object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let malformed = || PatchError::Malformed("invalid JSON document".to_owned());
    let original = object.as_object().cloned().ok_or_else(malformed)?;
    let patch = match patch {
        Value::Null => Map::new(),
        Value::Object(patch) => patch.clone(),
        _ => return Err(malformed()),
    };
    let walk = Walk { document: schema.document() };
    Ok(Value::Object(merge_map(walk, Some(schema.root()), original, patch)?))
}

/// What all parts of a merge see.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) document: &'a Document,
}

impl<'a> Walk<'a> {
    /// The schema of a field, if there is one.
    fn field(self, of: Option<&'a Edge>, key: &str) -> Option<&'a Edge> {
        let node = self.document.node(of?);
        node.properties.get(key).or(match &node.additional {
            Additional::Of(edge) => Some(edge),
            _ => None,
        })
    }

    /// The schema of a list's elements; what is a list without saying so is taken for one of its own kind.
    fn items(self, of: Option<&'a Edge>) -> Option<&'a Edge> {
        self.document.node(of?).items.as_ref().or(of)
    }
}

/// The strategy and the merge key of a field.
fn how(edge: Option<&Edge>) -> (&str, &str) {
    edge.and_then(|edge| edge.patch.as_deref())
        .map_or(("", ""), |patch| (patch.strategy.as_str(), patch.merge_key.as_str()))
}

pub(super) fn merge_map(
    walk: Walk<'_>,
    schema: Option<&Edge>,
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
) -> Result<Map<String, Value>, PatchError> {
    if let Some(directive) = patch.get(PATCH).cloned() {
        return replace_or_delete(&directive, patch);
    }
    retain_keys(&mut original, &mut patch)?;
    ordered_lists(walk, schema, &mut original, &mut patch)?;
    for (key, value) in patch {
        if let Some(name) = field(&key, DELETE_FROM, bad_delete_list)? {
            delete_from(&mut original, name, value)?;
            continue;
        }
        if value.is_null() {
            original.shift_remove(&key);
            continue;
        }
        let Some(old) = original.get_mut(&key) else {
            if let Some(settled) = settled(value) {
                original.insert(key, settled);
            }
            continue;
        };
        let edge = walk.field(schema, &key);
        let merged = merge_value(walk, edge, old.take(), value)?;
        match merged {
            Some(merged) => *old = merged,
            None => drop(original.shift_remove(&key)),
        }
    }
    Ok(original)
}

fn merge_value(
    walk: Walk<'_>,
    edge: Option<&Edge>,
    original: Value,
    patch: Value,
) -> Result<Option<Value>, PatchError> {
    let (strategy, merge_key) = how(edge);
    match (original, patch) {
        (Value::Object(original), Value::Object(patch)) => {
            let merged = if strategy == "replace" { patch } else { merge_map(walk, edge, original, patch)? };
            Ok(Some(Value::Object(merged)))
        }
        (Value::Array(original), Value::Array(patch)) => {
            let merged = if strategy == "merge" {
                list::merge(walk, walk.items(edge), merge_key, original, patch)?
            } else {
                patch
            };
            Ok(Some(Value::Array(merged)))
        }
        (_, patch) => Ok(settled(patch)),
    }
}

/// `$deleteFromPrimitiveList/<field>`
fn delete_from(original: &mut Map<String, Value>, name: &str, gone: Value) -> Result<(), PatchError> {
    if gone.is_null() {
        original.shift_remove(name);
        return Ok(());
    }
    let (Some(Value::Array(list)), Value::Array(gone)) = (original.get_mut(name), gone) else { return Ok(()) };
    let old = std::mem::take(list);
    if !old.is_empty() || !gone.is_empty() {
        element(&[&old, &gone])?;
    }
    *list = list::delete(old, &gone);
    Ok(())
}

/// `$setElementOrder/<field>`: merges the list, and puts it in the order that the patch gives.
fn ordered_lists(
    walk: Walk<'_>,
    schema: Option<&Edge>,
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> Result<(), PatchError> {
    let keys: Vec<String> = patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
    for key in keys {
        let order = patch.shift_remove(&key).unwrap_or_default();
        let order = array(order)?;
        let Some(name) = field(&key, ORDER, bad_order)? else { continue };
        let old = original.get(name).cloned().map(array).transpose()?;
        let new = patch.get(name).cloned().map(array).transpose()?;
        let edge = walk.field(schema, name);
        let (strategy, merge_key) = how(edge);
        check_order(new.as_deref().unwrap_or_default(), &order, merge_key)?;
        let patch_list = new.clone().unwrap_or_default();
        let server_order = order_of_server(old.as_deref().unwrap_or_default(), &patch_list, merge_key);
        let merged = match (old, new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => match undirected(Value::Array(new)) {
                Some(Value::Array(list)) => list,
                _ => continue,
            },
            (Some(old), Some(new)) if strategy == "merge" => list::merge(walk, walk.items(edge), merge_key, old, new)?,
            (Some(_), Some(new)) => new,
        };
        let (named, others) = partition(merged, &order, merge_key)?;
        element(&[&server_order, &patch_list])?;
        let both = normalise(named, others, &order, &server_order, merge_key);
        original.insert(name.to_owned(), Value::Array(both));
        patch.shift_remove(name);
    }
    Ok(())
}

/// The order that elements have which the patch does not name. The server takes it from the list as it stands after the merge,
/// as far as that was as long before: what is added takes the places of what is deleted.
fn order_of_server(old: &[Value], patch: &[Value], merge_key: &str) -> Vec<Value> {
    if merge_key.is_empty() {
        return old.to_vec();
    }
    let named = |marked: bool| -> HashSet<String> {
        let elements = patch.iter().filter(|one| one.get(PATCH).is_some() == marked);
        elements.map(|one| one[merge_key].to_string()).collect()
    };
    let (gone, had) = (named(true), old.iter().map(|one| one[merge_key].to_string()).collect::<HashSet<_>>());
    let stays = old.iter().filter(|one| !gone.contains(&one[merge_key].to_string()));
    let comes = patch.iter().filter(|one| {
        let key = one[merge_key].to_string();
        one.get(PATCH).is_none() && (!had.contains(&key) || gone.contains(&key))
    });
    stays.chain(comes).take(old.len()).cloned().collect()
}

fn array(value: Value) -> Result<Vec<Value>, PatchError> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(wrong_type("[]interface {}", &other)),
    }
}
