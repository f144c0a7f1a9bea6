//! Strategic merge: one object laid over another, lists of named things merged by their key.
//!
//! Only what istiod merges is known: pods and the objects made for a Gateway.

use serde_json::Value;

/// Lays `patch` over `base`. A null removes a field; lists are merged by key where Kubernetes says so, else replaced.
pub(crate) fn merge(base: &mut Value, patch: &Value) {
    let (Some(base), Some(patch)) = (base.as_object_mut(), patch.as_object()) else {
        *base = patch.clone();
        return;
    };
    for (field, over) in patch {
        match (base.get_mut(field), over) {
            (_, Value::Null) => {
                base.shift_remove(field);
            }
            (Some(under @ Value::Object(_)), Value::Object(_)) => merge(under, over),
            (Some(Value::Array(under)), Value::Array(over)) => match merge_key(field, under.first().or(over.first())) {
                Some(key) => *under = merge_lists(under, over, key),
                None => under.clone_from(over),
            },
            (_, over) => {
                base.insert(field.clone(), without_nulls(over));
            }
        }
    }
}

/// The field by which the elements of a list are told apart, none for lists that are replaced as a whole.
fn merge_key(field: &str, element: Option<&Value>) -> Option<&'static str> {
    if !element.is_some_and(Value::is_object) {
        return None;
    }
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        "ownerReferences" => Some("uid"),
        "ports" if element.is_some_and(|port| port.get("containerPort").is_some()) => Some("containerPort"),
        "ports" => Some("port"),
        _ => None,
    }
}

/// What the patch names comes first, in its order; what only the base has goes before the first element that followed it
/// there, else to the end.
fn merge_lists(base: &[Value], patch: &[Value], key: &str) -> Vec<Value> {
    let position = |item: &Value| base.iter().position(|other| other[key] == item[key]);
    let mut merged: Vec<Value> = Vec::with_capacity(base.len() + patch.len());
    for over in patch {
        let mut item = position(over).map_or_else(|| Value::Object(serde_json::Map::new()), |at| base[at].clone());
        merge(&mut item, over);
        merged.push(item);
    }
    let mut from = 0;
    for (at, item) in base.iter().enumerate() {
        if patch.iter().any(|over| over[key] == item[key]) {
            continue;
        }
        let later = merged.iter().skip(from).position(|other| position(other).is_some_and(|other| at < other));
        let place = later.map_or(merged.len(), |offset| from + offset);
        merged.insert(place, item.clone());
        from = place + 1;
    }
    merged
}

/// The same value with every field that is null left out.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_added_comes_before_what_was_there() {
        let mut pod = json!({ "volumes": [{ "name": "token" }] });
        merge(&mut pod, &json!({ "volumes": [{ "name": "a" }, { "name": "b" }] }));
        assert_eq!(pod, json!({ "volumes": [{ "name": "a" }, { "name": "b" }, { "name": "token" }] }));
    }

    #[test]
    fn elements_of_one_name_are_merged_and_keep_their_neighbours() {
        let mut pod = json!({ "env": [{ "name": "first" }, { "name": "x", "value": "1" }, { "name": "last" }] });
        merge(&mut pod, &json!({ "env": [{ "name": "x", "value": "2" }, { "name": "new" }] }));
        let names: Vec<_> = pod["env"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["first", "x", "new", "last"]);
        assert_eq!(pod["env"][1]["value"], "2");
    }

    #[test]
    fn plain_lists_are_replaced_and_nulls_remove() {
        let mut pod = json!({ "args": ["a", "b"], "hostNetwork": true });
        merge(&mut pod, &json!({ "args": ["c"], "hostNetwork": null }));
        assert_eq!(pod, json!({ "args": ["c"] }));
    }
}
