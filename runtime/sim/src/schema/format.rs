//! The formats that texts and numbers of custom resources may be held to.
//!
//! Not known here: schemas around them. Formats that the server does not know are no limits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine;
use regex::Regex;
use serde_json::Number;

use super::error::FieldError;
use super::node::{Node, Type};

/// Whether the server checks a format of texts at all.
pub(crate) fn is_known(format: &str) -> bool {
    NAMES.contains(&normal(format).as_str())
}

const NAMES: &[&str] = &[
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

fn normal(format: &str) -> String {
    format.replace('-', "")
}

/// Whether a text is of a format.
pub(super) fn fits(format: &str, text: &str) -> bool {
    let matches = |pattern: &LazyLock<Regex>| pattern.is_match(text);
    match normal(format).as_str() {
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "uri" => matches(&URI),
        "email" => matches(&EMAIL),
        "hostname" => text.len() <= 255 && matches(&HOST),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => matches(&MAC),
        "uuid" => matches(&UUID),
        "uuid3" => matches(&UUID) && version(text) == Some('3'),
        "uuid4" => matches(&UUID) && version(text) == Some('4') && variant(text),
        "uuid5" => matches(&UUID) && version(text) == Some('5') && variant(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "ssn" => matches(&SSN),
        "hexcolor" => matches(&HEX_COLOUR),
        "rgbcolor" => matches(&RGB_COLOUR),
        "byte" => base64::engine::general_purpose::STANDARD.decode(text).is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        "duration" => is_duration(text),
        "datetime" => matches(&DATE_TIME) && is_moment(text),
        "k8sshortname" => text.len() <= 63 && matches(&LABEL),
        "k8slongname" => text.len() <= 253 && text.split('.').all(|part| LABEL.is_match(part)),
        _ => true,
    }
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("a pattern of our own can be compiled"));
    };
}

pattern!(URI, r"^([A-Za-z][A-Za-z0-9+.\-]*:[^\s]*|/[^\s]*)$");
pattern!(EMAIL, r"^[^@\s]+@[^@\s]+$");
pattern!(
    HOST,
    r"^([a-zA-Z0-9\p{L}]([a-zA-Z0-9\p{L}\-]{0,61}[a-zA-Z0-9\p{L}])?)(\.[a-zA-Z0-9\p{L}]([a-zA-Z0-9\p{L}\-]{0,61}[a-zA-Z0-9\p{L}])?)*\.?$"
);
pattern!(
    MAC,
    r"^([0-9A-Fa-f]{2}([:\-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}([:\-][0-9A-Fa-f]{2}){7}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2,3})$"
);
pattern!(UUID, r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$");
pattern!(SSN, r"^\d{3}[- ]?\d{2}[- ]?\d{4}$");
pattern!(HEX_COLOUR, r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$");
pattern!(
    RGB_COLOUR,
    r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$"
);
pattern!(DATE_TIME, r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+\-]\d{2}:?\d{2})?$");
pattern!(LABEL, r"^[a-z0-9]([\-a-z0-9]*[a-z0-9])?$");
pattern!(GO_DURATION, r"^[+\-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$");
pattern!(
    LONG_DURATION,
    r"^\s*((\d+)\s*(ns|us|µs|ms|s|m|h|d|w|nano|nanos|micro|micros|milli|millis|milliseconds?|nanoseconds?|microseconds?|sec|secs|seconds?|min|mins|minutes?|hr|hours?|days?|weeks?)\s*)+$"
);

fn is_duration(text: &str) -> bool {
    GO_DURATION.is_match(text) || LONG_DURATION.is_match(text)
}

fn is_moment(text: &str) -> bool {
    let date = text.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok());
    let clock = text.get(11..19).is_some_and(|time| time.parse::<jiff::civil::Time>().is_ok());
    date && clock
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn version(uuid: &str) -> Option<char> {
    uuid.chars().filter(|c| *c != '-').nth(12)
}

fn variant(uuid: &str) -> bool {
    uuid.chars().filter(|c| *c != '-').nth(16).is_some_and(|c| "89abAB".contains(c))
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn is_isbn10(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if bare.chars().count() != 10 {
        return false;
    }
    let worth = bare.chars().enumerate().map(|(at, c)| match c.to_digit(10) {
        Some(digit) => Some(digit),
        None if at == 9 && matches!(c, 'X' | 'x') => Some(10),
        None => None,
    });
    let Some(worth) = worth.collect::<Option<Vec<u32>>>() else { return false };
    (1..).zip(worth).map(|(place, digit): (u32, u32)| place * digit).sum::<u32>() % 11 == 0
}

fn is_isbn13(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let digits = digits(&bare);
    if digits.len() != 13 || bare.chars().count() != 13 {
        return false;
    }
    digits.iter().enumerate().map(|(at, digit)| if at % 2 == 0 { *digit } else { 3 * digit }).sum::<u32>() % 10 == 0
}

/// Luhn's sum over a number of a length that cards have.
fn is_credit_card(text: &str) -> bool {
    let digits = digits(text);
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let worth = digits.iter().rev().enumerate().map(|(at, digit)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    });
    worth.sum::<u32>() % 10 == 0
}

/// A whole number that its format has no room for.
pub(super) fn range(node: &Node, number: &Number, path: &str) -> Option<FieldError> {
    if node.of != Type::Integer || node.int_or_string {
        return None;
    }
    let fits = match (node.format.as_str(), number.as_i64()) {
        ("int32", Some(whole)) => i32::try_from(whole).is_ok(),
        ("int32" | "int64", None) => !number.is_u64(),
        _ => true,
    };
    let said = format!("Checked value must be of type integer with format {} in {path}", node.format);
    (!fits).then(|| FieldError::invalid("<nil>", serde_json::Value::String(String::new()), said))
}
