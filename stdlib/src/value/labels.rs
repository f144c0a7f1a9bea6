//! `labels::matches`: label selectors as the API server evaluates them.

use runbook_core::{Args, Call, Code, Fault, Outcome, Param, Primitive, Value};
use serde_json::Map;

use super::{example, pure};

const SELECTOR: Param<Value> = Param::required(
    "selector",
    "A label selector: a map with `matchLabels` and `matchExpressions`, a map of labels as a Service has it, or a text such as `a=b,c!=d,e in (x,y),!f`.",
);
const LABELS: Param<Option<Map<String, Value>>> = Param::required("labels", "The labels of an object; `()` is none.");

/// `labels::matches`
pub(super) const MATCHES: Primitive = pure(
    "labels::matches",
    "Whether labels fit a selector. An empty selector fits everything, `()` fits nothing.",
    &[&SELECTOR, &LABELS],
    matches,
    &[
        example(r#"labels::matches("app=web,tier in (a, b),!old", #{ app: "web", tier: "b" })"#, "true"),
        example(
            r#"labels::matches(#{ matchExpressions: [#{ key: "rev", operator: "NotIn", values: ["old"] }] }, #{})"#,
            "true",
        ),
        example(r#"labels::matches(#{ app: "web" }, #{ app: "web", tier: "b" })"#, "true"),
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
    let labels = args.get(&LABELS).unwrap_or_default();
    let requirements = match args.get(&SELECTOR) {
        Value::String(text) => of_text(&text)?,
        Value::Object(map) => of_map(&map)?,
        // As for the API server: what selects nothing is not what selects everything.
        Value::Null => return Ok(Value::Bool(false)),
        other => return Err(malformed(&other.to_string(), "it is neither a map nor a text")),
    };
    Ok(Value::Bool(requirements.iter().all(|requirement| requirement.fits(&labels))))
}

/// Whether labels fit a selector of `matchLabels` and `matchExpressions`; an empty one fits everything.
///
/// Faults: `RB015` where the selector is malformed.
pub fn fits(selector: &Map<String, Value>, labels: &Map<String, Value>) -> Result<bool, Fault> {
    Ok(of_map(selector)?.iter().all(|requirement| requirement.fits(labels)))
}

fn of_map(map: &Map<String, Value>) -> Result<Vec<Requirement>, Fault> {
    let is_selector = |key: &str| matches!(key, "matchLabels" | "matchExpressions");
    if !map.is_empty() && !map.keys().any(|key| is_selector(key)) {
        return equal(map);
    }
    if let Some(other) = map.keys().find(|key| !is_selector(key)) {
        return Err(malformed(other, "beside `matchLabels` and `matchExpressions` stands nothing else"));
    }
    let mut found = match map.get("matchLabels") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(labels)) => equal(labels)?,
        Some(other) => return Err(malformed(&other.to_string(), "`matchLabels` is a map")),
    };
    match map.get("matchExpressions") {
        None | Some(Value::Null) => {}
        Some(Value::Array(expressions)) => {
            for expression in expressions {
                found.push(of_expression(expression)?);
            }
        }
        Some(other) => return Err(malformed(&other.to_string(), "`matchExpressions` is a list")),
    }
    Ok(found)
}

fn equal(labels: &Map<String, Value>) -> Result<Vec<Requirement>, Fault> {
    let one = |(key, value): (&String, &Value)| match value.as_str() {
        Some(value) => Ok(Requirement::new(key, Operator::In, &[value])),
        None => Err(malformed(key, "the value of a label is a text")),
    };
    labels.iter().map(one).collect()
}

fn of_expression(expression: &Value) -> Result<Requirement, Fault> {
    let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
    let values: Vec<&str> =
        expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let operator = match (text("operator"), values.is_empty()) {
        ("In", false) => Operator::In,
        ("NotIn", false) => Operator::NotIn,
        ("Exists", true) => Operator::Exists,
        ("DoesNotExist", true) => Operator::DoesNotExist,
        ("In" | "NotIn", true) => return Err(malformed(text("key"), "`In` and `NotIn` have values")),
        ("Exists" | "DoesNotExist", false) => {
            return Err(malformed(text("key"), "`Exists` and `DoesNotExist` have no values"));
        }
        (other, _) => return Err(malformed(other, "the operators are In, NotIn, Exists and DoesNotExist")),
    };
    if text("key").is_empty() {
        return Err(malformed(&expression.to_string(), "it names no label"));
    }
    Ok(Requirement::new(text("key"), operator, &values))
}

fn of_text(text: &str) -> Result<Vec<Requirement>, Fault> {
    split_outside_parentheses(text).into_iter().filter(|part| !part.trim().is_empty()).map(one_of_text).collect()
}

fn one_of_text(part: &str) -> Result<Requirement, Fault> {
    let part = part.trim();
    if let Some(key) = part.strip_prefix('!').map(str::trim).filter(|key| !key.is_empty()) {
        return Ok(Requirement::new(key, Operator::DoesNotExist, &[]));
    }
    if let Some((left, values)) = part.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(|| malformed(part, "a `(` is not closed"))?;
        let values: Vec<_> = values.split(',').collect();
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
    if part.contains(|c: char| c.is_whitespace() || c == '!') {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fits(selector: &Value, labels: &Value) -> bool {
        let requirements = match selector {
            Value::String(text) => of_text(text).unwrap(),
            other => of_map(other.as_object().unwrap()).unwrap(),
        };
        requirements.iter().all(|requirement| requirement.fits(labels.as_object().unwrap()))
    }

    #[test]
    fn selectors_mean_what_they_mean_to_the_api_server() {
        let web = json!({ "app": "web", "rev": "1-30" });
        for (selector, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,rev!=1-29", true),
            ("missing!=x", true),
            ("app in (api, web), !legacy", true),
            ("missing notin (x)", true),
            ("missing in (x)", false),
            ("rev", true),
            ("!rev", false),
            ("app in (api)", false),
        ] {
            assert_eq!(fits(&json!(selector), &web), expected, "{selector}");
        }
        let expressions = |operator: &str, values: Value| json!({ "matchExpressions": [{ "key": "rev", "operator": operator, "values": values }] });
        assert!(fits(&expressions("In", json!(["1-30"])), &web));
        assert!(!fits(&expressions("NotIn", json!(["1-30"])), &web));
        assert!(fits(&expressions("Exists", json!([])), &web));
        assert!(!fits(&expressions("DoesNotExist", json!(null)), &web));
        assert!(fits(&json!({}), &web));
        assert!(!fits(&json!({ "app": "api" }), &web));
        assert!(!fits(
            &json!({ "matchLabels": { "app": "web" }, "matchExpressions": [{ "key": "rev", "operator": "DoesNotExist" }] }),
            &web
        ));
    }

    #[test]
    fn what_is_no_selector_is_a_fault_and_never_fits_everything() {
        for text in ["a in (x", "a within (x)", "a b", "!"] {
            assert!(of_text(text).is_err() || !fits(&json!(text), &json!({})), "{text}");
        }
        for map in [
            json!({ "matchLabels": { "a": 1 } }),
            json!({ "matchLabels": {}, "app": "web" }),
            json!({ "matchExpressions": [{ "key": "a", "operator": "Is", "values": ["b"] }] }),
            json!({ "matchExpressions": [{ "key": "a", "operator": "In" }] }),
            json!({ "matchExpressions": [{ "operator": "Exists" }] }),
            json!({ "matchExpressions": {} }),
        ] {
            assert!(of_map(map.as_object().unwrap()).is_err(), "{map}");
        }
    }
}
