//! What helm says after it has applied a revision. Does not know what was asked.

use runbook_core::{Fault, Value};
use serde::Deserialize;
use serde_json::json;

use super::release::unreadable;

/// A revision that helm has just made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Applied {
    name: String,
    namespace: String,
    #[serde(rename = "version")]
    revision: u64,
    info: Info,
    chart: Chart,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Info {
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Chart {
    metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(rename = "appVersion", default)]
    app_version: String,
}

impl Applied {
    /// Reads what helm printed with `--output=json`. Its manifest and values are not kept.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| {
            unreadable("--output=json", &format!("line {}, column {}", error.line(), error.column()))
                .hint("the release was changed; look at it with `helm::status`")
        })
    }

    /// What a script gets; `previous` is the revision before.
    pub(super) fn to_value(&self, previous: Option<u64>) -> Value {
        json!({
            "changed": true,
            "release": self.name,
            "namespace": self.namespace,
            "revision": self.revision,
            "previous_revision": previous,
            "status": self.info.status,
            "chart": self.chart.metadata.name,
            "version": self.chart.metadata.version,
            "app_version": self.chart.metadata.app_version,
        })
    }
}
