//! Makes a manifest of an object that was read: what somebody asked for, without what a cluster adds to it.
//!
//! A rehearsal applies manifests to a cluster of its own, whose controllers make again what those of the live one have made: pods
//! with their owners, versions, statuses. Does not know what in an object is secret.

use serde_json::{Map, Value, json};

/// Metadata that a person may ask for.
const ASKED_FOR: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];

/// Kinds whose objects are made again where a controller made them.
const MADE_AGAIN: [&str; 5] = ["Pod", "ReplicaSet", "ControllerRevision", "Job", "EndpointSlice"];

/// The label of roles that every API server makes as it starts.
const BOOTSTRAPPED: &str = "/metadata/labels/kubernetes.io~1bootstrapping";

/// The manifest of an object; `None` where the rehearsal's cluster makes such an object by itself, or it is on its way out.
pub(super) fn of(mut object: Value) -> Option<Value> {
    if object.pointer("/metadata/deletionTimestamp").is_some() || is_made_again(&object) {
        return None;
    }
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let fields = object.as_object_mut()?;
    let status = fields.remove("status");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| ASKED_FOR.contains(&key.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("deployment.kubernetes.io/revision");
        }
    }
    match kind.as_str() {
        "Namespace" => drop(fields.remove("spec")),
        "Service" => without_address(fields),
        // How much room there is on a node is nobody's wish, and still has to be known.
        "Node" => {
            let status = status.unwrap_or_default();
            fields.insert(
                "status".to_owned(),
                json!({ "capacity": status["capacity"], "allocatable": status["allocatable"] }),
            );
        }
        _ => {}
    }
    Some(object)
}

fn is_made_again(object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controlled = owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true));
    match text("/kind") {
        _ if object.pointer(BOOTSTRAPPED).is_some() => true,
        "ConfigMap" => text("/metadata/name") == "kube-root-ca.crt",
        "Service" => (text("/metadata/namespace"), text("/metadata/name")) == ("default", "kubernetes"),
        kind => controlled && MADE_AGAIN.contains(&kind),
    }
}

/// Addresses are given by each cluster; that there shall be none is asked for.
fn without_address(fields: &mut Map<String, Value>) {
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if spec.get("clusterIP").is_some_and(|address| address != "None") {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controllers_made_is_left_to_controllers() {
        let pod = |owners: Value| json!({ "kind": "Pod", "metadata": { "name": "p", "ownerReferences": owners } });
        assert_eq!(of(pod(json!([{ "kind": "ReplicaSet", "controller": true }]))), None);
        assert!(of(pod(json!([]))).is_some());
        // Made by something that is no controller of ours: nobody would make it again.
        let gateway = json!({ "kind": "Deployment", "metadata": { "name": "d", "uid": "1", "ownerReferences": [{ "controller": true }] } });
        assert_eq!(of(gateway), Some(json!({ "kind": "Deployment", "metadata": { "name": "d" } })));
        assert_eq!(of(json!({ "kind": "Service", "metadata": { "deletionTimestamp": "now" } })), None);
    }

    #[test]
    fn a_manifest_asks_for_nothing_that_a_cluster_gives() {
        let service = |address: &str| {
            json!({ "kind": "Service", "metadata": { "name": "s", "resourceVersion": "1", "managedFields": [] },
                "spec": { "clusterIP": address, "clusterIPs": [address], "type": "ClusterIP" }, "status": {} })
        };
        assert_eq!(
            of(service("10.0.0.7")),
            Some(json!({ "kind": "Service", "metadata": { "name": "s" }, "spec": { "type": "ClusterIP" } }))
        );
        assert_eq!(of(service("None")).unwrap()["spec"]["clusterIP"], "None");
        let node = json!({ "kind": "Node", "metadata": { "name": "n" }, "status": { "capacity": { "pods": "9" }, "allocatable": { "pods": "8" }, "conditions": [] } });
        assert_eq!(of(node).unwrap()["status"], json!({ "capacity": { "pods": "9" }, "allocatable": { "pods": "8" } }));
    }
}
