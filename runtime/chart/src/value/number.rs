//! Numbers as Go's `strconv` writes and reads them.

/// The shortest digits that read back as the same number, and the decimal exponent of the first one.
fn digits(number: f64) -> (String, i32) {
    let shown = format!("{:e}", number.abs());
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn exponential(number: f64, digits: &str, exponent: i32) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let mark = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.unsigned_abs())
}

fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        Some("NaN".to_owned())
    } else if number.is_infinite() {
        Some(if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned())
    } else {
        None
    }
}

/// `strconv.FormatFloat(n, 'g', -1, 64)`, which is also how `fmt` prints a float: exponents below -4 and from 6 on.
pub(crate) fn float_shortest(number: f64) -> String {
    if let Some(word) = special(number) {
        return word;
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let (digits, exponent) = digits(number);
    if !(-4..6).contains(&exponent) {
        return exponential(number, &digits, exponent);
    }
    format!("{number}")
}

/// How `encoding/json` writes a float: exponents below -6 and from 21 on, without a leading zero in the exponent.
pub(crate) fn float_json(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    if number == 0.0 {
        return Some(if number.is_sign_negative() { "-0" } else { "0" }.to_owned());
    }
    let absolute = number.abs();
    if !(1e-6..1e21).contains(&absolute) {
        let (digits, exponent) = digits(number);
        let written = exponential(number, &digits, exponent);
        return Some(written.replace("e-0", "e-"));
    }
    Some(format!("{number}"))
}

/// `strconv.ParseInt(text, 0, 64)`: a base from the prefix, underscores where Go allows them.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = rest.to_ascii_lowercase();
    let (base, body, prefixed) = if let Some(body) = lower.strip_prefix("0x") {
        (16, body, true)
    } else if let Some(body) = lower.strip_prefix("0b") {
        (2, body, true)
    } else if let Some(body) = lower.strip_prefix("0o") {
        (8, body, true)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..], true)
    } else {
        (10, lower.as_str(), false)
    };
    if body.contains('_') {
        let bare = body.strip_prefix('_').filter(|_| prefixed).unwrap_or(body);
        if bare.starts_with('_') || bare.ends_with('_') || bare.contains("__") {
            return None;
        }
    }
    let body = body.replace('_', "");
    if body.is_empty() || body.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(&body, base).ok()?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (number, shown) in [
            (1e6, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.5, "0.5"),
            (100_000.0, "100000"),
            (1e21, "1e+21"),
            (1e-5, "1e-05"),
        ] {
            assert_eq!(float_shortest(number), shown);
        }
        assert_eq!(float_json(1e21).as_deref(), Some("1e+21"));
        assert_eq!(float_json(1e-7).as_deref(), Some("1e-7"));
        assert_eq!(float_json(1e6).as_deref(), Some("1000000"));
    }

    #[test]
    fn integers_are_read_with_their_base() {
        assert_eq!(parse_int("0644"), Some(420));
        assert_eq!(parse_int("0x1F"), Some(31));
        assert_eq!(parse_int("-0b11"), Some(-3));
        assert_eq!(parse_int("1_000"), Some(1000));
        assert_eq!(parse_int("08"), None);
        assert_eq!(parse_int("9223372036854775808"), None);
    }
}
