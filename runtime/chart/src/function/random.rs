//! Random values, out of what was handed in.

use super::math::random;
use super::{fixed, int, text, usize_of};
use crate::execute::{Failure, Function, Param, World};
use crate::value::Value;

const INT: Param = Param::Int;
const TEXT: Param = Param::Text;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("randAlphaNum", &[INT], |world, args| drawn(world, int(args, 0), &format!("{LETTERS}{DIGITS}"))),
        fixed("randAlpha", &[INT], |world, args| drawn(world, int(args, 0), LETTERS)),
        fixed("randNumeric", &[INT], |world, args| drawn(world, int(args, 0), DIGITS)),
        fixed("randAscii", &[INT], |world, args| {
            let all: String = (b' '..=b'~').map(char::from).collect();
            drawn(world, int(args, 0), &all)
        }),
        fixed("randBytes", &[INT], |world, args| {
            use base64::Engine as _;
            let bytes = random(world, usize_of(int(args, 0)))?;
            Ok(Value::text(base64::engine::general_purpose::STANDARD.encode(bytes)))
        }),
        fixed("randInt", &[INT, INT], |world, args| {
            let (from, to) = (int(args, 0), int(args, 1));
            if to <= from {
                return Err("invalid argument to Intn".into());
            }
            let bytes = random(world, 8)?;
            let number = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
            let offset = i64::try_from(number % from.abs_diff(to)).unwrap_or(0);
            Ok(Value::Int(from.saturating_add(offset)))
        }),
        fixed("shuffle", &[TEXT], |world, args| {
            let mut chars: Vec<char> = text(args, 0).chars().collect();
            let bytes = random(world, chars.len() * 4)?;
            for at in (1..chars.len()).rev() {
                let four = &bytes[at * 4..at * 4 + 4];
                let number = four.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte));
                chars.swap(at, number % (at + 1));
            }
            Ok(Value::text(chars.into_iter().collect::<String>()))
        }),
        fixed("uuidv4", &[], |world, _| {
            let mut bytes = random(world, 16)?;
            bytes[6] = (bytes[6] & 0x0f) | 0x40;
            bytes[8] = (bytes[8] & 0x3f) | 0x80;
            let hex = super::digest::hex(&bytes);
            let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
            Ok(Value::text(parts.join("-")))
        }),
    ]
}

fn drawn(world: &World<'_>, count: i64, of: &str) -> Result<Value, Failure> {
    let of = of.as_bytes();
    let bytes = random(world, usize_of(count).saturating_mul(4))?;
    let chosen = bytes.chunks(4).map(|four| {
        let number = four.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte));
        char::from(of[number % of.len()])
    });
    Ok(Value::text(chosen.collect::<String>()))
}
