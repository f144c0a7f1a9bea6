//! What the API server itself writes into `metadata`, and what it refuses there.
//!
//! Not known here: what any kind means.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::path::Place;
use crate::{
    actor::json::{map_at, name, text},
    status::{Cause, Status},
};

/// The letters of generated names: no vowels, no words.
pub(crate) const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// How long a name may be before five letters are added.
const LONGEST_BASE: usize = 58;

/// A moment as objects carry it.
pub(crate) fn moment(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// Takes away what a client may not say about a new object.
pub(crate) fn wipe(object: &mut Value) {
    let metadata = map_at(object, "metadata");
    for field in
        ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"]
    {
        metadata.shift_remove(field);
    }
}

/// Takes away what is empty: `labels: {}` and `creationTimestamp: null` are no different from nothing.
pub(crate) fn tidy(object: &mut Value) {
    let metadata = map_at(object, "metadata");
    metadata.retain(|key, value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => key == "deletionGracePeriodSeconds" || number.as_f64() != Some(0.0),
        Value::Bool(_) => true,
    });
    order(metadata);
}

/// Puts the fields of `metadata` in their order.
pub(crate) fn tidy_order(object: &mut Value) {
    order(map_at(object, "metadata"));
}

/// The fields of `metadata` in the order in which the API server writes them.
const ORDER: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
];

fn order(metadata: &mut Map<String, Value>) {
    let mut ordered = Map::new();
    for field in ORDER {
        if let Some(value) = metadata.shift_remove(field) {
            ordered.insert(field.to_owned(), value);
        }
    }
    ordered.append(metadata);
    *metadata = ordered;
}

/// Checks that an object is for the place that it was sent to, and writes the namespace into it.
pub(crate) fn settle(place: &Place, object: &mut Value) -> Result<(), Status> {
    let said = text(object, "/metadata/namespace").to_owned();
    if place.kind.namespaced {
        if !said.is_empty() && said != place.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        map_at(object, "metadata").insert("namespace".to_owned(), place.namespace.clone().into());
    } else if !said.is_empty() {
        if said != "default" || place.kind.is_custom() {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        map_at(object, "metadata").shift_remove("namespace");
    }
    Ok(())
}

/// A name from `generateName` and five letters.
pub(crate) fn generated(base: &str, mut letter: impl FnMut() -> u8) -> String {
    let mut name: String = base.chars().take(LONGEST_BASE).collect();
    name.extend((0..5).map(|_| char::from(letter())));
    name
}

/// Carries over what no update changes.
pub(crate) fn carry(old: &Value, new: &mut Value) {
    let before = &old["metadata"];
    let metadata = map_at(new, "metadata");
    for field in
        ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName"]
    {
        match before.get(field) {
            Some(value) => metadata.insert(field.to_owned(), value.clone()),
            None if field == "generateName" => None,
            None => metadata.shift_remove(field),
        };
    }
}

/// What is wrong with the metadata of a new object.
pub(crate) fn faults(kind: &crate::kind::Kind, object: &Value) -> Vec<Cause> {
    let mut found = Vec::new();
    let metadata = &object["metadata"];
    let base = text(object, "/metadata/generateName");
    if let Some(why) = name_fault(kind, &format!("{base}x")).filter(|_| !base.is_empty()) {
        let message = format!("Invalid value: \"{base}\": {why}");
        found.push(cause("metadata.generateName", "FieldValueInvalid", &message));
    }
    if name(object).is_empty() {
        found.push(cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required"));
    } else if let Some(why) = name_fault(kind, name(object)) {
        let message = format!("Invalid value: \"{}\": {why}", name(object));
        found.push(cause("metadata.name", "FieldValueInvalid", &message));
    }
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        if let Some(why) = key_fault(key) {
            found.push(cause("metadata.labels", "FieldValueInvalid", &format!("Invalid value: \"{key}\": {why}")));
        }
        let value = value.as_str().unwrap_or_default();
        if let Some(why) = value_fault(value) {
            found.push(cause("metadata.labels", "FieldValueInvalid", &format!("Invalid value: \"{value}\": {why}")));
        }
    }
    for (key, _) in metadata["annotations"].as_object().into_iter().flatten() {
        if let Some(why) = key_fault(&key.to_lowercase()) {
            found.push(cause("metadata.annotations", "FieldValueInvalid", &format!("Invalid value: \"{key}\": {why}")));
        }
    }
    owner_faults(metadata, &mut found);
    for (at, finalizer) in metadata["finalizers"].as_array().into_iter().flatten().enumerate() {
        let finalizer = finalizer.as_str().unwrap_or_default();
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer) && key_fault(finalizer).is_none() {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            let message = format!("Invalid value: \"{finalizer}\": {why}");
            found.push(cause(&format!("metadata.finalizers[{at}]"), "FieldValueInvalid", &message));
        }
        if let Some(why) = key_fault(finalizer) {
            let message = format!("Invalid value: \"{finalizer}\": {why}");
            found.push(cause("metadata.finalizers", "FieldValueInvalid", &message));
        }
    }
    found
}

fn owner_faults(metadata: &Value, found: &mut Vec<Cause>) {
    let mut controllers = 0;
    for owner in metadata["ownerReferences"].as_array().into_iter().flatten() {
        for (field, key) in [("apiVersion", "apiVersion"), ("kind", "kind"), ("name", "name"), ("uid", "uid")] {
            if owner[key].as_str().unwrap_or_default().is_empty() {
                let path = format!("metadata.ownerReferences.{field}");
                let what = if key == "apiVersion" { "version" } else { key };
                let message = match key {
                    "apiVersion" => format!("Invalid value: \"\": {what} must not be empty"),
                    _ => "Invalid value: \"\": must not be empty".to_owned(),
                };
                found.push(cause(&path, "FieldValueInvalid", &message));
            }
        }
        controllers += u32::from(owner["controller"] == true);
    }
    if controllers > 1 {
        let both =
            metadata["ownerReferences"].as_array().into_iter().flatten().filter(|owner| owner["controller"] == true);
        let both: Vec<_> = both.map(|owner| format!("{}/{}", text(owner, "/kind"), text(owner, "/name"))).collect();
        let message = format!(
            "Invalid value: {}: Only one reference can have Controller set to true. Found \"true\" in references for {}",
            metadata["ownerReferences"],
            both[..2].join(" and ")
        );
        found.push(cause("metadata.ownerReferences", "FieldValueInvalid", &message));
    }
}

fn cause(field: &str, reason: &str, message: &str) -> Cause {
    Cause { reason: reason.to_owned(), message: message.to_owned(), field: field.to_owned() }
}

/// Finalizers without a domain, which only the server's own controllers take away.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn name_fault(kind: &crate::kind::Kind, name: &str) -> Option<String> {
    let is_rbac = kind.group == "rbac.authorization.k8s.io";
    if is_rbac {
        return (name == "." || name == ".." || name.contains('/') || name.contains('%'))
            .then(|| "may not contain '/' or '%'".to_owned());
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        // From 1.36 on a Service's name may begin with a digit, as a namespace's.
        ("", "Namespace" | "Service") => (!is_label(name) || name.len() > 63).then(|| LABEL.to_owned()),
        _ if name.len() > 253 => Some("must be no more than 253 bytes".to_owned()),
        _ => (!is_subdomain(name)).then(|| SUBDOMAIN.to_owned()),
    }
}

fn is_qualified(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn key_fault(key: &str) -> Option<String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if prefix.is_some_and(str::is_empty) {
        return Some("prefix part must be non-empty".to_owned());
    }
    if prefix.is_some_and(|prefix| !is_subdomain(prefix)) {
        return Some(format!("prefix part {SUBDOMAIN}"));
    }
    if name.is_empty() {
        return Some(format!("name part must be non-empty; {QUALIFIED}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".to_owned());
    }
    (!is_qualified(name)).then(|| QUALIFIED.to_owned())
}

fn value_fault(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    (!value.is_empty() && !is_qualified(value)).then(|| VALUE.to_owned())
}

/// `metadata` of a new object: who it is, and since when.
pub(crate) fn found(object: &mut Value, uid: String, now: Timestamp, has_generation: bool) {
    let metadata = map_at(object, "metadata");
    metadata.insert("uid".to_owned(), uid.into());
    metadata.insert("creationTimestamp".to_owned(), moment(now));
    metadata.shift_remove("resourceVersion");
    if has_generation {
        metadata.insert("generation".to_owned(), json!(1));
    }
}

/// What is wrong with how the metadata of an object was changed.
pub(crate) fn change_faults(old: &Value, new: &Value) -> Vec<Cause> {
    let list = |object: &Value| -> Vec<String> {
        let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
        finalizers.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let held = list(old);
    let added: Vec<_> = list(new).into_iter().filter(|one| !held.contains(one)).collect();
    if old["metadata"]["deletionTimestamp"].is_null() || added.is_empty() {
        return Vec::new();
    }
    let added: Vec<_> = added.iter().map(|one| format!("{one:?}")).collect();
    let message = format!(
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    // Metadata is looked at twice: for every kind, and by the kind.
    vec![cause("metadata.finalizers", "FieldValueForbidden", &message); 2]
}
