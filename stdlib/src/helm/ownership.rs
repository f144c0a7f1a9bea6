//! Who owns which field of a live object, and which of them a server-side apply by helm would be refused.
//!
//! Read off `managedFields`; nothing is sent. Does not know what the fields mean.

use runbook_core::Value;
use serde_json::{Map, json};

use super::live::holds;
use super::object;

/// The manager that helm applies as. What it owned before under either operation it takes along itself.
const HELM: &str = "helm";

/// The conflicts that applying an object would meet, each with `manager` and `fields`.
///
/// A field conflicts where someone else owns it and the manifest wants another value. Values that mean the same but are
/// written differently, such as `1` and `1000m`, are taken for different.
pub(super) fn conflicts(applied: &Value, live: &Value) -> Vec<Value> {
    let entries = live.get("metadata").and_then(|m| m.get("managedFields")).and_then(Value::as_array);
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten() {
        let manager = object::text(entry, &["manager"]);
        let Some(fields) = entry.get("fieldsV1").and_then(Value::as_object) else { continue };
        if manager == HELM {
            continue;
        }
        let mut paths = Vec::new();
        walk(fields, applied, live, "", &mut paths);
        if !paths.is_empty() {
            found.push(json!({ "manager": manager, "fields": paths }));
        }
    }
    found
}

/// Follows the owned fields through what is wanted and what is there; both are at `path`.
fn walk(owned: &Map<String, Value>, wanted: &Value, live: &Value, path: &str, found: &mut Vec<String>) {
    for (key, below) in owned {
        let Some(step) = step(key, wanted, live) else { continue };
        let path = format!("{path}{}", step.path);
        match below.as_object().filter(|below| !below.is_empty()) {
            Some(below) => walk(below, step.wanted, step.live.unwrap_or(&Value::Null), &path, found),
            None if step.live.is_none_or(|live| !holds(step.wanted, live)) => found.push(path),
            None => {}
        }
    }
}

/// One step down; both sides of it.
struct Step<'a> {
    path: String,
    wanted: &'a Value,
    live: Option<&'a Value>,
}

/// What a key of `fieldsV1` leads to, where the manifest says anything of it: `f:` a field, `k:` an item by its keys.
/// Members of sets (`v:`) can be owned by several, so they never conflict.
fn step<'a>(key: &str, wanted: &'a Value, live: &'a Value) -> Option<Step<'a>> {
    if let Some(field) = key.strip_prefix("f:") {
        return Some(Step { path: format!(".{field}"), wanted: wanted.get(field)?, live: live.get(field) });
    }
    let keys: Map<String, Value> = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
    let item = |list: &'a Value| list.as_array()?.iter().find(|item| has_keys(item, &keys));
    let shown: Vec<_> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(Step { path: format!("[{}]", shown.join(",")), wanted: item(wanted)?, live: item(live) })
}

fn has_keys(item: &Value, keys: &Map<String, Value>) -> bool {
    keys.iter().all(|(key, value)| match item.get(key) {
        Some(found) => found == value,
        // The one key that the server fills in: of ports.
        None => key == "protocol" && value == "TCP",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a kube-apiserver 1.36 wrote it after istiod had taken the field.
    fn validator() -> Value {
        json!({
            "metadata": { "name": "istiod-default-validator", "managedFields": [
                { "manager": "helm", "operation": "Apply", "fieldsV1": { "f:webhooks": { "k:{\"name\":\"validation.istio.io\"}": {
                    ".": {}, "f:name": {}, "f:rules": {}, "f:sideEffects": {} } } } },
                { "manager": "pilot-discovery", "operation": "Update", "fieldsV1": { "f:webhooks": { "k:{\"name\":\"validation.istio.io\"}": {
                    "f:clientConfig": { "f:caBundle": {} }, "f:failurePolicy": {} } } } },
            ] },
            "webhooks": [{ "name": "validation.istio.io", "failurePolicy": "Fail", "clientConfig": { "caBundle": "LS0t" } }],
        })
    }

    #[test]
    fn a_field_that_istiod_took_conflicts_where_the_chart_wants_another_value() {
        let wants = |policy: &str| json!({ "webhooks": [{ "name": "validation.istio.io", "failurePolicy": policy }] });
        let field = r#".webhooks[name="validation.istio.io"].failurePolicy"#;
        assert_eq!(
            conflicts(&wants("Ignore"), &validator()),
            [json!({ "manager": "pilot-discovery", "fields": [field] })]
        );
        assert!(conflicts(&wants("Fail"), &validator()).is_empty());
        assert!(conflicts(&json!({ "webhooks": [{ "name": "validation.istio.io" }] }), &validator()).is_empty());
    }

    #[test]
    fn ports_are_found_though_the_chart_leaves_out_their_protocol() {
        let live = json!({
            "metadata": { "managedFields": [{ "manager": "cloud", "operation": "Update", "fieldsV1": {
                "f:spec": { "f:ports": { "k:{\"port\":443,\"protocol\":\"TCP\"}": { "f:nodePort": {} } } } } }] },
            "spec": { "ports": [{ "port": 443, "protocol": "TCP", "nodePort": 30000 }] },
        });
        let wanted = json!({ "spec": { "ports": [{ "port": 443, "nodePort": 30001 }] } });
        let found = conflicts(&wanted, &live);
        assert_eq!(found[0]["fields"], json!([".spec.ports[port=443,protocol=\"TCP\"].nodePort"]));
    }
}
