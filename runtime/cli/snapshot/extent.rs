//! What belongs into a snapshot: which kinds, which namespaces, and in which order.
//!
//! Does not know how they are read, nor what in them is secret.

use std::collections::HashSet;
use std::sync::Arc;

use runbook_stdlib::kubectl::kind::Resource;
use serde_json::Value;

/// Kinds that are left out: what a cluster makes by itself, and what is over by the time anybody rehearses.
const LEFT_OUT: &[(&str, &str)] = &[
    ("", "events"),
    ("", "endpoints"),
    ("events.k8s.io", "events"),
    ("coordination.k8s.io", "leases"),
    ("coordination.k8s.io", "leasecandidates"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("apiregistration.k8s.io", "apiservices"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "csistoragecapacities"),
    ("storage.k8s.io", "volumeattachments"),
    ("networking.k8s.io", "ipaddresses"),
    ("networking.k8s.io", "servicecidrs"),
    ("internal.apiserver.k8s.io", "storageversions"),
    ("storagemigration.k8s.io", "storageversionmigrations"),
];

/// The namespace that every cluster has: it is always kept.
const WITNESS: &str = "kube-system";

/// Which part of a cluster.
pub(super) struct Extent {
    narrow: bool,
    namespaces: Vec<String>,
}

impl Extent {
    /// These namespaces and what lies in none, or all where there are none.
    pub(super) fn new(namespaces: Vec<String>) -> Self {
        Self { narrow: !namespaces.is_empty(), namespaces }
    }

    /// Says which namespaces there are, where all are meant.
    pub(super) fn found(&mut self, namespaces: Vec<String>) {
        if !self.narrow {
            self.namespaces = namespaces;
        }
    }

    /// Whether only some namespaces are meant.
    pub(super) fn is_narrow(&self) -> bool {
        self.narrow
    }

    /// The namespaces that are meant, as far as they are known.
    pub(super) fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// Whether an object belongs to it.
    pub(super) fn keeps(&self, object: &Value) -> bool {
        let name = name(object).unwrap_or_default();
        let is_namespace = object["kind"] == "Namespace" && object["apiVersion"] == "v1";
        !(self.narrow && is_namespace) || name == WITNESS || self.namespaces.iter().any(|known| known == name)
    }
}

/// The kinds of a snapshot, each in the version that the server prefers, in the order in which a cluster can take them.
pub(super) fn kinds(all: &[Arc<Resource>]) -> Vec<Arc<Resource>> {
    let mut seen = HashSet::new();
    let mut kinds: Vec<_> = all
        .iter()
        .filter(|kind| ["list", "create"].iter().all(|verb| kind.verbs.iter().any(|known| known == verb)))
        .filter(|kind| !LEFT_OUT.contains(&(kind.group.as_str(), kind.plural.as_str())))
        .filter(|kind| seen.insert((kind.group.clone(), kind.plural.clone())))
        .cloned()
        .collect();
    kinds.sort_by_key(|kind| rank(kind));
    kinds
}

/// Definitions come before what they define, namespaces before what lies in them, and webhooks after what they would look at.
fn rank(kind: &Resource) -> u8 {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => 0,
        ("", "namespaces") => 1,
        ("", "nodes") => 2,
        ("admissionregistration.k8s.io", _) => 4,
        _ => 3,
    }
}

/// The name of an object.
pub(super) fn name(object: &Value) -> Option<&str> {
    object.pointer("/metadata/name")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(group: &str, version: &str, plural: &str, verbs: &[&str]) -> Arc<Resource> {
        Arc::new(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            ..Resource::default()
        })
    }

    #[test]
    fn each_kind_stands_once_and_after_what_it_needs() {
        let all = [
            kind("", "v1", "pods", &["create", "list"]),
            kind("", "v1", "events", &["create", "list"]),
            kind("", "v1", "bindings", &["create"]),
            kind("metrics.k8s.io", "v1", "pods", &["list"]),
            kind("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", &["create", "list"]),
            kind("", "v1", "namespaces", &["create", "list"]),
            kind("example.com", "v1", "things", &["create", "list"]),
            kind("example.com", "v1beta1", "things", &["create", "list"]),
            kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", &["create", "list"]),
        ];
        let kept: Vec<_> = kinds(&all).iter().map(|kind| format!("{} {}", kind.plural, kind.version)).collect();
        assert_eq!(
            kept,
            [
                "customresourcedefinitions v1",
                "namespaces v1",
                "pods v1",
                "things v1",
                "validatingwebhookconfigurations v1"
            ]
        );
    }

    #[test]
    fn a_part_of_a_cluster_has_the_namespaces_of_that_part_alone() {
        let namespace = |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        let kept = |extent: &Extent| {
            ["shop", "bank", "kube-system"]
                .into_iter()
                .filter(|name| extent.keeps(&namespace(name)))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&Extent::new(vec!["shop".to_owned()])), ["shop", "kube-system"]);
        assert_eq!(kept(&Extent::new(Vec::new())), ["shop", "bank", "kube-system"]);
    }
}
