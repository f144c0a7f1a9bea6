//! An object of a built-in kind as the API server's Go types would write it again: what they leave out when it is empty is gone,
//! what they always write is there.
//!
//! Not known here: defaults, and what any field means.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::definition::Kind;
use super::field::{Presence, fields};
use super::record;

const REFERENCE: &str = "#/components/schemas/";

/// The fields of one struct.
#[derive(Debug, Default)]
struct Struct {
    fields: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    presence: Presence,
    of: Type,
}

/// What stands in a field.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    /// A struct by its schema's name.
    Struct(String),
    List(Box<Type>),
    Map(Box<Type>),
    /// Anything else, with what Go writes for nothing.
    Plain(Value),
}

/// Writes an object anew as Go would. Objects of CRDs stay as they are.
pub(crate) fn as_go_writes(kind: &Kind, object: &mut Value) {
    if let Some(name) = kind.schema_name() {
        rewrite(name, object);
    }
}

/// What Go writes for an object of a kind that holds nothing yet.
pub(crate) fn empty(kind: &Kind) -> Value {
    let mut object = Value::Object(Map::new());
    as_go_writes(kind, &mut object);
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.clone().into();
    object
}

fn rewrite(name: &str, value: &mut Value) {
    let Some(object) = value.as_object_mut() else { return };
    for member in &known(name).fields {
        match object.get_mut(&member.name) {
            Some(Value::Null) | None => match member.presence {
                Presence::Always => {
                    let mut zero = member.of.zero();
                    member.of.rewrite(&mut zero);
                    object.insert(member.name.clone(), zero);
                }
                Presence::GivenOrNull => drop(object.insert(member.name.clone(), Value::Null)),
                Presence::Filled | Presence::Given => drop(object.shift_remove(&member.name)),
            },
            Some(given) => {
                member.of.rewrite(given);
                if member.presence == Presence::Filled && is_empty(given) {
                    object.shift_remove(&member.name);
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Bool(is) => !is,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null => true,
    }
}

impl Type {
    fn rewrite(&self, value: &mut Value) {
        match (self, value) {
            (Self::Struct(name), value) => rewrite(name, value),
            (Self::List(of), Value::Array(items)) => items.iter_mut().for_each(|item| of.rewrite(item)),
            (Self::Map(of), Value::Object(fields)) => fields.values_mut().for_each(|field| of.rewrite(field)),
            _ => {}
        }
    }

    fn zero(&self) -> Value {
        match self {
            Self::Struct(_) => Value::Object(Map::new()),
            Self::List(_) | Self::Map(_) => Value::Null,
            Self::Plain(zero) => zero.clone(),
        }
    }
}

/// The fields of a struct, read once.
fn known(name: &str) -> Arc<Struct> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Struct>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(name) {
        return Arc::clone(known);
    }
    let read = Arc::new(read(name));
    known.insert(name.to_owned(), Arc::clone(&read));
    read
}

fn read(name: &str) -> Struct {
    let Some(schema) = record::schema(name) else { return Struct::default() };
    let of = |name: &str| schema.pointer(&format!("/properties/{}", name.replace('~', "~0").replace('/', "~1")));
    let member = |mut field: super::field::Field| {
        if field.name == "managedFields" {
            // An empty list asks to forget all owners, and is taken out by whoever does that.
            field.presence = Presence::Given;
        }
        let of = of(&field.name).map_or(Type::Plain(Value::Null), read_type);
        Member { name: field.name, presence: field.presence, of }
    };
    Struct { fields: fields(name).into_iter().flatten().map(member).collect() }
}

fn read_type(schema: &Value) -> Type {
    let reference = schema.pointer("/allOf/0/$ref").or_else(|| schema.get("$ref")).and_then(Value::as_str);
    if let Some(name) = reference.and_then(|reference| reference.strip_prefix(REFERENCE)) {
        return read_reference(name);
    }
    match schema["type"].as_str() {
        Some("array") => Type::List(Box::new(read_type(&schema["items"]))),
        Some("object") => Type::Map(Box::new(read_type(&schema["additionalProperties"]))),
        Some("string") => Type::Plain("".into()),
        Some("integer" | "number") => Type::Plain(0.into()),
        Some("boolean") => Type::Plain(false.into()),
        _ => Type::Plain(Value::Null),
    }
}

fn read_reference(name: &str) -> Type {
    match name.rsplit('.').next() {
        Some("Quantity") => Type::Plain("0".into()),
        Some("IntOrString") => Type::Plain(0.into()),
        // A schema in place of a word for any or none, or of a list of schemas.
        Some("JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray") => {
            let end = name.rfind("Or").unwrap_or(name.len());
            Type::Struct(name[..end].to_owned())
        }
        // Times and raw values: a struct without fields that its schema would name.
        _ if fields(name).is_none() => Type::Plain(Value::Null),
        _ => Type::Struct(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Catalogue;
    use super::*;

    fn written(api_version: &str, kind: &str, mut object: Value) -> Value {
        as_go_writes(&Catalogue::builtin().by_kind(api_version, kind).unwrap(), &mut object);
        object
    }

    #[test]
    fn what_is_empty_is_left_out_unless_it_is_a_pointer() {
        let pod = written(
            "v1",
            "Pod",
            json!({ "metadata": { "name": "a", "labels": {} }, "spec": {
                "hostNetwork": false, "enableServiceLinks": false, "tolerations": [], "securityContext": {},
                "initContainers": null,
                "containers": [{ "name": "c", "env": [{ "name": "E", "value": "" }], "args": [] }],
            } }),
        );
        assert_eq!(
            pod,
            json!({ "metadata": { "name": "a" }, "status": {}, "spec": {
                "enableServiceLinks": false, "securityContext": {},
                "containers": [{ "name": "c", "env": [{ "name": "E" }], "resources": {} }],
            } })
        );
    }

    #[test]
    fn what_is_always_written_is_there() {
        let role = written("rbac.authorization.k8s.io/v1", "Role", json!({}));
        assert_eq!(role, json!({ "metadata": {}, "rules": null }));
        let deployment = empty(&Catalogue::builtin().by_kind("apps/v1", "Deployment").unwrap());
        assert_eq!(deployment["spec"]["selector"], Value::Null);
        assert_eq!(deployment["spec"]["template"]["spec"]["containers"], Value::Null);
        assert_eq!(deployment["spec"]["strategy"], json!({}));
    }
}
