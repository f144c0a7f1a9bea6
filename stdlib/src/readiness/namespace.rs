//! Namespaces: active; one that is being deleted says what holds it.
//!
//! Does not know what lies in them.

use serde_json::Value;

use super::object::{items, text};
use super::verdict::Verdict;

/// The verdict on a Namespace.
pub fn verdict(namespace: &Value) -> Verdict {
    match text(namespace, "/status/phase") {
        "Active" => Verdict::Ready,
        "" => Verdict::because("has no phase yet"),
        phase => Verdict::not_ready(phase, held(namespace)),
    }
}

/// What holds a namespace that is being deleted.
pub fn held(namespace: &Value) -> Vec<String> {
    let conditions = items(namespace, "/status/conditions").iter();
    let telling = conditions.filter(|condition| text(condition, "/status") == "True");
    telling.map(|condition| text(condition, "/message").to_owned()).filter(|message| !message.is_empty()).collect()
}
