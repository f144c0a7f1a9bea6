//! The functions that every Go template has.

use std::cmp::Ordering;

use super::call::{Function, Param};
use super::world::Failure;
use crate::value::{Value, format, plain};

const ANY: Param = Param::Any;

fn function(name: &'static str, params: &'static [Param], rest: Option<Param>, work: super::call::Work) -> Function {
    Function { name, params, rest, work }
}

/// All of them.
pub(crate) fn functions() -> Vec<Function> {
    vec![
        function("and", &[ANY], Some(ANY), |_, _| Ok(Value::Missing)),
        function("or", &[ANY], Some(ANY), |_, _| Ok(Value::Missing)),
        function("not", &[ANY], None, |_, args| Ok(Value::Bool(!args[0].truth()))),
        function("len", &[ANY], None, |_, args| len(&args[0])),
        function("index", &[ANY], Some(ANY), |_, args| index(&args[0], &args[1..])),
        function("slice", &[ANY], Some(ANY), |_, args| slice(&args[0], &args[1..])),
        function("print", &[], Some(ANY), |_, args| Ok(Value::text(print(args)))),
        function("println", &[], Some(ANY), |_, args| {
            Ok(Value::text(args.iter().map(plain).collect::<Vec<_>>().join(" ") + "\n"))
        }),
        function("printf", &[Param::Text], Some(ANY), |world, args| {
            let pattern = plain(&args[0]);
            world.step(pattern.len() / 16)?;
            Ok(Value::text(format(&pattern, &args[1..])))
        }),
        function("html", &[], Some(ANY), |_, args| Ok(Value::text(html(&print(args))))),
        function("js", &[], Some(ANY), |_, args| Ok(Value::text(js(&print(args))))),
        function("urlquery", &[], Some(ANY), |_, args| Ok(Value::text(crate::function::query_escape(&print(args))))),
        function("call", &[ANY], Some(ANY), |_, args| {
            Err(Failure::plain(format!("non-function of type {}", args[0].type_name())))
        }),
        function("eq", &[ANY], Some(ANY), |_, args| equal(&args[0], &args[1..]).map(Value::Bool)),
        function("ne", &[ANY, ANY], None, |_, args| equal(&args[0], &args[1..]).map(|same| Value::Bool(!same))),
        function("lt", &[ANY, ANY], None, |_, args| {
            order(args).map(|order| Value::Bool(order == Some(Ordering::Less)))
        }),
        function("le", &[ANY, ANY], None, |_, args| {
            order(args).map(|order| Value::Bool(matches!(order, Some(Ordering::Less | Ordering::Equal))))
        }),
        function("gt", &[ANY, ANY], None, |_, args| {
            order(args).map(|order| Value::Bool(!matches!(order, Some(Ordering::Less | Ordering::Equal))))
        }),
        function("ge", &[ANY, ANY], None, |_, args| {
            order(args).map(|order| Value::Bool(order != Some(Ordering::Less)))
        }),
    ]
}

fn len(value: &Value) -> Result<Value, Failure> {
    match value.length() {
        Some(length) => Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))),
        None if value.is_nil() => Err("len of nil pointer".into()),
        None => Err(format!("len of type {}", value.type_name()).into()),
    }
}

/// `fmt.Sprint`: a space between operands of which neither is a string.
fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in args.iter().enumerate() {
        let text = |value: &Value| matches!(value, Value::Text(_) | Value::Raw(_));
        if at > 0 && !text(value) && !text(&args[at - 1]) {
            out.push(' ');
        }
        out.push_str(&plain(value));
    }
    out
}

fn position(index: &Value, capacity: usize) -> Result<usize, Failure> {
    match index {
        Value::Int(n) | Value::Int64(n) => match usize::try_from(*n) {
            Ok(at) if at <= capacity => Ok(at),
            _ => Err(format!("index out of range: {n}").into()),
        },
        Value::Missing | Value::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    }
}

fn index(value: &Value, indexes: &[Value]) -> Result<Value, Failure> {
    if value.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = value.clone();
    for index in indexes {
        item = match &item {
            Value::Missing | Value::Nil => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let at = position(index, list.items.len())?;
                list.items.get(at).cloned().ok_or_else(|| out_of_range(at, list.items.len()))?
            }
            Value::Text(text) => byte(text.as_bytes(), index)?,
            Value::Raw(bytes) | Value::Bytes(bytes) => byte(bytes, index)?,
            Value::Map(map) => match index {
                Value::Text(key) => map.get(key).unwrap_or_else(|| map.absent()),
                Value::Missing | Value::Nil => return Err("value is nil; should be of type string".into()),
                other => {
                    return Err(format!("value has type {}; should be string", other.type_name()).into());
                }
            },
            Value::Files(files) => match index {
                Value::Text(key) => files.0.get(&**key).map_or(Value::Nil, |bytes| Value::Bytes(bytes.clone())),
                other => return Err(format!("value has type {}; should be string", other.type_name()).into()),
            },
            other => return Err(format!("can't index item of type {}", other.type_name()).into()),
        };
    }
    Ok(item)
}

fn out_of_range(at: usize, length: usize) -> Failure {
    Failure::plain(format!("reflect: slice index out of range: {at} of {length}"))
}

fn byte(bytes: &[u8], index: &Value) -> Result<Value, Failure> {
    let at = position(index, bytes.len())?;
    let byte = bytes.get(at).ok_or_else(|| Failure::plain("reflect: string index out of range"))?;
    Ok(Value::Int(i64::from(*byte)))
}

fn slice(value: &Value, indexes: &[Value]) -> Result<Value, Failure> {
    if value.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let length = match value {
        Value::Text(_) | Value::Raw(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Text(_) | Value::Raw(_) | Value::Bytes(_) | Value::List(_) => value.length().unwrap_or(0),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, length, length];
    for (slot, index) in bounds.iter_mut().zip(indexes) {
        *slot = position(index, length)?;
    }
    let [from, to, end] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    if to > end {
        return Err(format!("invalid slice index: {to} > {end}").into());
    }
    Ok(match value {
        Value::Text(text) => Value::bytes_as_text(&text.as_bytes()[from..to]),
        Value::Raw(bytes) => Value::bytes_as_text(&bytes[from..to]),
        Value::Bytes(bytes) => Value::Bytes(bytes[from..to].into()),
        Value::List(list) => {
            Value::List(std::rc::Rc::new(crate::value::List { items: list.items[from..to].to_vec(), of: list.of }))
        }
        _ => Value::Missing,
    })
}

/// What may be compared with what.
#[derive(PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::Int64(_) | Value::Duration(_) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Text(_) | Value::Raw(_) => Kind::Text,
        _ => Kind::Other,
    }
}

fn incompatible(one: &Value, two: &Value) -> Failure {
    let words = format!("incompatible types for comparison: {} and {}", one.type_name(), two.type_name());
    Failure::plain(words)
}

fn equal(one: &Value, others: &[Value]) -> Result<bool, Failure> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        let same = if kind(one) == kind(other) {
            match (one, other) {
                (Value::Bool(a), Value::Bool(b)) => a == b,
                (Value::Float(a), Value::Float(b)) => a == b,
                (
                    Value::Int(a) | Value::Int64(a) | Value::Duration(a),
                    Value::Int(b) | Value::Int64(b) | Value::Duration(b),
                ) => a == b,
                (Value::Text(a), Value::Text(b)) => a == b,
                (Value::Raw(a), Value::Raw(b)) => a == b,
                (a, b) if a.is_nil() || b.is_nil() => a.is_nil() && b.is_nil(),
                (Value::Text(_) | Value::Raw(_), _) => false,
                (a, b) => {
                    if matches!(a, Value::Map(_) | Value::List(_)) || matches!(b, Value::Map(_) | Value::List(_)) {
                        let words = format!(
                            "non-comparable types {}: {}, {}: {}",
                            plain(a),
                            a.type_name(),
                            b.type_name(),
                            plain(b)
                        );
                        return Err(words.into());
                    }
                    a.deep_equal(b)
                }
            }
        } else if one.is_nil() || other.is_nil() {
            false
        } else {
            return Err(incompatible(one, other));
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn order(args: &[Value]) -> Result<Option<Ordering>, Failure> {
    let [one, two] = args else { return Err("missing argument for comparison".into()) };
    let bad = || Failure::plain("invalid type for comparison");
    if kind(one) == Kind::Other || kind(two) == Kind::Other {
        return Err(bad());
    }
    if kind(one) != kind(two) {
        return Err(incompatible(one, two));
    }
    match (one, two) {
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (
            Value::Int(a) | Value::Int64(a) | Value::Duration(a),
            Value::Int(b) | Value::Int64(b) | Value::Duration(b),
        ) => Ok(Some(a.cmp(b))),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        _ => Err(bad()),
    }
}

fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c)).replace("\\\\", "\\")),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
