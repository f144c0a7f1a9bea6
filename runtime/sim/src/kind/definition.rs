//! One kind of object at one version, as a path leads to it.
//!
//! Not known here: how it was found, and which others there are.

use std::sync::Arc;

use serde_json::Value;

/// A kind at one version.
#[expect(clippy::struct_field_names, reason = "a kind's `kind` is the word that everybody uses")]
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) verbs: Vec<String>,
    pub(crate) subresources: Vec<Subresource>,
    /// What discovery tells clients about the version that is stored; nothing where nothing is stored.
    pub(crate) storage_hash: String,
    pub(crate) source: Source,
}

/// A path below an object: `status`, `scale`, `eviction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subresource {
    pub(crate) name: String,
    /// The kind of what is sent there and comes back, which may be of another group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) verbs: Vec<String>,
}

/// Where a kind comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The API server's own.
    BuiltIn,
    /// A CRD.
    Custom(Custom),
}

/// What only kinds of CRDs have.
#[derive(Debug)]
pub(crate) struct Custom {
    /// The whole definition.
    pub(crate) definition: Arc<Value>,
    /// The index of this version in `spec.versions`.
    index: usize,
}

impl Custom {
    pub(super) fn new(definition: Arc<Value>, index: usize) -> Self {
        Self { definition, index }
    }

    /// The entry of this version: `schema`, `additionalPrinterColumns`, `selectableFields`, `subresources`, `deprecated`.
    pub(crate) fn version(&self) -> &Value {
        &self.definition["spec"]["versions"][self.index]
    }

    /// Its `openAPIV3Schema`.
    pub(crate) fn schema(&self) -> &Value {
        &self.version()["schema"]["openAPIV3Schema"]
    }

    /// The version that clients should use: the most mature one that is served and not on its way out.
    pub(crate) fn newest_served(&self) -> Option<&str> {
        let versions = self.definition["spec"]["versions"].as_array().into_iter().flatten();
        let good = versions.filter(|version| version["served"] == true && version["deprecated"] != true);
        good.filter_map(|version| version["name"].as_str()).min_by_key(|name| super::custom::Preference::of(name))
    }

    /// The version in which objects are stored.
    pub(crate) fn storage_version(&self) -> &str {
        let versions = self.definition["spec"]["versions"].as_array().into_iter().flatten();
        let stored = versions.into_iter().find(|version| version["storage"] == true);
        stored.and_then(|version| version["name"].as_str()).unwrap_or_default()
    }
}

impl Kind {
    /// `apps/v1`, or `v1` in the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` in the core group: how messages name it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The path of its group version: `api/v1`, `apis/apps/v1`.
    pub(crate) fn root(&self) -> String {
        root(&self.group, &self.version)
    }

    /// Whether it can be asked for this.
    pub(crate) fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The name of its schema in the record (`io.k8s.api.core.v1.Pod`); none for kinds of CRDs.
    pub(crate) fn schema_name(&self) -> Option<&'static str> {
        if self.is_custom() { None } else { super::openapi::schema_name(&self.group, &self.version, &self.kind) }
    }

    /// A path below its objects.
    pub(crate) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|known| known.name == name)
    }

    /// Whether a CRD made it.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.source, Source::Custom(_))
    }
}

/// The path of a group version.
pub(super) fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
