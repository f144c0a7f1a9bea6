//! Reading objects of the cluster, which are untrusted: what is absent or of another type reads as nothing.
//!
//! Does not know any kind.

use serde_json::Value;

/// The text at a JSON pointer; empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer, where there is one.
pub(crate) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The count at a JSON pointer: status fields that are zero are left out by the server.
pub(crate) fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

/// Whether `true` stands at a JSON pointer.
pub(crate) fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The items at a JSON pointer; none where there is no list.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The entries at a JSON pointer that are texts.
pub(crate) fn pairs<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// The condition of that type in the status.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind)
}

/// Whether the condition of that type says `True`.
pub(crate) fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| text(condition, "/status") == "True")
}

/// What a condition says, in words: its message, else its reason, else its status.
pub(crate) fn words_of(condition: &Value) -> String {
    let (reason, message) = (text(condition, "/reason"), text(condition, "/message"));
    match (reason, message) {
        ("", "") => format!("{} is {}", text(condition, "/type"), text(condition, "/status")),
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Why the status does not speak of the present generation, where the controller has not seen it yet.
pub(crate) fn unobserved(object: &Value) -> Option<String> {
    let generation = number(object, "/metadata/generation")?;
    let observed = count(object, "/status/observedGeneration");
    (observed < generation).then(|| format!("generation {generation} is not acted on yet, its status is of {observed}"))
}

/// The uid of the controller an object belongs to.
pub(crate) fn controller(object: &Value) -> Option<&str> {
    let owners = items(object, "/metadata/ownerReferences");
    owners.iter().find(|owner| flag(owner, "/controller")).map(|owner| text(owner, "/uid"))
}

/// Its uid; empty where there is none.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Its namespace; empty for what lies in none.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// Its name.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// The time at a JSON pointer.
pub(crate) fn time(object: &Value, pointer: &str) -> Option<jiff::Timestamp> {
    text(object, pointer).parse().ok()
}

/// A label selector as the query parameter says it. `None` where the selector says nothing or something unknown.
pub(crate) fn selector(object: &Value, pointer: &str) -> Option<String> {
    let selector = object.pointer(pointer)?;
    let mut terms: Vec<String> = pairs(selector, "/matchLabels").map(|(key, value)| format!("{key}={value}")).collect();
    for expression in items(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<_> = items(expression, "/values").iter().filter_map(Value::as_str).collect();
        terms.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

/// A text cut to a length that fits a line.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    let mut cut: String = line.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
