//! Merging lists: of scalars as sets, of maps by their merge key.
//!
//! Not known here: which lists are merged at all.

use std::collections::HashSet;

use serde_json::Value;

use super::PatchError;
use super::directive::PATCH;
use super::order::{Places, keyed, normalise, partition};
use super::strategic::{Walk, merge_map};
use super::words::{no_merge_key, shown, type_name, unknown_directive};
use crate::schema::Edge;

/// What elements of lists are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Map,
    Scalar,
}

/// The one kind that all elements of these lists have.
pub(super) fn element(lists: &[&[Value]]) -> Result<Element, PatchError> {
    let mut all = lists.iter().flat_map(|list| list.iter());
    let Some(first) = all.next() else {
        return Err(PatchError::Internal("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(PatchError::Unprocessable("lists of lists are not supported".to_owned()));
    }
    if all.any(|other| type_name(other) != type_name(first)) {
        let lists: Vec<Value> = lists.iter().map(|list| Value::Array(list.to_vec())).collect();
        let shown = shown(&Value::Array(lists));
        return Err(PatchError::Internal(format!("list element types are not identical: {shown}")));
    }
    Ok(if first.is_object() { Element::Map } else { Element::Scalar })
}

/// A list from `$deleteFromPrimitiveList`, taken out of the original.
pub(super) fn delete(original: Vec<Value>, gone: &[Value]) -> Vec<Value> {
    let gone: HashSet<String> = gone.iter().map(Value::to_string).collect();
    original.into_iter().filter(|one| !gone.contains(&one.to_string())).collect()
}

pub(super) fn merge(
    walk: Walk<'_>,
    items: Option<&Edge>,
    merge_key: &str,
    original: Vec<Value>,
    patch: Vec<Value>,
) -> Result<Vec<Value>, PatchError> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    if element(&[&original, &patch])? == Element::Scalar {
        let server_order = original.clone();
        let merged = deduplicated(original.into_iter().chain(patch.iter().cloned()));
        let (named, others) = partition(merged, &patch, "")?;
        return Ok(normalise(named, others, &patch, &server_order, ""));
    }
    if merge_key.is_empty() {
        let name = items.map_or("struct", |items| match walk.document.node(items).of.word() {
            "" => "struct",
            word => word,
        });
        return Err(PatchError::Internal(format!("cannot merge lists without merge key for {name}")));
    }
    let (original, patch) = directed(original, patch, merge_key)?;
    let server_order = original.clone();
    let merged = by_key(walk, items, merge_key, original, &patch)?;
    let (named, others) = partition(merged, &patch, merge_key)?;
    keyed(&server_order, merge_key)?;
    Ok(normalise(named, others, &patch, &server_order, merge_key))
}

fn deduplicated(all: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    all.filter(|one| seen.insert(one.to_string())).collect()
}

/// Carries out the elements that are directives: deletions, or that the patch replaces the whole list.
fn directed(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let (mut kept, mut gone, mut replace) = (Vec::new(), HashSet::new(), false);
    for element in patch {
        let Some(directive) = element.get(PATCH) else {
            kept.push(element);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let key = element.get(merge_key).ok_or_else(|| no_merge_key(&element, merge_key))?;
                gone.insert(key.to_string());
            }
            Some("replace") => replace = true,
            Some("merge") => {
                return Err(PatchError::Internal("merging lists cannot yet be specified in the patch".to_owned()));
            }
            _ => return Err(unknown_directive(directive, &element)),
        }
    }
    if replace {
        return Ok((kept, Vec::new()));
    }
    original.retain(|one| one.get(merge_key).is_none_or(|key| !gone.contains(&key.to_string())));
    Ok((original, kept))
}

fn by_key(
    walk: Walk<'_>,
    items: Option<&Edge>,
    merge_key: &str,
    mut original: Vec<Value>,
    patch: &[Value],
) -> Result<Vec<Value>, PatchError> {
    let places = Places::of(&original, merge_key);
    let mut added = Vec::new();
    let mut added_places = std::collections::HashMap::new();
    for element in patch {
        let (Value::Object(map), Some(key)) = (element, element.get(merge_key)) else {
            return Err(no_merge_key(element, merge_key));
        };
        let place = places.of_element(element, merge_key).filter(|at| original[*at].get(merge_key).is_some());
        let slot = match (place, added_places.get(&key.to_string())) {
            (Some(at), _) => &mut original[at],
            (None, Some(at)) => {
                let slot: &mut Vec<Value> = &mut added;
                &mut slot[*at]
            }
            (None, None) => {
                added_places.insert(key.to_string(), added.len());
                added.push(element.clone());
                continue;
            }
        };
        let Value::Object(old) = slot.take() else { continue };
        *slot = Value::Object(merge_map(walk, items, old, map.clone())?);
    }
    original.append(&mut added);
    Ok(original)
}
