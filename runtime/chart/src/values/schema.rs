//! Checks values against `values.schema.json`, in the words that helm uses.

use serde_json::{Map, Value};

use crate::chart::Chart;
use crate::fault::Fault;

/// Checks the values of a chart and of its subcharts, all together.
pub(crate) fn check(chart: &Chart, values: &Map<String, Value>) -> Result<(), Fault> {
    let mut words = String::new();
    collect(chart, values, &mut words);
    if words.is_empty() {
        return Ok(());
    }
    let words = format!("values don't meet the specifications of the schema(s) in the following chart(s):\n{words}");
    Err(Fault { value: first_path(&words), ..Fault::new(words) }.of(chart.name()))
}

/// The path of the first value that is named.
fn first_path(words: &str) -> Option<String> {
    let path = words.split("- at '").nth(1)?.split('\'').next()?;
    Some(format!(".Values{}", path.replace('/', ".")))
}

fn collect(chart: &Chart, values: &Map<String, Value>, words: &mut String) {
    if let Some(found) = chart.schema.as_ref().and_then(|schema| one(schema, values)) {
        words.push_str(&format!("{}:\n{found}", chart.name()));
    }
    for subchart in &chart.dependencies {
        match values.get(subchart.name()) {
            None | Some(Value::Null) => {}
            Some(Value::Object(values)) => collect(subchart, values, words),
            Some(other) => words.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                subchart.name(),
                crate::value::from_plain(other).type_name()
            )),
        }
    }
}

fn one(schema: &str, values: &Map<String, Value>) -> Option<String> {
    let schema: Value = match serde_json::from_str(schema) {
        Ok(schema) => schema,
        Err(error) => return Some(format!("{error}\n")),
    };
    let validator = match jsonschema::validator_for(&schema) {
        Ok(validator) => validator,
        Err(error) => return Some(format!("the schema itself is not one: {error}\n")),
    };
    let values = Value::Object(values.clone());
    let mut lines: Vec<String> = Vec::new();
    for error in validator.iter_errors(&values) {
        told(&mut lines, &error, Checked { schema: &schema, values: &values }, 0);
    }
    if lines.is_empty() {
        return None;
    }
    lines.sort();
    lines.dedup();
    Some(lines.concat() + "\n")
}

/// What is held against what.
#[derive(Clone, Copy)]
struct Checked<'v> {
    schema: &'v Value,
    values: &'v Value,
}

/// One error and those that it is made of, each on a line.
fn told(lines: &mut Vec<String>, error: &jsonschema::ValidationError<'_>, checked: Checked<'_>, depth: usize) {
    use jsonschema::error::ValidationErrorKind as Kind;
    let mut text = format!("{}- at '{}': {}\n", "  ".repeat(depth), error.instance_path(), words(error, checked));
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context } | Kind::OneOfMultipleValid { context }) =
        error.kind()
    else {
        lines.push(text);
        return;
    };
    for inner in context.iter().flatten() {
        let mut below = Vec::new();
        told(&mut below, inner, checked, depth + 1);
        text.push_str(&below.concat());
    }
    lines.push(text);
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn listed<'w>(names: impl Iterator<Item = &'w String>) -> String {
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => super::to_go_json(other),
    }
}

/// What helm's validator says about an error.
fn words(error: &jsonschema::ValidationError<'_>, checked: Checked<'_>) -> String {
    use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
    let instance = error.instance();
    let items = || instance.as_array().map_or(0, Vec::len);
    let fields = || instance.as_object().map_or(0, serde_json::Map::len);
    let chars = || instance.as_str().map_or(0, |text| text.chars().count());
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(wanted) } => {
            format!("got {}, want {wanted}", kind(instance))
        }
        Kind::Type { kind: TypeKind::Multiple(wanted) } => {
            let wanted: Vec<String> = wanted.iter().map(|one| one.to_string()).collect();
            format!("got {}, want {}", kind(instance), wanted.join(" or "))
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("additional properties {} not allowed", listed(unexpected.iter()))
        }
        Kind::FalseSchema => match unknown_fields(error, checked) {
            Some(names) => format!("additional properties {names} not allowed"),
            None => "false schema".to_owned(),
        },
        Kind::Required { property } => format!("missing property {}", shown(property)),
        Kind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(shown).collect();
            match options.as_slice() {
                [one] => format!("value must be {one}"),
                several => format!("value must be one of {}", several.join(", ")),
            }
        }
        Kind::Constant { expected_value } => format!("value must be {}", shown(expected_value)),
        Kind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        Kind::OneOfMultipleValid { .. } => "'oneOf' failed, subschemas 0, 1 matched".to_owned(),
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::Minimum { limit } => format!("minimum: got {}, want {}", shown(instance), shown(limit)),
        Kind::Maximum { limit } => format!("maximum: got {}, want {}", shown(instance), shown(limit)),
        Kind::ExclusiveMinimum { limit } => format!("exclusiveMinimum: got {}, want {}", shown(instance), shown(limit)),
        Kind::ExclusiveMaximum { limit } => format!("exclusiveMaximum: got {}, want {}", shown(instance), shown(limit)),
        Kind::MinItems { limit } => format!("minItems: got {}, want {limit}", items()),
        Kind::MaxItems { limit } => format!("maxItems: got {}, want {limit}", items()),
        Kind::MinProperties { limit } => format!("minProperties: got {}, want {limit}", fields()),
        Kind::MaxProperties { limit } => format!("maxProperties: got {}, want {limit}", fields()),
        Kind::MinLength { limit } => format!("minLength: got {}, want {limit}", chars()),
        Kind::MaxLength { limit } => format!("maxLength: got {}, want {limit}", chars()),
        Kind::Pattern { pattern } => format!("{} does not match pattern '{pattern}'", shown(instance)),
        _ => error.to_string(),
    }
}

/// The fields of an object that nothing beside `additionalProperties: false` knows.
fn unknown_fields(error: &jsonschema::ValidationError<'_>, checked: Checked<'_>) -> Option<String> {
    let path = error.schema_path().to_string();
    let beside = checked.schema.pointer(path.strip_suffix("/additionalProperties")?);
    let known = |name: &String| beside.and_then(|beside| beside.get("properties")?.get(name)).is_some();
    // The error speaks of the object, but holds the first of the fields.
    let fields = checked.values.pointer(&error.instance_path().to_string())?.as_object()?;
    Some(listed(fields.keys().filter(|name| !known(name))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_no_schema_knows_are_named_and_not_what_is_in_them() {
        let values = json!({ "inner": { "odd": { "a": 1 }, "even": 2 }, "strange": { "b": 1 } });
        let values = values.as_object().unwrap();
        let alone = r#"{"type":"object","additionalProperties":false}"#;
        assert_eq!(one(alone, values).unwrap(), "- at '': additional properties 'inner', 'strange' not allowed\n\n");
        let beside = r#"{"properties":{"inner":{"properties":{"even":{}},"additionalProperties":false}}}"#;
        assert_eq!(one(beside, values).unwrap(), "- at '/inner': additional properties 'odd' not allowed\n\n");
    }
}
