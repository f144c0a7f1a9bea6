//! JSON patch, RFC 6902, as the API server's library understands it: `replace` also adds a key to an object, a negative index
//! counts from the end, `test` takes an absent field for null.
//!
//! Not known here: schemas.

use serde_json::{Map, Value};

use super::PatchError;

/// More operations than that the server does not take.
const MOST_OPERATIONS: usize = 10_000;
/// What all `copy` operations of a patch may add together, as JSON.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// What an object becomes when a JSON patch is applied to it.
pub(crate) fn json(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let operations = operations(patch)?;
    if operations.len() > MOST_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    let mut document = object.clone();
    let mut copied = 0;
    for operation in operations {
        step(&mut document, operation, &mut copied).map_err(PatchError::Unprocessable)?;
    }
    Ok(document)
}

fn operations(patch: &Value) -> Result<Vec<&Map<String, Value>>, PatchError> {
    let wrong = |value: &Value, into: &str| {
        PatchError::Malformed(format!("json: cannot unmarshal {} into Go value of type {into}", json_kind(value)))
    };
    let list = match patch {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        other => return Err(wrong(other, "jsonpatch.Patch")),
    };
    list.iter().map(|one| one.as_object().ok_or_else(|| wrong(one, "jsonpatch.Operation"))).collect()
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn step(document: &mut Value, operation: &Map<String, Value>, copied: &mut usize) -> Result<(), String> {
    let value = || operation.get("value").cloned().unwrap_or(Value::Null);
    match operation.get("op").and_then(Value::as_str).unwrap_or("unknown") {
        "add" => add(document, path(operation, "add")?, value()),
        "remove" => remove(document, path(operation, "remove")?),
        "replace" => replace(document, path(operation, "replace")?, value()),
        "test" => test(document, path(operation, "test")?, operation.get("value").unwrap_or(&Value::Null)),
        "move" => {
            let from = from(operation, "move")?;
            let (parent, key) = parent(document, from).ok_or_else(|| {
                format!("move operation does not apply: doc is missing from path: {from}: missing value")
            })?;
            let failed = |why| format!("error in move for path: '{key}': {why}");
            let taken = get(parent, &key).map_err(failed)?.cloned().unwrap_or(Value::Null);
            take(parent, &key).map_err(failed)?;
            let to = path(operation, "move")?;
            let (parent, key) = self::parent(document, to).ok_or_else(|| {
                format!("move operation does not apply: doc is missing destination path: {to}: missing value")
            })?;
            put(parent, &key, taken).map_err(|why| format!("error in move for path: '{to}': {why}"))
        }
        "copy" => copy(document, operation, copied),
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn path<'a>(operation: &'a Map<String, Value>, word: &str) -> Result<&'a str, String> {
    let found = operation.get("path").and_then(Value::as_str);
    found.ok_or_else(|| format!("{word} operation failed to decode path: missing value"))
}

fn from<'a>(operation: &'a Map<String, Value>, word: &str) -> Result<&'a str, String> {
    let found = operation.get("from").and_then(Value::as_str);
    found.ok_or_else(|| format!("{word} operation failed to decode from: operation, missing from field: missing value"))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, key) = parent(document, path)
        .ok_or_else(|| format!("add operation does not apply: doc is missing path: \"{path}\": missing value"))?;
    put(parent, &key, value).map_err(|why| format!("error in add for path: '{path}': {why}"))
}

fn remove(document: &mut Value, path: &str) -> Result<(), String> {
    let (parent, key) = parent(document, path)
        .ok_or_else(|| format!("remove operation does not apply: doc is missing path: \"{path}\": missing value"))?;
    take(parent, &key).map_err(|why| format!("error in remove for path: '{path}': {why}"))
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        if !value.is_object() && !value.is_array() {
            return Err("replace operation value must be object or array".to_owned());
        }
        *document = value;
        return Ok(());
    }
    let (parent, key) = parent(document, path)
        .ok_or_else(|| format!("replace operation does not apply: doc is missing path: {path}: missing value"))?;
    get(parent, &key)
        .map_err(|_| format!("replace operation does not apply: doc is missing key: {path}: missing value"))?;
    match parent {
        Value::Object(object) => drop(object.insert(key, value)),
        Value::Array(list) => {
            let at = position(&key, list.len())?;
            list[at] = value;
        }
        _ => {}
    }
    Ok(())
}

fn test(document: &mut Value, path: &str, expected: &Value) -> Result<(), String> {
    let failed = || format!("testing value {path} failed: test failed");
    if path.is_empty() {
        return if document == expected { Ok(()) } else { Err(failed()) };
    }
    let (parent, key) = parent(document, path)
        .ok_or_else(|| format!("test operation does not apply: is missing path: {path}: missing value"))?;
    let found = get(parent, &key).map_err(|why| format!("error in test for path: '{path}': {why}"))?;
    if same(found.unwrap_or(&Value::Null), expected) { Ok(()) } else { Err(failed()) }
}

/// Equal as documents: `1` and `1.0` are written differently and therefore are not.
fn same(left: &Value, right: &Value) -> bool {
    left == right
}

fn copy(document: &mut Value, operation: &Map<String, Value>, copied: &mut usize) -> Result<(), String> {
    let from = from(operation, "copy")?;
    let (parent, key) = parent(document, from)
        .ok_or_else(|| format!("copy operation does not apply: doc is missing from path: {from}: missing value"))?;
    let found = get(parent, &key).map_err(|why| format!("error in copy for from: '{from}': {why}"))?;
    let value = found.cloned().unwrap_or(Value::Null);
    let to = path(operation, "copy")?;
    let (parent, key) = self::parent(document, to).ok_or_else(|| {
        format!("copy operation does not apply: doc is missing destination path: {to}: missing value")
    })?;
    *copied += value.to_string().len();
    if *copied > MOST_COPIED {
        return Err(format!(
            "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {MOST_COPIED}"
        ));
    }
    put(parent, &key, value).map_err(|why| format!("error while adding value during copy: {why}"))
}

/// What holds the last part of a path, and that part.
fn parent<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut parts: Vec<String> =
        path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let key = parts.pop()?;
    let mut at = document;
    for part in parts {
        at = match at {
            Value::Object(object) => object.get_mut(&part)?,
            Value::Array(list) => {
                let index = position(&part, list.len()).ok()?;
                list.get_mut(index)?
            }
            _ => return None,
        };
    }
    (at.is_object() || at.is_array()).then_some((at, key))
}

fn get<'a>(parent: &'a Value, key: &str) -> Result<Option<&'a Value>, String> {
    match parent {
        Value::Array(list) => Ok(list.get(position(key, list.len())?)),
        other => Ok(other.get(key)),
    }
}

fn put(parent: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match parent {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => {
            let index = number(key).ok_or_else(|| {
                format!("value was not a proper array index: '{key}': strconv.Atoi: parsing \"{key}\": invalid syntax")
            })?;
            let at = within(index, list.len() + 1)?;
            list.insert(at, value);
        }
        _ => {}
    }
    Ok(())
}

fn take(parent: &mut Value, key: &str) -> Result<(), String> {
    match parent {
        Value::Object(object) => {
            let taken = object.shift_remove(key);
            taken.map(drop).ok_or_else(|| format!("Unable to remove nonexistent key: {key}: missing value"))
        }
        Value::Array(list) => {
            let at = position(key, list.len())?;
            list.remove(at);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// An index into a list that has the element.
fn position(key: &str, length: usize) -> Result<usize, String> {
    let index = number(key).ok_or_else(|| format!("strconv.Atoi: parsing \"{key}\": invalid syntax"))?;
    within(index, length)
}

fn number(key: &str) -> Option<i64> {
    key.parse().ok()
}

fn within(index: i64, length: usize) -> Result<usize, String> {
    let invalid = || format!("Unable to access invalid index: {index}: invalid index referenced");
    let at = if index < 0 { index + i64::try_from(length).map_err(|_| invalid())? } else { index };
    usize::try_from(at).ok().filter(|at| *at < length).ok_or_else(invalid)
}
