//! An object held against its type as ownership sees it: which fields it has, and whether it may be applied at all.
//!
//! Not known here: other objects, owners. What the schema asks beyond types is not asked here.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::atom::{Atom, Kind, List, Scalar, Types};
use super::element::Element;
use super::set::Set;
use crate::schema::{ListType, plain};

/// Whether the same element may stand in a list twice: it may where it already does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Duplicates {
    Refused,
    Allowed,
}

/// What tells an element of a list apart.
pub(super) fn element(types: Types<'_>, list: &List<'_>, item: &Value) -> Result<Element, String> {
    match list.of {
        ListType::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListType::Set => match item {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
            scalar => Ok(Element::Value(scalar.clone())),
        },
        ListType::Map(keys) => {
            let map = match item {
                Value::Object(map) => map,
                Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
                _ => return Err("associative list with keys may not have non-map elements".to_owned()),
            };
            let found = |key: &String| map.get(key).or_else(|| types.key_default(list, key)).cloned();
            let mut fields: Vec<_> = keys.iter().filter_map(|key| Some((key.clone(), found(key)?))).collect();
            if fields.is_empty() && !keys.is_empty() {
                let keys: Vec<_> = keys.iter().map(|key| crate::schema::quote(key)).collect();
                return Err(format!(
                    "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                    keys.join(" ")
                ));
            }
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            Ok(Element::Key(fields))
        }
    }
}

/// The fields that an object has.
pub(super) fn fields(types: Types<'_>, kind: Kind<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    collect(types, kind, value, &mut set);
    set
}

/// Collects what is below a value, and says whether its own place is a field.
fn collect(types: Types<'_>, kind: Kind<'_>, value: &Value, set: &mut Set) -> bool {
    let atom = types.deduced(kind, Some(value));
    if let Some(map) = &atom.map {
        if map.atomic {
            return true;
        }
        for (key, child) in value.as_object().into_iter().flatten() {
            let (below, named) = map.field(key);
            let empty = child.is_null() || child.as_object().is_some_and(serde_json::Map::is_empty);
            let element = Element::field(key);
            let mut children = Set::default();
            if collect(types, below, child, &mut children) || empty || !named {
                set.insert_member(&element);
            }
            if !children.is_empty() {
                set.adopt(element, children);
            }
        }
        return false;
    }
    if atom.scalar.is_some() {
        return true;
    }
    let Some(list) = &atom.list else { return false };
    if *list.of == ListType::Atomic {
        return true;
    }
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let elements: Vec<_> = items.iter().filter_map(|item| Some((element(types, list, item).ok()?, item))).collect();
    let mut sorted: Vec<&Element> = elements.iter().map(|(element, _)| element).collect();
    sorted.sort();
    for (element, item) in &elements {
        set.insert_member(element);
        let first = sorted.partition_point(|other| *other < element);
        let is_twice = sorted.get(first + 1).is_some_and(|other| *other == element);
        if is_twice {
            continue;
        }
        let mut children = Set::default();
        collect(types, list.element, item, &mut children);
        if !children.is_empty() {
            set.adopt(element.clone(), children);
        }
    }
    false
}

/// What is wrong with an object's types, in the words of the server's library.
pub(super) fn check(types: Types<'_>, kind: Kind<'_>, value: &Value, duplicates: Duplicates) -> Result<(), String> {
    let mut faults = Vec::new();
    descend(types, kind, value, duplicates, &Trail::Root, &mut faults);
    match faults.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(std::iter::once("errors:".to_owned())
            .chain(many.iter().map(|one| format!("  {one}")))
            .collect::<Vec<_>>()
            .join("\n")),
    }
}

/// The way from the object to a value in it, put into words where something is wrong there.
enum Trail<'a> {
    Root,
    Field(&'a Self, &'a str),
    Element(&'a Self, &'a Element),
}

impl Trail<'_> {
    fn fault(&self, what: String) -> String {
        if matches!(self, Self::Root) { what } else { format!("{self}: {what}") }
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(before, name) => write!(f, "{before}.{name}"),
            Self::Element(before, element) => write!(f, "{before}{element}"),
        }
    }
}

fn descend(
    types: Types<'_>,
    kind: Kind<'_>,
    value: &Value,
    duplicates: Duplicates,
    path: &Trail<'_>,
    faults: &mut Vec<String>,
) {
    let Atom { scalar, list, map } = types.deduced(kind, Some(value));
    if let Some(map) = map {
        let object = match value {
            Value::Object(object) => object,
            Value::Null => return,
            other => return faults.push(path.fault(format!("expected map, got &{{{}}}", plain(other)))),
        };
        for (key, child) in object {
            let (below, _) = map.field(key);
            let path = Trail::Field(path, key);
            if matches!(below, Kind::Undeclared) {
                // The server's library looks no further in this map.
                return faults.push(path.fault("field not declared in schema".to_owned()));
            }
            descend(types, below, child, duplicates, &path, faults);
        }
    } else if let Some(scalar) = scalar {
        if let Some(what) = wrong_scalar(scalar, value) {
            faults.push(path.fault(what));
        }
    } else if let Some(list) = list {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            other => return faults.push(path.fault(format!("expected list, got &{{{}}}", plain(other)))),
        };
        let mut seen = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let element = if *list.of == ListType::Atomic {
                Element::Index(i64::try_from(at).unwrap_or(i64::MAX))
            } else {
                match element(types, &list, item) {
                    Ok(element) => element,
                    Err(what) => return faults.push(path.fault(format!("element {at}: {what}"))),
                }
            };
            if duplicates == Duplicates::Refused && !seen.insert(element.clone()) {
                faults.push(path.fault(format!("duplicate entries for key {element}")));
            }
            descend(types, list.element, item, duplicates, &Trail::Element(path, &element), faults);
        }
    }
}

fn wrong_scalar(scalar: Scalar, value: &Value) -> Option<String> {
    let go_type = || match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        _ => "map[string]interface {}",
    };
    match (scalar, value) {
        (_, Value::Null)
        | (Scalar::Numeric, Value::Number(_))
        | (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Untyped, Value::Number(_) | Value::String(_) | Value::Bool(_)) => None,
        (Scalar::Numeric, _) => Some(format!("expected numeric (int or float), got {}", go_type())),
        (Scalar::String, other) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", verbose(other)))
        }
        (Scalar::Boolean, other) => Some(format!("expected boolean, got &{{{}}}", plain(other))),
        (Scalar::Untyped, other) => Some(format!("expected any scalar, got &{{{}}}", plain(other))),
    }
}

/// A value as Go's `%#v` writes it.
fn verbose(value: &Value) -> String {
    match value {
        Value::String(text) => crate::schema::quote(text),
        Value::Array(list) => {
            format!("[]interface {{}}{{{}}}", list.iter().map(verbose).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let parts: Vec<_> =
                map.iter().map(|(key, value)| format!("{}:{}", crate::schema::quote(key), verbose(value))).collect();
            format!("map[string]interface {{}}{{{}}}", parts.join(", "))
        }
        other => plain(other),
    }
}
