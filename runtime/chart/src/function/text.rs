//! Strings.

use super::{fixed, int, spread, string, text, usize_of};
use crate::execute::{Failure, Function, Param, World};
use crate::value::{Value, quote};

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;
const INT: Param = Param::Int;

pub(super) fn functions() -> Vec<Function> {
    let mut all = vec![
        fixed("hello", &[], |_, _| Ok(Value::text("Hello!"))),
        fixed("trim", &[TEXT], |_, args| Ok(Value::text(text(args, 0).trim()))),
        fixed("upper", &[TEXT], |_, args| Ok(Value::text(text(args, 0).to_uppercase()))),
        fixed("lower", &[TEXT], |_, args| Ok(Value::text(text(args, 0).to_lowercase()))),
        fixed("repeat", &[INT, TEXT], |world, args| {
            let count = int(args, 0);
            if count < 0 {
                return Err("strings: negative Repeat count".into());
            }
            let unit = text(args, 1);
            world.take(usize_of(count).saturating_mul(unit.len()))?;
            Ok(Value::text(unit.repeat(usize_of(count))))
        }),
        fixed("trimSuffix", &[TEXT, TEXT], |_, args| {
            let whole = text(args, 1);
            Ok(Value::text(whole.strip_suffix(&*text(args, 0)).unwrap_or(&whole)))
        }),
        fixed("trimPrefix", &[TEXT, TEXT], |_, args| {
            let whole = text(args, 1);
            Ok(Value::text(whole.strip_prefix(&*text(args, 0)).unwrap_or(&whole)))
        }),
        fixed("contains", &[TEXT, TEXT], |_, args| Ok(Value::Bool(text(args, 1).contains(&*text(args, 0))))),
        fixed("hasPrefix", &[TEXT, TEXT], |_, args| Ok(Value::Bool(text(args, 1).starts_with(&*text(args, 0))))),
        fixed("hasSuffix", &[TEXT, TEXT], |_, args| Ok(Value::Bool(text(args, 1).ends_with(&*text(args, 0))))),
        fixed("replace", &[TEXT, TEXT, TEXT], replace),
        fixed("abbrev", &[INT, TEXT], |_, args| Ok(Value::text(abbreviate(&text(args, 1), 0, int(args, 0))))),
        fixed("abbrevboth", &[INT, INT, TEXT], |_, args| {
            Ok(Value::text(abbreviate(&text(args, 2), int(args, 0), int(args, 1))))
        }),
        fixed("trunc", &[INT, TEXT], |_, args| Ok(truncate(int(args, 0), &text(args, 1)))),
        fixed("substr", &[INT, INT, TEXT], substring),
        fixed("indent", &[INT, TEXT], |world, args| {
            world.step(text(args, 1).len() / 32)?;
            pad(world, int(args, 0), &text(args, 1)).map(Value::text)
        }),
        fixed("nindent", &[INT, TEXT], |world, args| {
            world.step(text(args, 1).len() / 32)?;
            Ok(Value::text(format!("\n{}", pad(world, int(args, 0), &text(args, 1))?)))
        }),
        spread("quote", &[], ANY, |_, args| Ok(Value::text(each(args, |value| quote(&string(value)))))),
        spread("squote", &[], ANY, |_, args| Ok(Value::text(each(args, |value| format!("'{}'", string(value)))))),
        spread("cat", &[], ANY, |_, args| Ok(Value::text(each(args, string)))),
        fixed("toString", &[ANY], |_, args| {
            Ok(match &args[0] {
                raw @ Value::Raw(_) => raw.clone(),
                Value::Bytes(raw) => Value::bytes_as_text(raw),
                other => Value::text(string(other)),
            })
        }),
        fixed("plural", &[TEXT, TEXT, INT], |_, args| Ok(Value::Text(text(args, usize::from(int(args, 2) != 1))))),
    ];
    for name in ["trimall", "trimAll"] {
        all.push(fixed(name, &[TEXT, TEXT], |_, args| {
            let cut = text(args, 0);
            Ok(Value::text(text(args, 1).trim_matches(|c| cut.contains(c))))
        }));
    }
    all
}

/// Arguments that are not nil, shown and joined by spaces.
fn each(args: &[Value], show: impl Fn(&Value) -> String) -> String {
    args.iter().filter(|value| !value.is_nil()).map(show).collect::<Vec<_>>().join(" ")
}

fn replace(world: &World<'_>, args: &[Value]) -> Result<Value, Failure> {
    let (old, new, source) = (text(args, 0), text(args, 1), text(args, 2));
    world.step(source.len() / 64)?;
    let grown = if old.is_empty() { source.len() + 1 } else { source.len() / old.len() };
    world.take(grown.saturating_mul(new.len()))?;
    Ok(Value::text(source.replace(&*old, &new)))
}

/// Every line moved to the right, empty ones too.
fn pad(world: &World<'_>, spaces: i64, text: &str) -> Result<String, Failure> {
    if spaces < 0 {
        return Err("strings: negative Repeat count".into());
    }
    let breaks = || memchr::memchr_iter(b'\n', text.as_bytes());
    let (width, lines) = (usize_of(spaces), breaks().count() + 1);
    world.take(width.saturating_mul(lines))?;
    let pad = " ".repeat(width);
    let mut padded = String::with_capacity(text.len() + width * lines);
    let mut from = 0;
    for end in breaks().map(|at| at + 1).chain([text.len()]) {
        padded.push_str(&pad);
        padded.push_str(&text[from..end]);
        from = end;
    }
    Ok(padded)
}

fn truncate(count: i64, text: &str) -> Value {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if count < 0 && length.saturating_add(count) > 0 {
        return Value::bytes_as_text(&text.as_bytes()[usize_of(length + count)..]);
    }
    if count >= 0 && length > count {
        return Value::bytes_as_text(&text.as_bytes()[..usize_of(count)]);
    }
    Value::text(text)
}

fn substring(_: &World<'_>, args: &[Value]) -> Result<Value, Failure> {
    let (start, end, text) = (int(args, 0), int(args, 1), text(args, 2));
    let bytes = text.as_bytes();
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > i64::try_from(bytes.len()).unwrap_or(i64::MAX) {
        (start, i64::try_from(bytes.len()).unwrap_or(i64::MAX))
    } else {
        (start, end)
    };
    match bytes.get(usize_of(from)..usize::try_from(to).unwrap_or(usize::MAX)) {
        Some(part) => Ok(Value::bytes_as_text(part)),
        None => Err(format!("runtime error: slice bounds out of range [{from}:{to}]").into()),
    }
}

/// `goutils.AbbreviateFull`: dots at one end or both.
fn abbreviate(text: &str, offset: i64, width: i64) -> String {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if width < 4 || (offset > 0 && width < 7) || length <= width {
        return text.to_owned();
    }
    let cut = |from: i64, to: i64| {
        let part = text.as_bytes().get(usize_of(from)..usize_of(to.min(length))).unwrap_or_default();
        String::from_utf8_lossy(part).into_owned()
    };
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return format!("{}...", cut(0, width - 3));
    }
    if offset + width - 3 < length {
        return format!("...{}", abbreviate(&cut(offset, length), 0, width - 3));
    }
    format!("...{}", cut(length - (width - 3), length))
}
