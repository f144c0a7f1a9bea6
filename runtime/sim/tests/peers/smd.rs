//! Schemas and sets as structured-merge-diff writes them in its tests, read into ours.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::yaml;
use crate::apply::{Element, Set};
use crate::schema::{Document, Schema};

/// What the API server's own types call what is owned as a whole, whatever it holds.
const ANYTHING: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// A type out of a schema in YAML.
pub(super) fn schema(text: &str, root: &str) -> Option<Schema> {
    let mut schemas = Map::new();
    schemas.insert("__untyped_deduced_".to_owned(), json!({}));
    schemas.insert(ANYTHING.to_owned(), json!({}));
    for of in yaml(text)["types"].as_array().into_iter().flatten() {
        let name = of["name"].as_str().unwrap();
        if !name.starts_with("__untyped_") {
            schemas.insert(name.to_owned(), atom(of));
        }
    }
    let kind = json!([{ "group": "", "version": "v1", "kind": "it" }]);
    let root = if root == "__untyped_atomic_" { ANYTHING } else { root };
    schemas.get_mut(root)?["x-kubernetes-group-version-kind"] = kind;
    Schema::of_record(&Arc::new(Document::of_schemas(&schemas)), "", "v1", "it")
}

/// The type of what has none.
pub(super) fn deduced() -> Schema {
    schema("types: []", "__untyped_deduced_").expect("it is always there")
}

fn reference(of: &Value) -> Value {
    let Some(name) = of["namedType"].as_str() else { return atom(of) };
    let name = if name == "__untyped_atomic_" { ANYTHING } else { name };
    let mut reference = json!({ "$ref": format!("#/components/schemas/{name}") });
    relation(&mut reference, of);
    reference
}

fn relation(into: &mut Value, of: &Value) {
    match of["elementRelationship"].as_str() {
        Some("atomic") => into["x-kubernetes-map-type"] = json!("atomic"),
        Some("separable" | "granular") => into["x-kubernetes-map-type"] = json!("granular"),
        _ => {}
    }
}

fn atom(of: &Value) -> Value {
    let mut schema = json!({});
    let forms = ["scalar", "list", "map"].into_iter().filter(|form| of.get(*form).is_some_and(|form| !form.is_null()));
    let forms: Vec<_> = forms.collect();
    if let Some(list) = of.get("list") {
        schema["items"] = reference(&list["elementType"]);
        if list["elementRelationship"] == "associative" {
            let keys = list["keys"].as_array().cloned().unwrap_or_default();
            schema["x-kubernetes-list-type"] = json!(if keys.is_empty() { "set" } else { "map" });
            schema["x-kubernetes-list-map-keys"] = json!(keys);
        }
    }
    if let Some(map) = of.get("map") {
        for field in map["fields"].as_array().into_iter().flatten() {
            let mut below = reference(&field["type"]);
            if let Some(default) = field.get("default") {
                below["default"] = default.clone();
            }
            schema["properties"][field["name"].as_str().unwrap()] = below;
        }
        schema["additionalProperties"] = map.get("elementType").map_or(json!(false), reference);
        relation(&mut schema, map);
    }
    match forms.as_slice() {
        ["scalar"] => match of["scalar"].as_str() {
            Some("numeric") => schema["type"] = json!("number"),
            Some("untyped") => schema = json!({ "type": "string", "format": "untyped" }),
            Some(word) => schema["type"] = json!(word),
            None => {}
        },
        ["list"] => schema["type"] = json!("array"),
        ["map"] => schema["type"] = json!("object"),
        _ => {}
    }
    schema
}

/// A set as calls make it: `_NS(_P("a", _KBF("name", "b")))`.
pub(super) fn set(of: &Value) -> Set {
    let mut set = Set::default();
    for one in of["@args"].as_array().into_iter().flatten() {
        set.insert(&path(one));
    }
    set
}

pub(super) fn path(of: &Value) -> Vec<Element> {
    let parts = of["@args"].as_array().into_iter().flatten();
    parts
        .map(|part| match part {
            Value::String(name) => Element::Field(name.clone()),
            Value::Number(index) => Element::Index(index.as_i64().unwrap()),
            call if call["@call"] == "_V" => Element::Value(call["@args"][0].clone()),
            call => {
                let arguments = call["@args"].as_array().unwrap();
                let mut fields: Vec<_> =
                    arguments.chunks(2).map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone())).collect();
                fields.sort_by(|(left, _), (right, _)| left.cmp(right));
                Element::Key(fields)
            }
        })
        .collect()
}
