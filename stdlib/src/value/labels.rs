//! `labels::matches`: label selectors as the API server evaluates them.

use runbook_core::{Args, Call, Code, Fault, Outcome, Param, Primitive, Value};
use serde_json::Map;

use super::{example, pure};

const SELECTOR: Param<Value> = Param::required(
    "selector",
    "A label selector: a map with `matchLabels` and `matchExpressions`, or a text such as `a=b,c!=d,e in (x,y),!f`.",
);
const LABELS: Param<Map<String, Value>> = Param::required("labels", "The labels of an object.");

/// `labels::matches`
pub(super) const MATCHES: Primitive = pure(
    "labels::matches",
    "Whether labels fit a selector. An empty selector fits everything.",
    &[&SELECTOR, &LABELS],
    matches,
    &[
        example(r#"labels::matches("app=web,tier in (a, b),!old", #{ app: "web", tier: "b" })"#, "true"),
        example(
            r#"labels::matches(#{ matchExpressions: [#{ key: "rev", operator: "NotIn", values: ["old"] }] }, #{})"#,
            "true",
        ),
    ],
);

/// One requirement on one label.
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Requirement {
    fn new(key: &str, operator: Operator, values: &[&str]) -> Self {
        Self { key: key.trim().to_owned(), operator, values: values.iter().map(|v| v.trim().to_owned()).collect() }
    }

    /// A missing label satisfies `NotIn`, as it does for the API server.
    fn fits(&self, labels: &Map<String, Value>) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let listed = value.is_some_and(|value| self.values.iter().any(|v| v == value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

fn matches(_: &Call<'_>, args: &Args) -> Outcome {
    let labels = args.get(&LABELS);
    let requirements = match args.get(&SELECTOR) {
        Value::String(text) => of_text(&text)?,
        Value::Object(map) => of_map(&map)?,
        Value::Null => Vec::new(),
        other => return Err(malformed(&other.to_string(), "it is neither a map nor a text")),
    };
    Ok(Value::Bool(requirements.iter().all(|requirement| requirement.fits(&labels))))
}

fn of_map(map: &Map<String, Value>) -> Result<Vec<Requirement>, Fault> {
    let mut found = Vec::new();
    for (key, value) in map.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
        found.push(Requirement::new(key, Operator::In, &[value.as_str().unwrap_or_default()]));
    }
    for expression in map.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let operator = match text("operator") {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(malformed(other, "the operators are In, NotIn, Exists and DoesNotExist")),
        };
        let values: Vec<_> = expression
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        found.push(Requirement::new(text("key"), operator, &values));
    }
    Ok(found)
}

fn of_text(text: &str) -> Result<Vec<Requirement>, Fault> {
    split_outside_parentheses(text).into_iter().filter(|part| !part.trim().is_empty()).map(one_of_text).collect()
}

fn one_of_text(part: &str) -> Result<Requirement, Fault> {
    let part = part.trim();
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::new(key, Operator::DoesNotExist, &[]));
    }
    if let Some((left, values)) = part.split_once('(') {
        let values: Vec<_> = values.trim_end().trim_end_matches(')').split(',').collect();
        let mut words = left.split_whitespace();
        return match (words.next(), words.next()) {
            (Some(key), Some("in")) => Ok(Requirement::new(key, Operator::In, &values)),
            (Some(key), Some("notin")) => Ok(Requirement::new(key, Operator::NotIn, &values)),
            _ => Err(malformed(part, "a list follows `in` or `notin`")),
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::new(key, Operator::NotIn, &[value]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::new(key, Operator::In, &[value]));
    }
    if part.contains(char::is_whitespace) {
        return Err(malformed(part, "write `a=b`, `a!=b`, `a in (x, y)`, `a` or `!a`"));
    }
    Ok(Requirement::new(part, Operator::Exists, &[]))
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn malformed(what: &str, reason: &str) -> Fault {
    Fault::new(Code::WrongArgument, format!("`{what}` is no label selector: {reason}"))
}
