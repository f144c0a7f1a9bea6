//! What releases leave in a namespace, without what differs by chance: names of namespaces, times, uids, addresses.
//!
//! Who owns which field stays: it decides what the next operation does.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Kinds that the charts of these tests have.
const KINDS: &str = "configmaps,services,deployments.apps,serviceaccounts,jobs.batch";

/// Where times and the like stand.
const CHANCE: [&str; 16] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "time",
    "status",
    "clusterIP",
    "clusterIPs",
    "first_deployed",
    "last_deployed",
    "deleted",
    "started_at",
    "completed_at",
    "modtime",
    "schemamodtime",
    "createdAt",
    "modifiedAt",
];

/// The objects, each by kind and name.
pub(crate) fn objects(stage: &Stage) -> Value {
    let listed: Value =
        serde_json::from_str(&stage.kubectl(&["get", KINDS, "-o", "json", "--show-managed-fields"])).unwrap();
    let own = listed["items"].as_array().unwrap().iter().filter(|object| {
        let name = object["metadata"]["name"].as_str().unwrap();
        name.starts_with("web")
    });
    let named = own.map(|object| {
        let key = format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let mut object = object.clone();
        // Controllers and generations count what happened on the way.
        object["metadata"].as_object_mut().unwrap().remove("generation");
        if let Some(fields) = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut) {
            fields.retain(|entry| entry["manager"] != "kube-controller-manager");
            fields.sort_by_key(|entry| format!("{}{}", entry["manager"], entry["operation"]));
        }
        if let Some(notes) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            notes.remove("deployment.kubernetes.io/revision");
        }
        (key, plain(object, &stage.namespace))
    });
    Value::Object(named.collect())
}

/// The records of all releases, unpacked, with the labels of their Secrets, by name.
pub(crate) fn records(stage: &Stage) -> Value {
    let listed: Value =
        serde_json::from_str(&stage.kubectl(&["get", "secrets", "-l", "owner=helm", "-o", "json"])).unwrap();
    let named = listed["items"].as_array().unwrap().iter().map(|secret| {
        assert_eq!(secret["type"], "helm.sh/release.v1");
        let twice = STANDARD.decode(secret["data"]["release"].as_str().unwrap()).unwrap();
        let packed = STANDARD.decode(twice).unwrap();
        let mut json = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut json).unwrap();
        let mut record: Value = serde_json::from_slice(&json).unwrap();
        for list in ["templates", "files"] {
            if let Some(files) = record["chart"][list].as_array_mut() {
                files.sort_by_key(|file| file["name"].as_str().unwrap().to_owned());
            }
        }
        written_anew(&mut record);
        let record =
            json!({ "labels": secret["metadata"]["labels"], "status": record["info"]["status"], "record": record });
        (secret["metadata"]["name"].as_str().unwrap().to_owned(), record)
    });
    let named: Vec<(String, Value)> = named.collect();
    let told = |(name, record): (String, Value)| {
        let status = record["status"].clone();
        let mut record = plain(record, &stage.namespace);
        record["status"] = status;
        (name, record)
    };
    Value::Object(named.into_iter().map(told).collect())
}

/// Manifests as objects: helm 3 and helm 4 end lines otherwise. Helm 3 has no word for how it
/// applies, nor for where a rollback leads.
fn written_anew(record: &mut Value) {
    let parsed = |text: &Value| -> Value {
        let documents = serde_saphyr::from_multiple::<Value>(text.as_str().unwrap_or_default()).unwrap();
        documents.into_iter().filter(|document| !document.is_null()).collect()
    };
    record["manifest"] = parsed(&record["manifest"]);
    for hook in record["hooks"].as_array_mut().into_iter().flatten() {
        hook["manifest"] = parsed(&hook["manifest"]);
    }
    if let Some(description) = record.pointer_mut("/info/description") {
        // Helm 3 counts errors.
        let told = description.as_str().unwrap_or_default().replace("1 error occurred:\n\t* ", "");
        *description = json!(told.trim_end());
    }
    if record["apply_method"] == "csa" {
        record["apply_method"] = Value::Null;
        record["info"].as_object_mut().unwrap().remove("rollback_revision");
    }
}

/// Without chance; empty lists and maps are as good as absent ones.
fn plain(value: Value, namespace: &str) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| !CHANCE.contains(&key.as_str()));
            let kept = kept.map(|(key, value)| (key, plain(value, namespace))).filter(|(_, value)| !is_empty(value));
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.into_iter().map(|item| plain(item, namespace)).collect(),
        Value::String(text) => Value::String(text.replace(namespace, "NAMESPACE")),
        Value::Number(number) => json!(number.as_f64()),
        other => other,
    }
}

/// `fieldsV1` says by empty maps which fields are owned, so only nulls and lists go.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Demands that two are equal, and shows where they are not.
#[track_caller]
pub(crate) fn same(what: &str, wanted: &Value, found: &Value) {
    let mut differences = Vec::new();
    compare(wanted, found, "", &mut differences);
    assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
}

fn compare(wanted: &Value, found: &Value, path: &str, differences: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            let mut keys: Vec<_> = wanted.keys().chain(found.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(json!("(absent)"));
                compare(&of(wanted), &of(found), &format!("{path}.{key}"), differences);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(wanted, found, &format!("{path}[{index}]"), differences);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => differences.push(format!("{path}: wanted {wanted}, found {found}")),
    }
}
