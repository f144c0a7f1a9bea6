//! All kinds that are served at one moment. A cheap clone; adding a CRD makes another one.
//!
//! Not known here: how the answers of discovery look.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

use axum::body::Bytes;
use serde_json::Value;

use super::definition::{Kind, Source, Subresource};
use super::{custom, custom::Conflict, record};

/// The kinds of one group at one version.
#[derive(Clone, Debug)]
pub(super) struct GroupVersion {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kinds: Vec<Arc<Kind>>,
}

/// What is served.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    builtin: &'static BuiltIn,
    /// By the names of their CRDs.
    customs: Arc<BTreeMap<String, Vec<Arc<Kind>>>>,
    /// What discovery says of them in one piece, of each root, once somebody has asked.
    pub(super) told: Arc<[OnceLock<Bytes>; 2]>,
}

#[derive(Debug)]
struct BuiltIn {
    groups: Vec<GroupVersion>,
    by_plural: HashMap<(String, String, String), Arc<Kind>>,
    by_kind: HashMap<(String, String, String), Arc<Kind>>,
}

impl Catalogue {
    /// The built-in kinds alone.
    pub(crate) fn builtin() -> Self {
        static BUILTIN: LazyLock<BuiltIn> = LazyLock::new(BuiltIn::read);
        Self { builtin: &BUILTIN, customs: Arc::default(), told: Arc::default() }
    }

    /// Is it one of the server's own groups? The core group has no name.
    pub(crate) fn knows_group(&self, group: &str) -> bool {
        group.is_empty() || self.builtin.groups.iter().any(|known| known.group == group)
    }

    /// The same with the served versions of a CRD, in place of what it served before.
    pub(crate) fn with_crd(&self, crd: &Value) -> Self {
        let mut customs = (*self.customs).clone();
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        customs.insert(name.to_owned(), custom::kinds(crd));
        Self { builtin: self.builtin, customs: Arc::new(customs), told: Arc::default() }
    }

    /// The same without a CRD.
    pub(crate) fn without_crd(&self, name: &str) -> Self {
        let mut customs = (*self.customs).clone();
        customs.remove(name);
        Self { builtin: self.builtin, customs: Arc::new(customs), told: Arc::default() }
    }

    /// The kind that a path names.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        let key = (group.to_owned(), version.to_owned(), plural.to_owned());
        let custom = || self.versions_of_crd(group, plural).iter().find(|kind| kind.version == version);
        self.builtin.by_plural.get(&key).or_else(custom).cloned()
    }

    /// The kind that an object says it is of.
    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let key = (group.to_owned(), version.to_owned(), kind.to_owned());
        let same = |other: &&Arc<Kind>| other.kind == kind && other.group == group && other.version == version;
        self.builtin.by_kind.get(&key).or_else(|| self.customs().find(same)).cloned()
    }

    /// A kind at all versions that are served, the preferred one first.
    pub(crate) fn versions(&self, group: &str, plural: &str) -> Vec<Arc<Kind>> {
        let of_group = self.builtin.groups.iter().filter(|served| served.group == group);
        let builtin = of_group.flat_map(|served| &served.kinds).filter(|kind| kind.plural == plural);
        builtin.chain(self.versions_of_crd(group, plural)).cloned().collect()
    }

    /// Every kind at every version: built-in ones first, then those of CRDs by their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.builtin.groups.iter().flat_map(|served| &served.kinds).chain(self.customs())
    }

    /// Whether the names that a CRD asks for are taken by others.
    pub(crate) fn conflict(&self, crd: &Value) -> Option<Conflict> {
        custom::conflict(crd, self.customs())
    }

    fn customs(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.customs.values().flatten()
    }

    fn versions_of_crd(&self, group: &str, plural: &str) -> &[Arc<Kind>] {
        self.customs.get(&format!("{plural}.{group}")).map_or(&[], Vec::as_slice)
    }

    /// Everything by group and version: built-in groups in the server's own order, then those of CRDs by their names, each
    /// with its versions in the order of preference.
    pub(super) fn groups(&self) -> Vec<GroupVersion> {
        let mut groups = self.builtin.groups.clone();
        let mut customs: BTreeMap<(String, custom::Preference), GroupVersion> = BTreeMap::new();
        for kind in self.customs() {
            let (group, version) = (kind.group.clone(), kind.version.clone());
            let key = (group.clone(), custom::Preference::of(&version));
            let entry = customs.entry(key).or_insert(GroupVersion { group, version, kinds: Vec::new() });
            entry.kinds.push(Arc::clone(kind));
        }
        for custom in customs.into_values() {
            match groups.iter_mut().find(|known| known.group == custom.group && known.version == custom.version) {
                Some(known) => known.kinds.extend(custom.kinds),
                None => groups.push(custom),
            }
        }
        groups
    }
}

impl BuiltIn {
    fn read() -> Self {
        let groups: Vec<_> = entries(&record::discovery()["groups"]).flat_map(group_versions).collect();
        let kinds = || groups.iter().flat_map(|served: &GroupVersion| &served.kinds);
        let key = |kind: &Kind, last: &str| (kind.group.clone(), kind.version.clone(), last.to_owned());
        let by_plural = kinds().map(|kind| (key(kind, &kind.plural), Arc::clone(kind))).collect();
        let by_kind = kinds().map(|kind| (key(kind, &kind.kind), Arc::clone(kind))).collect();
        Self { groups, by_plural, by_kind }
    }
}

fn group_versions(recorded: &'static Value) -> impl Iterator<Item = GroupVersion> {
    let group = text(&recorded["metadata"]["name"]);
    entries(&recorded["versions"]).map(move |served| {
        let version = text(&served["version"]);
        let kinds = entries(&served["resources"]).map(|resource| Arc::new(kind(&group, &version, resource))).collect();
        GroupVersion { group: group.clone(), version, kinds }
    })
}

fn kind(group: &str, version: &str, resource: &Value) -> Kind {
    let name = text(&resource["responseKind"]["kind"]);
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        list_kind: format!("{name}List"),
        plural: text(&resource["resource"]),
        singular: text(&resource["singularResource"]),
        short_names: texts(&resource["shortNames"]),
        categories: texts(&resource["categories"]),
        namespaced: resource["scope"] == "Namespaced",
        verbs: texts(&resource["verbs"]),
        subresources: entries(&resource["subresources"]).map(|below| subresource(group, version, below)).collect(),
        storage_hash: text(&resource["storageVersionHash"]),
        source: Source::BuiltIn,
        kind: name,
    }
}

fn subresource(group: &str, version: &str, recorded: &Value) -> Subresource {
    let of = &recorded["responseKind"];
    // Where it is of the group version that it is served in, the record leaves both empty.
    let own = of["group"] == "" && of["version"] == "";
    Subresource {
        name: text(&recorded["subresource"]),
        group: if own { group.to_owned() } else { text(&of["group"]) },
        version: if own { version.to_owned() } else { text(&of["version"]) },
        kind: text(&of["kind"]),
        verbs: texts(&recorded["verbs"]),
    }
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    entries(list).map(text).collect()
}
