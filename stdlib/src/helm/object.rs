//! The objects of a manifest, and which of two manifests are the same object.
//!
//! Does not compare them, and does not know what a kind means beyond where pods are described.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use runbook_core::{Code, Fault, Value};
use sha2::{Digest as _, Sha256};

use crate::yaml;

/// Where helm says that an object outlives its release.
const POLICY: &str = "helm.sh/resource-policy";

/// What makes an object the same in two manifests: its version may change, its namespace may be spelled out or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity {
    /// API group; empty for the core.
    pub(super) group: String,
    /// `Deployment`.
    pub(super) kind: String,
    /// As written; the release's own where absent.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
}

/// How much text the manifests have together that are kept as they were read.
const KEPT: usize = 4 << 20;

/// Manifests that were read last, by the digests of their texts. A run asks for the same release's again and again, and Istio's CRDs alone are
/// most of a megabyte of YAML.
static READ: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());

struct Kept {
    digest: [u8; 32],
    length: usize,
    objects: Arc<Vec<Value>>,
}

/// The objects of a manifest, in order; the items of lists each for itself.
///
/// Faults: `RB046` where it cannot be read.
pub(super) fn parse(manifest: &str) -> Result<Vec<Value>, Fault> {
    let digest: [u8; 32] = Sha256::digest(manifest).into();
    if let Some(objects) = recall(&digest) {
        return Ok(objects.as_ref().clone());
    }
    let objects = Arc::new(read(manifest)?);
    keep(Kept { digest, length: manifest.len(), objects: objects.clone() });
    Ok(objects.as_ref().clone())
}

fn recall(digest: &[u8; 32]) -> Option<Arc<Vec<Value>>> {
    let mut kept = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let place = kept.iter().position(|kept| kept.digest == *digest)?;
    let found = kept.remove(place)?;
    let objects = found.objects.clone();
    kept.push_back(found);
    Some(objects)
}

/// Keeps what was just read, for as long as the later ones leave room.
fn keep(new: Kept) {
    let mut kept = READ.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_back(new);
    while kept.iter().map(|kept| kept.length).sum::<usize>() > KEPT {
        kept.pop_front();
    }
}

fn read(manifest: &str) -> Result<Vec<Value>, Fault> {
    let documents = yaml::documents(manifest)
        .map_err(|reason| Fault::new(Code::RenderFailed, format!("the manifest cannot be read: {reason}")))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).flat_map(items).collect())
}

fn items(object: Value) -> Vec<Value> {
    let is_list = text(&object, &["kind"]).ends_with("List");
    match object {
        Value::Object(mut map) if is_list && map.get("items").is_some_and(Value::is_array) => match map.remove("items")
        {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        other => vec![other],
    }
}

impl Identity {
    /// Of an object in a release that lives in that namespace.
    pub(super) fn of(object: &Value, release_namespace: &str) -> Self {
        let version = text(object, &["apiVersion"]);
        let namespace = text(object, &["metadata", "namespace"]);
        Self {
            group: version.rsplit_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: text(object, &["kind"]).to_owned(),
            namespace: if namespace.is_empty() { release_namespace } else { namespace }.to_owned(),
            name: text(object, &["metadata", "name"]).to_owned(),
        }
    }

    /// `Deployment/istiod`.
    pub(super) fn in_words(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// Whether the object says that it outlives its release.
pub(super) fn is_kept(object: &Value) -> bool {
    let policy = object.get("metadata").and_then(|m| m.get("annotations")).and_then(|a| a.get(POLICY));
    policy.and_then(Value::as_str).is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// Containers and their images, wherever the object describes pods.
pub(super) fn images(object: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect_images(object, &mut found);
    found
}

fn collect_images(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if ["containers", "initContainers"].contains(&key.as_str()) {
                    let containers = inner.as_array().into_iter().flatten();
                    let named = containers
                        .filter_map(|c| Some((text(c, &["name"]).to_owned(), c.get("image")?.as_str()?.to_owned())));
                    found.extend(named);
                } else {
                    collect_images(inner, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_images(item, found)),
        _ => {}
    }
}

/// What a Service or workload selects its pods by.
pub(super) fn selector(object: &Value) -> Option<&Value> {
    object.get("spec")?.get("selector")
}

/// A text deep inside; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(object, |value, key| value.get(key)).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_manifest_is_the_same_when_it_is_asked_for_again_and_long_ones_push_it_out() {
        let manifest = "kind: ConfigMap\nmetadata: { name: kept }\n";
        let first = parse(manifest).unwrap();
        assert_eq!(first[0]["metadata"]["name"], "kept");
        assert_eq!(parse(manifest).unwrap(), first);
        let digest = Sha256::digest(manifest).into();
        assert!(recall(&digest).is_some());
        for number in 0..3 {
            parse(&format!("kind: ConfigMap\ndata: {{ a: '{number}{}' }}\n", "x".repeat(KEPT / 2))).unwrap();
        }
        assert!(recall(&digest).is_none());
    }

    #[test]
    fn a_manifest_falls_into_objects() {
        let manifest = "---\n# Source: x\napiVersion: v1\nkind: List\nitems:\n- {kind: A}\n- {kind: B}\n---\n# nothing\n---\nkind: C\n";
        assert_eq!(parse(manifest).unwrap(), [json!({ "kind": "A" }), json!({ "kind": "B" }), json!({ "kind": "C" })]);
        assert_eq!(parse("a: [").unwrap_err().code, Code::RenderFailed);
    }

    #[test]
    fn an_object_stays_itself_when_its_version_or_the_spelling_of_its_namespace_changes() {
        let old =
            json!({ "apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": { "name": "istiod" } });
        let new = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": { "name": "istiod", "namespace": "istio-system" } });
        assert_eq!(Identity::of(&old, "istio-system"), Identity::of(&new, "istio-system"));
        assert_ne!(Identity::of(&old, "other"), Identity::of(&new, "other"));
        assert_eq!(Identity::of(&old, "x").in_words(), "PodDisruptionBudget/istiod");
    }

    #[test]
    fn images_are_found_with_their_containers() {
        let deployment = json!({ "spec": { "template": { "spec": {
            "initContainers": [{ "name": "init", "image": "i:1" }],
            "containers": [{ "name": "discovery", "image": "pilot:1" }, { "name": "noimage" }],
        } } } });
        let images = images(&deployment);
        assert_eq!(images.len(), 2);
        assert!(images.contains(&("discovery".to_owned(), "pilot:1".to_owned())));
    }

    #[test]
    fn only_the_word_keep_keeps() {
        let with = |policy: &str| json!({ "metadata": { "annotations": { "helm.sh/resource-policy": policy } } });
        assert!(is_kept(&with("keep")) && is_kept(&with(" Keep ")));
        assert!(!is_kept(&with("delete")) && !is_kept(&json!({})));
    }
}
