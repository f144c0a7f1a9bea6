//! What a plain scalar is: the rules of `go-yaml` version 2.

use crate::value::parse_int;

/// A scalar once its type is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resolved {
    /// `null`
    Null,
    /// A truth value, of which there are 22 spellings.
    Bool(bool),
    /// An integer, in whichever base.
    Int(i64),
    /// An integer beyond `int64`.
    Uint(u64),
    /// A float.
    Float(f64),
    /// `<<`
    Merge,
    /// A timestamp, which is kept as its text.
    Timestamp,
    /// Anything else.
    Text,
}

/// What an unquoted scalar without a tag resolves to.
pub(crate) fn resolve(text: &str) -> Resolved {
    let Some(first) = text.bytes().next() else { return Resolved::Null };
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        "<<" => return Resolved::Merge,
        _ => {}
    }
    match first {
        b'.' => go_float(text).map_or(Resolved::Text, Resolved::Float),
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Resolved::Text,
    }
}

fn number(text: &str) -> Resolved {
    if timestamp(text) {
        return Resolved::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(whole) = parse_int(&plain) {
        return Resolved::Int(whole);
    }
    if let Some(whole) = unsigned(&plain) {
        return Resolved::Uint(whole);
    }
    if float_shaped(&plain)
        && let Some(number) = go_float(&plain)
    {
        return Resolved::Float(number);
    }
    Resolved::Text
}

fn unsigned(text: &str) -> Option<u64> {
    match text.get(..2) {
        Some("0x" | "0X") => u64::from_str_radix(&text[2..], 16).ok(),
        Some("0b" | "0B") => u64::from_str_radix(&text[2..], 2).ok(),
        _ if text.starts_with(|c: char| c.is_ascii_digit() && c != '0') => text.parse().ok(),
        _ => None,
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn float_shaped(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

/// `strconv.ParseFloat` for what is left: an overflow is an error.
fn go_float(text: &str) -> Option<f64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether Go would read it as a time: `2006-1-2`, alone or with a time of day.
fn timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((&text[at..=at], &text[at + 1..]))),
        None => (text, None),
    };
    let mut parts = day.splitn(3, '-');
    let short = |part: Option<&str>| -> Option<u32> {
        part.filter(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
    };
    let (year, month, date) = (parts.next(), short(parts.next()), short(parts.next()));
    let (Some(year), Some(month), Some(date)) = (year.and_then(|y| y.parse::<i16>().ok()), month, date) else {
        return false;
    };
    let real = i8::try_from(month)
        .ok()
        .zip(i8::try_from(date).ok())
        .is_some_and(|(month, date)| jiff::civil::Date::new(year, month, date).is_ok());
    if !real {
        return false;
    }
    match time {
        None => true,
        Some((" ", clock)) => clock_of_day(clock),
        Some((_, rest)) => {
            let zone = rest.find(['Z', '+', '-']);
            zone.is_some_and(|at| {
                let zone = &rest[at..];
                let offset = zone.len() == 6 && zone.as_bytes()[3] == b':' && !zone.starts_with('Z');
                clock_of_day(&rest[..at]) && (zone == "Z" || offset)
            })
        }
    }
}

fn clock_of_day(text: &str) -> bool {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let parts: Vec<_> = clock.split(':').collect();
    let limits = [24, 60, 60];
    parts.len() == 3
        && parts.iter().zip(limits).all(|(part, limit)| {
            (1..=2).contains(&part.len()) && part.parse::<u32>().is_ok_and(|number| number < limit)
        })
        && fraction.is_none_or(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it looks like a number of base 60, which is quoted for others' sake.
pub(crate) fn base_sixty(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (sexagesimal, fraction) = rest.split_once('.').map_or((rest, ""), |(whole, rest)| (whole, rest));
    let mut parts = sexagesimal.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let rest_fits = parts.all(|part| {
        count += 1;
        let bytes = part.as_bytes();
        match bytes.len() {
            1 => bytes[0].is_ascii_digit(),
            2 => (b'0'..=b'5').contains(&bytes[0]) && bytes[1].is_ascii_digit(),
            _ => false,
        }
    });
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && count > 0
        && rest_fits
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_resolve_as_go_resolves_them() {
        for (text, resolved) in [
            ("yes", Resolved::Bool(true)),
            ("off", Resolved::Bool(false)),
            ("0644", Resolved::Int(420)),
            ("1_000", Resolved::Int(1000)),
            ("1e3", Resolved::Float(1000.0)),
            ("2024-01-02", Resolved::Timestamp),
            ("2024-13-02", Resolved::Text),
            ("1.30.3", Resolved::Text),
            ("0x", Resolved::Text),
            ("-", Resolved::Text),
            (".5", Resolved::Float(0.5)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
        ] {
            assert_eq!(resolve(text), resolved, "{text}");
        }
        assert!(base_sixty("12:30"));
        assert!(!base_sixty("12:99"));
    }
}
