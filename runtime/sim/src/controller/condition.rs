//! Conditions: what a status says about itself in lists.
//!
//! Not known here: which conditions a kind has.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reading::stamp;
use crate::actor::json::items;

/// The condition of a type.
pub(super) fn find<'a>(object: &'a Value, pointer: &str, kind: &str) -> Option<&'a Value> {
    items(object, pointer).iter().find(|condition| condition["type"] == kind)
}

/// Does a condition hold?
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    find(object, "/status/conditions", kind).is_some_and(|condition| condition["status"] == "True")
}

/// What a condition is to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saying<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// Sets a condition in its place in a list. The moment of its last transition moves where its status changes. Says whether
/// anything is different.
pub(super) fn set(conditions: &mut Vec<Value>, saying: Saying<'_>, now: Timestamp) -> bool {
    let mut wanted = json!({ "type": saying.kind, "status": saying.status, "lastTransitionTime": stamp(now) });
    if !saying.reason.is_empty() {
        wanted["reason"] = saying.reason.into();
    }
    wanted["message"] = saying.message.into();
    let Some(present) = conditions.iter_mut().find(|condition| condition["type"] == saying.kind) else {
        conditions.push(wanted);
        return true;
    };
    if present["status"] == saying.status {
        wanted["lastTransitionTime"] = present["lastTransitionTime"].clone();
    }
    for extra in ["lastUpdateTime", "lastProbeTime", "observedGeneration"] {
        if let Some(value) = present.get(extra) {
            wanted[extra] = value.clone();
        }
    }
    let is_new = *present != wanted;
    *present = wanted;
    is_new
}
