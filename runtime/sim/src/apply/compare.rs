//! What differs between two objects, field by field as they may be owned.
//!
//! Not known here: owners, and which of the two objects is wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::atom::{Atom, Kind, List, Map, Types};
use super::element::{Element, same};
use super::set::Set;
use super::typed::element;
use crate::schema::ListType;

/// The fields in which a new object differs from an old one.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    pub(super) removed: Set,
    pub(super) modified: Set,
    pub(super) added: Set,
}

impl Comparison {
    /// Without what an operation does not change.
    pub(super) fn without(mut self, fields: &Set) -> Self {
        if !fields.is_empty() {
            self.removed = self.removed.recursive_difference(fields);
            self.modified = self.modified.recursive_difference(fields);
            self.added = self.added.recursive_difference(fields);
        }
        self
    }
}

/// Compares two objects of one type.
pub(super) fn compare(types: Types<'_>, kind: Kind<'_>, old: &Value, new: &Value) -> Result<Comparison, String> {
    let mut walk = Walk { types, path: Vec::new(), found: Comparison::default() };
    walk.visit(kind, Some(old), Some(new))?;
    Ok(walk.found)
}

struct Walk<'a> {
    types: Types<'a>,
    path: Vec<Element>,
    found: Comparison,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, kind: Kind<'a>, old: Option<&Value>, new: Option<&Value>) -> Result<(), String> {
        // Most of an object stays as it is.
        if old.is_some() && old == new {
            return Ok(());
        }
        let of_old = self.types.deduced(kind, old);
        let of_new = self.types.deduced(kind, new);
        let mut is_leaf = false;
        if new.is_none() {
            is_leaf |= self.of_atom(&of_old, old, new)?;
        } else if old.is_none() || same_form(&of_old, &of_new) {
            is_leaf |= self.of_atom(&of_new, old, new)?;
        } else {
            self.of_atom(&of_old, old, new)?;
            is_leaf |= self.of_atom(&of_new, old, new)?;
        }
        if !is_leaf {
            match (old, new) {
                (None, _) => self.found.added.insert(&self.path),
                (_, None) => self.found.removed.insert(&self.path),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says whether the value was compared as a whole.
    fn of_atom(&mut self, atom: &Atom<'a>, old: Option<&Value>, new: Option<&Value>) -> Result<bool, String> {
        if let Some(map) = &atom.map {
            let (left, right) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
            let empty = left.is_none_or(serde_json::Map::is_empty) && right.is_none_or(serde_json::Map::is_empty);
            if map.atomic || empty {
                self.leaf(old, new);
                return Ok(true);
            }
            self.fields(map, left, right)?;
            return Ok(false);
        }
        if atom.scalar.is_some() {
            self.leaf(old, new);
            return Ok(true);
        }
        let Some(list) = &atom.list else { return Err("schema error: invalid atom".to_owned()) };
        let (left, right) = (old.and_then(Value::as_array), new.and_then(Value::as_array));
        let empty = left.is_none_or(Vec::is_empty) && right.is_none_or(Vec::is_empty);
        if *list.of == ListType::Atomic || empty {
            self.leaf(old, new);
            return Ok(true);
        }
        self.items(list, left.map_or(&[], Vec::as_slice), right.map_or(&[], Vec::as_slice))?;
        Ok(false)
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(old), Some(new)) if !same(old, new) => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    fn fields(
        &mut self,
        map: &Map<'a>,
        old: Option<&serde_json::Map<String, Value>>,
        new: Option<&serde_json::Map<String, Value>>,
    ) -> Result<(), String> {
        for (key, left) in old.into_iter().flatten() {
            let right = new.and_then(|new| new.get(key));
            self.below(Element::field(key), map.field(key).0, Some(left), right)?;
        }
        for (key, right) in new.into_iter().flatten() {
            if old.is_none_or(|old| !old.contains_key(key)) {
                self.below(Element::field(key), map.field(key).0, None, Some(right))?;
            }
        }
        Ok(())
    }

    fn below(
        &mut self,
        element: Element,
        kind: Kind<'a>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), String> {
        self.path.push(element);
        let outcome = self.visit(kind, old, new);
        self.path.pop();
        outcome
    }

    fn items(&mut self, list: &List<'a>, old: &[Value], new: &[Value]) -> Result<(), String> {
        let mut pairs: BTreeMap<Element, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for (at, item) in old.iter().enumerate() {
            let element = element(self.types, list, item).map_err(|what| format!("element {at}: {what}"))?;
            pairs.entry(element).or_default().0.push(item);
        }
        for (at, item) in new.iter().enumerate() {
            let element = element(self.types, list, item).map_err(|what| format!("element {at}: {what}"))?;
            pairs.entry(element).or_default().1.push(item);
        }
        for (element, (left, right)) in pairs {
            self.item(list, element, &left, &right)?;
        }
        Ok(())
    }

    /// Compares what stands in two lists under one key: usually one element each, but duplicates are compared as a whole.
    fn item(&mut self, list: &List<'a>, element: Element, left: &[&Value], right: &[&Value]) -> Result<(), String> {
        let whole = |walk: &mut Self, into: fn(&mut Comparison) -> &mut Set| {
            walk.path.push(element.clone());
            into(&mut walk.found).insert(&walk.path);
            walk.path.pop();
        };
        match (left.len(), right.len()) {
            (0 | 1, 0 | 1) => {
                let (left, right) = (left.first().copied(), right.first().copied());
                self.below(element, list.element, left, right)?;
            }
            (2.., 2..) => {
                if left.len() != right.len() || !left.iter().zip(right).all(|(left, right)| same(left, right)) {
                    whole(self, |found| &mut found.modified);
                }
            }
            (2.., _) => {
                if let Some(right) = right.first() {
                    self.below(element.clone(), list.element, None, Some(right))?;
                }
                whole(self, |found| &mut found.removed);
            }
            _ => {
                if let Some(left) = left.first() {
                    self.below(element.clone(), list.element, Some(left), None)?;
                }
                whole(self, |found| &mut found.added);
            }
        }
        Ok(())
    }
}

/// Whether two narrowed atoms of one type are the same.
pub(super) fn same_form(left: &Atom<'_>, right: &Atom<'_>) -> bool {
    left.map.is_some() == right.map.is_some()
        && left.list.is_some() == right.list.is_some()
        && left.scalar == right.scalar
}
