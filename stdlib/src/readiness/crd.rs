//! Definitions of custom resources: established, their names accepted, what is stored still defined.
//!
//! Does not know any custom resource.

use serde_json::Value;

use super::object::{condition, flag, holds, items, text, words_of};
use super::verdict::Verdict;

/// The verdict on a CRD, which must serve these versions as well, where any are asked for.
pub fn verdict(crd: &Value, versions: &[String]) -> Verdict {
    let mut reasons = Vec::new();
    if holds(crd, "Terminating") {
        reasons.push("it is being deleted".to_owned());
    }
    for kind in ["NamesAccepted", "Established"] {
        match condition(crd, kind) {
            Some(condition) if text(condition, "/status") == "True" => {}
            Some(condition) => reasons.push(format!("{kind}: {}", words_of(condition))),
            None => reasons.push(format!("{kind} is not told yet")),
        }
    }
    let defined = |version: &str| items(crd, "/spec/versions").iter().find(|one| text(one, "/name") == version);
    for version in versions {
        if !defined(version).is_some_and(|version| flag(version, "/served")) {
            reasons.push(format!("version {version} is not served"));
        }
    }
    for stored in items(crd, "/status/storedVersions").iter().filter_map(Value::as_str) {
        if defined(stored).is_none() {
            reasons.push(format!("objects may be stored as {stored}, which is no longer defined"));
        }
    }
    if reasons.is_empty() { Verdict::Ready } else { Verdict::not_ready("", reasons) }
}
