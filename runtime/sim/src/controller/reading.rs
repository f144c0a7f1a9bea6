//! Short ways to read numbers, times and shares out of raw objects.
//!
//! Not known here: which object is whose.

use jiff::Timestamp;
use serde_json::Value;

use crate::actor::json::text;

/// The number at a JSON pointer.
pub(super) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer)?.as_i64()
}

/// The number at a JSON pointer, zero where there is none.
pub(super) fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

/// How many replicas a workload is to have.
pub(super) fn replicas(workload: &Value) -> i64 {
    number(workload, "/spec/replicas").unwrap_or(1)
}

/// The truth value at a JSON pointer, false where there is none.
pub(super) fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The moment at a JSON pointer.
pub(super) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Is the object being deleted?
pub(super) fn is_leaving(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// A moment as objects say it: in whole seconds.
pub(super) fn stamp(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// A moment some seconds after another, at most the end of time.
pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Which way a share of a number is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Up,
    Down,
}

/// What `5` or `25%` comes to of a total. None where it is neither.
pub(super) fn share(value: &Value, total: i64, rounding: Rounding) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let product = percent.checked_mul(total)?;
    Some(match rounding {
        Rounding::Up => product.div_euclid(100) + i64::from(product.rem_euclid(100) != 0),
        Rounding::Down => product.div_euclid(100),
    })
}

/// Sets a counter that Go leaves out while it is zero.
pub(super) fn counted(status: &mut serde_json::Map<String, Value>, field: &str, count: i64) {
    if count != 0 {
        status.insert(field.to_owned(), count.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_are_rounded_for_or_against() {
        assert_eq!(share(&json!("25%"), 3, Rounding::Up), Some(1));
        assert_eq!(share(&json!("25%"), 3, Rounding::Down), Some(0));
        assert_eq!(share(&json!(2), 3, Rounding::Down), Some(2));
        assert_eq!(share(&json!("x"), 3, Rounding::Down), None);
    }
}
