//! Coming from client-side apply: what `kubectl` wrote into its annotation is taken for what it applied.
//!
//! Not known here: client-side apply itself, which is the client's.

use serde_json::Value;

use super::atom::Types;
use super::compare::compare;
use super::refusal::Conflict;
use super::typed::{self, Duplicates};
use super::{Order, strip};
use crate::schema::{Schema, go_json};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What all annotations of an object may have together, keys included.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// The conflicts that remain when those are dropped over fields that `kubectl` itself wrote and nobody changed since; none
/// where all are.
pub(super) fn still_in_conflict(
    schema: &Schema,
    live: &Value,
    conflicts: Vec<Conflict>,
    how: &Order<'_>,
) -> Option<Vec<Conflict>> {
    let Some(allowed) = allowed(schema, live, how) else { return Some(conflicts) };
    let left: Vec<_> = conflicts.into_iter().filter(|conflict| !allowed.has(&conflict.path)).collect();
    (!left.is_empty()).then_some(left)
}

fn allowed(schema: &Schema, live: &Value, how: &Order<'_>) -> Option<super::Set> {
    let text = live.pointer("/metadata/annotations")?.get(ANNOTATION)?.as_str().filter(|text| !text.is_empty())?;
    let applied: Value = serde_json::from_str(text).ok()?;
    if applied["apiVersion"] != how.api_version {
        return None;
    }
    let (types, kind) = Types::of(schema);
    typed::check(types, kind, live, Duplicates::Refused).ok()?;
    typed::check(types, kind, &applied, Duplicates::Refused).ok()?;
    let changed = compare(types, kind, &applied, live).ok()?;
    let fields = typed::fields(types, kind, &applied);
    Some(fields.difference(&changed.modified).difference(&changed.added).difference(&changed.removed))
}

/// Keeps the annotation of an object that has one, so that client-side apply goes on to work.
pub(super) fn renew(object: &mut Value, applied: &Value) {
    let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) else { return };
    if annotations.get(ANNOTATION).and_then(Value::as_str).is_none_or(str::is_empty) {
        return;
    }
    let mut applied = applied.clone();
    strip(&mut applied);
    if let Some(annotations) = applied.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(ANNOTATION);
    }
    annotations.insert(ANNOTATION.to_owned(), Value::String(format!("{}\n", go_json(&applied))));
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if size > MOST_ANNOTATIONS {
        annotations.shift_remove(ANNOTATION);
    }
}
