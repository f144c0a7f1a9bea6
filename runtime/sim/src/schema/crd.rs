//! The schema of a CRD: what its author wrote, and what every object has beside that.
//!
//! Not known here: the CRD around it, its names and its versions.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::error::FieldError;
use super::node::{Document, Edge, Nodes, Origin, Type};
use super::read::Reader;

/// Reads `openAPIV3Schema` into a document and says which node is the object.
pub(super) fn read(schema: &Value) -> Result<(Document, usize), Vec<FieldError>> {
    let none = Map::new();
    let names = HashMap::new();
    let mut reader = Reader { nodes: Vec::new(), first: 0, names: &names, origin: Origin::Custom };
    let meta = reader.node(&object_meta(), false);
    let meta = reader.push(meta);
    let text = reader.node(&json!({ "type": "string" }), false);
    let text = reader.push(text);
    if !schema.is_object() && !schema.is_null() {
        return Err(vec![FieldError::invalid("schema.openAPIV3Schema", schema.clone(), "must be an object")]);
    }
    let schema = schema.as_object().unwrap_or(&none);
    let mut root = reader.node(&Value::Object(schema.clone()), false);
    root.of = Type::Object;
    root.embedded = true;
    let root = reader.push(root);
    for at in 0..reader.nodes.len() {
        if reader.nodes[at].embedded {
            complete(&mut reader, at, meta, text);
        }
    }
    let nodes = Nodes::Read(reader.nodes);
    Ok((Document { origin: Origin::Custom, nodes, kinds: HashMap::new(), rules: OnceLock::new() }, root))
}

/// Gives an object, or one embedded in it, what every object has.
fn complete(reader: &mut Reader<'_>, at: usize, meta: usize, text: usize) {
    // What a CRD says of `metadata` are limits on top of what everything has.
    let said = reader.nodes[at].properties.insert("metadata".to_owned(), Edge::to(meta));
    if let Some(said) =
        said.filter(|edge| reader.nodes[edge.to].limits.is_some() || !reader.nodes[edge.to].properties.is_empty())
    {
        let limits = reader.nodes[at].limits.get_or_insert_default();
        limits.metadata = Some(said.to);
    }
    for key in ["apiVersion", "kind"] {
        reader.nodes[at].properties.entry(key.to_owned()).or_insert_with(|| Edge::to(text));
    }
}

/// The part of `ObjectMeta` that pruning, defaulting and ownership see.
fn object_meta() -> Value {
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let whole = json!({ "type": "integer", "format": "int64" });
    let time = json!({ "type": "string", "format": "date-time", "nullable": true });
    let flag = json!({ "type": "boolean" });
    json!({ "type": "object", "properties": {
        "annotations": texts, "labels": texts,
        "creationTimestamp": time, "deletionTimestamp": time,
        "deletionGracePeriodSeconds": whole, "generation": whole,
        "finalizers": { "type": "array", "items": text, "x-kubernetes-list-type": "set" },
        "generateName": text, "name": text, "namespace": text, "resourceVersion": text, "selfLink": text, "uid": text,
        "managedFields": { "type": "array", "items": { "type": "object", "properties": {
            "apiVersion": text, "fieldsType": text, "manager": text, "operation": text, "subresource": text,
            "fieldsV1": { "type": "object", "x-kubernetes-preserve-unknown-fields": true }, "time": time,
        } } },
        "ownerReferences": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"],
            "items": { "type": "object", "x-kubernetes-map-type": "atomic", "properties": {
                "apiVersion": text, "kind": text, "name": text, "uid": text,
                "blockOwnerDeletion": flag, "controller": flag,
            } },
        },
    } })
}
