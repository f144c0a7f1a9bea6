//! One release of a prepared state.

use serde::Serialize;
use serde_json::{Value, json};

use crate::plane::Helm;

/// A chart to be installed under a name.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    pub(super) name: String,
    pub(super) chart: String,
    pub(super) version: String,
    pub(super) namespace: String,
    pub(super) helm: Helm,
    pub(super) values: Value,
    pub(super) flags: Vec<String>,
}

impl Release {
    /// A release of one of Istio's charts in `istio-system`, with no values of its own.
    pub fn of(chart: &str, version: &str, helm: Helm) -> Self {
        let [name, chart, version] = [default_name(chart), chart, version].map(str::to_owned);
        Self { name, chart, version, namespace: "istio-system".to_owned(), helm, values: json!({}), flags: Vec::new() }
    }

    /// Under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// In another namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// With these values as the user's own, merged over those given before.
    #[must_use]
    pub fn values(mut self, values: &Value) -> Self {
        merge(&mut self.values, values);
        self
    }

    /// With one more flag of `helm install`.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }
}

/// The names that Istio's own instructions use.
fn default_name(chart: &str) -> &str {
    match chart {
        "base" => "istio-base",
        "cni" => "istio-cni",
        "gateway" => "istio-ingress",
        other => other,
    }
}

/// Merges maps key by key; anything else is replaced.
pub(super) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}
