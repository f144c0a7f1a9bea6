//! What schemas do to objects, in the words that a real API server (1.36) had for the same objects.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::{Document, Schema};
use crate::kind;

/// All recorded kinds.
pub(crate) static RECORD: LazyLock<Arc<Document>> = LazyLock::new(|| Arc::new(Document::recorded()));

/// The same schemas as clients are told of them: each can be read.
#[test]
fn what_is_served_reads_as_what_is_recorded() {
    let kinds: Vec<_> = kind::Catalogue::builtin().all().cloned().collect();
    let served = Arc::new(Document::of_schemas(kind::schemas(&kinds).as_object().unwrap()));
    let object = json!({ "metadata": { "name": "a", "nowhere": 1 }, "spec": { "replicas": "3", "nothing": {} } });
    for kind in kinds {
        let of = |document| Schema::of_record(document, &kind.group, &kind.version, &kind.kind);
        let (Some(served), Some(recorded)) = (of(&served), of(&RECORD)) else { continue };
        let pruned = |schema: &Schema| {
            let mut object = object.clone();
            (schema.prune(&mut object), object)
        };
        assert_eq!(pruned(&served), pruned(&recorded), "{}", kind.kind);
        let faults =
            |schema: &Schema| schema.validate(&object, None).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(faults(&served), faults(&recorded), "{}", kind.kind);
    }
}

fn thing() -> Schema {
    let port = json!({ "type": "object", "required": ["port"], "properties": {
        "port": { "type": "integer" }, "name": { "type": "string" }, "proto": { "type": "string", "default": "TCP" },
    } });
    let either = json!([{ "required": ["a"] }, { "required": ["b"] }]);
    let two = json!({ "a": { "type": "string" }, "b": { "type": "string" } });
    let spec = json!({
        "min": { "type": "integer", "minimum": 1, "format": "int32" },
        "max": { "type": "integer", "maximum": 10 },
        "name": { "type": "string", "maxLength": 5, "pattern": "^[a-z]+$" },
        "mode": { "type": "string", "enum": ["A", "B"], "default": "A" },
        "port": { "x-kubernetes-int-or-string": true },
        "when": { "type": "string", "format": "date-time" },
        "id": { "type": "string", "format": "uuid" },
        "set": { "type": "array", "x-kubernetes-list-type": "set", "items": { "type": "string" } },
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"], "items": port,
        },
        "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "labels": { "type": "object", "additionalProperties": { "type": "string" } },
        "nest": { "type": "object", "default": {}, "properties": {
            "deep": { "type": "object", "default": { "x": 1 }, "properties": {
                "x": { "type": "integer" }, "y": { "type": "string", "default": "why" },
            } },
        } },
        "nul": { "type": "string", "nullable": true },
        "one": { "type": "object", "oneOf": either, "properties": two },
        "any": { "type": "object", "anyOf": either, "properties": two },
        "fixed": { "type": "string", "x-kubernetes-validations": [
            { "rule": "self == oldSelf", "message": "fixed is immutable" },
        ] },
        "msg": { "type": "integer", "x-kubernetes-validations": [
            { "rule": "self < 5", "messageExpression": "\"too big\"", "reason": "FieldValueForbidden" },
        ] },
        "fp": { "type": "object", "properties": { "a": { "type": "integer" } }, "x-kubernetes-validations": [
            { "rule": "self.a > 1", "fieldPath": ".a", "message": "a small" },
        ] },
        "nomsg": { "type": "integer", "x-kubernetes-validations": [{ "rule": "self != 3" }] },
        "items": { "type": "array", "maxItems": 2, "minItems": 1, "items": { "type": "integer" } },
    });
    let rule = json!([{ "rule": "!has(self.spec.max) || self.spec.max >= self.spec.min", "message": "max below min" }]);
    Schema::of_crd(&json!({ "type": "object", "x-kubernetes-validations": rule, "properties": {
        "spec": { "type": "object", "required": ["min"], "properties": spec },
        "status": { "type": "object", "properties": { "ready": { "type": "boolean" } } },
    } }))
    .unwrap()
}

fn object(spec: &Value) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "a" }, "spec": spec })
}

const REST: &str = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; \
                    correct the existing errors to complete validation";

#[track_caller]
fn faults(spec: &Value, expected: &[&str]) {
    let schema = thing();
    let mut object = object(spec);
    schema.prune(&mut object);
    schema.default(&mut object);
    let mut said: Vec<_> = schema.validate(&object, None).iter().map(ToString::to_string).collect();
    let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    said.sort();
    expected.sort();
    assert_eq!(said, expected);
}

#[test]
fn values_out_of_bounds_are_named_as_the_server_names_them() {
    faults(
        &json!({ "min": 0, "max": 11, "name": "ABCDEFG", "mode": "C", "port": 1.5, "when": "x", "id": true }),
        &[
            "spec.id: Invalid value: \"\": spec.id in body must be of type uuid: \"\"",
            "spec.mode: Unsupported value: \"C\": supported values: \"A\", \"B\"",
            "spec.min: Invalid value: 0: spec.min in body should be greater than or equal to 1",
            "spec.max: Invalid value: 11: spec.max in body should be less than or equal to 10",
            "spec.port: Invalid value: \"number\": spec.port in body must be of type integer,string: \"number\"",
            "spec.when: Invalid value: \"x\": spec.when in body must be of type date-time: \"x\"",
            "spec.name: Too long: may not be more than 5 bytes",
            REST,
        ],
    );
}

#[test]
fn types_and_duplicates_are_named_as_the_server_names_them() {
    faults(
        &json!({
            "min": "1", "name": "Ab", "set": ["a", "a", "a"], "ports": [{ "port": 1 }, { "port": 1 }],
            "labels": { "a": 1 }, "items": [],
        }),
        &[
            "spec.items: Invalid value: 0: spec.items in body should have at least 1 items",
            "spec.name: Invalid value: \"Ab\": spec.name in body should match '^[a-z]+$'",
            "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: \"integer\"",
            "spec.min: Invalid value: \"string\": spec.min in body must be of type integer: \"string\"",
            "spec.ports[1]: Duplicate value: {\"port\":1}",
            "spec.set[1]: Duplicate value: \"a\"",
            REST,
        ],
    );
    faults(
        &json!({ "min": 1, "port": true, "free": 1, "ports": [1] }),
        &[
            "spec.ports[0]: Invalid value: \"integer\": spec.ports[0] in body must be of type object: \"integer\"",
            "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
            "spec.free: Invalid value: \"integer\": spec.free in body must be of type object: \"integer\"",
            "spec.ports[0]: Invalid value: 1: must be an object for an array of list-type map",
            REST,
        ],
    );
    faults(&json!([]), &["spec: Invalid value: \"array\": spec in body must be of type object: \"array\"", REST]);
}

#[test]
fn combined_schemas_tell_what_fits_best() {
    faults(
        &json!({ "one": {}, "any": {} }),
        &[
            "<nil>: Invalid value: \"\": \"spec.any\" must validate at least one schema (anyOf)",
            "spec.any.a: Required value",
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found none valid",
            "spec.one.a: Required value",
            "spec.min: Required value",
            REST,
        ],
    );
    faults(
        &json!({ "min": 1, "one": { "a": "x", "b": "y" } }),
        &["<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). \
           Found 2 valid alternatives"],
    );
}

#[test]
fn rules_speak_with_their_own_words_and_reasons() {
    faults(
        &json!({ "min": 3, "max": 2, "msg": 7, "fp": { "a": 1 }, "nomsg": 3 }),
        &[
            "<nil>: Invalid value: max below min",
            "spec.fp.a: Invalid value: a small",
            "spec.msg: Forbidden: too big",
            "spec.nomsg: Invalid value: 3: failed rule: self != 3",
        ],
    );
    faults(
        &json!({ "min": 99_999_999_999_u64, "max": 1 }),
        &[
            "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.min",
            "<nil>: Invalid value: max below min",
        ],
    );
}

#[test]
fn a_transition_is_judged_by_what_was_there() {
    let schema = thing();
    let (old, new) = (object(&json!({ "min": 1, "fixed": "a" })), object(&json!({ "min": 1, "fixed": "b" })));
    assert!(schema.validate(&new, None).is_empty(), "there is no old value to compare with");
    let said = schema.validate(&new, Some(&old));
    assert_eq!(said[0].to_string(), "spec.fixed: Invalid value: \"b\": fixed is immutable");
}

#[test]
fn what_was_wrong_already_may_stay_wrong() {
    let schema = thing();
    let old = object(&json!({ "min": 0, "nomsg": 3, "set": ["a", "a"], "max": 4 }));
    let new = object(&json!({ "min": 0, "nomsg": 3, "set": ["a", "a"], "max": 5 }));
    assert_eq!(schema.validate(&new, Some(&old)), []);
}

#[test]
fn nulls_give_way_to_defaults_and_unknown_fields_go() {
    let schema = thing();
    let mut object = object(&json!({
        "min": 1, "nul": null, "name": null, "nest": null, "unknown": 1, "free": { "a": { "b": 1 } },
        "ports": [{ "port": 1, "z": 1 }],
    }));
    assert_eq!(schema.prune(&mut object), ["spec.unknown", "spec.ports[0].z"]);
    schema.default(&mut object);
    assert_eq!(
        object["spec"],
        json!({
            "free": { "a": { "b": 1 } }, "min": 1, "mode": "A", "nest": { "deep": { "x": 1, "y": "why" } }, "nul": null,
            "ports": [{ "port": 1, "proto": "TCP" }],
        })
    );
}

#[test]
fn unknown_fields_of_the_servers_own_kinds_are_named() {
    let schema = Schema::of_record(&RECORD, "apps", "v1", "Deployment").unwrap();
    let mut object = json!({ "spec": { "replicaz": 1, "template": { "spec": { "containers": [
        { "name": "c", "imagee": "x", "resources": { "limits": { "cpu": "1" } } },
    ] } } } });
    assert_eq!(schema.prune(&mut object), ["spec.replicaz", "spec.template.spec.containers[0].imagee"]);
}
