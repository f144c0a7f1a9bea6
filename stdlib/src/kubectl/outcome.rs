//! What became of a write whose answer was lost, and writes that must not run over what others do meanwhile.
//!
//! Does not know what a write is for: whoever sends it says how to recognise that it was done.

use runbook_core::{Code, Fault};
use serde_json::{Value, json};

use super::api::Api;
use super::conditional;
use super::query::{Patch, Writing};
use super::refusal;
use crate::path::Path;

/// How often a change is decided anew because the object changed between reading and writing.
const ROUNDS: usize = 5;

/// What reading an object back tells about a write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trace {
    /// It was done; this is its answer.
    Done(Value),
    /// It was not done.
    NotDone,
    /// The object was changed, by the write or by someone else.
    Unclear,
}

/// Sends a write. Where its answer is lost, reads the object back instead of guessing (`None`: it does not exist); where the
/// write was not done it is sent once more. The fault of a write that stays without an answer says what is known.
pub(super) async fn settle(
    api: &Api,
    name: &str,
    write: impl AsyncFn() -> Result<Value, Fault>,
    trace: impl Fn(Option<Value>) -> Trace,
) -> Result<Value, Fault> {
    let mut sent_again = false;
    loop {
        let lost = match write().await {
            Err(fault) if refusal::outcome_unknown(&fault) => fault,
            other => return other,
        };
        let title = api.title(name);
        let said = |words: String| Fault { message: format!("{}; {words}", lost.message), ..lost.clone() };
        let found = match api.find(name).await {
            Ok(found) => trace(found),
            Err(fault) => {
                return Err(said(format!("{title} could not be read back: {}", fault.message))
                    .hint(format!("look at {title} before going on: the change may have been made or not")));
            }
        };
        match found {
            Trace::Done(answer) => {
                tracing::info!(target: "runbook::kubectl", object = %title, "an answer was lost; read back: it was done");
                return Ok(answer);
            }
            Trace::NotDone if sent_again => {
                return Err(said(format!("read back, {title} was not changed"))
                    .with("outcome", "not done")
                    .retryable());
            }
            Trace::NotDone => sent_again = true,
            Trace::Unclear => {
                return Err(said(format!("read back, {title} was changed, by this or by someone else"))
                    .hint(format!("look at {title} before going on")));
            }
        }
    }
}

/// What a change found and did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changed {
    /// The object as it was.
    pub(super) before: Value,
    /// The object as it is; `None` where nothing was to be done and nothing was sent.
    pub(super) after: Option<Value>,
}

/// What is to be changed, as a merge patch, and which other fields the decision looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Decision {
    pub(super) patch: Value,
    pub(super) looked_at: Vec<Path>,
}

/// Reads an object, decides on a change, and sends it only as long as the fields it was decided on are what was read; else
/// both anew. What others do to other fields meanwhile does not disturb it.
///
/// `decide` gives `None` where nothing is to be done.
pub(super) async fn change(
    api: &Api,
    name: &str,
    part: Option<&str>,
    writing: &Writing,
    decide: impl Fn(&Value) -> Result<Option<Decision>, Fault>,
) -> Result<Changed, Fault> {
    let mut round = 1;
    loop {
        let before = api.get_part(name, part).await?;
        let Some(decision) = decide(&before)? else { return Ok(Changed { before, after: None }) };
        let patch = Patch::Json(conditional::operations(&before, &decision.patch, &decision.looked_at));
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let sent = settle(
            api,
            name,
            async || api.patch_part(name, part, &patch, writing).await,
            |live| match live {
                Some(live) if part.is_none() && holds(&live, &decision.patch) => Trace::Done(live),
                Some(live) if part.is_none() || version(&live) == version(&before) => Trace::NotDone,
                _ => Trace::Unclear,
            },
        );
        match sent.await {
            Ok(after) => return Ok(Changed { before, after: Some(after) }),
            Err(fault) if round < ROUNDS && is_condition(&fault) => {
                // A refusal may mean the conditions, or what was asked for: only an object that moved on makes it worth another try.
                if version(&api.get_part(name, part).await?) == version(&before) {
                    return Err(fault);
                }
                round += 1;
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Whether a write may have been refused because the object is no longer the one that was read.
pub(super) fn is_condition(fault: &Fault) -> bool {
    let conflict =
        fault.code == Code::Conflict && fault.detail.get("reason").is_some_and(|reason| reason == "Conflict");
    conflict || (fault.code == Code::Rejected && refusal::status(fault) == Some(422))
}

/// Whether an object already is what a merge patch makes of it.
pub(super) fn holds(object: &Value, patch: &Value) -> bool {
    match patch {
        Value::Object(_) if !object.is_object() => false,
        Value::Object(fields) => fields.iter().all(|(key, wanted)| match (object.get(key), wanted) {
            (None | Some(Value::Null), Value::Null) => true,
            (Some(found), wanted) => holds(found, wanted),
            (None, Value::Object(inner)) if !inner.is_empty() => holds(&json!({}), wanted),
            (None, _) => false,
        }),
        wanted => object == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_holds_a_patch_that_would_change_nothing() {
        let object = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "list": [1, 2] } });
        for same in [
            json!({}),
            json!({ "metadata": { "labels": { "a": "1", "gone": null } } }),
            json!({ "spec": { "list": [1, 2] } }),
            json!({ "status": { "never": null } }),
        ] {
            assert!(holds(&object, &same), "{same}");
        }
        for other in [
            json!({ "metadata": { "labels": { "a": "2" } } }),
            json!({ "metadata": { "labels": { "a": null } } }),
            json!({ "spec": { "list": [1] } }),
            json!({ "status": { "phase": "x" } }),
            json!({ "status": {} }),
        ] {
            assert!(!holds(&object, &other), "{other}");
        }
    }
}
