//! Which objects of a cluster are kept, and what of them.
//!
//! A rehearsal goes on from a snapshot where the cluster was: pods run with the proxies that they have, rollouts are as far as they
//! got, fields belong to who owns them. So objects are kept whole, with uid, owners and status. Does not know what in an object is secret.

use serde_json::Value;

/// The label of roles that every API server makes as it starts.
const BOOTSTRAPPED: &str = "/metadata/labels/kubernetes.io~1bootstrapping";

/// The object as it is kept; `None` where every cluster makes such an object by itself, or it is on its way out.
pub(super) fn of(mut object: Value) -> Option<Value> {
    if object.pointer("/metadata/deletionTimestamp").is_some() || is_everywhere(&object) {
        return None;
    }
    // Each cluster counts its own versions.
    object.get_mut("metadata")?.as_object_mut()?.remove("resourceVersion");
    Some(object)
}

fn is_everywhere(object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match text("/kind") {
        _ if object.pointer(BOOTSTRAPPED).is_some() => true,
        "ConfigMap" => text("/metadata/name") == "kube-root-ca.crt",
        "Service" => (text("/metadata/namespace"), text("/metadata/name")) == ("default", "kubernetes"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_controllers_made_is_kept_as_it_was() {
        let pod = json!({ "kind": "Pod", "metadata": { "name": "p", "uid": "1", "ownerReferences": [{ "kind": "ReplicaSet", "uid": "2" }] },
            "status": { "phase": "Running" } });
        let mut read = pod.clone();
        read["metadata"]["resourceVersion"] = "77".into();
        assert_eq!(of(read), Some(pod));
    }

    #[test]
    fn what_every_cluster_has_and_what_is_going_is_left_out() {
        assert_eq!(of(json!({ "kind": "Service", "metadata": { "deletionTimestamp": "now" } })), None);
        assert_eq!(of(json!({ "kind": "ConfigMap", "metadata": { "name": "kube-root-ca.crt" } })), None);
        let role = json!({ "kind": "ClusterRole", "metadata": { "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" } } });
        assert_eq!(of(role), None);
    }
}
