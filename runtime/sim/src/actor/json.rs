//! Short ways to read raw Kubernetes objects.
//!
//! Objects stay `serde_json::Value`, so that nothing an actor does not know is lost when it writes an object back.

use serde_json::{Map, Value};

/// `metadata.name`, empty where there is none.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, empty for cluster-scoped objects.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// The value of a label.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"].get(key)?.as_str()
}

/// The value of an annotation.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(key)?.as_str()
}

/// The string at a JSON pointer, empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of the list at a JSON pointer, none where there is none.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The map at `value`, made one if it is something else.
pub(crate) fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made an object just above")
}

/// The map under a key of `value`, made if it is absent.
pub(crate) fn map_at<'a>(value: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    as_map(as_map(value).entry(key).or_insert(Value::Null))
}

/// The list under a key of `value`, made if it is absent.
pub(crate) fn list_at<'a>(value: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    let slot = as_map(value).entry(key).or_insert(Value::Null);
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("it was made an array just above")
}

/// The element of a list whose field `name` is `wanted`.
pub(crate) fn named<'a>(list: &'a [Value], wanted: &str) -> Option<&'a Value> {
    list.iter().find(|item| item["name"] == wanted)
}

/// Does a map of labels satisfy a `LabelSelector`? An empty selector matches everything.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    selects_by(selector, |key| labels.get(key)?.as_str())
}

/// The same for whoever keeps labels in another way: `label` gives the value of a key.
pub(crate) fn selects_by<'a>(selector: &Value, label: impl Fn(&str) -> Option<&'a str>) -> bool {
    let equal = selector["matchLabels"]
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| label(key).is_some_and(|held| value == held)));
    equal && items(selector, "/matchExpressions").iter().all(|expression| expression_holds(expression, &label))
}

fn expression_holds<'a>(expression: &Value, label: impl Fn(&str) -> Option<&'a str>) -> bool {
    let actual = label(text(expression, "/key"));
    let listed = actual.is_some_and(|held| items(expression, "/values").iter().any(|value| value == held));
    match text(expression, "/operator") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => actual.is_some(),
        "DoesNotExist" => actual.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selector_expressions_follow_kubernetes() {
        let labels = json!({ "app": "web" });
        let holds = |expression: Value| selects(&json!({ "matchExpressions": [expression] }), &labels);
        assert!(holds(json!({ "key": "app", "operator": "In", "values": ["web", "api"] })));
        assert!(!holds(json!({ "key": "app", "operator": "NotIn", "values": ["web"] })));
        assert!(holds(json!({ "key": "tier", "operator": "NotIn", "values": ["web"] })));
        assert!(holds(json!({ "key": "tier", "operator": "DoesNotExist" })));
        assert!(!holds(json!({ "key": "tier", "operator": "Exists" })));
        assert!(selects(&json!({}), &labels));
        assert!(!selects(&json!({ "matchLabels": { "app": "api" } }), &labels));
    }
}
