//! Options that several primitives of this folder share.

use runbook_core::scope::id_of;
use runbook_core::world::{Question, Style};
use runbook_core::{Call, Fault, Param};

/// What the answer given beforehand is called.
pub(super) const ID: Param<Option<String>> = Param::option(
    "id",
    "What `--approve` and `--override` call it; that of the step for an approval, else made from the words, if absent.",
);

/// On what grounds.
pub(super) const EVIDENCE: Param<Option<Vec<String>>> = Param::option("evidence", "What it rests on: a line each.");

/// The object a fault is about.
pub(super) const OBJECT: Param<Option<String>> =
    Param::option("object", "The object it is about, such as `deployment/web`.");

/// What to do about it.
pub(super) const FIX: Param<Option<String>> = Param::option("fix", "What to do about it.");

/// A question at the place of a call.
pub(super) fn question(
    call: &Call<'_>,
    text: String,
    id: Option<String>,
    evidence: Option<Vec<String>>,
    style: Style,
) -> Question {
    Question {
        id: id.unwrap_or_else(|| id_of(&text)),
        step: call.step.clone(),
        text,
        evidence: evidence.unwrap_or_default(),
        style,
    }
}

/// A fault with the options that say more about it.
pub(super) fn told(
    mut fault: Fault,
    object: Option<String>,
    fix: Option<String>,
    evidence: Option<Vec<String>>,
) -> Fault {
    fault.object = object;
    fault.hint = fix;
    fault.evidence = evidence.unwrap_or_default();
    fault
}
