//! Base 64 and base 32.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{bytes, fixed};
use crate::execute::{Function, Param};
use crate::value::Value;

const TEXT: Param = Param::Text;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("b64enc", &[TEXT], |_, args| Ok(Value::text(STANDARD.encode(bytes(args, 0))))),
        fixed("b64dec", &[TEXT], |_, args| {
            Ok(unbase64(&bytes(args, 0)).map_or_else(Value::text, |read| Value::bytes_as_text(&read)))
        }),
        fixed("b32enc", &[TEXT], |_, args| Ok(Value::text(base32(&bytes(args, 0))))),
        fixed("b32dec", &[TEXT], |_, args| {
            Ok(unbase32(&bytes(args, 0)).map_or_else(
                |at| Value::text(format!("illegal base32 data at input byte {at}")),
                |read| Value::bytes_as_text(&read),
            ))
        }),
    ]
}

/// Where Go's decoder gives up.
fn illegal(source: &[u8]) -> usize {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let bad = source.iter().position(|byte| !fits(byte)).unwrap_or(source.len());
    match source.get(bad) {
        Some(b'=') if bad % 4 >= 2 => bad + 1,
        Some(_) => bad,
        None => source.len() - source.len() % 4,
    }
}

/// Reads base64 as Go's standard encoding does, or says in its words where it cannot.
pub(super) fn unbase64(text: &[u8]) -> Result<Vec<u8>, String> {
    let source: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    STANDARD.decode(&source).map_err(|_| format!("illegal base64 data at input byte {}", illegal(&source)))
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for five in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        group[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(group);
        let used = (five.len() * 8).div_ceil(5);
        for at in 0..8 {
            let index = usize::try_from((bits >> (35 - 5 * at)) & 31).unwrap_or(0);
            out.push(if at < used { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    out
}

fn unbase32(source: &[u8]) -> Result<Vec<u8>, usize> {
    let source: Vec<u8> = source.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let body = source.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
    if !source.len().is_multiple_of(8) {
        return Err(source.len());
    }
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u64, 0_u32);
    for (at, byte) in source[..body].iter().enumerate() {
        let value = ALPHABET.iter().position(|known| known == byte).ok_or(at)?;
        bits = (bits << 5) | value as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).unwrap_or(0));
        }
    }
    Ok(out)
}
