//! What templates compute with: Go's values as far as a template can tell them apart.
//!
//! Maps are shared and mutable, as Go's are: a chart that calls `set` means it. Everything else is immutable. Not known here:
//! which functions exist, or where a value comes from.

mod json;
mod number;
mod print;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use json::{Json, from_json, from_plain, to_json, to_plain};
pub(crate) use number::{float_json, float_shortest, parse_int};
pub(crate) use print::{format, plain, quote};

/// How deep a value may nest before whoever walks it gives up.
pub(crate) const DEEPEST: usize = 1_000;

/// A value in Go's eyes.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// No value at all: what `reflect` calls invalid.
    Missing,
    /// A nil interface, which is what a map holds for `null` and answers for an absent key.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `float64`
    Float(f64),
    /// `string`
    Text(Rc<str>),
    /// A string that is not UTF-8, such as a binary file.
    Raw(Rc<[u8]>),
    /// `[]byte`
    Bytes(Rc<[u8]>),
    /// A slice.
    List(Rc<List>),
    /// A map with string keys.
    Map(Rc<Map>),
    /// A struct.
    Struct(Rc<Struct>),
    /// The files of a chart.
    Files(Rc<Files>),
    /// `time.Time`
    Time(jiff::Zoned),
    /// `time.Duration`, in nanoseconds.
    Duration(i64),
}

/// What the elements of a slice or map are declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// `interface {}`
    Any,
    /// `string`
    Text,
    /// A named type of the same shape: `.Values`, or the set of API versions.
    Named(&'static str),
}

/// A slice.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) items: Vec<Value>,
    pub(crate) of: Of,
}

/// A map that all its holders share.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) entries: RefCell<BTreeMap<Rc<str>, Value>>,
    pub(crate) of: Cell<Of>,
}

/// A struct with its fields in order.
#[derive(Debug)]
pub(crate) struct Struct {
    /// The type's name as Go prints it.
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

/// One field: its name in Go, its name in JSON, what it holds, and whether JSON leaves it out when empty.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) json: &'static str,
    pub(crate) value: Value,
}

/// Files of a chart by path.
#[derive(Debug, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Rc<[u8]>>);

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Value::Text(Rc::from(text.as_ref()))
    }

    /// A string of Go: UTF-8 or not.
    pub(crate) fn bytes_as_text(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(text),
            Err(_) => Value::Raw(Rc::from(bytes)),
        }
    }

    pub(crate) fn list(items: Vec<Value>) -> Self {
        Value::List(Rc::new(List { items, of: Of::Any }))
    }

    pub(crate) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Value::text).collect();
        Value::List(Rc::new(List { items, of: Of::Text }))
    }

    pub(crate) fn map(entries: BTreeMap<Rc<str>, Value>) -> Self {
        Value::Map(Map::new(entries, Of::Any))
    }

    /// A nil, whichever of the two.
    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Value::Nil | Value::Missing)
    }

    /// What `if` makes of it.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Value::Missing | Value::Nil => false,
            Value::Bool(truth) => *truth,
            Value::Int(n) | Value::Int64(n) | Value::Duration(n) => *n != 0,
            Value::Float(n) => *n != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Raw(bytes) | Value::Bytes(bytes) => !bytes.is_empty(),
            Value::List(list) => !list.items.is_empty(),
            Value::Map(map) => !map.entries.borrow().is_empty(),
            Value::Files(files) => !files.0.is_empty(),
            Value::Struct(_) | Value::Time(_) => true,
        }
    }

    /// The name of its type as Go prints it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Missing => "<nil>",
            Value::Nil => "interface {}",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Int64(_) => "int64",
            Value::Float(_) => "float64",
            Value::Text(_) | Value::Raw(_) => "string",
            Value::Bytes(_) => "[]uint8",
            Value::List(list) => match list.of {
                Of::Any => "[]interface {}",
                Of::Text => "[]string",
                Of::Named(name) => name,
            },
            Value::Map(map) => match map.of.get() {
                Of::Any => "map[string]interface {}",
                Of::Text => "map[string]string",
                Of::Named(name) => name,
            },
            Value::Struct(made) => made.name,
            Value::Files(_) => "engine.files",
            Value::Time(_) => "time.Time",
            Value::Duration(_) => "time.Duration",
        }
    }

    /// The kind of its type.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil => "invalid",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Int64(_) | Value::Duration(_) => "int64",
            Value::Float(_) => "float64",
            Value::Text(_) | Value::Raw(_) => "string",
            Value::Bytes(_) | Value::List(_) => "slice",
            Value::Map(_) | Value::Files(_) => "map",
            Value::Struct(made) if made.name.starts_with('*') => "ptr",
            Value::Struct(_) | Value::Time(_) => "struct",
        }
    }

    /// Its length, where it has one.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Value::Text(text) => Some(text.len()),
            Value::Raw(bytes) | Value::Bytes(bytes) => Some(bytes.len()),
            Value::List(list) => Some(list.items.len()),
            Value::Map(map) => Some(map.entries.borrow().len()),
            Value::Files(files) => Some(files.0.len()),
            _ => None,
        }
    }

    /// Go's `reflect.DeepEqual`, as far down as [`DEEPEST`].
    pub(crate) fn deep_equal(&self, other: &Value) -> bool {
        equal(self, other, 0)
    }

    /// A copy that shares nothing with this value.
    pub(crate) fn deep_copy(&self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        Some(match self {
            Value::List(list) => {
                let items = list.items.iter().map(|item| item.deep_copy(depth + 1)).collect::<Option<_>>()?;
                Value::List(Rc::new(List { items, of: list.of }))
            }
            Value::Map(map) => {
                let mut copied = BTreeMap::new();
                for (key, value) in map.entries.borrow().iter() {
                    copied.insert(key.clone(), value.deep_copy(depth + 1)?);
                }
                Value::Map(Map::new(copied, map.of.get()))
            }
            other => other.clone(),
        })
    }
}

fn equal(one: &Value, two: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (one, two) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Raw(a), Value::Raw(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.of == b.of
                && a.items.len() == b.items.len()
                && a.items.iter().zip(&b.items).all(|(a, b)| equal(a, b, depth + 1))
        }
        (Value::Map(a), Value::Map(b)) => {
            if Rc::ptr_eq(a, b) {
                return true;
            }
            let (left, right) = (a.entries.borrow(), b.entries.borrow());
            a.of.get() == b.of.get()
                && left.len() == right.len()
                && left.iter().zip(right.iter()).all(|((k, a), (l, b))| k == l && equal(a, b, depth + 1))
        }
        (Value::Struct(a), Value::Struct(b)) => {
            a.name == b.name && a.fields.iter().zip(&b.fields).all(|(a, b)| equal(&a.value, &b.value, depth + 1))
        }
        (Value::Files(a), Value::Files(b)) => a.0 == b.0,
        _ => false,
    }
}

impl Map {
    pub(crate) fn new(entries: BTreeMap<Rc<str>, Value>, of: Of) -> Rc<Self> {
        Rc::new(Self { entries: RefCell::new(entries), of: Cell::new(of) })
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    pub(crate) fn set(&self, key: &str, value: Value) {
        let value = if matches!(value, Value::Missing) { Value::Nil } else { value };
        self.entries.borrow_mut().insert(Rc::from(key), value);
    }

    /// What an absent key answers: the zero of the declared element.
    pub(crate) fn absent(&self) -> Value {
        if self.of.get() == Of::Text { Value::text("") } else { Value::Nil }
    }

    /// Whether its elements arrive inside an interface.
    pub(crate) fn boxes(&self) -> bool {
        self.of.get() != Of::Text
    }
}

impl List {
    /// Whether its elements arrive inside an interface.
    pub(crate) fn boxes(&self) -> bool {
        self.of == Of::Any
    }
}

impl Struct {
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| &field.value)
    }
}

/// Lets go of nested values without recursing, however deep a template nested them.
fn release(mut open: Vec<Value>) {
    while let Some(value) = open.pop() {
        match value {
            Value::List(list) => {
                if let Ok(mut list) = Rc::try_unwrap(list) {
                    open.append(&mut list.items);
                }
            }
            Value::Map(map) => {
                if let Ok(map) = Rc::try_unwrap(map) {
                    open.extend(std::mem::take(&mut *map.entries.borrow_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}

/// Whether a value may hold others.
fn nests(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

impl Drop for List {
    fn drop(&mut self) {
        if self.items.iter().any(nests) {
            release(std::mem::take(&mut self.items));
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(nests) {
            release(std::mem::take(entries).into_values().collect());
        }
    }
}
