//! Values on their way between a script and the rest: `Dynamic` on one side, plain JSON values and arguments on the other.
//!
//! Does not know which call a value belongs to.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Number, Value};

use crate::arg::{Arg, Function};

/// Deeper values are refused: they would exhaust the stack of whoever walks them.
const DEEPEST: usize = 256;

#[expect(deprecated, reason = "the only way to call a function of a script on another thread; the version is pinned")]
pub(super) type Home = Arc<rhai::NativeCallContextStore>;

/// The plain value of a script's value; the error names in words what cannot be one.
pub(super) fn to_value(dynamic: &Dynamic) -> Result<Value, String> {
    plain(dynamic, DEEPEST)
}

fn plain(dynamic: &Dynamic, depth: usize) -> Result<Value, String> {
    if depth == 0 {
        return Err(format!("a value nested more than {DEEPEST} deep"));
    }
    if dynamic.is_shared() {
        return plain(&dynamic.flatten_clone(), depth);
    }
    let kind = dynamic.type_id();
    if kind == TypeId::of::<ImmutableString>() {
        return Ok(Value::String(dynamic.as_immutable_string_ref().map(|text| text.to_string())?));
    }
    if kind == TypeId::of::<Map>() {
        let map = dynamic.as_map_ref()?;
        let entries = map.iter().map(|(key, value)| Ok((key.to_string(), plain(value, depth - 1)?)));
        return entries.collect::<Result<_, String>>().map(Value::Object);
    }
    if kind == TypeId::of::<rhai::Array>() {
        let items = dynamic.as_array_ref()?;
        return items.iter().map(|item| plain(item, depth - 1)).collect::<Result<_, String>>().map(Value::Array);
    }
    scalar(dynamic)
}

fn scalar(dynamic: &Dynamic) -> Result<Value, String> {
    if dynamic.is_unit() {
        Ok(Value::Null)
    } else if let Ok(value) = dynamic.as_bool() {
        Ok(value.into())
    } else if let Ok(value) = dynamic.as_int() {
        Ok(value.into())
    } else if let Ok(value) = dynamic.as_float() {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| format!("the number {value}"))
    } else if let Ok(value) = dynamic.as_char() {
        Ok(value.to_string().into())
    } else if dynamic.is::<FnPtr>() {
        Err("a function".to_owned())
    } else {
        Err(format!("a value of type {}", dynamic.type_name()))
    }
}

/// The script's value of a plain value. Whole numbers that do not fit become floating-point ones.
///
/// Takes the value apart as it goes: a list of all pods of a cluster is never there twice.
pub(super) fn to_dynamic(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => Dynamic::UNIT,
        },
        Value::String(text) => text.into(),
        Value::Array(items) => Dynamic::from_array(items.into_iter().map(to_dynamic).collect()),
        Value::Object(map) => {
            Dynamic::from_map(map.into_iter().map(|(key, value)| (key.into(), to_dynamic(value))).collect())
        }
    }
}

/// The argument that a script's value is; the error names in words what cannot be one.
///
/// `home` is asked for at most once per function: where the call is made.
pub(super) fn to_arg(dynamic: &Dynamic, home: &dyn Fn() -> Home) -> Result<Arg, String> {
    if dynamic.is_shared() {
        return to_arg(&dynamic.flatten_clone(), home);
    }
    if let Some(pointer) = dynamic.read_lock::<FnPtr>() {
        return Ok(Arg::Function(Function { pointer: pointer.clone(), home: home() }));
    }
    if let Ok(map) = dynamic.as_map_ref()
        && map.values().any(Dynamic::is::<FnPtr>)
    {
        let entries = map.iter().map(|(key, value)| Ok((key.to_string(), to_arg(value, home)?)));
        return entries.collect::<Result<_, String>>().map(Arg::Options);
    }
    to_value(dynamic).map(Arg::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kubernetes_object_survives_the_way_there_and_back() {
        let object = json!({ "kind": "Pod", "spec": { "containers": [{ "image": "a", "ports": [80, -1] }] }, "x": null, "f": 1.5, "b": true });
        assert_eq!(to_value(&to_dynamic(object.clone())).unwrap(), object);
    }

    #[test]
    fn a_whole_number_too_large_becomes_a_float() {
        let dynamic = to_dynamic(json!(u64::MAX));
        assert!(dynamic.is_float());
    }

    #[test]
    fn what_is_no_plain_value_is_named() {
        assert_eq!(to_value(&Dynamic::from(f64::NAN)).unwrap_err(), "the number NaN");
        assert_eq!(to_value(&Dynamic::from(FnPtr::new("f").unwrap())).unwrap_err(), "a function");
        let mut deep = Dynamic::from(1_i64);
        for _ in 0..1000 {
            deep = Dynamic::from_array(vec![deep]);
        }
        assert!(to_value(&deep).unwrap_err().contains("256 deep"));
    }
}
