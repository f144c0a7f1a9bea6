//! Holding a custom resource against its CRD's schema, in the words of the server's library.
//!
//! Not known here: rules in CEL, lists whose elements must differ, what was there before. Only CRDs are validated by schema;
//! what the server says about its own kinds is code.

use serde_json::{Map, Number, Value};

use super::correlate;
use super::error::{FieldError, FieldErrorKind, go_number, quote};
use super::format;
use super::limit::{Bound, Limits};
use super::node::{Additional, Document, Edge, Node, Opaque, Origin, Type};
use crate::quantity::Quantity;

/// What is wrong with a value. What was there before and stays as it was is not held against anybody.
pub(super) fn validate(document: &Document, edge: &Edge, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    Walk { document }.value(document.node(edge), value, old, "").errors
}

/// What is wrong, and how much was right: where one of several schemas has to fit, the one that fits best is spoken of.
#[derive(Default)]
struct Outcome {
    errors: Vec<FieldError>,
    matches: usize,
}

impl Outcome {
    fn merge(&mut self, mut other: Self) {
        self.errors.append(&mut other.errors);
        self.matches += other.matches;
    }

    fn add(&mut self, error: Option<FieldError>) {
        self.errors.extend(error);
        self.matches += 1;
    }

    fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    document: &'a Document,
}

/// `name in body`, as every sentence of the library begins.
fn subject(path: &str) -> String {
    format!("{path} in body")
}

/// The field an error is about: the library's own paths begin with a dot at the top.
fn shown(path: &str) -> String {
    path.strip_prefix('.').unwrap_or(path).to_owned()
}

fn invalid(path: &str, value: Value, said: &str) -> FieldError {
    FieldError::invalid(shown(path), value, format!("{} {said}", subject(path)))
}

fn wrong_type(path: &str, wanted: &str, given: &str) -> FieldError {
    let detail = format!("{} must be of type {wanted}: {}", subject(path), quote(given));
    FieldError::new(FieldErrorKind::TypeInvalid, shown(path), Some(Value::String(given.to_owned())), detail)
}

/// An error of combined schemas has no field.
fn combined(said: String) -> FieldError {
    FieldError::invalid("<nil>", Value::String(String::new()), said)
}

impl Walk<'_> {
    fn value(self, node: &Node, value: &Value, old: Option<&Value>, path: &str) -> Outcome {
        let mut outcome = Outcome::default();
        if value.is_null() && self.document.origin == Origin::Recorded {
            // Go's types write `null` for what is not there.
            return outcome;
        }
        if old == Some(value) {
            return outcome;
        }
        outcome.add(type_error(node, value, path));
        let limits = node.limits.as_deref();
        if value.is_null() {
            outcome.add(limits.and_then(|limits| enumeration(limits, value, path)));
            return outcome;
        }
        if let Some(limits) = limits {
            outcome.merge(self.combinations(limits, value, old, path));
        }
        match value {
            Value::String(text) => {
                if let Some(limits) = limits {
                    outcome.add(string(limits, text, path));
                }
                if node.opaque == Some(Opaque::Scalar) && Quantity::parse(text).is_none() {
                    outcome.add(Some(wrong_type(path, "quantity", text)));
                }
                if !node.format.is_empty() && !format::fits(&node.format, text) {
                    outcome.add(Some(wrong_type(path, &node.format, text)));
                }
            }
            Value::Number(number) => {
                outcome.errors.extend(format::range(node, number, path));
                outcome.errors.extend(limits.into_iter().flat_map(|limits| numeric(limits, number, path)));
                outcome.matches += 1;
            }
            Value::Array(list) => outcome.merge(self.list(node, limits, list, old, path)),
            _ => {}
        }
        outcome.add(limits.and_then(|limits| enumeration(limits, value, path)));
        if let Value::Object(object) = value {
            outcome.merge(self.object(node, limits, object, old, path));
        }
        outcome
    }

    fn list(self, node: &Node, limits: Option<&Limits>, list: &[Value], old: Option<&Value>, path: &str) -> Outcome {
        let mut outcome = Outcome { matches: 1, ..Outcome::default() };
        if let Some(items) = &node.items {
            let items = self.document.node(items);
            let old = correlate::Items::of(node, old);
            for (at, value) in list.iter().enumerate() {
                outcome.merge(self.value(items, value, old.get(value), &format!("{path}[{at}]")));
            }
        }
        let Some(limits) = limits else { return outcome };
        let size = list.len() as u64;
        if let Some(least) = limits.min_items.filter(|least| size < *least) {
            outcome.errors.push(invalid(path, size.into(), &format!("should have at least {least} items")));
        }
        if let Some(most) = limits.max_items.filter(|most| size > *most) {
            outcome.errors.push(too_many(path, size, most));
        }
        if limits.unique_items && list.iter().enumerate().any(|(at, one)| list[..at].contains(one)) {
            outcome.errors.push(invalid(path, Value::String(String::new()), "shouldn't contain duplicates"));
        }
        outcome
    }

    fn object(
        self,
        node: &Node,
        limits: Option<&Limits>,
        object: &Map<String, Value>,
        old: Option<&Value>,
        path: &str,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let size = object.len() as u64;
        if let Some(least) = limits.and_then(|limits| limits.min_properties).filter(|least| size < *least) {
            outcome.errors.push(invalid(path, size.into(), &format!("should have at least {least} properties")));
        }
        if let Some(most) = limits.and_then(|limits| limits.max_properties).filter(|most| size > *most) {
            outcome.errors.push(too_many(path, size, most));
        }
        for (key, value) in object {
            let below = || if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let old = old.and_then(|old| correlate::field(node, old, key));
            match (node.properties.get(key), &node.additional) {
                (Some(property), _) => outcome.merge(self.value(self.document.node(property), value, old, &below())),
                (None, Additional::Of(other)) => {
                    outcome.merge(self.value(self.document.node(other), value, old, &format!("{path}.{key}")));
                }
                (None, Additional::Allowed(false)) => {
                    let said = format!("{path}.{key} in body is a forbidden property");
                    outcome.errors.push(FieldError::invalid(shown(path), Value::String(String::new()), said));
                }
                _ => {}
            }
        }
        let Some(limits) = limits else { return outcome };
        for key in limits.required.iter().filter(|key| !object.contains_key(*key)) {
            outcome.errors.push(FieldError::required(shown(&format!("{path}.{key}")), ""));
        }
        if let (Some(extra), Some(meta)) = (limits.metadata, object.get("metadata")) {
            outcome.merge(self.value(
                self.document.at(extra),
                meta,
                old.and_then(|old| old.get("metadata")),
                "metadata",
            ));
        }
        outcome
    }

    fn combinations(self, limits: &Limits, value: &Value, old: Option<&Value>, path: &str) -> Outcome {
        let mut outcome = Outcome { matches: 1, ..Outcome::default() };
        let each = |nodes: &[usize]| -> Vec<Outcome> {
            nodes.iter().map(|at| self.value(self.document.at(*at), value, old, path)).collect()
        };
        if !limits.any_of.is_empty() {
            let results = each(&limits.any_of);
            if !results.iter().any(Outcome::is_valid) {
                outcome.errors.push(combined(format!("{} must validate at least one schema (anyOf)", quote(path))));
            }
            outcome.merge(best(results));
        }
        if !limits.one_of.is_empty() {
            let results = each(&limits.one_of);
            let valid = results.iter().filter(|one| one.is_valid()).count();
            if valid != 1 {
                let found = match valid {
                    0 => "Found none valid".to_owned(),
                    many => format!("Found {many} valid alternatives"),
                };
                let said = format!("{} must validate one and only one schema (oneOf). {found}", quote(path));
                outcome.errors.push(combined(said));
            }
            outcome.merge(best(results));
        }
        if !limits.all_of.is_empty() {
            let results = each(&limits.all_of);
            let valid = results.iter().filter(|one| one.is_valid()).count();
            let (all, none) = (valid == results.len(), valid == 0);
            for one in results {
                outcome.merge(one);
            }
            if !all {
                let more = if none { ". None validated" } else { "" };
                outcome.errors.push(combined(format!("{} must validate all the schemas (allOf){more}", quote(path))));
            }
        }
        if let Some(not) = limits.not
            && self.value(self.document.at(not), value, old, path).is_valid()
        {
            outcome.errors.push(combined(format!("{} must not validate the schema (not)", quote(path))));
        }
        outcome
    }
}

/// The first outcome without errors, else the one in which most fits.
fn best(results: Vec<Outcome>) -> Outcome {
    let mut best: Option<Outcome> = None;
    for one in results {
        let better =
            best.as_ref().is_none_or(|best| !best.is_valid() && (one.is_valid() || one.matches > best.matches));
        if better {
            best = Some(one);
        }
    }
    best.unwrap_or_default()
}

fn type_error(node: &Node, value: &Value, path: &str) -> Option<FieldError> {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wanted = if node.int_or_string { "integer,string" } else { node.of.word() };
    if wanted.is_empty() || (value.is_null() && node.nullable) {
        return None;
    }
    let has_format = !node.format.is_empty() && format::is_known(&node.format);
    if has_format && matches!(value, Value::Bool(_) | Value::Object(_)) && given != wanted {
        return Some(wrong_type(path, &node.format, ""));
    }
    let whole = |number: &Number| number.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = match (value, node.of) {
        (Value::Number(number), Type::Integer) => !number.is_f64() || whole(number),
        (Value::Number(number), _) if node.int_or_string => !number.is_f64() || whole(number),
        (Value::Number(_), Type::Number) => true,
        // Texts of a format are left to the format, unless a number is wanted.
        (Value::String(_) | Value::Array(_), of) if has_format => {
            !matches!(of, Type::Integer | Type::Number) || node.int_or_string
        }
        (Value::String(_), _) if node.int_or_string => true,
        _ => given == wanted,
    };
    (!fits).then(|| wrong_type(path, wanted, given))
}

fn enumeration(limits: &Limits, value: &Value, path: &str) -> Option<FieldError> {
    if limits.enumeration.is_empty() || limits.enumeration.contains(value) {
        return None;
    }
    Some(FieldError::not_supported(shown(path), value.clone(), &limits.enumeration))
}

fn too_many(path: &str, size: u64, most: u64) -> FieldError {
    let items = if most == 1 { "item" } else { "items" };
    let detail = format!("must have at most {most} {items}");
    FieldError::new(FieldErrorKind::TooMany, shown(path), Some(size.into()), detail)
}

fn string(limits: &Limits, text: &str, path: &str) -> Option<FieldError> {
    let length = text.chars().count() as u64;
    let value = || Value::String(text.to_owned());
    if let Some(most) = limits.max_length.filter(|most| length > *most) {
        let bytes = if most == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {most} {bytes}");
        return Some(FieldError::new(FieldErrorKind::TooLong, shown(path), None, detail));
    }
    if let Some(least) = limits.min_length.filter(|least| length < *least) {
        return Some(invalid(path, value(), &format!("should be at least {least} chars long")));
    }
    let pattern = limits.pattern.as_ref()?;
    match pattern.matches(text) {
        Some(true) => None,
        Some(false) => Some(invalid(path, value(), &format!("should match '{}'", pattern.text))),
        None => Some(invalid(path, value(), &format!("should match '{}, but pattern is invalid'", pattern.text))),
    }
}

fn numeric(limits: &Limits, number: &Number, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let worth = |number: &Number| number.as_f64().unwrap_or_default();
    let value = worth(number);
    let mut say = |said: String| errors.push(invalid(path, Value::Number(number.clone()), &said));
    if let Some(factor) = &limits.multiple_of {
        let times = value / worth(factor);
        if times.fract().abs() > f64::EPSILON {
            say(format!("should be a multiple of {}", go_number(factor)));
        }
    }
    if let Some(Bound { number: least, exclusive }) = &limits.minimum {
        let fits = if *exclusive { value > worth(least) } else { value >= worth(least) };
        if !fits {
            let words = if *exclusive { "greater than" } else { "greater than or equal to" };
            say(format!("should be {words} {}", go_number(least)));
        }
    }
    if let Some(Bound { number: most, exclusive }) = &limits.maximum {
        let fits = if *exclusive { value < worth(most) } else { value <= worth(most) };
        if !fits {
            let words = if *exclusive { "less than" } else { "less than or equal to" };
            say(format!("should be {words} {}", go_number(most)));
        }
    }
    errors
}
