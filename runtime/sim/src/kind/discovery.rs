//! The documents of discovery, in the form of one document for each group version and in the aggregated one.
//!
//! Not known here: which form a client asked for, and under which address it came.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::catalogue::{Catalogue, GroupVersion};
use super::definition::{Kind, Subresource};

/// `/api`; `address` is where the client reached the server.
pub(crate) fn core_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": address }],
    })
}

impl Catalogue {
    /// `/apis`.
    pub(crate) fn group_list(&self) -> Value {
        let groups: Vec<_> = named(&self.groups()).iter().map(|(name, versions)| group_entry(name, versions)).collect();
        json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
    }

    /// `/apis/GROUP`.
    pub(crate) fn group(&self, name: &str) -> Option<Value> {
        let groups = self.groups();
        let (name, versions) = named(&groups).into_iter().find(|(known, _)| *known == name)?;
        let mut group = json!({ "kind": "APIGroup", "apiVersion": "v1" });
        if let (Some(group), Value::Object(entry)) = (group.as_object_mut(), group_entry(name, &versions)) {
            group.extend(entry);
        }
        Some(group)
    }

    /// `/api/v1` and `/apis/GROUP/VERSION`.
    pub(crate) fn resource_list(&self, group: &str, version: &str) -> Option<Value> {
        let groups = self.groups();
        let served = groups.iter().find(|served| served.group == group && served.version == version)?;
        let resources: Vec<_> = served.kinds.iter().flat_map(resource_entries).collect();
        let mut list =
            json!({ "kind": "APIResourceList", "groupVersion": group_version(served), "resources": resources });
        if !group.is_empty() {
            list["apiVersion"] = "v1".into();
        }
        Some(list)
    }

    /// `/api` or `/apis` in the aggregated form of `apidiscovery.k8s.io/v2`, as JSON. Every client asks for it first.
    pub(crate) fn aggregated(&self, which: Root) -> Bytes {
        self.told[which as usize].get_or_init(|| self.aggregate(which).to_string().into()).clone()
    }

    fn aggregate(&self, which: Root) -> Value {
        let groups = self.groups();
        let (core, named) = match which {
            Root::Core => (groups.iter().filter(|served| served.group.is_empty()).collect(), Vec::new()),
            Root::Groups => (Vec::new(), named(&groups)),
        };
        let core = (!core.is_empty()).then(|| aggregated_group("", &core));
        let items: Vec<_> =
            core.into_iter().chain(named.iter().map(|(name, versions)| aggregated_group(name, versions))).collect();
        json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items })
    }
}

/// One of the two roots of what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `/api`
    Core,
    /// `/apis`
    Groups,
}

/// Groups other than the core one, with their versions.
fn named(groups: &[GroupVersion]) -> Vec<(&str, Vec<&GroupVersion>)> {
    let mut named: Vec<(&str, Vec<&GroupVersion>)> = Vec::new();
    for served in groups.iter().filter(|served| !served.group.is_empty()) {
        match named.iter_mut().find(|(name, _)| *name == served.group) {
            Some((_, versions)) => versions.push(served),
            None => named.push((&served.group, vec![served])),
        }
    }
    named
}

fn group_version(served: &GroupVersion) -> String {
    if served.group.is_empty() { served.version.clone() } else { format!("{}/{}", served.group, served.version) }
}

fn group_entry(name: &str, versions: &[&GroupVersion]) -> Value {
    let entry = |served: &&GroupVersion| json!({ "groupVersion": group_version(served), "version": served.version });
    let versions: Vec<_> = versions.iter().map(entry).collect();
    json!({ "name": name, "versions": versions, "preferredVersion": versions[0] })
}

fn resource_entries(kind: &Arc<Kind>) -> Vec<Value> {
    let mut own = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": kind.verbs,
    });
    add_words(&mut own, kind);
    if !kind.storage_hash.is_empty() {
        own["storageVersionHash"] = kind.storage_hash.clone().into();
    }
    let below = kind.subresources.iter().map(|below| subresource_entry(kind, below));
    // A kind without verbs of its own is only the root of what lies below it.
    (!kind.verbs.is_empty()).then_some(own).into_iter().chain(below).collect()
}

fn add_words(entry: &mut Value, kind: &Kind) {
    if !kind.short_names.is_empty() {
        entry["shortNames"] = kind.short_names.clone().into();
    }
    if !kind.categories.is_empty() {
        entry["categories"] = kind.categories.clone().into();
    }
}

fn subresource_entry(kind: &Kind, below: &Subresource) -> Value {
    let mut entry = json!({
        "name": format!("{}/{}", kind.plural, below.name),
        "singularName": "",
        "namespaced": kind.namespaced,
    });
    if (below.group.as_str(), below.version.as_str()) != (kind.group.as_str(), kind.version.as_str()) {
        entry["group"] = below.group.clone().into();
        entry["version"] = below.version.clone().into();
    }
    entry["kind"] = below.kind.clone().into();
    entry["verbs"] = below.verbs.clone().into();
    entry
}

fn aggregated_group(name: &str, versions: &[&GroupVersion]) -> Value {
    let versions: Vec<_> = versions.iter().map(|served| aggregated_version(served)).collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({ "name": name }) };
    json!({ "metadata": metadata, "versions": versions })
}

fn aggregated_version(served: &GroupVersion) -> Value {
    let resources: Vec<_> = served.kinds.iter().map(|kind| aggregated_resource(kind)).collect();
    json!({ "version": served.version, "resources": resources, "freshness": "Current" })
}

fn aggregated_resource(kind: &Kind) -> Value {
    let mut entry = json!({
        "resource": kind.plural,
        "responseKind": response_kind(kind, &kind.group, &kind.version, &kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    add_words(&mut entry, kind);
    let below = |below: &Subresource| {
        json!({
            "subresource": below.name,
            "responseKind": response_kind(kind, &below.group, &below.version, &below.kind),
            "verbs": below.verbs,
        })
    };
    if !kind.subresources.is_empty() {
        entry["subresources"] = kind.subresources.iter().map(below).collect();
    }
    entry
}

/// Built-in kinds leave out the group version where it is the one that they are served in.
fn response_kind(of: &Kind, group: &str, version: &str, kind: &str) -> Value {
    if !of.is_custom() && of.group == group && of.version == version {
        json!({ "group": "", "version": "", "kind": kind })
    } else {
        json!({ "group": group, "version": version, "kind": kind })
    }
}
