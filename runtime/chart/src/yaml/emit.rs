//! Writes YAML as `sigs.k8s.io/yaml` does: block style, natural order of keys, lists not indented.

use std::cmp::Ordering;

use super::scalar::{Place, style, write};
use crate::value::{Value, float_shortest};

/// Where `go-yaml` folds long lines.
const WIDTH: usize = 80;

/// How lists lie under their keys, and whether long lines fold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// At the key's own indent, folded: version 2.
    Flush,
    /// Two deeper, never folded: version 3.
    Indented,
}

/// The YAML of a value, or why there is none.
pub(crate) fn emit(value: &Value) -> Result<String, String> {
    emit_with(&value.through_json()?, Layout::Flush)
}

/// The same in a layout.
pub(super) fn emit_with(value: &Value, layout: Layout) -> Result<String, String> {
    let mut out = String::new();
    node(&mut out, value, 0, Parent::Document, layout);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    Ok(out)
}

impl Layout {
    fn width(self) -> Option<usize> {
        if self == Layout::Flush { Some(WIDTH) } else { None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Document,
    Map,
    List,
}

fn column(out: &str) -> usize {
    out[out.rfind('\n').map_or(0, |at| at + 1)..].chars().count()
}

/// Writes a value whose own lines begin at `indent`. The caller has written what stands before it on the line.
fn node(out: &mut String, value: &Value, indent: usize, parent: Parent, layout: Layout) {
    match value {
        Value::Map(map) if !map.entries.borrow().is_empty() => {
            let entries = map.entries.borrow();
            let mut keys: Vec<_> = entries.keys().collect();
            keys.sort_by(|a, b| natural(a, b));
            for (index, key) in keys.into_iter().enumerate() {
                start(out, indent, index == 0, parent);
                key_text(out, key, indent, layout);
                if let Some(value) = entries.get(key) {
                    child(out, value, indent, layout);
                }
            }
        }
        Value::List(list) if !list.items.is_empty() => {
            for (index, item) in list.items.iter().enumerate() {
                start(out, indent, index == 0, parent);
                out.push('-');
                out.push(' ');
                if is_block(item) {
                    node(out, item, indent + 2, Parent::List, layout);
                } else {
                    leaf(out, item, indent + 2, layout);
                }
            }
        }
        other => leaf(out, other, indent, layout),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Map(map) => !map.entries.borrow().is_empty(),
        Value::List(list) => !list.items.is_empty(),
        _ => false,
    }
}

/// Begins an entry: on the line of its dash if it is the first inside a list, else on a line of its own.
fn start(out: &mut String, indent: usize, first: bool, parent: Parent) {
    if first && parent == Parent::List {
        return;
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n(' ', indent));
}

fn key_text(out: &mut String, key: &str, indent: usize, layout: Layout) {
    // A key beyond 128 bytes, or of several lines, is no simple key.
    if key.len() > 128 || key.contains('\n') {
        out.push_str("? ");
        let style = style(key, Place::Value);
        let at = column(out);
        write(out, key, style, at, indent + 2, layout.width());
        if !out.ends_with('\n') {
            out.push('\n');
        }
        out.extend(std::iter::repeat_n(' ', indent));
    } else {
        write(out, key, style(key, Place::Key), 0, 0, None);
    }
    out.push(':');
}

/// The value of a key: lists stay at the key's own indent, maps go two deeper.
fn child(out: &mut String, value: &Value, indent: usize, layout: Layout) {
    match value {
        Value::List(list) if !list.items.is_empty() => {
            let deeper = if layout == Layout::Flush { 0 } else { 2 };
            node(out, value, indent + deeper, Parent::Map, layout);
        }
        Value::Map(map) if !map.entries.borrow().is_empty() => {
            node(out, value, indent + 2, Parent::Map, layout);
        }
        other => {
            out.push(' ');
            leaf(out, other, indent + 2, layout);
        }
    }
}

fn leaf(out: &mut String, value: &Value, indent: usize, layout: Layout) {
    match value {
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => out.push_str(&n.to_string()),
        Value::Float(n) if n.is_nan() => out.push_str(".nan"),
        Value::Float(n) if n.is_infinite() => out.push_str(if *n > 0.0 { ".inf" } else { "-.inf" }),
        Value::Float(n) => out.push_str(&float_shortest(*n)),
        Value::Text(text) => {
            let at = column(out);
            // At the very top, further lines begin at the margin, except in a block.
            write(out, text, style(text, Place::Value), at, indent, layout.width());
        }
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        _ => out.push_str("null"),
    }
}

/// The order in which `go-yaml` writes keys: letters after others, numbers by their value.
fn natural(one: &str, two: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            continue;
        }
        let (left, right) = (a[at].is_alphabetic(), b[at].is_alphabetic());
        if left && right {
            return a[at].cmp(&b[at]);
        }
        if left || right {
            return if right { Ordering::Less } else { Ordering::Greater };
        }
        return by_number(&a, &b, at);
    }
    a.len().cmp(&b.len())
}

fn by_number(a: &[char], b: &[char], at: usize) -> Ordering {
    let (mut left, mut right) = (0_i64, 0_i64);
    if a[at] == '0' || b[at] == '0' {
        let nonzero = a[..at].iter().rev().take_while(|c| c.is_numeric()).any(|c| *c != '0');
        if nonzero {
            (left, right) = (1, 1);
        }
    }
    let read = |chars: &[char], number: &mut i64| {
        let mut end = at;
        while let Some(digit) = chars.get(end).filter(|c| c.is_numeric()) {
            *number = number.wrapping_mul(10).wrapping_add(i64::from(u32::from(*digit)) - 48);
            end += 1;
        }
        end
    };
    let (left_end, right_end) = (read(a, &mut left), read(b, &mut right));
    left.cmp(&right).then(left_end.cmp(&right_end)).then(a[at].cmp(&b[at]))
}
