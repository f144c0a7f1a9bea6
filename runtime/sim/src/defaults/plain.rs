//! The kinds of which one or two fields are filled in.
//!
//! Not known here: what they are for.

use serde_json::{Map, Value, json};

use super::{
    absent, each, inner, map_of,
    pod::{canonical_amount, canonical_amounts},
    zero,
};
use crate::actor::json::name;

pub(super) fn fill(group: &str, plural: &str, object: &mut Value) {
    match (group, plural) {
        ("", "namespaces") => fill_namespace(object),
        ("", "secrets") => fill_secret(object),
        ("", "persistentvolumeclaims") => fill_claim(object),
        ("", "persistentvolumes") => fill_volume(object),
        ("", "nodes") => fill_node(object),
        ("", "resourcequotas") => {
            for part in ["spec", "status"] {
                for kind in ["hard", "used"] {
                    if let Some(amounts) = inner(object, part).and_then(|part| inner(part, kind)) {
                        canonical_amounts(amounts);
                    }
                }
            }
        }
        ("", "limitranges") => fill_limits(object),
        ("", "endpoints") => {
            for port in each(object, "subsets").flat_map(|subset| each(subset, "ports")) {
                zero(port, "protocol", "TCP");
            }
        }
        ("discovery.k8s.io", "endpointslices") => {
            for port in each(object, "ports") {
                absent(port, "name", "");
                absent(port, "protocol", "TCP");
            }
            absent(object, "endpoints", Value::Null);
            absent(object, "ports", Value::Null);
        }
        ("scheduling.k8s.io", "priorityclasses") => absent(object, "preemptionPolicy", "PreemptLowerPriority"),
        ("storage.k8s.io", "storageclasses") => {
            absent(object, "reclaimPolicy", "Delete");
            absent(object, "volumeBindingMode", "Immediate");
        }
        ("storage.k8s.io", "csidrivers") => fill_driver(object),
        ("policy", "poddisruptionbudgets") => {
            if let Some(status) = map_of(object, "status") {
                for count in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                    absent(status, count, 0);
                }
            }
        }
        _ => {}
    }
}

fn fill_namespace(namespace: &mut Value) {
    let named = name(namespace).to_owned();
    if !named.is_empty()
        && let Some(labels) = map_of(namespace, "metadata").and_then(|metadata| map_of(metadata, "labels"))
    {
        labels["kubernetes.io/metadata.name"] = named.into();
    }
    if let Some(status) = map_of(namespace, "status") {
        zero(status, "phase", "Active");
    }
}

fn fill_secret(secret: &mut Value) {
    zero(secret, "type", "Opaque");
    let Some(fields) = secret.as_object_mut() else { return };
    let Some(Value::Object(plain)) = fields.shift_remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    for (key, value) in plain {
        if let Some(text) = value.as_str() {
            data[key] = base64_of(text).into();
        }
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(super) fn fill_claim(claim: &mut Value) {
    if let Some(spec) = map_of(claim, "spec") {
        absent(spec, "volumeMode", "Filesystem");
        absent(spec, "resources", json!({}));
        for kind in ["requests", "limits"] {
            if let Some(amounts) = inner(&mut spec["resources"], kind) {
                canonical_amounts(amounts);
            }
        }
    }
    if let Some(status) = map_of(claim, "status") {
        zero(status, "phase", "Pending");
    }
}

fn fill_volume(volume: &mut Value) {
    if let Some(spec) = map_of(volume, "spec") {
        zero(spec, "persistentVolumeReclaimPolicy", "Retain");
        absent(spec, "volumeMode", "Filesystem");
        if let Some(amounts) = inner(spec, "capacity") {
            canonical_amounts(amounts);
        }
        if let Some(host) = inner(spec, "hostPath") {
            absent(host, "type", "");
        }
    }
    if let Some(status) = map_of(volume, "status") {
        zero(status, "phase", "Pending");
    }
}

fn fill_node(node: &mut Value) {
    absent(node, "spec", json!({}));
    let Some(status) = map_of(node, "status") else { return };
    for kind in ["capacity", "allocatable"] {
        if let Some(amounts) = inner(status, kind) {
            canonical_amounts(amounts);
        }
    }
    if let Some(capacity) = status.get("capacity").cloned() {
        absent(status, "allocatable", capacity);
    }
}

fn fill_limits(limits: &mut Value) {
    let Some(spec) = inner(limits, "spec") else { return };
    for item in each(spec, "limits") {
        for kind in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            if let Some(amounts) = inner(item, kind) {
                canonical_amounts(amounts);
            }
        }
        if item["type"] != "Container" {
            continue;
        }
        for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
            let Some(amounts) = item.get(from).and_then(Value::as_object).cloned() else { continue };
            for (resource, amount) in amounts {
                if let Some(target) = map_of(item, to) {
                    absent(target, &resource, canonical_amount(&amount));
                }
            }
        }
    }
}

fn fill_driver(driver: &mut Value) {
    let Some(spec) = map_of(driver, "spec") else { return };
    absent(spec, "attachRequired", true);
    for switch in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
        absent(spec, switch, false);
    }
    absent(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    absent(spec, "volumeLifecycleModes", json!(["Persistent"]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_carry_their_name_and_secrets_only_data() {
        let mut namespace = json!({ "metadata": { "name": "shop" } });
        fill("", "namespaces", &mut namespace);
        assert_eq!(namespace["metadata"]["labels"]["kubernetes.io/metadata.name"], "shop");
        assert_eq!(namespace["status"]["phase"], "Active");
        let mut secret = json!({ "stringData": { "a": "b" } });
        fill("", "secrets", &mut secret);
        assert_eq!(secret, json!({ "type": "Opaque", "data": { "a": "Yg==" } }));
    }
}
