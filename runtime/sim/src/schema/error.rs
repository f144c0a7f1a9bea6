//! What is wrong with a field, in the API server's words.
//!
//! Not known here: what was checked, and the `Status` that carries it.

use std::fmt::{self, Write};

use serde_json::Value;

/// One thing that is wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldError {
    /// `spec.template.spec.containers[0].name`
    pub(crate) path: String,
    pub(crate) kind: FieldErrorKind,
    pub(crate) detail: String,
    /// What the field holds; none where the words do not repeat it.
    pub(crate) value: Option<Value>,
}

/// What kind of wrong, as the server distinguishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooShort,
    TooMany,
    TooFew,
    Internal,
    TypeInvalid,
}

impl FieldErrorKind {
    /// How it begins to speak of it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooShort => "Too short",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Internal => "Internal error",
        }
    }

    /// What stands as `reason` among the causes of a `Status`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooShort => "FieldValueTooShort",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// Whether the words never repeat the value.
    fn is_silent(self) -> bool {
        matches!(self, Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort | Self::Internal)
    }
}

impl FieldError {
    pub(crate) fn new(
        kind: FieldErrorKind,
        path: impl Into<String>,
        value: Option<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), kind, detail: detail.into(), value }
    }

    pub(crate) fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Required, path, None, detail)
    }

    pub(crate) fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Forbidden, path, None, detail)
    }

    pub(crate) fn invalid(path: impl Into<String>, value: Value, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Invalid, path, Some(value), detail)
    }

    pub(crate) fn duplicate(path: impl Into<String>, value: Value) -> Self {
        Self::new(FieldErrorKind::Duplicate, path, Some(value), "")
    }

    /// A value that is none of those there are.
    pub(crate) fn not_supported(path: impl Into<String>, value: Value, supported: &[Value]) -> Self {
        let quoted: Vec<_> = supported.iter().map(|one| quote(&plain(one))).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        Self::new(FieldErrorKind::NotSupported, path, Some(value), detail)
    }

    /// A word that is none of those there are.
    pub(crate) fn one_of(path: impl Into<String>, word: &str, words: &[&str]) -> Self {
        let supported: Vec<Value> = words.iter().map(|word| (*word).into()).collect();
        Self::not_supported(path, word.into(), &supported)
    }

    /// The words without the field: what stands as `message` among the causes of a `Status`.
    pub(crate) fn body(&self) -> String {
        let mut body = self.kind.words().to_owned();
        if let Some(value) = self.value.as_ref().filter(|_| !self.kind.is_silent()) {
            body.push_str(": ");
            match value {
                Value::String(text) => body.push_str(&quote(text)),
                Value::Number(number) => body.push_str(&go_number(number)),
                other => body.push_str(&go_json(other)),
            }
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

/// JSON as Go writes it: keys of maps sorted, fields of structs (which begin with a capital) as they are, `<`, `>` and `&` escaped.
pub(crate) fn go_json(value: &Value) -> String {
    let mut sorted = value.clone();
    sort(&mut sorted);
    let text = sorted.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn sort(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if !fields.keys().all(|key| key.starts_with(|first: char| first.is_ascii_uppercase())) {
                fields.sort_keys();
            }
            fields.values_mut().for_each(sort);
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

/// A number as Go's `%v` writes it.
pub(crate) fn go_number(number: &serde_json::Number) -> String {
    if !number.is_f64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    let exponent = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if (-4.0..21.0).contains(&exponent) {
        return format!("{value}");
    }
    let shown = format!("{value:e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A string as Go's `%q` writes it.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => drop(write!(quoted, "\\x{:02x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A value as Go's `%v` writes a scalar.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => go_number(number),
        Value::Null => "<nil>".to_owned(),
        other => go_json(other),
    }
}
