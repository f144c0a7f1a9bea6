//! What Go's encoding of an object does not write again: nulls, empty lists and maps, zeros of fields that are left out
//! when they are zero.
//!
//! Not known here: schemas. The few lists and maps that are written though they are empty are named.

use serde_json::Value;

/// Maps from any key to a value: what stands in them is data, whatever its name.
const MAPS: [&str; 16] = [
    "labels",
    "annotations",
    "data",
    "binaryData",
    "stringData",
    "nodeSelector",
    "matchLabels",
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "used",
    "parameters",
    "overhead",
    "volumeAttributes",
];

/// Lists that are written though they are empty.
const KEPT: [&str; 5] = ["rules", "containers", "currentMetrics", "subsets", "scopes"];

/// Fields that are left out when they are false.
const FALSE: [&str; 12] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "unschedulable",
    "publishNotReadyAddresses",
    "paused",
    "externalID",
    "block",
];

/// Fields that are left out when they are empty.
const EMPTY: [&str; 26] = [
    "value",
    "namespace",
    "generateName",
    "subPath",
    "subPathExpr",
    "workingDir",
    "serviceAccountName",
    "serviceAccount",
    "nodeName",
    "hostname",
    "subdomain",
    "priorityClassName",
    "medium",
    "fsType",
    "clusterIP",
    "loadBalancerIP",
    "externalName",
    "host",
    "path",
    "description",
    "effect",
    "key",
    "operator",
    "schedulerName",
    "type",
    "storageClass",
];

/// Drops it, at every depth.
pub(super) fn drop_empty(object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    map.retain(|key, value| key == "kind" || key == "apiVersion" || walk(key, value) == Stay::Written);
}

#[derive(PartialEq, Eq)]
enum Stay {
    Written,
    LeftOut,
}

fn walk(key: &str, value: &mut Value) -> Stay {
    if MAPS.contains(&key) && value.is_object() {
        // A label selector may be called `data` as well as a map: only maps of plain values are left out.
        return if value.as_object().is_some_and(serde_json::Map::is_empty) { Stay::LeftOut } else { Stay::Written };
    }
    match value {
        Value::Null => return Stay::LeftOut,
        Value::Bool(false) if FALSE.contains(&key) => return Stay::LeftOut,
        Value::String(text) if text.is_empty() && EMPTY.contains(&key) => return Stay::LeftOut,
        Value::Array(list) if list.is_empty() && !KEPT.contains(&key) => return Stay::LeftOut,
        Value::Array(list) => {
            for item in list.iter_mut().filter(|item| item.is_object()) {
                walk("", item);
            }
        }
        Value::Object(map) if key != "managedFields" => {
            map.retain(|key, value| walk(key, value) == Stay::Written);
        }
        _ => {}
    }
    Stay::Written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_go_leaves_out_is_gone_and_what_it_writes_stays() {
        let mut object = json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": { "name": "a", "labels": {}, "annotations": { "empty": "" }, "creationTimestamp": null },
            "spec": {
                "hostNetwork": false, "enableServiceLinks": false, "securityContext": {}, "tolerations": [],
                "containers": [{ "name": "c", "env": [{ "name": "A", "value": "" }], "args": [] }],
                "volumes": [{ "name": "v", "emptyDir": {} }],
            },
        });
        drop_empty(&mut object);
        assert_eq!(
            object,
            json!({
                "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "a", "annotations": { "empty": "" } },
                "spec": {
                    "enableServiceLinks": false, "securityContext": {},
                    "containers": [{ "name": "c", "env": [{ "name": "A" }] }],
                    "volumes": [{ "name": "v", "emptyDir": {} }],
                },
            })
        );
    }
}
