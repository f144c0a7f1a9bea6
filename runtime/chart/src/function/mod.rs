//! The functions of templates: Go's own, sprig's, and Helm's.
//!
//! Each file holds those of one kind and lists them. Not known here: how they are called.

mod chart;
mod date;
mod dict;
mod digest;
mod encoding;
mod key;
mod list;
mod math;
mod password;
mod path;
mod pattern;
mod random;
mod reflect;
mod semver;
mod text;
mod toml;
mod url;
mod word;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

pub(crate) use chart::{WARN_END, WARN_START};
pub(crate) use date::layout;
pub(crate) use path::clean as clean_path;
pub(crate) use pattern::glob;
pub(crate) use semver::{compatible, is_version};
pub(crate) use url::query_escape;

use crate::execute::{Failure, Function, Param, builtin};
use crate::order::Dialect;
use crate::value::{Value, plain};

/// Functions that helm 4 added.
const NEW: &[&str] = &[
    "mustToYaml",
    "mustToToml",
    "mustToDuration",
    "durationSeconds",
    "durationMilliseconds",
    "durationMicroseconds",
    "durationNanoseconds",
    "durationMinutes",
    "durationHours",
    "durationDays",
    "durationWeeks",
    "durationRoundTo",
    "durationTruncateTo",
];

static ALL: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    let kinds = [
        builtin::functions(),
        chart::functions(),
        date::functions(),
        dict::functions(),
        digest::functions(),
        encoding::functions(),
        key::functions(),
        list::functions(),
        math::functions(),
        password::functions(),
        pattern::functions(),
        path::functions(),
        random::functions(),
        reflect::functions(),
        semver::functions(),
        text::functions(),
        toml::functions(),
        url::functions(),
        word::functions(),
    ];
    kinds.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// The function by that name, if this helm has it.
pub(crate) fn find(name: &str, dialect: Dialect) -> Option<&'static Function> {
    if dialect == Dialect::Helm3 && NEW.contains(&name) {
        return None;
    }
    ALL.get(name)
}

/// Whether this helm has a function by that name.
pub(crate) fn knows(name: &str, dialect: Dialect) -> bool {
    find(name, dialect).is_some()
}

/// A function with a fixed number of arguments.
fn fixed(name: &'static str, params: &'static [Param], work: crate::execute::Work) -> Function {
    Function { name, params, rest: None, work }
}

/// A function whose last argument repeats.
fn spread(name: &'static str, params: &'static [Param], rest: Param, work: crate::execute::Work) -> Function {
    Function { name, params, rest: Some(rest), work }
}

/// A string argument, whose type the caller has checked.
fn text(args: &[Value], at: usize) -> Rc<str> {
    match args.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Raw(bytes)) => Rc::from(String::from_utf8_lossy(bytes)),
        _ => Rc::from(""),
    }
}

/// The bytes of a string argument.
fn bytes(args: &[Value], at: usize) -> Rc<[u8]> {
    match args.get(at) {
        Some(Value::Text(text)) => Rc::from(text.as_bytes()),
        Some(Value::Raw(bytes) | Value::Bytes(bytes)) => bytes.clone(),
        _ => Rc::from([]),
    }
}

/// An `int` argument, whose type the caller has checked.
fn int(args: &[Value], at: usize) -> i64 {
    match args.get(at) {
        Some(Value::Int(n) | Value::Int64(n)) => *n,
        _ => 0,
    }
}

/// sprig's `strval`: how anything becomes a string.
fn string(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Raw(bytes) | Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => plain(other),
    }
}

/// The elements of any slice as strings; whatever is no slice is the one element.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::List(list) => list.items.iter().filter(|item| !item.is_nil()).map(string).collect(),
        Value::Missing | Value::Nil => Vec::new(),
        other => vec![string(other)],
    }
}

/// The elements of a slice, or why there are none.
fn items<'v>(value: &'v Value, doing: &str) -> Result<&'v [Value], Failure> {
    match value {
        Value::List(list) => Ok(&list.items),
        other => {
            let kind = if other.is_nil() { "invalid" } else { other.kind() };
            Err(Failure::plain(format!("Cannot {doing} on type {kind}")))
        }
    }
}

fn usize_of(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
