//! URLs.

use std::rc::Rc;

use super::{fixed, text};
use crate::execute::{Failure, Function, Param};
use crate::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("urlParse", &[Param::Text], |_, args| parse(&text(args, 0))),
        fixed("urlJoin", &[Param::Map], |_, args| Ok(Value::text(join(&args[0])))),
    ]
}

/// `url.QueryEscape`.
pub(crate) fn query_escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn parse(source: &str) -> Result<Value, Failure> {
    let bad = |why: &str| Failure::plain(format!("unable to parse url: parse {}: {why}", crate::value::quote(source)));
    if source.chars().any(char::is_control) {
        return Err(bad("net/url: invalid control character in URL"));
    }
    let (rest, fragment) = source.split_once('#').unwrap_or((source, ""));
    let colon = rest.find(':').filter(|at| {
        let scheme = &rest[..*at];
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    if rest.starts_with(':') {
        return Err(bad("missing protocol scheme"));
    }
    let (scheme, rest) = colon.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut userinfo, mut host, mut path, mut opaque) = ("", "", rest, "");
    if let Some(after) = rest.strip_prefix("//") {
        let slash = after.find('/').unwrap_or(after.len());
        let authority = &after[..slash];
        path = &after[slash..];
        (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    } else if !scheme.is_empty() && !rest.starts_with('/') {
        (opaque, path) = (rest, "");
    }
    let (bare, port) = match host.rfind(':').filter(|at| !host[*at..].contains(']')) {
        Some(at) => (&host[..at], &host[at + 1..]),
        None => (host, ""),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(&format!("invalid port {} after host", crate::value::quote(&format!(":{port}")))));
    }
    let hostname = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare);
    let entry = |key: &str, value: &str| (Rc::from(key), Value::text(value));
    Ok(Value::map(
        [
            entry("scheme", &scheme.to_ascii_lowercase()),
            entry("host", host),
            entry("hostname", hostname),
            entry("path", &unescape(path)),
            entry("query", query),
            entry("opaque", opaque),
            entry("fragment", &unescape(fragment)),
            entry("userinfo", userinfo),
        ]
        .into(),
    ))
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| bytes[at] == b'%');
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escape(text: &str, also: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-_.~$&+,/:;=@".contains(c) || also.contains(c) && byte.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn join(parts: &Value) -> String {
    let part = |key: &str| match parts {
        Value::Map(map) => map.get(key).map(|value| super::string(&value)).unwrap_or_default(),
        _ => String::new(),
    };
    let (scheme, host, path, opaque, user) =
        (part("scheme"), part("host"), part("path"), part("opaque"), part("userinfo"));
    let mut out = String::new();
    if !scheme.is_empty() {
        out.push_str(&format!("{scheme}:"));
    }
    if opaque.is_empty() {
        if !host.is_empty() || !user.is_empty() || !scheme.is_empty() && path.starts_with("//") {
            out.push_str("//");
            if !user.is_empty() {
                out.push_str(&format!("{user}@"));
            }
            out.push_str(&host);
        }
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out.push_str(&escape(&path, ""));
    } else {
        out.push_str(&opaque);
    }
    for (mark, text) in [('?', part("query")), ('#', escape(&part("fragment"), "!'()*?"))] {
        if !text.is_empty() {
            out.push(mark);
            out.push_str(&text);
        }
    }
    out
}
