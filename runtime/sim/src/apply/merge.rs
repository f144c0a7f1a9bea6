//! What an object becomes when another is laid over it: fields of the other win, what it does not say stays.
//!
//! Not known here: owners; what is to go is taken out afterwards.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::atom::{Atom, Kind, List, Types};
use super::compare::same_form;
use super::element::Element;
use super::typed::element;
use crate::schema::ListType;

/// Lays one object over another of the same type.
pub(super) fn merge(types: Types<'_>, kind: Kind<'_>, below: &Value, above: &Value) -> Result<Option<Value>, String> {
    visit(types, kind, Some(below), Some(above))
}

fn visit(
    types: Types<'_>,
    kind: Kind<'_>,
    below: Option<&Value>,
    above: Option<&Value>,
) -> Result<Option<Value>, String> {
    let of_below = types.deduced(kind, below);
    let of_above = types.deduced(kind, above);
    if above.is_none() {
        return of_atom(types, &of_below, below, above);
    }
    if below.is_none() || same_form(&of_below, &of_above) {
        return of_atom(types, &of_above, below, above);
    }
    of_atom(types, &of_below, below, above)?;
    of_atom(types, &of_above, below, above)
}

fn of_atom(
    types: Types<'_>,
    atom: &Atom<'_>,
    below: Option<&Value>,
    above: Option<&Value>,
) -> Result<Option<Value>, String> {
    let upper = || Ok(above.or(below).cloned());
    if let Some(map) = &atom.map {
        let (left, right) = (below.and_then(Value::as_object), above.and_then(Value::as_object));
        let empty = left.is_none_or(serde_json::Map::is_empty) && right.is_none_or(serde_json::Map::is_empty);
        if map.atomic || empty {
            return upper();
        }
        let mut merged = serde_json::Map::new();
        for (key, left) in left.into_iter().flatten() {
            let right = right.and_then(|right| right.get(key));
            if let Some(value) = visit(types, map.field(key).0, Some(left), right)? {
                merged.insert(key.clone(), value);
            }
        }
        for (key, right) in right.into_iter().flatten() {
            if left.is_none_or(|left| !left.contains_key(key))
                && let Some(value) = visit(types, map.field(key).0, None, Some(right))?
            {
                merged.insert(key.clone(), value);
            }
        }
        return Ok((!merged.is_empty()).then_some(Value::Object(merged)));
    }
    if atom.scalar.is_some() {
        return upper();
    }
    let Some(list) = &atom.list else { return Err("schema error: invalid atom".to_owned()) };
    let (left, right) = (below.and_then(Value::as_array), above.and_then(Value::as_array));
    let empty = left.is_none_or(Vec::is_empty) && right.is_none_or(Vec::is_empty);
    if *list.of == ListType::Atomic || empty {
        return upper();
    }
    let merged = items(types, list, left.map_or(&[], Vec::as_slice), right.map_or(&[], Vec::as_slice))?;
    Ok((!merged.is_empty()).then_some(Value::Array(merged)))
}

/// The elements of a list in their order, and what stands under each key.
struct Index<'a> {
    order: Vec<Element>,
    items: Vec<&'a Value>,
    by_key: BTreeMap<Element, &'a Value>,
}

static NULL: Value = Value::Null;

impl<'a> Index<'a> {
    fn of(types: Types<'_>, list: &List<'_>, items: &'a [Value]) -> Result<Self, String> {
        let mut index = Self { order: Vec::with_capacity(items.len()), items: Vec::new(), by_key: BTreeMap::new() };
        for (at, item) in items.iter().enumerate() {
            let element = element(types, list, item).map_err(|what| format!("element {at}: {what}"))?;
            // What stands there twice is nothing that could be merged with.
            index.by_key.entry(element.clone()).and_modify(|value| *value = &NULL).or_insert(item);
            index.order.push(element);
            index.items.push(item);
        }
        Ok(index)
    }

    fn refuse_duplicates(&self) -> Result<(), String> {
        let mut seen = std::collections::BTreeSet::new();
        match self.order.iter().find(|element| !seen.insert(*element)) {
            Some(element) => Err(format!("duplicate entries for key {element}")),
            None => Ok(()),
        }
    }
}

/// Merges two lists: the order of the one above wins among the elements that both have; the others keep their places.
fn items(types: Types<'_>, list: &List<'_>, below: &[Value], above: &[Value]) -> Result<Vec<Value>, String> {
    let right = Index::of(types, list, above)?;
    right.refuse_duplicates()?;
    let left = Index::of(types, list, below)?;
    let mut merged = Vec::with_capacity(left.order.len().max(right.order.len()));
    let mut put = |below: Option<&Value>, above: Option<&Value>| -> Result<(), String> {
        merged.extend(visit(types, list.element, below, above)?);
        Ok(())
    };
    let mut shared: VecDeque<&Element> =
        right.order.iter().filter(|element| left.by_key.contains_key(*element)).collect();
    let mut next_shared = shared.pop_front();
    let mut done = std::collections::BTreeSet::new();
    let (mut l, mut r) = (0, 0);
    while l < left.order.len() || r < right.order.len() {
        if let (Some(one), Some(other)) = (left.order.get(l), right.order.get(r)) {
            if one == other {
                done.insert(one);
                put(left.by_key.get(one).copied(), right.by_key.get(one).copied())?;
                (l, r) = (l + 1, r + 1);
                next_shared = shared.pop_front();
                continue;
            }
            if right.by_key.contains_key(one) && next_shared.is_some_and(|next| next != one) {
                // It comes later, where the list above has it.
                l += 1;
                continue;
            }
        }
        if let Some(one) = left.order.get(l) {
            if !right.by_key.contains_key(one) {
                put(Some(left.items[l]), None)?;
                l += 1;
                continue;
            }
            if done.contains(one) {
                l += 1;
            }
        }
        if let Some(other) = right.order.get(r) {
            done.insert(other);
            put(left.by_key.get(other).copied(), right.by_key.get(other).copied())?;
            r += 1;
            if next_shared == Some(other) {
                next_shared = shared.pop_front();
            }
        }
    }
    Ok(merged)
}
