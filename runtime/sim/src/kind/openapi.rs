//! The OpenAPI v3 documents: an index, and one document for each group version, built when it is asked for.
//!
//! They hold the schemas without prose, and of the operations what clients look for: the kind, and the parameters of patches.
//! Not known here: how schemas are used.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::catalogue::{Catalogue, GroupVersion};
use super::definition::{Kind, Source, root};
use super::record;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const REFERENCE: &str = "#/components/schemas/";
const GVK: &str = "x-kubernetes-group-version-kind";

impl Catalogue {
    /// `/openapi/v3`: each group version with the path of its document. A document that changes gets another hash.
    pub(crate) fn openapi_index(&self) -> Value {
        let entry = |served: &GroupVersion| {
            let path = root(&served.group, &served.version);
            let url = format!("/openapi/v3/{path}?hash={}", hash(&path, served));
            (path, json!({ "serverRelativeURL": url }))
        };
        let paths: Map<_, _> = self.groups().iter().map(entry).collect();
        json!({ "paths": paths })
    }

    /// `/openapi/v3/PATH`, such as `apis/apps/v1`.
    pub(crate) fn openapi(&self, path: &str) -> Option<Value> {
        let groups = self.groups();
        groups.iter().find(|served| root(&served.group, &served.version) == path).map(document)
    }
}

/// Made of what the document is made of: for built-in kinds the record, for others their definitions.
fn hash(path: &str, served: &GroupVersion) -> String {
    let mut digest = Sha256::new();
    digest.update(path);
    digest.update(record::version()["gitVersion"].to_string());
    for kind in &served.kinds {
        digest.update(&kind.plural);
        if let Source::Custom(custom) = &kind.source {
            digest.update(custom.version().to_string());
        }
    }
    digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// The name of the schema of a recorded kind.
pub(super) fn schema_name(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    names().get(&[group, version, kind].map(str::to_owned)).copied()
}

/// The recorded kinds (group, version, kind), each with the name of its schema.
pub(crate) fn schemas_of_kinds() -> impl Iterator<Item = (&'static [String; 3], &'static str)> {
    names().iter().map(|(kind, name)| (kind, *name))
}

fn names() -> &'static HashMap<[String; 3], &'static str> {
    static NAMES: LazyLock<HashMap<[String; 3], &'static str>> = LazyLock::new(|| {
        let marked = |(name, text): (&'static str, &'static str)| {
            let marks = text.split_once(&format!("\"{GVK}\":"))?.1;
            let marks = serde_json::Deserializer::from_str(marks).into_iter::<Value>().next()?.ok()?;
            let key =
                |mark: &Value| ["group", "version", "kind"].map(|part| mark[part].as_str().unwrap_or("").to_owned());
            Some(marks.as_array()?.iter().map(|mark| (key(mark), name)).collect::<Vec<_>>())
        };
        record::schema_texts().filter_map(marked).flatten().collect()
    });
    &NAMES
}

/// The document of one group version.
fn document(served: &GroupVersion) -> Value {
    let version = record::version();
    let title = format!("{}.{}", version["major"].as_str().unwrap_or("1"), version["minor"].as_str().unwrap_or("0"));
    let paths: Map<_, _> = served.kinds.iter().flat_map(|kind| paths(kind)).collect();
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": title },
        "paths": paths,
        "components": { "schemas": schemas(&served.kinds) },
    })
}

/// The schemas of kinds and all that they refer to, by name.
pub(crate) fn schemas(kinds: &[Arc<Kind>]) -> Value {
    let mut found: Map<String, Value> = Map::new();
    let mut open: Vec<String> = ["APIResourceList", "DeleteOptions", "Status", "Patch", "WatchEvent"]
        .map(|name| format!("{META}{name}"))
        .into();
    for kind in kinds {
        if let Source::Custom(custom) = &kind.source {
            let (name, own) = custom_schema(kind, custom.schema());
            let list = list_schema(kind, &name);
            references(&own, &mut open);
            references(&list, &mut open);
            found.insert(format!("{name}List"), list);
            found.insert(name, own);
        }
        let of = |(group, version, kind): (&str, &str, &str)| schema_name(group, version, kind).map(str::to_owned);
        open.extend(of((&kind.group, &kind.version, &kind.kind)));
        open.extend(of((&kind.group, &kind.version, &kind.list_kind)));
        open.extend(kind.subresources.iter().filter_map(|below| of((&below.group, &below.version, &below.kind))));
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = seen.insert(name.clone()).then(|| record::schema(&name)).flatten() {
            references(&schema, &mut open);
            found.insert(name, (*schema).clone());
        }
    }
    found.sort_keys();
    Value::Object(found)
}

fn references(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("$ref", Value::String(to)) => into.extend(to.strip_prefix(REFERENCE).map(str::to_owned)),
                    _ => references(value, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

/// A CRD's schema as the server publishes it, under a name made of its group turned round (`io.istio.networking.v1.Gateway`).
fn custom_schema(kind: &Kind, written: &Value) -> (String, Value) {
    let mut group: Vec<_> = kind.group.split('.').collect();
    group.reverse();
    let name = format!("{}.{}.{}", group.join("."), kind.version, kind.kind);
    let mut schema = if written.is_object() { written.clone() } else { json!({ "type": "object" }) };
    if written.is_object() {
        schema["properties"]["metadata"] = json!({ "allOf": [{ "$ref": format!("{REFERENCE}{META}ObjectMeta") }] });
        schema["properties"]["apiVersion"] = json!({ "type": "string" });
        schema["properties"]["kind"] = json!({ "type": "string" });
    }
    schema[GVK] = json!([gvk(&kind.group, &kind.version, &kind.kind)]);
    (name, schema)
}

fn list_schema(kind: &Kind, of: &str) -> Value {
    json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": { "type": "string" },
            "items": { "type": "array", "items": { "$ref": format!("{REFERENCE}{of}") } },
            "kind": { "type": "string" },
            "metadata": { "$ref": format!("{REFERENCE}{META}ListMeta") },
        },
        GVK: [gvk(&kind.group, &kind.version, &kind.list_kind)],
    })
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}

/// The paths of a kind and of what lies below it, with the operations that clients look for.
fn paths(kind: &Kind) -> Vec<(String, Value)> {
    let namespace = if kind.namespaced { "namespaces/{namespace}/" } else { "" };
    let collection = format!("/{}/{namespace}{}", kind.root(), kind.plural);
    let own = gvk(&kind.group, &kind.version, &kind.kind);
    let mut paths = vec![
        (collection.clone(), operations(&kind.verbs, &COLLECTION, &own)),
        (format!("{collection}/{{name}}"), operations(&kind.verbs, &ITEM, &own)),
    ];
    for below in &kind.subresources {
        let of = gvk(&below.group, &below.version, &below.kind);
        paths.push((format!("{collection}/{{name}}/{}", below.name), operations(&below.verbs, &BELOW, &of)));
    }
    paths.retain(|(_, item)| item.as_object().is_some_and(|item| !item.is_empty()));
    paths
}

/// Verb, HTTP method and the word for it in documents.
type Operation = (&'static str, &'static str, &'static str);

const COLLECTION: [Operation; 3] =
    [("list", "get", "list"), ("create", "post", "post"), ("deletecollection", "delete", "deletecollection")];
const ITEM: [Operation; 4] =
    [("get", "get", "get"), ("update", "put", "put"), ("delete", "delete", "delete"), ("patch", "patch", "patch")];
const BELOW: [Operation; 4] =
    [("get", "get", "get"), ("create", "post", "post"), ("update", "put", "put"), ("patch", "patch", "patch")];

fn operations(verbs: &[String], which: &[Operation], of: &Value) -> Value {
    let known = which.iter().filter(|(verb, ..)| verbs.iter().any(|allowed| allowed == verb));
    let operation = |(verb, method, action): &Operation| {
        let mut operation = json!({ "x-kubernetes-action": action, GVK: of });
        if matches!(*verb, "create" | "update" | "patch") {
            operation["parameters"] = parameters(verb);
        }
        ((*method).to_owned(), operation)
    };
    Value::Object(known.map(operation).collect())
}

fn parameters(verb: &str) -> Value {
    let query =
        |name: &str, of: &str| json!({ "name": name, "in": "query", "schema": { "type": of, "uniqueItems": true } });
    let mut parameters =
        vec![query("dryRun", "string"), query("fieldManager", "string"), query("fieldValidation", "string")];
    if verb == "patch" {
        parameters.push(query("force", "boolean"));
    }
    parameters.into()
}
