//! Who a pod of a StatefulSet is: its number, its name, its claims.
//!
//! Not known here: when a pod is made.

use serde_json::{Value, json};

use super::{KIND, REVISION};
use crate::{
    actor::json::{as_map, items, list_at, map_at, name, namespace, text},
    controller::member,
    resource::Resource,
};

pub(super) const CLAIMS: Resource = Resource::core("persistentvolumeclaims");

/// The number at the end of a pod's name, where the rest is the set's.
pub(super) fn ordinal(set: &Value, pod: &str) -> Option<i64> {
    pod.strip_prefix(name(set))?.strip_prefix('-')?.parse().ok().filter(|ordinal| *ordinal >= 0)
}

/// A pod of a revision's template.
pub(super) fn pod(set: &Value, revision: &Value, ordinal: i64) -> Value {
    let mut template = revision["data"]["spec"]["template"].clone();
    as_map(&mut template).shift_remove("$patch");
    let mut pod = member::from_template(set, KIND, &template);
    let named = format!("{}-{ordinal}", name(set));
    let metadata = map_at(&mut pod, "metadata");
    metadata.insert("name".to_owned(), named.as_str().into());
    metadata.insert("generateName".to_owned(), format!("{}-", name(set)).into());
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    labels["statefulset.kubernetes.io/pod-name"] = named.as_str().into();
    labels["apps.kubernetes.io/pod-index"] = ordinal.to_string().into();
    labels[REVISION] = name(revision).into();
    let spec = map_at(&mut pod, "spec");
    spec.insert("hostname".to_owned(), named.into());
    if !text(set, "/spec/serviceName").is_empty() {
        spec.insert("subdomain".to_owned(), set["spec"]["serviceName"].clone());
    }
    let volumes = list_at(&mut pod["spec"], "volumes");
    for template in items(set, "/spec/volumeClaimTemplates") {
        volumes.retain(|volume| volume["name"] != template["metadata"]["name"]);
        let claim = json!({ "claimName": claim_name(set, template, ordinal) });
        volumes.push(json!({ "name": template["metadata"]["name"], "persistentVolumeClaim": claim }));
    }
    if volumes.is_empty() {
        as_map(&mut pod["spec"]).shift_remove("volumes");
    }
    pod
}

/// The claims of a pod.
pub(super) fn claims(set: &Value, ordinal: i64) -> Vec<Value> {
    let templates = items(set, "/spec/volumeClaimTemplates").iter();
    templates
        .map(|template| {
            let mut labels = template["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
            for (key, value) in set["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten() {
                labels[key] = value.clone();
            }
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": template["spec"],
                "metadata": {
                    "name": claim_name(set, template, ordinal), "namespace": namespace(set), "labels": labels,
                    "annotations": template["metadata"]["annotations"],
                },
            })
        })
        .collect()
}

fn claim_name(set: &Value, template: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", name(template), name(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_number_stands_behind_the_sets_name() {
        let set = json!({ "metadata": { "name": "db" } });
        assert_eq!(ordinal(&set, "db-0"), Some(0));
        assert_eq!(ordinal(&set, "db-12"), Some(12));
        assert_eq!(ordinal(&set, "db-x-1"), None);
        assert_eq!(ordinal(&set, "other-1"), None);
    }
}
