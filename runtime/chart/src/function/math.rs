//! Numbers.

use super::{fixed, spread, text};
use crate::execute::{Failure, Function, Param, World};
use crate::order::Entropy;
use crate::value::{Value, parse_int};

const ANY: Param = Param::Any;

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("atoi", &[Param::Text], |_, args| Ok(Value::Int(text(args, 0).parse().unwrap_or(0)))),
        fixed("int64", &[ANY], |_, args| Ok(Value::Int64(to_int(&args[0])))),
        fixed("int", &[ANY], |_, args| Ok(Value::Int(to_int(&args[0])))),
        fixed("float64", &[ANY], |_, args| Ok(Value::Float(to_float(&args[0])))),
        fixed("toDecimal", &[ANY], |_, args| {
            Ok(Value::Int64(i64::from_str_radix(&super::string(&args[0]), 8).unwrap_or(0)))
        }),
        fixed("add1", &[ANY], |_, args| Ok(Value::Int64(to_int(&args[0]).wrapping_add(1)))),
        spread("add", &[], ANY, |_, args| Ok(Value::Int64(args.iter().map(to_int).fold(0, i64::wrapping_add)))),
        fixed("sub", &[ANY, ANY], |_, args| Ok(Value::Int64(to_int(&args[0]).wrapping_sub(to_int(&args[1]))))),
        fixed("div", &[ANY, ANY], |_, args| divide(args, i64::wrapping_div)),
        fixed("mod", &[ANY, ANY], |_, args| divide(args, i64::wrapping_rem)),
        spread("mul", &[ANY], ANY, |_, args| Ok(Value::Int64(args.iter().map(to_int).fold(1, i64::wrapping_mul)))),
        spread("max", &[ANY], ANY, |_, args| Ok(Value::Int64(args.iter().map(to_int).max().unwrap_or(0)))),
        spread("biggest", &[ANY], ANY, |_, args| Ok(Value::Int64(args.iter().map(to_int).max().unwrap_or(0)))),
        spread("min", &[ANY], ANY, |_, args| Ok(Value::Int64(args.iter().map(to_int).min().unwrap_or(0)))),
        spread("maxf", &[ANY], ANY, |_, args| Ok(Value::Float(args.iter().map(to_float).fold(f64::MIN, f64::max)))),
        spread("minf", &[ANY], ANY, |_, args| Ok(Value::Float(args.iter().map(to_float).fold(f64::MAX, f64::min)))),
        fixed("add1f", &[ANY], |_, args| decimal(&[args[0].clone(), Value::Int(1)], |a, b| a + b)),
        spread("addf", &[], ANY, |_, args| {
            let mut all = vec![Value::Float(0.0)];
            all.extend_from_slice(args);
            decimal(&all, |a, b| a + b)
        }),
        spread("subf", &[ANY], ANY, |_, args| decimal(args, |a, b| a - b)),
        spread("mulf", &[ANY], ANY, |_, args| decimal(args, |a, b| a * b)),
        spread("divf", &[ANY], ANY, |_, args| {
            if args[1..].iter().any(|by| to_float(by) == 0.0) {
                return Err("decimal division by 0".into());
            }
            decimal(args, |a, b| a / b)
        }),
        fixed("ceil", &[ANY], |_, args| Ok(Value::Float(to_float(&args[0]).ceil()))),
        fixed("floor", &[ANY], |_, args| Ok(Value::Float(to_float(&args[0]).floor()))),
        spread("round", &[ANY, Param::Int], Param::Float, |_, args| round(args)),
    ]
}

fn divide(args: &[Value], by: fn(i64, i64) -> i64) -> Result<Value, Failure> {
    match to_int(&args[1]) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::Int64(by(to_int(&args[0]), divisor))),
    }
}

/// sprig computes these with decimals: rounded to what sixteen digits can hold, a sum of tenths is one of tenths.
fn decimal(args: &[Value], work: fn(f64, f64) -> f64) -> Result<Value, Failure> {
    let mut numbers = args.iter().map(to_float);
    let first = numbers.next().unwrap_or(0.0);
    let result = numbers.fold(first, |sum, next| {
        let exact = work(sum, next);
        if exact.is_finite() && exact != 0.0 { format!("{exact:.15e}").parse().unwrap_or(exact) } else { exact }
    });
    Ok(Value::Float(result))
}

fn round(args: &[Value]) -> Result<Value, Failure> {
    let half = match args.get(2) {
        Some(Value::Float(half)) => *half,
        _ => 0.5,
    };
    let places = i32::try_from(super::int(args, 1)).unwrap_or(0);
    let power = 10_f64.powi(places);
    let digit = power * to_float(&args[0]);
    let rounded = if digit.fract() >= half { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}

/// `cast.ToInt64`.
pub(super) fn to_int(value: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "as Go truncates")]
    match value {
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => *n,
        Value::Float(n) => *n as i64,
        Value::Bool(truth) => i64::from(*truth),
        Value::Text(text) => {
            let bare = trim_decimal(text);
            parse_int(bare).unwrap_or(0)
        }
        _ => 0,
    }
}

/// `cast` drops a fraction of zeros.
fn trim_decimal(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, fraction)) if !whole.is_empty() && fraction.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float(value: &Value) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "as Go converts")]
    match value {
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => *n as f64,
        Value::Float(n) => *n,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Text(text) => text.replace('_', "").parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Random bytes out of what was handed in.
pub(super) fn random(world: &World<'_>, count: usize) -> Result<Vec<u8>, Failure> {
    world.take(count)?;
    let mut bytes = vec![0; count];
    entropy(world)?(&mut bytes);
    Ok(bytes)
}

/// Where random bytes come from.
pub(super) fn entropy<'o>(world: &World<'o>) -> Result<&'o Entropy<'o>, Failure> {
    world.order.entropy.ok_or_else(|| "nothing random can be had here, because no source was handed in".into())
}
