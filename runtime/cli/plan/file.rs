//! The bytes of a plan file: JSON with a version, for its owner alone, never written over another file.
//!
//! Does not know where a plan comes from, nor what a run is.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use runbook_core::digest;
use runbook_core::effect::Effect;
use runbook_core::fault::{Code, Fault};
use runbook_core::record::Cluster;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::likeness;

/// The version of the format. Readers refuse any other.
pub(super) const VERSION: u32 = 1;

/// What a run is held to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) version: u32,
    /// Version of the program that made it: another one's library may do other things.
    pub(crate) program: String,
    pub(crate) runbook: String,
    /// SHA-256 of the script's text.
    pub(crate) digest: String,
    pub(crate) made: Timestamp,
    pub(crate) expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    pub(crate) cluster: Cluster,
    /// Where a call goes that names no namespace.
    pub(crate) namespace: String,
    /// Parameters in effect; those that are secrets are not here.
    pub(crate) parameters: Map<String, Value>,
    /// Digests of the parameters that are secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets: BTreeMap<String, String>,
    /// What digests are made with, in hexadecimal.
    pub(crate) key: String,
    /// The objects that the run changes and that were there before.
    pub(crate) objects: Vec<Before>,
    /// Every call that is not pure, in order.
    pub(crate) calls: Vec<Call>,
    /// The resource version of everything that was read, by `deployments.apps shop/web`; null for what was not there.
    pub(crate) read: BTreeMap<String, Option<String>>,
}

/// A call that the run makes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// Step path; empty outside of steps.
    pub(crate) step: String,
    pub(crate) primitive: String,
    pub(crate) effect: Effect,
    /// In words, without secrets.
    pub(crate) words: String,
    /// Without secrets.
    pub(crate) arguments: Value,
    /// Keyed digest of the arguments, without what clock and cluster gave.
    pub(crate) digest: String,
    /// The same without the endings of names that a cluster makes up. Of a write only where it is about something that is not there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) loose: Option<String>,
}

/// An object that the run changes, as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    /// Its resource with group, such as `deployments.apps`.
    pub(crate) resource: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Keyed digest of what it is made of, without what the server and controllers write.
    pub(crate) digest: String,
    /// When it was written last, by the cluster's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<Timestamp>,
}

impl Plan {
    /// How many calls write.
    pub(crate) fn writes(&self) -> usize {
        self.calls.iter().filter(|call| call.effect.writes()).count()
    }

    /// Digest of a value with the key of the plan.
    pub(crate) fn keyed(&self, value: &Value) -> String {
        digest::keyed(self.key.as_bytes(), value)
    }

    /// Digests of the arguments of a call in a run that began at `since`: of all of them, and without the endings of names that a
    /// cluster makes up.
    pub(super) fn digests(&self, arguments: &Value, since: Timestamp) -> (String, String) {
        let settled = likeness::settled(arguments, since);
        (self.keyed(&settled), self.keyed(&likeness::loosened(&settled)))
    }

    /// As it stands in a file.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is plain data") + "\n"
    }
}

/// Reads a plan file.
///
/// Faults: `RB002` where it cannot be read, is no plan, or of another version.
pub(crate) fn read(path: &Path) -> Result<Plan, Fault> {
    let wrong = |reason: String| {
        Fault::new(Code::Usage, format!("`--plan {}`: {reason}", path.display()))
            .hint("a dry run saves one with `--dry-run --plan-out FILE`")
    };
    let text = fs_err::read_to_string(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return Err(wrong(format!("it has version {version} of the format, and this program reads {VERSION}")));
        }
        None => return Err(wrong("it is no plan: it says no version".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| wrong(format!("it is no plan: {error}")))
}
