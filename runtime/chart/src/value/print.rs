//! Go's `fmt`: `%v` of anything, the verbs of `printf`, and `%q`.

use std::fmt::Write as _;

use super::{DEEPEST, Value, float_shortest};

/// `%v`, which is also what an action prints.
pub(crate) fn plain(value: &Value) -> String {
    let mut out = String::new();
    show(&mut out, value, 'v', 0);
    out
}

/// `%q` of a string.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if printable(c) => out.push(c),
            c if u32::from(c) < 0x80 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// `unicode.IsPrint`, near enough: control, format and unassigned characters are not.
fn printable(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xfffb | 0xe000..=0xf8ff)
            || u32::from(c) >= 0xe_0000)
}

/// A value inside another, or alone, under `%v`, `%s`, `%d` and `%q` alike.
fn show(out: &mut String, value: &Value, verb: char, depth: usize) {
    if depth > DEEPEST {
        out.push_str("...");
        return;
    }
    match value {
        Value::Missing | Value::Nil if verb == 'v' => out.push_str("<nil>"),
        Value::Missing | Value::Nil => {
            let _ = write!(out, "%!{verb}(<nil>)");
        }
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.items.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                show(out, item, verb, depth + 1);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (index, (key, item)) in map.entries.borrow().iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                show(out, &Value::Text(key.clone()), verb, depth + 1);
                out.push(':');
                show(out, item, verb, depth + 1);
            }
            out.push(']');
        }
        Value::Struct(made) => show_struct(out, made, verb, depth),
        Value::Files(files) => {
            out.push_str("map[");
            for (index, (path, bytes)) in files.0.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                let _ = write!(out, "{path}:");
                show(out, &Value::Bytes(bytes.clone()), verb, depth + 1);
            }
            out.push(']');
        }
        Value::Bytes(bytes) if verb == 's' => out.push_str(&String::from_utf8_lossy(bytes)),
        Value::Bytes(bytes) if verb == 'v' || verb == 'd' => {
            out.push('[');
            for (index, byte) in bytes.iter().enumerate() {
                let _ = write!(out, "{}{byte}", if index > 0 { " " } else { "" });
            }
            out.push(']');
        }
        leaf => out.push_str(&scalar(leaf, verb, &Flags::default())),
    }
}

fn show_struct(out: &mut String, made: &super::Struct, verb: char, depth: usize) {
    // What has a `String()` of its own is printed by it.
    if let Some(shown) = made.field("\u{0}string") {
        show(out, shown, verb, depth + 1);
        return;
    }
    out.push_str(if made.name.starts_with('*') { "&{" } else { "{" });
    for (index, field) in made.fields.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        show(out, &field.value, verb, depth + 1);
    }
    out.push('}');
}

#[derive(Default, Clone)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Go's `Duration.String`.
pub(crate) fn duration(nanoseconds: i64) -> String {
    let negative = nanoseconds < 0;
    let total = nanoseconds.unsigned_abs();
    let sign = if negative { "-" } else { "" };
    let fraction = |value: u64, unit: u64, name: &str| {
        let rest = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        format!("{}{point}{rest}{name}", value / unit)
    };
    if total == 0 {
        return "0s".to_owned();
    }
    if total < 1_000 {
        return format!("{sign}{total}ns");
    }
    if total < 1_000_000 {
        return format!("{sign}{}", fraction(total, 1_000, "µs"));
    }
    if total < 1_000_000_000 {
        return format!("{sign}{}", fraction(total, 1_000_000, "ms"));
    }
    let (minutes, rest) = (total / 60_000_000_000, total % 60_000_000_000);
    let seconds = fraction(rest, 1_000_000_000, "s");
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

fn bad(verb: char, value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => format!("%!{verb}(<nil>)"),
        other => format!("%!{verb}({}={})", other.type_name(), plain(other)),
    }
}

fn scalar(value: &Value, verb: char, flags: &Flags) -> String {
    match value {
        Value::Bool(truth) if matches!(verb, 'v' | 't') => truth.to_string(),
        Value::Int(n) | Value::Int64(n) => integer(*n, verb, flags).unwrap_or_else(|| bad(verb, value)),
        Value::Duration(n) if matches!(verb, 'v' | 's') => duration(*n),
        Value::Duration(n) => integer(*n, verb, flags).unwrap_or_else(|| bad(verb, value)),
        Value::Float(n) => float(*n, verb, flags).unwrap_or_else(|| bad(verb, value)),
        Value::Text(text) => string(text.as_bytes(), text, verb, flags).unwrap_or_else(|| bad(verb, value)),
        Value::Raw(bytes) | Value::Bytes(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            string(bytes, &text, verb, flags).unwrap_or_else(|| bad(verb, value))
        }
        Value::Time(time) => time.strftime("%Y-%m-%d %H:%M:%S%.f %z %Z").to_string(),
        other => bad(verb, other),
    }
}

fn string(bytes: &[u8], text: &str, verb: char, flags: &Flags) -> Option<String> {
    let cut = |text: &str| match flags.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    };
    Some(match verb {
        'v' | 's' => cut(text),
        'q' if flags.sharp && !text.contains('`') && !text.chars().any(|c| c.is_control() && c != '\t') => {
            format!("`{}`", cut(text))
        }
        'q' => quote(&cut(text)),
        'x' => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        'X' => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        _ => return None,
    })
}

fn integer(n: i64, verb: char, flags: &Flags) -> Option<String> {
    let magnitude = n.unsigned_abs();
    let (prefix, digits) = match verb {
        'v' | 'd' => ("", magnitude.to_string()),
        'b' => (if flags.sharp { "0b" } else { "" }, format!("{magnitude:b}")),
        'o' => (if flags.sharp { "0" } else { "" }, format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (if flags.sharp { "0x" } else { "" }, format!("{magnitude:x}")),
        'X' => (if flags.sharp { "0X" } else { "" }, format!("{magnitude:X}")),
        'c' => return Some(u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()),
        'q' => {
            let c = u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            let quoted = quote(&c.to_string());
            return Some(match c {
                '\'' => "'\\''".to_owned(),
                '"' => "'\"'".to_owned(),
                _ => format!("'{}'", &quoted[1..quoted.len() - 1]),
            });
        }
        'U' => return Some(format!("U+{magnitude:04X}")),
        _ => return None,
    };
    let digits = match flags.precision {
        Some(least) => format!("{}{digits}", "0".repeat(least.min(10_000).saturating_sub(digits.len()))),
        None => digits,
    };
    Some(format!("{}{prefix}{digits}", sign(n < 0, flags)))
}

fn sign(negative: bool, flags: &Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn float(n: f64, verb: char, flags: &Flags) -> Option<String> {
    if !matches!(verb, 'v' | 'g' | 'G' | 'e' | 'E' | 'f' | 'F') {
        return None;
    }
    if !n.is_finite() {
        let shown = float_shortest(n);
        return Some(if flags.plus { shown } else { shown.trim_start_matches('+').to_owned() }).map(|shown| {
            if n.is_infinite() && n > 0.0 { format!("+{}", shown.trim_start_matches('+')) } else { shown }
        });
    }
    let absolute = n.abs();
    let precision = flags.precision.map(|most| most.min(1_000));
    let shown = match (verb, precision) {
        ('v' | 'g' | 'G', None) => float_shortest(absolute),
        ('v' | 'g' | 'G', Some(most)) => general(absolute, most.max(1)),
        ('f' | 'F', most) => format!("{absolute:.*}", most.unwrap_or(6)),
        (_, most) => {
            let shown = format!("{absolute:.*e}", most.unwrap_or(6));
            let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
        }
    };
    let shown = if matches!(verb, 'E' | 'G') { shown.to_uppercase() } else { shown };
    Some(format!("{}{shown}", sign(n.is_sign_negative(), flags)))
}

/// `%.Ng`.
fn general(n: f64, precision: usize) -> String {
    let shown = format!("{n:.*e}", precision - 1);
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if exponent < -4 || exponent >= i32::try_from(precision).unwrap_or(i32::MAX) {
        return format!("{}e{}{:02}", trim(mantissa), if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
    }
    let decimals = i32::try_from(precision).unwrap_or(0) - 1 - exponent;
    trim(&format!("{n:.*}", usize::try_from(decimals).unwrap_or(0)))
}

/// `fmt.Sprintf`.
pub(crate) fn format(pattern: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    let mut reordered = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(&c) = chars.peek() {
            match c {
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                '0' => flags.zero = true,
                _ => break,
            }
            chars.next();
        }
        reordered |= choose(&mut chars, &mut next);
        flags.width = size(&mut chars, args, &mut next, &mut flags.minus);
        if chars.peek() == Some(&'.') {
            chars.next();
            flags.precision = Some(size(&mut chars, args, &mut next, &mut false).unwrap_or(0));
        }
        reordered |= choose(&mut chars, &mut next);
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = args.get(next) else {
            let _ = write!(out, "%!{verb}(MISSING)");
            continue;
        };
        next += 1;
        pad(&mut out, &one(value, verb, &flags), value, verb, &flags);
    }
    if !reordered && next < args.len() {
        out.push_str("%!(EXTRA ");
        for (index, value) in args[next..].iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            match value {
                Value::Missing | Value::Nil => out.push_str("<nil>"),
                value => {
                    let _ = write!(out, "{}={}", value.type_name(), plain(value));
                }
            }
        }
        out.push(')');
    }
    out
}

type Chars<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// `[n]`: which argument comes next.
fn choose(chars: &mut Chars<'_>, next: &mut usize) -> bool {
    if chars.peek() != Some(&'[') {
        return false;
    }
    chars.next();
    let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
    chars.next_if_eq(&']');
    *next = digits.parse::<usize>().unwrap_or(1).saturating_sub(1);
    true
}

/// A width or precision: digits, or `*` for the next argument. Bounded, since it is paid for in memory.
fn size(chars: &mut Chars<'_>, args: &[Value], next: &mut usize, minus: &mut bool) -> Option<usize> {
    if chars.next_if_eq(&'*').is_some() {
        let given = match args.get(*next) {
            Some(Value::Int(n) | Value::Int64(n)) => *n,
            _ => return None,
        };
        *next += 1;
        *minus |= given < 0;
        return usize::try_from(given.unsigned_abs()).ok().map(|n| n.min(1_000_000));
    }
    let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
    if digits.is_empty() { None } else { Some(digits.parse::<usize>().unwrap_or(0).min(1_000_000)) }
}

fn one(value: &Value, verb: char, flags: &Flags) -> String {
    match (verb, value) {
        ('T', value) => if value.is_nil() { "<nil>" } else { value.type_name() }.to_owned(),
        ('p', value) => bad('p', value),
        ('v', Value::Text(text)) if flags.sharp => quote(text),
        ('v' | 's' | 'd' | 'q', Value::List(_) | Value::Map(_) | Value::Struct(_) | Value::Files(_)) => {
            let mut out = String::new();
            show(&mut out, value, verb, 0);
            out
        }
        (_, Value::List(_) | Value::Map(_)) => {
            let mut out = String::new();
            show(&mut out, value, verb, 0);
            out
        }
        ('v' | 's' | 'd', Value::Bytes(_)) => {
            let mut out = String::new();
            show(&mut out, value, verb, 0);
            out
        }
        ('v', Value::Missing | Value::Nil) => "<nil>".to_owned(),
        (verb, value) => scalar(value, verb, flags),
    }
}

fn pad(out: &mut String, shown: &str, value: &Value, verb: char, flags: &Flags) {
    let missing = flags.width.unwrap_or(0).saturating_sub(shown.chars().count());
    let number = matches!(value, Value::Int(_) | Value::Int64(_) | Value::Float(_) | Value::Duration(_));
    if missing == 0 {
        out.push_str(shown);
    } else if flags.minus {
        out.push_str(shown);
        out.extend(std::iter::repeat_n(' ', missing));
    } else if flags.zero
        && (number || matches!(verb, 's' | 'v' | 'q' | 'x'))
        && flags.precision.is_none_or(|_| !matches!(value, Value::Int(_) | Value::Int64(_)))
    {
        let (lead, rest) = shown.split_at(usize::from(number && shown.starts_with(['-', '+', ' '])));
        out.push_str(lead);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(rest);
    } else {
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(shown);
    }
}
