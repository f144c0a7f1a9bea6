//! What the API server does about single kinds before they are stored, beyond schemas and defaults.
//!
//! Not known here: the road of a request.

use serde_json::{Value, json};

use crate::{
    actor::json::{as_map, map_at},
    kind::{Kind, Source},
    resource::GroupResource,
};

/// Is `metadata.generation` kept for a kind?
pub(crate) fn has_generation(kind: &Kind) -> bool {
    let counted: &[&str] = match kind.group.as_str() {
        _ if kind.is_custom() => return true,
        "admissionregistration.k8s.io" | "flowcontrol.apiserver.k8s.io" => return true,
        "" => &["pods", "podtemplates", "replicationcontrollers"],
        "apps" => &["deployments", "replicasets", "statefulsets", "daemonsets"],
        "batch" => &["jobs", "cronjobs"],
        "policy" => &["poddisruptionbudgets"],
        "networking.k8s.io" => &["ingresses", "networkpolicies", "ingressclasses", "servicecidrs"],
        "apiextensions.k8s.io" => &["customresourcedefinitions"],
        "discovery.k8s.io" => &["endpointslices"],
        "scheduling.k8s.io" => &["priorityclasses"],
        _ => &[],
    };
    counted.contains(&kind.plural.as_str())
}

/// Does a PUT make an object that is not there?
pub(crate) fn creates_on_update(resource: &GroupResource) -> bool {
    matches!(
        (&*resource.group, &*resource.plural),
        ("", "endpoints" | "events" | "limitranges" | "services")
            | ("coordination.k8s.io", "leases")
            | ("events.k8s.io", "events")
            | ("rbac.authorization.k8s.io", _)
            | ("node.k8s.io", "runtimeclasses")
    )
}

/// May a PUT leave the version out, and so overwrite whatever is there?
pub(crate) fn overwrites(kind: &Kind) -> bool {
    !kind.is_custom()
        && !matches!(
            (kind.group.as_str(), kind.plural.as_str()),
            ("coordination.k8s.io", "leases") | ("apiextensions.k8s.io", _)
        )
}

/// Is the last state of an object the answer to its deletion, or just `Success`?
pub(crate) fn returns_deleted(resource: &GroupResource) -> bool {
    matches!(
        (&*resource.group, &*resource.plural),
        (
            "",
            "namespaces"
                | "pods"
                | "services"
                | "persistentvolumes"
                | "persistentvolumeclaims"
                | "podtemplates"
                | "resourcequotas"
                | "serviceaccounts"
                | "limitranges"
        ) | ("storage.k8s.io", _)
            | ("networking.k8s.io", "servicecidrs")
    )
}

/// Do the dependents stay where nothing is said? Only for what is older than the question.
pub(crate) fn orphans_by_default(kind: &Kind) -> bool {
    (kind.group.as_str(), kind.plural.as_str()) == ("", "replicationcontrollers")
        || (kind.group == "batch" && kind.plural == "jobs")
}

/// What of `new` stands in a part of the object that this request does not write.
pub(crate) fn keep_other_part(kind: &Kind, below: &str, old: Option<&Value>, new: &mut Value) {
    match below {
        "" if kind.subresource("status").is_some() => {
            let kept = old.and_then(|old| old.get("status")).cloned();
            put(new, "status", kept);
            if kind.group.is_empty()
                && kind.kind == "Namespace"
                && let Some(finalizers) = old.and_then(|old| old.pointer("/spec/finalizers"))
            {
                // They go at a path of their own.
                map_at(new, "spec").insert("finalizers".to_owned(), finalizers.clone());
            }
        }
        "status" => {
            let Some(old) = old else { return };
            let status = as_map(new).shift_remove("status");
            let (metadata, mut whole) = (new["metadata"].take(), old.clone());
            put(&mut whole, "status", status);
            let of_metadata = map_at(&mut whole, "metadata");
            // Controllers mark objects through their status: built-in kinds let metadata through, as far as it is no identity.
            let open: &[&str] = if kind.is_custom() { &["managedFields"] } else { &["managedFields", "annotations"] };
            for field in open {
                match metadata.get(*field) {
                    Some(value) => of_metadata.insert((*field).to_owned(), value.clone()),
                    None => of_metadata.shift_remove(*field),
                };
            }
            // Nodes are marked through theirs as well.
            if kind.group.is_empty()
                && matches!(kind.plural.as_str(), "nodes" | "pods")
                && let Some(labels) = metadata.get("labels")
            {
                of_metadata.insert("labels".to_owned(), labels.clone());
            }
            if let Some(finalizers) = metadata.get("finalizers").filter(|_| !kind.is_custom()) {
                of_metadata.insert("finalizers".to_owned(), finalizers.clone());
            }
            *new = whole;
        }
        _ => {}
    }
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    match value {
        Some(value) => as_map(object).insert(key.to_owned(), value),
        None => as_map(object).shift_remove(key),
    };
}

/// Does the generation rise from `old` to `new`?
pub(crate) fn is_new_generation(kind: &Kind, old: &Value, new: &Value) -> bool {
    let changed = |except: &[&str]| {
        let fields = |object: &Value| -> Vec<(String, Value)> {
            let mut fields: Vec<_> = object
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| !except.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields
        };
        fields(old) != fields(new)
    };
    if kind.is_custom() {
        let has_status = kind.subresource("status").is_some();
        return changed(if has_status {
            &["metadata", "status", "kind", "apiVersion"]
        } else {
            &["metadata", "kind", "apiVersion"]
        });
    }
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("admissionregistration.k8s.io" | "discovery.k8s.io" | "scheduling.k8s.io", _) => {
            changed(&["metadata", "status", "kind", "apiVersion"])
        }
        _ => old["spec"] != new["spec"],
    }
}

/// What is turned into something else as soon as it is read: `stringData` of a Secret.
pub(crate) fn convert(kind: &Kind, object: &mut Value) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    if kind.group.is_empty()
        && kind.kind == "Secret"
        && let Some(Value::Object(plain)) = as_map(object).shift_remove("stringData")
    {
        let data = map_at(object, "data");
        for (key, value) in plain {
            data.insert(key, STANDARD.encode(value.as_str().unwrap_or_default()).into());
        }
    }
}

/// A DaemonSet counts its templates in an annotation, for what was once a field of its own.
pub(crate) fn count_templates(kind: &Kind, old: Option<&Value>, object: &mut Value) {
    const COUNT: &str = "deprecated.daemonset.template.generation";
    if kind.group != "apps" || kind.kind != "DaemonSet" {
        return;
    }
    let counted = |object: &Value| {
        let text = object["metadata"]["annotations"][COUNT].as_str();
        text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    let count = match old {
        None => counted(object).max(1),
        Some(old) => counted(old) + u64::from(old["spec"]["template"] != object["spec"]["template"]),
    };
    if count > 0 {
        map_at(&mut object["metadata"], "annotations").insert(COUNT.to_owned(), count.to_string().into());
    }
}

/// The warning that comes with every answer about a kind that is on its way out.
pub(crate) fn deprecation(kind: &Kind) -> Option<String> {
    if kind.group.is_empty() && kind.kind == "Endpoints" {
        return Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned());
    }
    let Source::Custom(custom) = &kind.source else { return None };
    let version = custom.version();
    if version["deprecated"] != true {
        return None;
    }
    let said = version["deprecationWarning"].as_str().map(str::to_owned);
    said.or_else(|| {
        let (group, of, name) = (&kind.group, &kind.version, &kind.kind);
        let newest = custom.newest_served()?;
        Some(format!("{group}/{of} {name} is deprecated; use {group}/{newest} {name}"))
    })
}

/// What a namespace starts and ends with.
pub(crate) fn prepare_namespace(kind: &Kind, object: &mut Value) {
    if kind.group.is_empty() && kind.kind == "Namespace" {
        let finalizers = object["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
        if finalizers.is_empty() {
            map_at(object, "spec").insert("finalizers".to_owned(), json!(["kubernetes"]));
        }
        as_map(object).insert("status".to_owned(), json!({ "phase": "Active" }));
        name_namespace(object);
    }
}

/// Every namespace carries its name as a label.
pub(crate) fn name_namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    let metadata = map_at(object, "metadata");
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}
