//! Helm's own functions, and those of JSON.

use super::{fixed, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::{Json, Value, from_json, from_plain, to_json};
use crate::yaml;

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;

/// What marks the words of a chart's author inside an error.
pub(crate) const WARN_START: &str = "HELM_ERR_START";
/// Where they end.
pub(crate) const WARN_END: &str = "HELM_ERR_END";

pub(super) fn functions() -> Vec<Function> {
    vec![
        // These two run in the executor, which alone can start a template.
        fixed("include", &[TEXT, ANY], |_, _| Err("include has no template to run in".into())),
        fixed("tpl", &[TEXT, ANY], |_, _| Err("tpl has no template to run in".into())),
        fixed("required", &[TEXT, ANY], |_, args| match &args[1] {
            Value::Missing | Value::Nil => Err(warned(&text(args, 0))),
            Value::Text(given) if given.is_empty() => Err(warned(&text(args, 0))),
            other => Ok(other.clone()),
        }),
        fixed("fail", &[TEXT], |_, args| Err(warned(&text(args, 0)))),
        fixed("lookup", &[TEXT, TEXT, TEXT, TEXT], lookup),
        fixed("getHostByName", &[TEXT], |_, _| Ok(Value::text(""))),
        fixed("toYaml", &[ANY], |_, args| Ok(to_yaml(&args[0]).unwrap_or_else(|_| Value::text("")))),
        fixed("mustToYaml", &[ANY], |_, args| to_yaml(&args[0])),
        fixed("toYamlPretty", &[ANY], |_, args| {
            let written = yaml::pretty(&args[0]).unwrap_or_default();
            Ok(Value::text(written.strip_suffix('\n').unwrap_or(&written)))
        }),
        fixed("fromYaml", &[TEXT], |world, args| {
            world.step(text(args, 0).len() / 32)?;
            Ok(from_yaml(&text(args, 0)))
        }),
        fixed("fromYamlArray", &[TEXT], |world, args| {
            world.step(text(args, 0).len() / 32)?;
            Ok(match yaml::read(&text(args, 0)) {
                Ok(list @ Value::List(_)) => list,
                Ok(Value::Nil) => Value::list(Vec::new()),
                Ok(other) => Value::list(vec![Value::text(into_go(&other, "[]interface {}"))]),
                Err(words) => Value::list(vec![Value::text(conversion(&words))]),
            })
        }),
        fixed("toJson", &[ANY], |_, args| Ok(Value::text(to_json(&args[0], Json::COMPACT).unwrap_or_default()))),
        fixed("mustToJson", &[ANY], |_, args| Ok(Value::text(to_json(&args[0], Json::COMPACT)?))),
        fixed("toPrettyJson", &[ANY], |_, args| Ok(Value::text(to_json(&args[0], Json::PRETTY).unwrap_or_default()))),
        fixed("mustToPrettyJson", &[ANY], |_, args| Ok(Value::text(to_json(&args[0], Json::PRETTY)?))),
        fixed("toRawJson", &[ANY], |_, args| to_json(&args[0], Json::RAW).map(Value::text).map_err(Failure::plain)),
        fixed("mustToRawJson", &[ANY], |_, args| Ok(Value::text(to_json(&args[0], Json::RAW)?))),
        fixed("fromJson", &[TEXT], |_, args| {
            Ok(match from_json(&text(args, 0)) {
                Ok(map @ Value::Map(_)) => map,
                Ok(Value::Nil) => Value::map(std::collections::BTreeMap::new()),
                Ok(other) => error_map(
                    &into_go(&other, "map[string]interface {}")
                        .replace("error unmarshaling JSON: while decoding JSON: ", ""),
                ),
                Err(words) => error_map(&words),
            })
        }),
        fixed("fromJsonArray", &[TEXT], |_, args| {
            Ok(match from_json(&text(args, 0)) {
                Ok(list @ Value::List(_)) => list,
                Ok(Value::Nil) => Value::list(Vec::new()),
                Ok(other) => Value::list(vec![Value::text(
                    into_go(&other, "[]interface {}").replace("error unmarshaling JSON: while decoding JSON: ", ""),
                )]),
                Err(words) => Value::list(vec![Value::text(words)]),
            })
        }),
        fixed("mustFromJson", &[TEXT], |_, args| Ok(from_json(&text(args, 0))?)),
    ]
}

fn warned(words: &str) -> Failure {
    Failure::plain(format!("{WARN_START}{words}{WARN_END}"))
}

fn to_yaml(value: &Value) -> Result<Value, Failure> {
    let written = yaml::emit(value)?;
    Ok(Value::text(written.strip_suffix('\n').unwrap_or(&written)))
}

fn error_map(words: &str) -> Value {
    Value::map([(std::rc::Rc::from("Error"), Value::text(words))].into())
}

/// What Go says when JSON holds something else than asked for.
fn into_go(found: &Value, wanted: &str) -> String {
    let found = match found {
        Value::Text(_) => "string",
        Value::Bool(_) => "bool",
        Value::Float(_) | Value::Int(_) | Value::Int64(_) => "number",
        Value::List(_) => "array",
        _ => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    )
}

fn conversion(words: &str) -> String {
    if words.starts_with("error converting") {
        words.to_owned()
    } else {
        format!("error converting YAML to JSON: {words}")
    }
}

/// `fromYaml`, which tells an error inside the map.
fn from_yaml(source: &str) -> Value {
    match yaml::read(source) {
        Ok(map @ Value::Map(_)) => map,
        Ok(Value::Nil) => Value::map(std::collections::BTreeMap::new()),
        Ok(other) => error_map(&into_go(&other, "map[string]interface {}")),
        Err(words) => error_map(&conversion(&words)),
    }
}

fn lookup(world: &World<'_>, args: &[Value]) -> Result<Value, Failure> {
    let Some(lookup) = world.order.lookup else { return Ok(Value::map(std::collections::BTreeMap::new())) };
    let found = lookup(&text(args, 0), &text(args, 1), &text(args, 2), &text(args, 3)).map_err(Failure::plain)?;
    world.step(64)?;
    Ok(match from_plain(&found) {
        Value::Nil => Value::map(std::collections::BTreeMap::new()),
        other => other,
    })
}
