//! Prepared states: what is installed on a control plane before a test begins.
//!
//! A state is a description, a list of steps. The first time it is asked for, the steps are carried out for real, with helm and
//! the stand-in of istiod at work; then etcd's data is kept, and every later control plane starts from a copy of it.

mod catalogue;
mod pending;
mod prepare;
mod release;
mod settle;
mod store;

use serde::Serialize;
use serde_json::Value;

pub use release::Release;

use crate::build::gateway_api_version;
use crate::plane::Nodes;

/// A description of what is installed.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    name: String,
    nodes: Nodes,
    steps: Vec<Step>,
}

/// One step of a preparation.
#[derive(Clone, Debug, Serialize)]
enum Step {
    /// Applies the Gateway API's CRDs of a version.
    GatewayApi(String),
    /// Installs a release with helm, and waits.
    Install(Release),
    /// Applies YAML.
    Apply(String),
    /// Makes a revision tag as Istio's own instructions do: a template of the istiod chart, applied.
    Tag { tag: String, revision: String, version: String },
    /// Leaves a release as a helm that was killed in the middle of an upgrade does.
    Pending { release: String, namespace: String },
}

impl State {
    /// An empty cluster of three nodes. The name is for people and for the cache's folders; what tells two states apart
    /// is all of their description.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), nodes: Nodes::default(), steps: Vec::new() }
    }

    /// The same with the Gateway API of the pinned version.
    #[must_use]
    pub fn gateway_api(self) -> Self {
        self.gateway_api_of(gateway_api_version())
    }

    /// The same with the Gateway API of another version, such as `v1.4.1`.
    #[must_use]
    pub fn gateway_api_of(mut self, version: &str) -> Self {
        self.steps.push(Step::GatewayApi(version.to_owned()));
        self
    }

    /// The same with a release, installed after all that was said so far.
    #[must_use]
    pub fn install(mut self, release: Release) -> Self {
        self.steps.push(Step::Install(release));
        self
    }

    /// The same with objects, applied after all that was said so far.
    #[must_use]
    pub fn apply(mut self, yaml: &str) -> Self {
        self.steps.push(Step::Apply(yaml.to_owned()));
        self
    }

    /// The same with a revision tag, made from the istiod chart of a version.
    #[must_use]
    pub fn tag(mut self, tag: &str, revision: &str, version: &str) -> Self {
        let [tag, revision, version] = [tag, revision, version].map(str::to_owned);
        self.steps.push(Step::Tag { tag, revision, version });
        self
    }

    /// The same with a release whose newest revision is a `pending-upgrade` of two hours ago that changed nothing.
    #[must_use]
    pub fn pending(mut self, release: &str, namespace: &str) -> Self {
        self.steps.push(Step::Pending { release: release.to_owned(), namespace: namespace.to_owned() });
        self
    }

    /// The same with more values for a release that is already part of it; merged key by key.
    #[must_use]
    pub fn values(mut self, release: &str, values: &Value) -> Self {
        let found = self.steps.iter_mut().find_map(|step| match step {
            Step::Install(install) if install.name == release => Some(install),
            _ => None,
        });
        let install = found.unwrap_or_else(|| panic!("state `{}` has no release `{release}`", self.name));
        release::merge(&mut install.values, values);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
