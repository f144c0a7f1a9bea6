//! Values as JSON: read, written as `encoding/json` writes them, and exchanged with plain values.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use base64::Engine as _;
use serde_json::Value as Plain;

use super::{DEEPEST, List, Map, Of, Value, float_json};

/// How JSON is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Json {
    /// Whether `<`, `>` and `&` are escaped, as Go does unless told otherwise.
    pub(crate) escape: bool,
    /// Whether it is indented by two spaces.
    pub(crate) pretty: bool,
}

impl Json {
    pub(crate) const COMPACT: Json = Json { escape: true, pretty: false };
    pub(crate) const PRETTY: Json = Json { escape: true, pretty: true };
    pub(crate) const RAW: Json = Json { escape: false, pretty: false };
}

/// A value of a template out of a plain one. An integer stays `int64`, as `--set` makes it; a fraction is a `float64`.
pub(crate) fn from_plain(plain: &Plain) -> Value {
    match plain {
        Plain::Null => Value::Nil,
        Plain::Bool(truth) => Value::Bool(*truth),
        Plain::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or_default()), Value::Int64)
        }
        Plain::String(text) => Value::text(text),
        Plain::Array(items) => Value::list(items.iter().map(from_plain).collect()),
        Plain::Object(entries) => {
            Value::map(entries.iter().map(|(key, value)| (Rc::from(key.as_str()), from_plain(value))).collect())
        }
    }
}

/// Reads JSON as `json.Unmarshal` into an `interface{}` does: every number is a `float64`.
pub(crate) fn from_json(text: &str) -> Result<Value, String> {
    let plain: Plain = serde_json::from_str(text).map_err(|error| complaint(text, &error))?;
    Ok(floats(&plain))
}

fn floats(plain: &Plain) -> Value {
    match plain {
        Plain::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        Plain::Array(items) => Value::list(items.iter().map(floats).collect()),
        Plain::Object(entries) => {
            Value::map(entries.iter().map(|(key, value)| (Rc::from(key.as_str()), floats(value))).collect())
        }
        other => from_plain(other),
    }
}

/// What Go says about text that is not JSON.
fn complaint(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() || text.trim().is_empty() {
        return "unexpected end of JSON input".to_owned();
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let found = line.chars().nth(error.column().saturating_sub(1)).unwrap_or(' ');
    format!("invalid character '{found}' looking for beginning of value")
}

/// A plain value out of one of a template.
pub(crate) fn to_plain(value: &Value) -> Plain {
    plain_at(value, 0)
}

fn plain_at(value: &Value, depth: usize) -> Plain {
    if depth > DEEPEST {
        return Plain::Null;
    }
    match value {
        Value::Missing | Value::Nil => Plain::Null,
        Value::Bool(truth) => Plain::Bool(*truth),
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => Plain::from(*n),
        Value::Float(n) => Plain::from(*n),
        Value::Text(text) => Plain::String(text.to_string()),
        Value::Raw(bytes) => Plain::String(String::from_utf8_lossy(bytes).into_owned()),
        Value::Bytes(bytes) => Plain::String(base64::engine::general_purpose::STANDARD.encode(bytes)),
        Value::List(list) => Plain::Array(list.items.iter().map(|item| plain_at(item, depth + 1)).collect()),
        Value::Map(map) => Plain::Object(
            map.entries.borrow().iter().map(|(key, value)| (key.to_string(), plain_at(value, depth + 1))).collect(),
        ),
        Value::Struct(made) => Plain::Object(
            made.fields
                .iter()
                .filter(|field| !field.json.is_empty() && field.value.truth())
                .map(|field| (field.json.to_owned(), plain_at(&field.value, depth + 1)))
                .collect(),
        ),
        Value::Files(files) => Plain::Object(
            files
                .0
                .iter()
                .map(|(path, bytes)| {
                    (path.clone(), Plain::String(base64::engine::general_purpose::STANDARD.encode(bytes)))
                })
                .collect(),
        ),
        Value::Time(time) => Plain::String(time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().replace("+00:00", "Z")),
    }
}

/// Writes JSON as `json.Marshal` does: sorted keys, Go's numbers, Go's escapes.
pub(crate) fn to_json(value: &Value, layout: Json) -> Result<String, String> {
    let mut out = String::new();
    write(&mut out, value, layout, 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, layout: Json, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("json: unsupported value: encountered a cycle via {}", value.type_name()));
    }
    match value {
        Value::Missing | Value::Nil => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Float(n) => match float_json(*n) {
            Some(written) => out.push_str(&written),
            None => return Err(format!("json: unsupported value: {}", super::float_shortest(*n))),
        },
        Value::Text(text) => write_text(out, text, layout.escape),
        Value::Raw(bytes) => write_text(out, &String::from_utf8_lossy(bytes), layout.escape),
        Value::List(list) => write_items(out, list, layout, depth)?,
        Value::Map(map) => {
            let entries = map.entries.borrow();
            let fields = entries.iter().map(|(key, value)| (&**key, value));
            write_fields(out, fields, layout, depth)?;
        }
        Value::Struct(made) => {
            let fields = made.fields.iter().filter(|field| !field.json.is_empty() && field.value.truth());
            write_fields(out, fields.map(|field| (field.json, &field.value)), layout, depth)?;
        }
        other @ (Value::Bytes(_) | Value::Files(_) | Value::Time(_)) => {
            let plain = from_plain(&to_plain(other));
            write(out, &plain, layout, depth)?;
        }
    }
    Ok(())
}

fn line(out: &mut String, layout: Json, depth: usize) {
    if layout.pretty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn write_items(out: &mut String, list: &List, layout: Json, depth: usize) -> Result<(), String> {
    out.push('[');
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, layout, depth + 1);
        write(out, item, layout, depth + 1)?;
    }
    if !list.items.is_empty() {
        line(out, layout, depth);
    }
    out.push(']');
    Ok(())
}

fn write_fields<'v>(
    out: &mut String,
    fields: impl Iterator<Item = (&'v str, &'v Value)>,
    layout: Json,
    depth: usize,
) -> Result<(), String> {
    out.push('{');
    let mut any = false;
    for (key, value) in fields {
        if any {
            out.push(',');
        }
        any = true;
        line(out, layout, depth + 1);
        write_text(out, key, layout.escape);
        out.push_str(if layout.pretty { ": " } else { ":" });
        write(out, value, layout, depth + 1)?;
    }
    if any {
        line(out, layout, depth);
    }
    out.push('}');
    Ok(())
}

fn write_text(out: &mut String, text: &str, escape: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' if escape => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// What YAML would show of a value: the value after a trip through JSON.
impl Value {
    pub(crate) fn through_json(&self) -> Result<Value, String> {
        through(self, 0)
    }
}

fn through(value: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err("json: unsupported value: encountered a cycle".to_owned());
    }
    Ok(match value {
        Value::Missing => Value::Nil,
        Value::Int(n) | Value::Duration(n) => Value::Int64(*n),
        Value::Float(n) if !n.is_finite() => {
            return Err(format!("json: unsupported value: {}", super::float_shortest(*n)));
        }
        Value::Float(n) => match float_json(*n).and_then(|written| written.parse::<i64>().ok()) {
            Some(whole) => Value::Int64(whole),
            None => Value::Float(*n),
        },
        Value::Raw(bytes) => Value::text(String::from_utf8_lossy(bytes)),
        Value::List(list) => {
            let items = list.items.iter().map(|item| through(item, depth + 1)).collect::<Result<_, _>>()?;
            Value::list(items)
        }
        Value::Map(map) => {
            let mut entries = BTreeMap::new();
            for (key, value) in map.entries.borrow().iter() {
                entries.insert(key.clone(), through(value, depth + 1)?);
            }
            Value::Map(Map::new(entries, Of::Any))
        }
        Value::Struct(_) | Value::Bytes(_) | Value::Files(_) | Value::Time(_) => {
            through(&from_plain(&to_plain(value)), depth + 1)?
        }
        other => other.clone(),
    })
}
