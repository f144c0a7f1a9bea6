//! What ownership sees of a type: a scalar, a list, a map, or several of them, and which parts of it may be owned alone.
//!
//! Not known here: values, owners, validation.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema::{Additional, Document, Edge, ListType, MapType, Opaque, Schema, Type};

/// The type of a value while an object is walked through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Of(&'a Edge),
    /// No schema: maps are owned key by key, lists as a whole.
    Deduced,
    /// No schema: all is owned as a whole.
    Untyped,
    /// There is no such field.
    Undeclared,
}

/// Which forms a value of a type may have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Atom<'a> {
    pub(super) scalar: Option<Scalar>,
    pub(super) list: Option<List<'a>>,
    pub(super) map: Option<Map<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Numeric,
    String,
    Boolean,
    Untyped,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub(super) of: &'a ListType,
    pub(super) element: Kind<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Map<'a> {
    fields: Option<&'a BTreeMap<String, Edge>>,
    element: Kind<'a>,
    pub(super) atomic: bool,
}

impl<'a> Map<'a> {
    /// The type under a key, and whether it is a field that the schema names.
    pub(super) fn field(&self, key: &str) -> (Kind<'a>, bool) {
        match self.fields.and_then(|fields| fields.get(key)) {
            Some(edge) => (Kind::Of(edge), true),
            None => (self.element, false),
        }
    }

    /// Whether nothing is known about it at all.
    pub(super) fn is_deduced(&self) -> bool {
        self.fields.is_none_or(BTreeMap::is_empty) && matches!(self.element, Kind::Deduced)
    }
}

static ATOMIC: ListType = ListType::Atomic;

/// The types of one document, as ownership sees them.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    document: &'a Document,
}

impl<'a> Types<'a> {
    pub(super) fn of(schema: &'a Schema) -> (Self, Kind<'a>) {
        (Self { document: schema.document() }, Kind::Of(schema.root()))
    }

    pub(super) fn atom(self, kind: Kind<'a>) -> Atom<'a> {
        match kind {
            Kind::Of(edge) => self.of_edge(edge),
            Kind::Deduced => anything(Kind::Deduced, false),
            Kind::Untyped => anything(Kind::Untyped, true),
            Kind::Undeclared => Atom::default(),
        }
    }

    /// The atom, narrowed to the form that a value has.
    pub(super) fn deduced(self, kind: Kind<'a>, value: Option<&Value>) -> Atom<'a> {
        let atom = self.atom(kind);
        match value {
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) if atom.scalar.is_some() => {
                Atom { scalar: atom.scalar, ..Atom::default() }
            }
            Some(Value::Array(_)) if atom.list.is_some() => Atom { list: atom.list, ..Atom::default() },
            Some(Value::Object(_)) if atom.map.is_some() => Atom { map: atom.map, ..Atom::default() },
            _ => atom,
        }
    }

    /// The default of a field of a list's elements, which stands in for a key that an element does not name.
    pub(super) fn key_default(self, list: &List<'a>, key: &str) -> Option<&'a Value> {
        let Kind::Of(edge) = list.element else { return None };
        self.document.node(edge).properties.get(key)?.default.as_ref()
    }

    fn of_edge(self, edge: &'a Edge) -> Atom<'a> {
        let node = self.document.node(edge);
        match node.opaque {
            Some(Opaque::Scalar) => return scalar(Scalar::Untyped),
            Some(Opaque::Anything) => return anything(Kind::Untyped, true),
            None => {}
        }
        let atomic = edge.map_type.or(node.map_type) == Some(MapType::Atomic);
        let is_open = match &node.additional {
            Additional::Allowed(allowed) => *allowed,
            _ => node.within_preserve || node.properties.is_empty(),
        };
        let map = || Map {
            fields: Some(&node.properties),
            atomic,
            element: match &node.additional {
                Additional::Of(edge) => Kind::Of(edge),
                _ if is_open => Kind::Deduced,
                Additional::Allowed(_) | Additional::Unsaid => Kind::Undeclared,
            },
        };
        let list = || List { of: &node.list_type, element: node.items.as_ref().map_or(Kind::Untyped, Kind::Of) };
        match node.of {
            Type::Object => Atom { map: Some(map()), ..Atom::default() },
            Type::Array => Atom { list: Some(list()), ..Atom::default() },
            Type::Any => Atom { scalar: Some(Scalar::Untyped), list: Some(list()), map: Some(map()) },
            Type::Integer | Type::Number => scalar(Scalar::Numeric),
            Type::Boolean => scalar(Scalar::Boolean),
            Type::String if node.format.is_empty() || node.format == "byte" => scalar(Scalar::String),
            Type::String => scalar(Scalar::Untyped),
        }
    }
}

fn scalar(of: Scalar) -> Atom<'static> {
    Atom { scalar: Some(of), ..Atom::default() }
}

fn anything(element: Kind<'_>, atomic: bool) -> Atom<'_> {
    Atom {
        scalar: Some(Scalar::Untyped),
        list: Some(List { of: &ATOMIC, element: Kind::Untyped }),
        map: Some(Map { fields: None, element, atomic }),
    }
}
