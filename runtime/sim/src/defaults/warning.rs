//! What the API server says of an object that it takes nevertheless.
//!
//! Not known here: every warning there is; those of whole kinds that are on their way out are given with each answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{actor::json::items, schema::is_format};

/// What follows in the annotation's name is the name of a container.
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The warnings about an object of a built-in kind, as it is made or as it is changed from what it was.
pub(crate) fn warnings(group: &str, plural: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    match (group, plural) {
        ("apps", "deployments" | "daemonsets" | "replicasets" | "statefulsets") | ("batch", "jobs")
            if old.is_none_or(|old| old["spec"] != new["spec"]) =>
        {
            of_pods("spec.template.", &new["spec"]["template"])
        }
        ("batch", "cronjobs") if old.is_none_or(|old| old["spec"] != new["spec"]) => {
            of_pods("spec.jobTemplate.spec.template.", &new["spec"]["jobTemplate"]["spec"]["template"])
        }
        // Nobody is warned of changes of pods: programs make most of them.
        ("", "pods") if old.is_none() => of_pods("", new),
        ("apiextensions.k8s.io", "customresourcedefinitions") if old.is_none() => of_formats(new),
        _ => Vec::new(),
    }
}

fn of_pods(path: &str, template: &Value) -> Vec<String> {
    let annotations = template["metadata"]["annotations"].as_object().into_iter().flatten();
    let old_ways = annotations.filter(|(key, _)| key.starts_with(APP_ARMOR));
    old_ways
        .map(|(key, _)| {
            format!(
                "{path}metadata.annotations[{key}]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
            )
        })
        .collect()
}

/// Formats of texts that the API server does not know, and so does not look after.
fn of_formats(definition: &Value) -> Vec<String> {
    let mut unknown = BTreeSet::new();
    for version in items(definition, "/spec/versions") {
        collect(&version["schema"]["openAPIV3Schema"], &mut unknown);
    }
    unknown.into_iter().map(|format| format!("unrecognized format \"{format}\"")).collect()
}

fn collect<'a>(schema: &'a Value, unknown: &mut BTreeSet<&'a str>) {
    if !schema.is_object() {
        return;
    }
    if let (Some("string"), Some(format)) = (schema["type"].as_str(), schema["format"].as_str())
        && !format.is_empty()
        && !is_format(format)
    {
        unknown.insert(format);
    }
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(_, of)| of);
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|key| schema[key].as_array().into_iter().flatten());
    for below in properties.chain(lists).chain([&schema["items"], &schema["additionalProperties"], &schema["not"]]) {
        collect(below, unknown);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_annotations_are_warned_of_where_a_template_is_new() {
        let set = |image: &str| {
            json!({ "spec": { "template": {
                "metadata": { "annotations": { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" } },
                "spec": { "containers": [{ "name": "c", "image": image }] },
            } } })
        };
        let words = "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the \"appArmorProfile\" field instead";
        assert_eq!(warnings("apps", "daemonsets", &set("a"), None), [words]);
        assert_eq!(warnings("apps", "daemonsets", &set("a"), Some(&set("b"))), [words]);
        assert!(warnings("apps", "daemonsets", &set("a"), Some(&set("a"))).is_empty());
    }

    #[test]
    fn formats_that_nobody_checks_are_named_once() {
        let text = |format: &str| json!({ "type": "string", "format": format });
        let schema = json!({ "properties": {
            "a": text("binary"), "b": { "items": text("binary") }, "c": text("date-time"),
            "d": { "type": "integer", "format": "uint32" },
        } });
        let definition = json!({ "spec": { "versions": [{ "schema": { "openAPIV3Schema": schema } }] } });
        let said = warnings("apiextensions.k8s.io", "customresourcedefinitions", &definition, None);
        assert_eq!(said, ["unrecognized format \"binary\""]);
    }
}
