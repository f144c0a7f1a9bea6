//! Who owns what after applies and ordinary writes.

use serde_json::{Value, json};

use super::{Order, Refusal, apply, track};
use crate::schema::Schema;

fn schema() -> Schema {
    Schema::of_crd(&json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": {
        "replicas": { "type": "integer" },
        "paused": { "type": "boolean" },
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
            "items": { "type": "object", "properties": { "port": { "type": "integer" }, "name": { "type": "string" } } },
        },
    } } } }))
    .unwrap()
}

fn order(manager: &str) -> Order<'_> {
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    Order { manager, force: false, now, api_version: "example.com/v1", subresource: "", resets: &[] }
}

fn object(spec: &Value) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "a" }, "spec": spec })
}

#[test]
fn what_is_no_longer_applied_goes() {
    let first = apply(&schema(), None, &object(&json!({ "replicas": 1, "paused": true })), &order("one")).unwrap();
    let second = apply(&schema(), Some(&first), &object(&json!({ "replicas": 1 })), &order("one")).unwrap();
    assert_eq!(second["spec"], json!({ "replicas": 1 }));
    assert_eq!(second["metadata"]["managedFields"][0]["fieldsV1"], json!({ "f:spec": { "f:replicas": {} } }));
}

#[test]
fn a_field_of_another_is_a_conflict() {
    let first = apply(&schema(), None, &object(&json!({ "replicas": 1 })), &order("one")).unwrap();
    let mut second = first.clone();
    second["spec"]["replicas"] = json!(2);
    track(&schema(), Some(&first), &mut second, &order("two"));
    let refused = apply(&schema(), Some(&second), &object(&json!({ "replicas": 1 })), &order("one")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Apply failed with 1 conflict: conflict with \"two\" using example.com/v1: .spec.replicas"
    );
    assert!(matches!(refused, Refusal::Conflicts(_)));
}
