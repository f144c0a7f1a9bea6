//! What tokens are worth: numbers and strings read, and tokens spelt in messages.

use std::rc::Rc;

use super::lexer::{Kind, Token};
use super::node::Number;
use crate::value::{parse_int, quote};

type Parsed<T> = Result<T, String>;

/// A token as a message shows it.
pub(super) fn spelt(token: &Token<'_>) -> String {
    match token.kind {
        Kind::Eof => "EOF".to_owned(),
        kind if kind.is_keyword() => format!("<{}>", token.text),
        _ if token.text.chars().count() > 10 => {
            format!("{}...", quote(&token.text.chars().take(10).collect::<String>()))
        }
        _ => quote(token.text),
    }
}

/// The number that a token spells.
pub(super) fn number(token: &Token<'_>) -> Parsed<Number> {
    let text = token.text;
    let bad = || format!("bad number syntax: {}", quote(text));
    let made = |int: Option<i64>, float: f64, is_char: bool| Number { text: Rc::from(text), int, float, is_char };
    if token.kind == Kind::CharConstant {
        let inner = &text[1..text.len() - 1];
        let read =
            if inner == "\\'" { "'".to_owned() } else { unquote(&format!("\"{}\"", inner.replace('"', "\\\"")))? };
        let mut chars = read.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(made(Some(i64::from(u32::from(c))), f64::from(u32::from(c)), true)),
            _ => Err(format!("malformed character constant: {text}")),
        };
    }
    if token.kind == Kind::Complex || text.ends_with('i') {
        return Err(format!("complex numbers have no use in a chart: {text}"));
    }
    if let Some(whole) = parse_int(text) {
        #[expect(clippy::cast_precision_loss, reason = "as Go converts a constant")]
        return Ok(made(Some(whole), whole as f64, false));
    }
    let bare = text.replace('_', "");
    let float: f64 = bare.parse().map_err(|_| bad())?;
    if !bare.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quote(text)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    let int = (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64);
    Ok(made(int, float, false))
}

/// `strconv.Unquote` for double quotes and back quotes.
pub(super) fn unquote(quoted: &str) -> Parsed<String> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).ok_or("invalid syntax")?;
    if quoted.starts_with('`') {
        return Ok(inner.replace('\r', ""));
    }
    let mut out: Vec<u8> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = chars.next().ok_or("invalid syntax")?;
        let mut digits = |count: usize, radix: u32, first: Option<char>| -> Parsed<u32> {
            let text: String = first.into_iter().chain(chars.by_ref().take(count)).collect();
            u32::from_str_radix(&text, radix).map_err(|_| "invalid syntax".to_owned())
        };
        let c = match escape {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '"' => escape,
            'x' => {
                out.push(u8::try_from(digits(2, 16, None)?).map_err(|_| "invalid syntax")?);
                continue;
            }
            '0'..='7' => {
                out.push(u8::try_from(digits(2, 8, Some(escape))?).map_err(|_| "invalid syntax")?);
                continue;
            }
            'u' => char::from_u32(digits(4, 16, None)?).ok_or("invalid syntax")?,
            'U' => char::from_u32(digits(8, 16, None)?).ok_or("invalid syntax")?,
            _ => return Err("invalid syntax".to_owned()),
        };
        out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}
