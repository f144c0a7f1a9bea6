//! `Chart.yaml`: what it may say, and what is wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Fault;
use crate::function::is_version;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn no(truth: &bool) -> bool {
    !truth
}

/// Who keeps a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintainer {
    /// A person or an organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where to write to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Where to look.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A chart that this one needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The range that its version must be in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values, the first of which that is a truth value switches it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Groups that switch it together with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is in.
    #[serde(skip_serializing_if = "no")]
    pub enabled: bool,
    /// Values of its own that the parent takes over.
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<Value>,
    /// Another name for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

/// What `Chart.yaml` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its home page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where its sources are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What it is, in a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// Its picture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// `v1` or `v2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// A condition, from before dependencies had their own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Tags, from before dependencies had their own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of what it installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether it should no longer be used.
    #[serde(skip_serializing_if = "no")]
    pub deprecated: bool,
    /// Anything else, for others to read.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The range that the cluster's version must be in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts that it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// `application` or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

impl Metadata {
    /// What helm finds wrong with it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let wrong = |words: String| Err(Fault::new(format!("validation: {words}")));
        if self.api_version.is_empty() {
            return wrong("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return wrong("chart.metadata.name is required".to_owned());
        }
        if matches!(self.name.as_str(), "." | "..") {
            return wrong(format!("chart.metadata.name {:?} is not allowed", self.name));
        }
        if self.name.contains('/') {
            return wrong(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return wrong("chart.metadata.version is required".to_owned());
        }
        if !is_version(&self.version) {
            return wrong(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return wrong("chart.metadata.type must be application or library".to_owned());
        }
        let mut known = std::collections::BTreeSet::new();
        for dependency in &self.dependencies {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !dependency.alias.chars().all(fits) {
                return wrong(format!("dependency {:?} has disallowed characters in the alias", dependency.name));
            }
            let name = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !known.insert(name) {
                return wrong(format!("more than one dependency with name or alias {name:?}"));
            }
        }
        Ok(())
    }
}
